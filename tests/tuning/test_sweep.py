"""`python -m tuning.sweep`: every training once, the same numbers for any number of workers, its own folder only."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from emobed_tf.comparison import workers as fanout
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.errors import InputError
from tests.comparison.test_workers import alive, process_of, square
from tests.conftest import ROOT, THREADS
from tests.tuning.dask_cluster import PATIENCE, Cluster
from tests.tuning.sweeps import FLAGS, TINY, rows, scores
from tuning import sweep
from tuning.sweep import main


@pytest.fixture
def command(tables, tmp_path):
    """Runs a sweep of alpha on the tables; further flags change it."""

    def run(*flags, output=tmp_path / "sweep", values="0,0.5", seeds=2):
        line = ["--parameter", "alpha", "--values", values, "--seeds", str(seeds), "--dataset", "tables"]
        return main([*line, "--data-dir", str(tables), "--output", str(output), *FLAGS, *flags])

    return run


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
        run = sweep.run_sweep_trial
        monkeypatch.setattr(sweep, "run_sweep_trial", lambda trial: trained.append(str(trial)) or run(trial))
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


def _children(process):
    return [int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


needs_dask = pytest.mark.skipif(find_spec("distributed") is None, reason="the extra [cluster] is not installed")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def two(cluster):
    """The cluster with two workers."""
    while len(cluster.workers) < 2:
        cluster.add_worker()
    return cluster


def suicide(task):
    if task == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    return task


@needs_dask
class TestUnreachableScheduler:
    @pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense", "tcp://", "http://127.0.0.1:9", "tcp://a b"])
    def test_one_line(self, address, monkeypatch):
        monkeypatch.setattr(fanout, "_SECONDS_TO_CONNECT", 1)
        with pytest.raises(InputError, match="no Dask scheduler answers there") as error:
            list(fan_out(square, [1], Workers(scheduler=address), threads=THREADS))
        assert str(error.value).startswith(f"--scheduler {address}: ")
        assert "\n" not in str(error.value)

    @pytest.mark.slow
    def test_command(self, tables, tmp_path):
        line = ["--parameter", "alpha", "--values", "0", "--dataset", "tables", "--data-dir", str(tables)]
        line += ["--output", str(tmp_path / "sweep"), "--scheduler", "tcp://127.0.0.1:9", *FLAGS]
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "tuning.sweep", *line], cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False
        )
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("tuning.sweep: error: --scheduler tcp://127.0.0.1:9: ")
        assert 9 < time.monotonic() - began < 120  # ten seconds, on a busy machine


@needs_dask
@pytest.mark.slow
class TestCluster:
    """In this order: workers come, and the scheduler goes at last."""

    def test_without_workers(self, cluster, monkeypatch):
        monkeypatch.setattr(fanout, "_SECONDS_TO_CONNECT", 2)
        with pytest.raises(InputError, match=r"no workers; start some with: dask worker tcp://.* --nthreads 1$"):
            list(fan_out(square, [1], Workers(scheduler=cluster.address), threads=THREADS))

    def test_every_task_once_on_two_workers(self, two):
        results = dict(fan_out(process_of, [1] * 6, Workers(scheduler=two.address), threads=THREADS))
        assert sorted(results) == list(range(6))
        assert set(results.values()) == {worker.pid for worker in two.workers}

    def test_errors_name_their_task(self, two):
        with pytest.raises(InputError, match=r"^task 2 of 2, 3: three is not a number$"):
            list(fan_out(square, [1, 3], Workers(scheduler=two.address), threads=THREADS))

    def test_another_version(self, two, monkeypatch):
        monkeypatch.setattr(fanout, "__version__", "99.0")
        with pytest.raises(InputError, match=r"its worker tcp://.* has emobed_tf \d.*, here is 99\.0$"):
            list(fan_out(square, [1], Workers(scheduler=two.address), threads=THREADS))

    def test_a_module_that_only_this_machine_has(self, two, tmp_path, monkeypatch):
        (tmp_path / "only_here.py").write_text("def function(task):\n    return task\n")
        monkeypatch.syspath_prepend(tmp_path)
        import only_here

        with pytest.raises(InputError, match=r"its worker tcp://.* can't import only_here"):
            list(fan_out(only_here.function, [1], Workers(scheduler=two.address), threads=THREADS))

    def test_a_sweep_with_one_worker_killed_on_the_way(self, two, tables, tmp_path):
        """Every training is there once, with the bits that one process finds."""
        line = ["--parameter", "alpha", "--values", "0:1.5:0.1", "--seeds", "2", "--dataset", "tables"]
        line += ["--data-dir", str(tables), *FLAGS]
        ledger = tmp_path / "cluster" / "trials.jsonl"
        with subprocess.Popen(
            [sys.executable, "-m", "tuning.sweep", *line, "--output", str(tmp_path / "cluster")]
            + ["--scheduler", two.address],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            until = time.monotonic() + PATIENCE
            while (not ledger.exists() or ledger.read_bytes().count(b"\n") < 5) and time.monotonic() < until:
                time.sleep(0.02)
            done = ledger.read_bytes().count(b"\n") - 2
            two.workers.pop(0).kill()
            _, errors = process.communicate(timeout=400)
        assert process.returncode == 0, errors
        assert errors == ""
        assert 3 <= done < 32
        keys = [json.dumps(json.loads(line)["key"]) for line in ledger.read_text().splitlines()[1:]]
        assert len(keys) == len(set(keys)) == 1 + 32
        assert main([*line, "--output", str(tmp_path / "here")]) == 0
        assert scores(tmp_path / "cluster") == scores(tmp_path / "here")

    def test_a_task_that_always_kills_ends_it(self, two):
        while len(two.workers) < 4:  # Dask gives it to four
            two.add_worker()
        with pytest.raises(InputError, match=r"^task 1 of 1, dies: every worker that began it has died"):
            list(fan_out(suicide, ["dies"], Workers(scheduler=two.address), threads=THREADS))
        assert [worker.wait(PATIENCE) for worker in two.workers] == [-signal.SIGKILL] * 4
        two.workers.clear()

    def test_workers_of_many_threads(self, cluster):
        worker = cluster.add_worker("--nthreads", "3")
        with pytest.raises(InputError, match=r"does 3 tasks at a time.*start it with: .* --nthreads 1 --nworkers 3$"):
            list(fan_out(square, [1], Workers(scheduler=cluster.address), threads=THREADS))
        worker.kill()

    def test_a_lost_scheduler(self, tmp_path):
        alone = Cluster(tmp_path)
        try:
            alone.add_worker()
            results = fan_out(process_of, [0, 60, 60], Workers(scheduler=alone.address), threads=THREADS)
            assert next(results) == (0, alone.workers[0].pid)
            alone.scheduler.kill()
            with pytest.raises(InputError, match=f"^--scheduler {alone.address}: lost; "):
                next(results)
        finally:
            alone.close()
