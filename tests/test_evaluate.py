"""`python -m emobed_tf.evaluate`: scores, predictions and comparisons, and one line for every mistake."""

import csv
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from emobed_tf.runs.folder import Run
from tests.commands import assert_one_line, columns, command, flags
from tests.conftest import ROOT
from tests.tiny import TINY

pytestmark = pytest.mark.usefixtures("stack")


class TestEvaluate:
    def test_scores_and_predictions(self, arousal_run):
        folder, _ = arousal_run
        result = command("evaluate", folder, "--test")
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

    def test_the_stored_chain_is_applied_to_both_partitions(self, arousal_run, tmp_path):
        """By hand: median of three, 2 x + 0.1, two frames later with the first value repeated."""
        shutil.copytree(arousal_run[0], tmp_path / "run")
        path = tmp_path / "run" / "postprocessing.json"
        values = json.loads(path.read_text())
        values["chain"] = {"window": 3, "gain": 2.0, "offset": 0.1, "shift": 2, "centred": True, "scaled": True}
        path.write_text(json.dumps(values))
        assert command("evaluate", tmp_path / "run", "--test").returncode == 0
        for name in ("dev/dev_3", "test/test_1"):
            raw, final = columns(tmp_path / "run" / "predictions" / f"{name}.csv", "raw", "postprocessed")
            raw = raw.astype(np.float32).astype(np.float64)  # the file has no more digits than float32
            edged = np.concatenate([raw[:1], raw, raw[-1:]])
            medians = np.median([edged[:-2], edged[1:-1], edged[2:]], axis=0)
            expected = 2 * medians + 0.1
            np.testing.assert_allclose(final, np.concatenate([expected[:1], expected[:1], expected[:-2]]), atol=1e-12)

    def test_the_chain_is_what_development_alone_teaches(self, arousal_run):
        """Learnt again from the development predictions on disk: the same chain, whatever test holds."""
        from emobed_tf.evaluation.postprocessing import learn

        assert command("evaluate", arousal_run[0]).returncode == 0
        found = [
            columns(p, "gold_standard", "raw") for p in sorted((arousal_run[0] / "predictions" / "dev").glob("*.csv"))
        ]
        chain, _ = learn([gold for gold, _ in found], [raw for _, raw in found], 0.04)
        stored = json.loads((arousal_run[0] / "postprocessing.json").read_text())["chain"]
        assert stored == pytest.approx(chain.to_dict(), abs=1e-6)

    def test_against_another_run(self, arousal_run, classic_run):
        folder, _ = arousal_run
        result = command("evaluate", folder, "--against", classic_run, "--test")
        assert result.returncode == 0, result.stderr
        assert "emobed better than classic? (CCC)" in result.stdout
        assert "p of the exchange test over speakers" in result.stdout
        assert "p of the paper's test (Fisher's r-to-z over frames)" in result.stdout
        assert "bootstrap over speakers" in result.stdout
        assert "dev, test: With 3 speakers the smallest possible p is 1/8 = .125." in result.stdout
        assert re.search(r"┃ score +┃ classic ┃ +95 % ┃ +emobed ┃ +95 % ┃", result.stdout), "one table for both"
        found = json.loads((folder / "comparison.json").read_text())["test"]
        from emobed_tf.evaluation.significance import fisher_z_test

        assert found["published_n"] == 903
        assert found["published"] == pytest.approx(fisher_z_test(found["first"], 903, found["second"], 903))
        assert found["swap"] in {k / 8 for k in range(1, 9)}, "three recordings: 8 exchanges"
        assert found["low"] <= found["second"] - found["first"] <= found["high"]

    def test_reads_test_only_when_told(self, arousal_run, tmp_path):
        folder = tmp_path / "run"
        shutil.copytree(arousal_run[0], folder)
        for left in ("predictions", "test_reads.json"):
            shutil.rmtree(folder / left, ignore_errors=True)
            (folder / left).unlink(missing_ok=True)
        scores = json.loads((folder / "scores.json").read_text())
        (folder / "scores.json").write_text(json.dumps({k: v for k, v in scores.items() if k != "test"}))
        result = command("evaluate", folder)
        assert result.returncode == 0, result.stderr
        assert "arousal from audio, dev" in result.stdout and "audio, test" not in result.stdout
        assert "test" not in json.loads((folder / "scores.json").read_text())
        assert [path.name for path in (folder / "predictions").iterdir()] == ["dev"]
        assert not Run(folder).test_reads()

        result = command("evaluate", folder, "--test")
        said = result.stdout.splitlines()
        assert said[0].startswith(f"evaluating on the test set: {folder} has not been evaluated on it before")
        assert f"{folder}: evaluated on the test set once; test_reads.json says when" in said
        assert command("train", "--no-report", "--resume", "--output", folder, "--epochs", 4).returncode == 0
        result = command("evaluate", folder, "--test")
        assert "has been evaluated on it once before" in result.stdout
        first, second = Run(folder).test_reads()
        assert (first["settings"]["epochs"], second["settings"]["epochs"]) == (3, 4), "the note outlives more epochs"
        assert first["when"] <= second["when"]

    def test_classification(self, tables, tmp_path):
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 4, "batch_size": 8}))
        for framework in ("classic", "triplet"):
            result = command(
                "train", "--no-report", *arguments, "--framework", framework, "--output", tmp_path / framework
            )
            assert result.returncode == 0, result.stderr
        result = command("evaluate", tmp_path / "triplet", "--against", tmp_path / "classic", "--test")
        assert result.returncode == 0, result.stderr
        for text in ("F1, micro-averaged", "F1, macro-averaged", "F1, harmonic mean", "Unweighted average recall"):
            assert text in result.stdout
        assert "triplet: true class" in result.stdout
        assert "z-test of the shares of right answers" in result.stdout

    def test_the_recipe_for_recola_as_it_is_distributed(self, recola, tmp_path):
        """Test labels withheld; classic and EmoBed with the same flags; more epochs for the classic run."""
        data = tmp_path / "data"
        shutil.copytree(recola, data)
        shutil.rmtree(data / "test_labels")
        arguments = ("--data-dir", data, "--target", "audio", "--auxiliary", "video_appearance")
        for framework in ("classic", "emobed"):
            settings = flags(**{**TINY, "framework": framework, "epochs": 1})
            result = command("train", "--no-report", *arguments, *settings, "--output", tmp_path / framework)
            assert result.returncode == 0, result.stderr
        result = command("train", "--no-report", "--resume", "--output", tmp_path / "classic", "--epochs", 2)
        assert result.returncode == 0, result.stderr
        result = command("evaluate", tmp_path / "emobed", "--against", tmp_path / "classic", "--test")
        assert result.returncode == 0, result.stderr
        assert "the test set has no labels: it was not evaluated" in result.stdout
        assert not Run(tmp_path / "emobed").test_reads()
        assert "test" not in json.loads((tmp_path / "emobed" / "scores.json").read_text())
        shutil.copytree(
            recola / "test_labels" / "ratings_gold_standard", data / "ratings_gold_standard", dirs_exist_ok=True
        )
        result = command("evaluate", tmp_path / "emobed", "--test")
        assert result.returncode == 0, result.stderr
        assert "test" in json.loads((tmp_path / "emobed" / "scores.json").read_text()), (
            "labels that came later are read"
        )

    def test_changed_data(self, recola, tmp_path):
        data = tmp_path / "data"
        shutil.copytree(recola, data)
        settings = flags(**{**TINY, "epochs": 1})
        assert (
            command("train", "--no-report", "--data-dir", data, *settings, "--output", tmp_path / "run").returncode == 0
        )
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
        assert command("train", "--no-report", *arguments, "--output", tmp_path / "run").returncode == 0
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
        assert command("train", "--no-report", *arguments, "--output", tmp_path / "run [1]").returncode == 0
        result = command("evaluate", tmp_path / "run [1]")
        assert result.returncode == 0, result.stderr
        assert len(list((tmp_path / "run [1]" / "predictions" / "dev").iterdir())) == len(ids)
        assert str(tmp_path / "run [1]") in result.stdout, "a path is no markup"

    @pytest.mark.slow
    def test_published_test_takes_shares_of_right_answers(self, tables, tmp_path):
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 2, "batch_size": 8}))
        for seed in (0, 1):
            assert (
                command("train", "--no-report", *arguments, "--seed", seed, "--output", tmp_path / str(seed)).returncode
                == 0
            )
        assert command("evaluate", tmp_path / "1", "--against", tmp_path / "0").returncode == 0
        found = json.loads((tmp_path / "1" / "comparison.json").read_text())["dev"]
        shares = [json.loads((tmp_path / k / "scores.json").read_text())["dev"]["f1_micro"] for k in "01"]
        from emobed_tf.evaluation.significance import proportions_z_test

        assert found["score"] == "f1_macro"
        assert found["published"] == pytest.approx(proportions_z_test(shares[0], 15, shares[1], 15))

    def test_nobody_reads(self, arousal_run):
        """stdout and stderr closed by the caller."""
        line = f"exec {sys.executable} -m emobed_tf.evaluate {arousal_run[0]} >&- 2>&-"
        assert subprocess.run(["bash", "-c", line], cwd=ROOT).returncode == 0


class TestMistakes:
    @pytest.mark.parametrize("missing", ["config.json", "run.json", "best.npz", "scores.json", "postprocessing.json"])
    def test_half_a_run(self, arousal_run, tmp_path, missing):
        shutil.copytree(arousal_run[0], tmp_path / "half")
        (tmp_path / "half" / missing).unlink()
        word = "--resume" if missing == "scores.json" else missing
        assert_one_line(command("evaluate", tmp_path / "half"), word)

    @pytest.mark.parametrize("damaged", ["config.json", "run.json", "best.npz", "postprocessing.json"])
    def test_damaged_run(self, arousal_run, tmp_path, damaged):
        shutil.copytree(arousal_run[0], tmp_path / "damaged")
        path = tmp_path / "damaged" / damaged
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert_one_line(command("evaluate", tmp_path / "damaged"), damaged)

    @pytest.mark.parametrize("name", ["config.json", "run.json", "postprocessing.json"])
    def test_run_with_something_else_in_it(self, arousal_run, tmp_path, name):
        shutil.copytree(arousal_run[0], tmp_path / "odd")
        (tmp_path / "odd" / name).write_text("[]")
        assert_one_line(command("evaluate", tmp_path / "odd"), name)

    def test_run_of_another_version(self, arousal_run, tmp_path):
        shutil.copytree(arousal_run[0], tmp_path / "old")
        config = json.loads((tmp_path / "old" / "config.json").read_text())
        (tmp_path / "old" / "config.json").write_text(json.dumps({**config, "format": 0}))
        assert_one_line(command("evaluate", tmp_path / "old"), "written by another version")

    def test_against_itself(self, arousal_run):
        folder = arousal_run[0]
        assert_one_line(command("evaluate", folder, "--against", folder / ".." / folder.name), "that is the run itself")

    def test_against_something_else(self, arousal_run, tables, tmp_path):
        arguments = ("--dataset", "tables", "--data-dir", tables, *flags(**{**TINY, "epochs": 1}))
        assert command("train", "--no-report", *arguments, "--output", tmp_path / "other").returncode == 0
        assert_one_line(
            command("evaluate", arousal_run[0], "--against", tmp_path / "other"), "classification of emotion"
        )
