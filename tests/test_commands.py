"""Commands as a user types them: `--help`, what they print and leave, one line and exit code 2 for every mistake."""

import contextlib
import csv
import importlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from emobed_tf.errors import EmoBedWarning
from tests.conftest import ROOT
from tests.training.test_loop import TINY

pytestmark = pytest.mark.usefixtures("stack")

COMMANDS = (
    "train",
    "evaluate",
    "predict",
    "simulate",
    "export",
    "embed",
    "report",
    "reproduce",
    "crossvalidate",
    "audit",
)


def flags(**settings):
    found = []
    for name, value in settings.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            found.append(flag if value else flag.replace("--", "--no-", 1))
        else:
            found += [flag, *([str(value)] if not isinstance(value, tuple) else map(str, value))]
    return found


def command(module, *arguments):
    """A command in this process, which has TensorFlow in memory already: what it returned and wrote."""
    out, err = io.StringIO(), io.StringIO()
    main = importlib.import_module(f"emobed_tf.{module}").main
    shown = warnings.showwarning
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("default", EmoBedWarning)
        try:
            code = main([str(argument) for argument in arguments])
        finally:
            warnings.showwarning = shown
    return subprocess.CompletedProcess([module, *arguments], code, out.getvalue(), err.getvalue())


def process(module, *arguments, **more):
    """A command in a process of its own."""
    line = [sys.executable, "-m", f"emobed_tf.{module}", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300, **more)


def assert_one_line(result, *words):
    """Exit code 2, one line on stderr that begins with the command and has these words, nothing of a stack trace."""
    assert result.returncode == 2, result.stderr
    lines = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1, result.stderr
    assert ": error: " in lines[0]
    for word in words:
        assert word in lines[0], lines[0]


def columns(path, *names):
    """Columns of a CSV file as arrays."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return [np.array([float(row[name]) for row in rows]) for name in names]


@pytest.fixture(scope="module")
def run(recola, tmp_path_factory):
    """A finished run, trained from the command line."""
    folder = tmp_path_factory.mktemp("commands") / "run"
    result = command("train", "--data-dir", recola, *flags(**TINY), "--output", folder)
    assert result.returncode == 0, result.stderr
    return folder, result


@pytest.fixture(scope="module")
def classic(recola, tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands") / "classic"
    result = command("train", "--data-dir", recola, *flags(**TINY), "--framework", "classic", "--output", folder)
    assert result.returncode == 0, result.stderr
    return folder


class TestHelp:
    @pytest.mark.parametrize("name", COMMANDS)
    def test_explains_and_imports_nothing_heavy(self, name):
        result = process(name, "--help")
        assert result.returncode == 0
        assert "usage" in result.stdout.lower()
        loaded = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", f"emobed_tf.{name}", "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        ).stderr
        for heavy in ("tensorflow", "keras", "pandas", "sklearn", "scipy.stats", "matplotlib"):
            assert f" {heavy}\n" not in loaded, f"{heavy} is imported before the arguments are read"

    def test_every_setting_is_a_flag(self):
        import dataclasses

        from emobed_tf.config import Config

        shown = process("train", "--help", env={**os.environ, "COLUMNS": "200"}).stdout
        for section in dataclasses.fields(Config):
            for field in dataclasses.fields(section.type):
                assert f"--{field.name.replace('_', '-')}" in shown

    def test_importing_the_package_does_not_import_tensorflow(self):
        code = "import sys, emobed_tf; emobed_tf.preset('recola'); print('tensorflow' in sys.modules)"
        found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert found.stdout.strip() == "False"


class TestTrain:
    def test_says_what_it_does(self, run):
        folder, result = run
        assert "emobed on audio (+video_appearance), alpha 0.5, beta 1, seed 0" in result.stdout
        assert "SIMULATED" in result.stdout
        assert str(folder) in result.stdout
        assert "Traceback" not in result.stderr

    def test_simulated_everywhere(self, run):
        folder, _ = run
        assert json.loads((folder / "run.json").read_text())["facts"]["simulated"] is True
        assert json.loads((folder / "scores.json").read_text())["simulated"] is True

    @pytest.mark.slow
    def test_another_framework_than_the_files_fixes_its_weights_anew(self, run, recola, tmp_path):
        file = run[0] / "config.json"
        for name, expected in (("classic", (0, 0)), ("joint", (0.5, 0)), ("triplet", (0, 1))):
            output = tmp_path / name
            result = command("train", "--config", file, "--framework", name, "--epochs", 1, "--output", output)
            assert result.returncode == 0, result.stderr
            kept = json.loads((output / "config.json").read_text())
            assert (kept["alpha"], kept["beta"]) == expected
        result = command(
            "train", "--config", file, "--triplet-preset", "stable", "--epochs", 1, "--output", tmp_path / "stable"
        )
        assert result.returncode == 0, result.stderr
        kept = json.loads((tmp_path / "stable" / "config.json").read_text())
        assert (kept["margin"], kept["normalise"]) == (0.2, True)

    def test_settings_from_a_file_and_flags_over_them(self, recola, tmp_path):
        mine = tmp_path / "mine.json"
        mine.write_text(json.dumps({**TINY, "framework": "joint", "alpha": 0.25, "epochs": 2}))
        result = command("train", "--config", mine, "--data-dir", recola, "--epochs", 1, "--output", tmp_path / "run")
        assert result.returncode == 0, result.stderr
        kept = json.loads((tmp_path / "run" / "config.json").read_text())
        assert (kept["framework"], kept["alpha"], kept["beta"], kept["epochs"]) == ("joint", 0.25, 0.0, 1)

    def test_default_folders_do_not_collide(self, tables, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 1}))
        for _ in range(2):
            assert command("train", *arguments).returncode == 0
        names = sorted(path.name for path in (tmp_path / "runs").iterdir())
        assert names == ["tables-emotion-audio-emobed-seed0", "tables-emotion-audio-emobed-seed0-2"]

    @pytest.mark.slow
    def test_without_recola_the_simulated_package_is_written_once_and_said_so(self, tmp_path, monkeypatch):
        monkeypatch.setenv("EMOBED_CACHE", str(tmp_path / "cache"))
        arguments = flags(**{**TINY, "epochs": 1})
        first = command("train", *arguments, "--output", tmp_path / "a")
        assert first.returncode == 0, first.stderr
        assert "this is the simulated package" in first.stdout
        marker = tmp_path / "cache" / "simulated-recola" / "simulated.json"
        written = marker.stat().st_mtime_ns
        second = command("train", "--resume", "--output", tmp_path / "a", "--epochs", 2)
        assert second.returncode == 0, second.stderr
        assert marker.stat().st_mtime_ns == written
        shutil.rmtree(tmp_path / "cache")
        assert command("evaluate", tmp_path / "a").returncode == 0, "written again, the same bytes"

    def test_own_process_is_quiet(self, tables, tmp_path):
        """Neither TensorFlow's greetings nor progress bars where nobody looks."""
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 1}))
        result = process("train", *arguments, "--output", tmp_path / "run")
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""

    def test_ctrl_c_says_how_to_continue(self, recola, tmp_path):
        folder = tmp_path / "run"
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "emobed_tf.train",
                "--data-dir",
                recola,
                *flags(**{**TINY, "epochs": 500, "patience": 0}),
            ]
            + ["--output", folder],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 120
        while not (folder / "last.npz").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130, errors
        assert f"--resume --output {folder}" in errors
        assert "Traceback" not in errors


class TestEvaluate:
    def test_scores_and_predictions(self, run):
        folder, _ = run
        result = command("evaluate", folder)
        assert result.returncode == 0, result.stderr
        for text in ("CCC, pooled", "CCC, mean of recordings", "PCC", "RMSE", "dev", "test", "SIMULATED"):
            assert text in result.stdout
        scores = json.loads((folder / "scores.json").read_text())
        with open(folder / "predictions" / "test" / "test_1.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["id", "time", "gold_standard", "raw", "postprocessed"]
        assert [float(row["time"]) for row in rows[:3]] == [0, 0.04, 0.08]
        assert len(rows) == 301
        import audmetric

        columns = {"gold_standard": [], "postprocessed": []}
        for path in sorted((folder / "predictions" / "test").glob("*.csv")):
            with open(path, newline="") as file:
                for row in csv.DictReader(file):
                    for name, values in columns.items():
                        values.append(float(row[name]))
        expected = audmetric.concordance_cc(np.array(columns["gold_standard"]), np.array(columns["postprocessed"]))
        assert scores["test"]["ccc"] == pytest.approx(expected, abs=1e-9)

    def test_the_stored_chain_is_applied_to_both_partitions(self, run, tmp_path):
        """By hand: median of three, 2 x + 0.1, two frames later with the first value repeated."""
        shutil.copytree(run[0], tmp_path / "run")
        path = tmp_path / "run" / "postprocessing.json"
        values = json.loads(path.read_text())
        values["chain"] = {"window": 3, "gain": 2.0, "offset": 0.1, "shift": 2, "centred": True, "scaled": True}
        path.write_text(json.dumps(values))
        assert command("evaluate", tmp_path / "run").returncode == 0
        for name in ("dev/dev_3", "test/test_1"):
            raw, final = columns(tmp_path / "run" / "predictions" / f"{name}.csv", "raw", "postprocessed")
            edged = np.concatenate([raw[:1], raw, raw[-1:]])
            medians = np.median([edged[:-2], edged[1:-1], edged[2:]], axis=0)
            expected = 2 * medians + 0.1
            np.testing.assert_allclose(final, np.concatenate([expected[:1], expected[:1], expected[:-2]]), atol=1e-12)

    def test_the_chain_is_what_development_alone_teaches(self, run):
        """Learnt again from the development predictions on disk: the same chain, whatever test holds."""
        from emobed_tf.evaluation.postprocessing import learn

        assert command("evaluate", run[0]).returncode == 0
        found = [columns(p, "gold_standard", "raw") for p in sorted((run[0] / "predictions" / "dev").glob("*.csv"))]
        chain, _ = learn([gold for gold, _ in found], [raw for _, raw in found], 0.04)
        stored = json.loads((run[0] / "postprocessing.json").read_text())["chain"]
        assert stored == pytest.approx(chain.to_dict(), abs=1e-6)

    def test_against_another_run(self, run, classic):
        folder, _ = run
        result = command("evaluate", folder, "--against", classic)
        assert result.returncode == 0, result.stderr
        assert "PRIMARY: swap test by speaker" in result.stdout
        assert "as published: Fisher r-to-z over frames" in result.stdout
        assert "bootstrap over speakers" in result.stdout
        found = json.loads((folder / "comparison.json").read_text())["test"]
        from emobed_tf.evaluation.significance import fisher_z_test

        assert found["published_n"] == 903
        assert found["published"] == pytest.approx(fisher_z_test(found["first"], 903, found["second"], 903))
        assert found["swap"] in {k / 8 for k in range(1, 9)}, "three recordings: 8 exchanges"
        assert found["low"] <= found["second"] - found["first"] <= found["high"]

    def test_classification(self, tables, tmp_path):
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 4, "batch_size": 8}))
        for framework in ("classic", "triplet"):
            result = command("train", *arguments, "--framework", framework, "--output", tmp_path / framework)
            assert result.returncode == 0, result.stderr
        result = command("evaluate", tmp_path / "triplet", "--against", tmp_path / "classic")
        assert result.returncode == 0, result.stderr
        for text in ("F1, micro-averaged", "F1, macro-averaged", "F1, harmonic mean", "Unweighted average recall"):
            assert text in result.stdout
        assert "confusion, test" in result.stdout
        assert "z-test of the shares of right answers" in result.stdout

    def test_the_recipe_for_recola_as_it_is_distributed(self, recola, tmp_path):
        """Test labels withheld; classic and EmoBed with the same flags; more epochs for the classic run."""
        data = tmp_path / "data"
        shutil.copytree(recola, data)
        shutil.rmtree(data / "test_labels")
        arguments = ("--data-dir", data, "--target", "audio", "--auxiliary", "video_appearance")
        for framework in ("classic", "emobed"):
            settings = flags(**{**TINY, "framework": framework, "epochs": 1})
            result = command("train", *arguments, *settings, "--output", tmp_path / framework)
            assert result.returncode == 0, result.stderr
        result = command("train", "--resume", "--output", tmp_path / "classic", "--epochs", 2)
        assert result.returncode == 0, result.stderr
        result = command("evaluate", tmp_path / "emobed", "--against", tmp_path / "classic")
        assert result.returncode == 0, result.stderr
        assert "test" not in json.loads((tmp_path / "emobed" / "scores.json").read_text())
        shutil.copytree(
            recola / "test_labels" / "ratings_gold_standard", data / "ratings_gold_standard", dirs_exist_ok=True
        )
        result = command("evaluate", tmp_path / "emobed")
        assert result.returncode == 0, result.stderr
        assert "test" in json.loads((tmp_path / "emobed" / "scores.json").read_text()), (
            "labels that came later are read"
        )

    def test_changed_data(self, recola, tmp_path):
        data = tmp_path / "data"
        shutil.copytree(recola, data)
        settings = flags(**{**TINY, "epochs": 1})
        assert command("train", "--data-dir", data, *settings, "--output", tmp_path / "run").returncode == 0
        moved = data.rename(tmp_path / "moved")
        assert command("evaluate", tmp_path / "run", "--data-dir", moved).returncode == 0
        for name in ("features_audio/arousal/dev_1.arff", "ratings_gold_standard/arousal/dev_1.arff"):
            content = (moved / name).read_bytes()
            body = content.rstrip()  # one digit of the last value becomes another one
            (moved / name).write_bytes(body[:-1] + (b"1" if body[-1:] != b"1" else b"2") + content[len(body) :])
            result = command("evaluate", tmp_path / "run", "--data-dir", moved)
            assert_one_line(result, name, "changed since training")
            (moved / name).write_bytes(content)

    @pytest.mark.slow
    def test_tables_that_moved_and_an_auxiliary_that_is_gone(self, tables, tmp_path):
        shutil.copytree(tables, tmp_path / "old")
        named = [f"{name}={tmp_path / 'old' / name}.csv" for name in ("audio", "face")]
        settings = flags(**{**TINY, "epochs": 1})
        arguments = ("--dataset", "tables", "--table", named[0], "--table", named[1], *settings)
        assert command("train", *arguments, "--output", tmp_path / "run").returncode == 0
        (tmp_path / "old").rename(tmp_path / "new")
        (tmp_path / "new" / "face.csv").unlink()
        assert_one_line(command("evaluate", tmp_path / "run"), "audio.csv")
        result = command("evaluate", tmp_path / "run", "--table", f"audio={tmp_path / 'new' / 'audio.csv'}")
        assert result.returncode == 0, result.stderr
        shutil.copy(tables / "face.csv", tmp_path / "new")
        moved = [f"{name}={tmp_path / 'new' / name}.csv" for name in ("audio", "face")]
        result = command(
            "train", "--resume", "--output", tmp_path / "run", "--epochs", 2, "--table", moved[0], "--table", moved[1]
        )
        assert result.returncode == 0, result.stderr

    def test_ids_that_no_file_name_holds(self, tmp_path):
        ids = ["a/b", "a_b", "x" * 300, "..", "ä [b]"]
        lines = ["id,time,partition,arousal,f,g"]
        for k, name in enumerate([*ids, "t1", "t2"]):
            partition = "dev" if name in ids else "train"
            lines += [f"{name},{t / 10},{partition},{np.sin(t + k):.3f},{np.cos(t + k):.3f},{t}" for t in range(40)]
        (tmp_path / "gait.csv").write_text("\n".join(lines) + "\n")
        settings = flags(**{**TINY, "epochs": 1, "framework": "classic", "label_delay": 0.2})
        arguments = ("--dataset", "tables", "--table", f"gait={tmp_path / 'gait.csv'}", *settings)
        assert command("train", *arguments, "--output", tmp_path / "run [1]").returncode == 0
        result = command("evaluate", tmp_path / "run [1]")
        assert result.returncode == 0, result.stderr
        assert len(list((tmp_path / "run [1]" / "predictions" / "dev").iterdir())) == len(ids)
        assert str(tmp_path / "run [1]") in result.stdout, "a path is no markup"

    @pytest.mark.slow
    def test_published_test_takes_shares_of_right_answers(self, tables, tmp_path):
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 2, "batch_size": 8}))
        for seed in (0, 1):
            assert command("train", *arguments, "--seed", seed, "--output", tmp_path / str(seed)).returncode == 0
        assert command("evaluate", tmp_path / "1", "--against", tmp_path / "0").returncode == 0
        found = json.loads((tmp_path / "1" / "comparison.json").read_text())["dev"]
        shares = [json.loads((tmp_path / k / "scores.json").read_text())["dev"]["f1_micro"] for k in "01"]
        from emobed_tf.evaluation.significance import proportions_z_test

        assert found["score"] == "f1_macro"
        assert found["published"] == pytest.approx(proportions_z_test(shares[0], 15, shares[1], 15))

    def test_nobody_reads(self, run):
        """stdout and stderr closed by the caller."""
        line = f"exec {sys.executable} -m emobed_tf.evaluate {run[0]} >&- 2>&-"
        assert subprocess.run(["bash", "-c", line], cwd=ROOT).returncode == 0


class TestPredict:
    def test_equals_the_evaluation(self, run, recola, tmp_path):
        folder, _ = run
        assert command("evaluate", folder).returncode == 0
        files = [recola / "features_audio" / "arousal" / f"test_{k}.arff" for k in (1, 2)]
        result = command("predict", folder, "--features", *files, "--output", tmp_path / "new" / "p.csv")
        assert result.returncode == 0, result.stderr
        with open(tmp_path / "new" / "p.csv", newline="") as file:
            found = [row for row in csv.DictReader(file) if row["id"] == "test_2"]
        with open(folder / "predictions" / "test" / "test_2.csv", newline="") as file:
            expected = list(csv.DictReader(file))
        assert len(found) == len(expected)
        for name in ("time", "raw", "postprocessed"):
            a, b = (np.array([float(row[name]) for row in rows]) for rows in (found, expected))
            np.testing.assert_allclose(a, b, atol=1e-5)

    def test_wrong_features(self, run, recola, tmp_path):
        folder, _ = run
        video = recola / "features_video_appearance" / "arousal" / "test_1.arff"
        result = command("predict", folder, "--features", video, "--output", tmp_path / "p.csv")
        assert_one_line(result, "test_1.arff")
        assert not (tmp_path / "p.csv").exists()


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["--alhpa", "1"], ["--alhpa", "perhaps --alpha?"]),
            (["--alpha", "much"], ["--alpha", "'much'"]),
            (["--alpha", "-1"], ["--alpha", "0 or more"]),
            (["--framework", "classic", "--beta", "1"], ["--framework classic fixes beta = 0"]),
            (["--framework", "emo"], ["'emo'", "--framework"]),
            (["--dataset", "iemocap"], ["'iemocap'", "recola"]),
            (["--data-dir", "/nowhere"], ["/nowhere"]),
            (["--dataset", "tables"], ["--table NAME=PATH"]),
            (["--dataset", "tables", "--table", "audio"], ["audio", "NAME=PATH"]),
            (["--dataset", "tables", "--table", "audio=/nowhere.csv"], ["/nowhere.csv"]),
            (["--config", "/nowhere.json"], ["/nowhere.json", "no such file"]),
            (["--resume"], ["--output"]),
            (["--resume", "--output", "/nowhere"], ["/nowhere", "no such run folder"]),
            (["--resume", "--output", "/nowhere", "--config", "x.json"], ["--config"]),
            (["stray"], ["stray"]),
        ],
        ids=lambda value: " ".join(value)[:40],
    )
    def test_train(self, arguments, words):
        assert_one_line(command("train", *arguments), *words)

    def test_output_is_a_file(self, recola, tmp_path):
        (tmp_path / "file").write_text("x")
        result = command("train", "--data-dir", recola, *flags(**TINY), "--output", tmp_path / "file")
        assert_one_line(result, "file", "not empty")

    @pytest.mark.parametrize("missing", ["config.json", "run.json", "best.npz", "scores.json", "postprocessing.json"])
    def test_half_a_run(self, run, tmp_path, missing):
        shutil.copytree(run[0], tmp_path / "half")
        (tmp_path / "half" / missing).unlink()
        word = "--resume" if missing == "scores.json" else missing
        assert_one_line(command("evaluate", tmp_path / "half"), word)

    @pytest.mark.parametrize("damaged", ["config.json", "run.json", "best.npz", "postprocessing.json"])
    def test_damaged_run(self, run, tmp_path, damaged):
        shutil.copytree(run[0], tmp_path / "damaged")
        path = tmp_path / "damaged" / damaged
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert_one_line(command("evaluate", tmp_path / "damaged"), damaged)

    @pytest.mark.parametrize("name", ["config.json", "run.json", "postprocessing.json"])
    def test_run_with_something_else_in_it(self, run, tmp_path, name):
        shutil.copytree(run[0], tmp_path / "odd")
        (tmp_path / "odd" / name).write_text("[]")
        assert_one_line(command("evaluate", tmp_path / "odd"), name)

    def test_checkpoint_without_its_state(self, run, tmp_path):
        shutil.copytree(run[0], tmp_path / "odd")
        np.savez(tmp_path / "odd" / "last.npz", **{"x/y": np.zeros(1)})
        result = command("train", "--resume", "--output", tmp_path / "odd", "--epochs", 9)
        assert_one_line(result, "last.npz", "damaged")

    def test_run_of_another_version(self, run, tmp_path):
        shutil.copytree(run[0], tmp_path / "old")
        config = json.loads((tmp_path / "old" / "config.json").read_text())
        (tmp_path / "old" / "config.json").write_text(json.dumps({**config, "format": 0}))
        assert_one_line(command("evaluate", tmp_path / "old"), "written by another version")

    def test_against_something_else(self, run, tables, tmp_path):
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 1}))
        assert command("train", *arguments, "--output", tmp_path / "other").returncode == 0
        assert_one_line(command("evaluate", run[0], "--against", tmp_path / "other"), "classification of emotion")

    def test_resume_with_other_settings(self, run):
        assert_one_line(
            command("train", "--resume", "--output", run[0], "--seed", 7), "was trained with --seed 0, not 7"
        )

    def test_full_disk(self, recola, tmp_path):
        """A real one: a file system of 60 kB, less than an epoch leaves."""
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", disk], capture_output=True)
        if mounted.returncode:
            pytest.skip("mounting a small file system needs root")
        try:
            result = command("train", "--data-dir", recola, *flags(**TINY), "--output", disk / "run")
            assert_one_line(result, "No space left on device")
            for path in (disk / "run").glob("*.npz"):
                with np.load(path) as arrays:
                    assert arrays.files
        finally:
            subprocess.run(["umount", disk], check=True)
