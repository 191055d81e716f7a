"""`python -m tuning.sweep`: every training once, the same numbers for any number of workers, its own folder only."""

import contextlib
import csv
import dataclasses
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from emobed_tf._version import __version__
from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.errors import InputError
from tests.comparison.test_workers import alive
from tests.conftest import ROOT, THREADS
from tuning import sweep_trials
from tuning.sweep import main
from tuning.sweep_results import SweepFolder, best_values
from tuning.sweep_trials import SweepTrial, run_sweep_trial, sweep_identity, sweep_scenarios
from tuning.sweep_values import NumericSetting

ALPHA = NumericSetting("alpha", float)
TINY = {"encoder_units": 6, "head_layers": 1, "head_units": 5, "epochs": 2, "batch_size": 8}
TINY |= {"threads": THREADS, "xla": False, "framework": "joint"}
FLAGS = [word for name, value in TINY.items() if name != "xla" for word in (f"--{name.replace('_', '-')}", str(value))]
FLAGS += ["--no-xla"]


@pytest.fixture
def command(tables, tmp_path):
    """Runs a sweep of alpha on the tables; further flags change it."""

    def run(*flags, output=tmp_path / "sweep", values="0,0.5", seeds=2):
        line = ["--parameter", "alpha", "--values", values, "--seeds", str(seeds), "--dataset", "tables"]
        return main([*line, "--data-dir", str(tables), "--output", str(output), *FLAGS, *flags])

    return run


def rows(folder):
    with open(folder / "sweep.csv", newline="") as file:
        return list(csv.DictReader(file))


def scores(folder):
    return {(row["scenario"], row["value"], row["seed"]): row["score"] for row in rows(folder)}


@pytest.mark.usefixtures("stack")
class TestSweep:
    @pytest.mark.slow
    def test_leaves_table_figure_and_scores_of_training(self, command, tables, tmp_path, capsys):
        from emobed_tf.training.loop import train

        assert command("--targets", "audio", "face") == 0
        out = capsys.readouterr().out
        found = rows(tmp_path / "sweep")
        assert [(r["scenario"], r["value"], r["seed"]) for r in found] == [
            (f"emotion from {target}", value, seed)
            for target in ("audio", "face")
            for value in ("0.0", "0.5")
            for seed in "01"
        ]
        assert found[0] | {"score": "", "seconds": "", "best_epoch": "", "warnings": ""} == {
            "parameter": "alpha",
            "value": "0.0",
            "scenario": "emotion from audio",
            "target": "audio",
            "auxiliary": "face",
            "label": "emotion",
            "seed": "0",
            "score_name": "f1_macro",
            "score": "",
            "epochs": "2",
            "best_epoch": "",
            "seconds": "",
            "simulated": "False",
            "reason": "",
            "warnings": "",
        }
        for row in (found[3], found[4]):  # each trained alone: what `train` finds
            config = preset("tables").replace(data_dir=tables, target=row["target"], **TINY)
            trained = train(*load_corpus(config.replace(alpha=float(row["value"]), seed=int(row["seed"]))))
            assert float(row["score"]) == trained.score
            assert row["best_epoch"] == str(trained.best_epoch)
        a, b = (float(row["score"]) for row in found[2:4])
        assert f"{(a + b) / 2:.3f} ± {abs(a - b) / 2**0.5:.3f} (2)" in out  # the deviation of two: their distance / √2
        for name in ("sweep.png", "sweep.svg"):
            assert (tmp_path / "sweep" / name).stat().st_size > 5000
        assert "emotion from face (best:" in (tmp_path / "sweep" / "sweep.svg").read_text()

    @pytest.mark.slow
    def test_what_is_done_is_not_done_again(self, command, tmp_path, monkeypatch, capsys):
        assert command(values="0.5", seeds=1) == 0
        first, trained = scores(tmp_path / "sweep"), []
        run = sweep_trials.run_sweep_trial
        monkeypatch.setattr(sweep_trials, "run_sweep_trial", lambda trial: trained.append(str(trial)) or run(trial))
        assert command("--targets", "audio", "face", values="0:0.5:0.5", seeds=2) == 0
        assert len(trained) == len(set(trained)) == 2 * 2 * 2 - 1
        assert "alpha = 0.5, emotion from audio, seed 0" not in trained
        assert "8 trainings, 1 of them done before" in capsys.readouterr().out
        more = scores(tmp_path / "sweep")
        assert len(more) == 8
        assert first.items() <= more.items()
        trained.clear()
        assert command(values="0.5", seeds=1) == 0
        assert trained == []
        assert scores(tmp_path / "sweep") == more  # all that the folder has

    @pytest.mark.slow
    def test_goes_on_after_a_kill(self, command, tmp_path):
        assert command() == 0
        ledger = tmp_path / "sweep" / "trials.jsonl"
        whole, lines = scores(tmp_path / "sweep"), ledger.read_bytes().splitlines(keepends=True)
        ledger.write_bytes(b"".join(lines[:4]) + lines[4][:30])
        shutil.copytree(tmp_path / "sweep", tmp_path / "cut")
        assert command(output=tmp_path / "cut") == 0
        assert scores(tmp_path / "cut") == whole
        assert len((tmp_path / "cut" / "trials.jsonl").read_bytes().splitlines()) == len(lines)

    def test_seeds_begin_where_they_are_told(self, command, tmp_path):
        assert command("--seed", "7", values="0.5") == 0
        assert [row["seed"] for row in rows(tmp_path / "sweep")] == ["7", "8"]

    @pytest.mark.slow
    def test_dimensions_and_delay(self, recola, tmp_path, capsys):
        flags = ["--parameter", "label_delay", "--values", "0,1", "--seeds", "1", "--dimensions", "arousal", "valence"]
        where = ["--data-dir", str(recola), "--output", str(tmp_path / "sweep")]
        assert main([*flags, *where, *FLAGS, "--encoder-layers", "1", "--epochs", "1"]) == 0
        out, found = capsys.readouterr().out, rows(tmp_path / "sweep")
        assert [r["scenario"] for r in found] == 2 * ["arousal from audio"] + 2 * ["valence from audio"]
        assert {(r["label"], r["score_name"], r["simulated"]) for r in found} == {
            ("arousal", "ccc", "True"),
            ("valence", "ccc", "True"),
        }
        assert "simulated package" in out
        assert "SIMULATED: development ccc by label_delay" in out
        assert "simulated" in (tmp_path / "sweep" / "sweep.svg").read_text().lower()

    def test_a_training_that_diverges_is_told_and_the_rest_done(self, command, tmp_path, capsys):
        flags = ["--parameter", "learning_rate", "--values", "0.001,1e30"]
        assert command(*flags) == 0
        out, found = capsys.readouterr().out, rows(tmp_path / "sweep")
        assert [bool(row["score"]) for row in found] == [True, True, False, False]
        assert all("became" in row["reason"] for row in found[2:])
        assert "failed: learning_rate = 1e+30, emotion from audio, seed 0: " in out
        assert "│ 1e+30         │" in out and "failed │" in out
        assert command(*flags) == 0
        assert "4 of them done before" in capsys.readouterr().out

    def test_other_settings_and_data_are_refused(self, command, tables, tmp_path, capsys):
        assert command(seeds=1) == 0
        folder = tmp_path / "tables"
        shutil.copytree(tables, folder)
        assert command("--data-dir", str(folder), seeds=1) == 0  # the same data elsewhere
        (folder / "face.csv").write_text((folder / "face.csv").read_text().replace("joy", "calm", 1))
        capsys.readouterr()
        for flags, told in (
            (["--learning-rate", "0.01"], "settings learning_rate was 0.001, is 0.01"),
            (["--parameter", "l2"], 'sweep of was "alpha", is "l2"'),
            (["--data-dir", str(folder)], "data face.csv was "),
        ):
            assert command(*flags, seeds=1) == 2
            error = capsys.readouterr().err
            assert error.count("\n") == 1
            assert told in error
            assert "trials.jsonl" in error


class TestScenarios:
    def test_the_target_is_no_auxiliary_of_its_own(self, tables):
        settings = preset("tables").replace(data_dir=tables, auxiliary=("audio", "face"), **TINY).check()
        found = sweep_scenarios(settings, ["audio", "face"], [], ALPHA)
        assert [scenario.config.data.auxiliary for scenario in found] == [("face",), ("audio",)]

    def test_the_same_twice(self, tables):
        settings = preset("tables").replace(data_dir=tables, **TINY).check()
        for targets, dimensions in ((["audio", "audio"], []), ([], ["arousal", "valence"])):
            with pytest.raises(InputError, match="'emotion from audio' twice"):
                sweep_scenarios(settings, targets, dimensions, ALPHA)

    def test_data_that_differ_on_a_worker(self, tables, tmp_path):
        folder = tmp_path / "tables"
        shutil.copytree(tables, folder)
        settings = preset("tables").replace(data_dir=folder, **TINY).check()
        [scenario] = sweep_scenarios(settings, [], [], ALPHA)
        (folder / "face.csv").write_text((folder / "face.csv").read_text().replace("joy", "calm", 1))
        with pytest.raises(InputError, match="not the data that the sweep began with"):
            run_sweep_trial(SweepTrial(scenario, "alpha", 0.5, 0))


class TestBest:
    def test_is_the_highest_mean(self):
        def row(value, score, scenario="a"):
            return {"scenario": scenario, "value": value, "score": score}

        rows = [row(0.0, 0.9), row(0.0, 0.1), row(0.5, 0.6), row(0.5, 0.5), row(1.0, None), row(0.0, 0.2, "b")]
        assert best_values(rows) == {"a": 0.5, "b": 0.0}  # means 0.5 and 0.55; and the only one of b
        assert best_values([row(1.0, None)]) == {}


class TestFolderOfAnEarlierVersion:
    """Its ledger is of format 1: scenarios are known by their names, and settings that came later are not there."""

    RECORD: ClassVar = {"score": 0.5, "epochs": 2, "best_epoch": 1, "seconds": 0.1, "reason": None, "warnings": []}

    @pytest.fixture
    def begun(self, tables, tmp_path):
        """One trial of two, as version 0.1.0 wrote it before `hop` was a setting, as it were."""
        settings = preset("tables").replace(data_dir=tables, **TINY).check()
        (scenario,) = sweep_scenarios(settings, ["audio"], [], ALPHA)
        identity = sweep_identity(ALPHA, [scenario])
        del identity["settings"]["hop"]
        lines = [
            {"format": 1, "emobed_tf": __version__, "identity": identity},
            {"key": {"scenario": "emotion from audio"}, "record": scenario.facts()},
            {"key": {"scenario": "emotion from audio", "value": 0.5, "seed": 0}, "record": self.RECORD},
        ]
        folder = tmp_path / "sweep"
        folder.mkdir()
        (folder / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return folder, scenario

    def test_is_continued_as_it_began(self, begun):
        path, scenario = begun
        before = (path / "trials.jsonl").read_text()
        with contextlib.closing(SweepFolder(path, ALPHA, [scenario])) as folder:
            first, second = (SweepTrial(scenario, "alpha", 0.5, seed) for seed in (0, 1))
            assert first in folder and second not in folder
            folder.add(second, self.RECORD)
            found = [(row["scenario"], row["target"], row["value"], row["seed"]) for row in folder.rows()]
        assert found == [("emotion from audio", "audio", 0.5, 0), ("emotion from audio", "audio", 0.5, 1)]
        after = (path / "trials.jsonl").read_text()
        assert after.startswith(before)
        assert json.loads(after[len(before) :])["key"] == {"scenario": "emotion from audio", "value": 0.5, "seed": 1}

    def test_another_value_of_the_later_setting_is_another_sweep(self, begun):
        path, scenario = begun
        other = dataclasses.replace(scenario, config=scenario.config.replace(hop=2.0))
        with pytest.raises(InputError, match=r"settings hop was 1\.0, is 2\.0; choose another folder"):
            SweepFolder(path, ALPHA, [other])


class TestMistakes:
    """One line, exit code 2, nothing on disk, and TensorFlow not even imported."""

    @pytest.mark.parametrize(
        ("flags", "told"),
        [
            (["--parameter", "alhpa"], "those that can be swept: "),
            (["--parameter", "framework"], "is no number"),
            (["--framework", "classic"], "--parameter alpha: changes nothing with --framework classic"),
            (["--values", "1:0:0.1"], "an empty range"),
            (["--values", "0,-1"], "expected 0 or more, found -1"),
            (["--alpha", "0.3"], "--alpha: --values says it already"),
            (["--target", "audio", "--targets", "face"], "--target: --targets says it already"),
            (["--seeds", "0"], "--seeds: expected 1 or more, found 0"),
            (["--seed", "2147483647"], "--seed: expected less than"),
            (["--workers", "0"], "--workers: expected 1 or more, found 0"),
            (["--workers", "2", "--scheduler", "tcp://x:1"], "leave --workers out"),
            (["--targets", "gaze"], "no modality 'gaze'"),
            (["--parameter", "hop", "--framework", "triplet"], "every recording is one utterance"),
            (["--unknown", "1"], "--unknown"),
        ],
    )
    def test_one_line(self, command, tmp_path, capsys, flags, told):
        assert command(*flags) == 2
        captured = capsys.readouterr()
        assert captured.err.count("\n") == 1
        assert captured.err.startswith("tuning.sweep: error: ")
        assert told in captured.err
        assert captured.out == ""
        assert not (tmp_path / "sweep").exists()

    def test_a_folder_of_something_else(self, command, tmp_path, capsys):
        folder = tmp_path / "sweep"
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        assert command() == 2
        assert "no folder of a sweep; choose another --output" in capsys.readouterr().err
        (folder / "config.json").unlink()
        (folder / "trials.jsonl").write_text("parameter\n")
        assert command() == 2
        assert "expected finished trials" in capsys.readouterr().err
        assert (folder / "trials.jsonl").read_text() == "parameter\n"

    def test_nobody_waits_for_tensorflow(self):
        code = (
            "import sys, tuning.sweep as s; print(s.main('--parameter x --values 1'.split()), 'keras' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout == "2 False\n"


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
class TestManyTrainings:
    def test_two_workers_find_the_same(self, command, tmp_path):
        assert command("--targets", "audio", "face", output=tmp_path / "one") == 0
        assert command("--targets", "audio", "face", "--workers", "2", output=tmp_path / "two") == 0
        assert scores(tmp_path / "two") == scores(tmp_path / "one")
        order = [json.loads(line)["key"] for line in (tmp_path / "two" / "trials.jsonl").read_text().splitlines()[1:]]
        assert len([key for key in order if "seed" in key]) == 8

    def test_killed_and_continued(self, command, tables, tmp_path):
        """The command itself, with two workers, killed when a few are done: every training is there once at the end."""
        output, ledger = tmp_path / "sweep", tmp_path / "sweep" / "trials.jsonl"
        line = [
            "--parameter",
            "alpha",
            "--values",
            "0:1.5:0.1",
            "--seeds",
            "1",
            "--dataset",
            "tables",
            "--workers",
            "2",
        ]
        line += ["--data-dir", str(tables), "--output", str(output), *FLAGS]
        with subprocess.Popen([sys.executable, "-m", "tuning.sweep", *line], cwd=ROOT, env=dict(os.environ)) as process:
            until = time.monotonic() + 240
            while (not ledger.exists() or ledger.read_bytes().count(b"\n") < 4) and time.monotonic() < until:
                time.sleep(0.05)
            workers = _children(process.pid)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert len(workers) >= 2
        until = time.monotonic() + 60
        while any(map(alive, workers)) and time.monotonic() < until:
            time.sleep(0.2)
        assert not any(map(alive, workers))
        before = ledger.read_bytes()
        assert command(values="0:1.5:0.1", seeds=1) == 0
        after = ledger.read_bytes()
        kept = before[: before.rfind(b"\n") + 1]
        assert 4 <= kept.count(b"\n") < 18
        assert after.startswith(kept)
        keys = [json.dumps(json.loads(line)["key"]) for line in after.splitlines()[1:]]
        assert len(keys) == len(set(keys)) == 1 + 16

    def test_memory_stays_flat(self, tables):
        """Resident memory after 40 trainings is that after 10: less than a quarter of a MB for each more."""
        settings = preset("tables").replace(data_dir=tables, **TINY).check()
        [scenario] = sweep_scenarios(settings, ["audio"], [], ALPHA)
        looks = {}
        for k in range(1, 41):
            run_sweep_trial(SweepTrial(scenario, "alpha", k / 40, k))
            if k >= 10:
                looks[k] = _resident()
        slope = np.polyfit(list(looks), list(looks.values()), 1)[0]
        assert slope < 250_000
        assert statistics.median(list(looks.values())[-5:]) - statistics.median(list(looks.values())[:5]) < 8e6


def _children(process):
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def _resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))
