"""A run folder as data frames, and a run that was trained on data frames."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emobed_tf import load, preset, score_run, train_run
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.runs.folder import Run, names_of, selection_of
from tests.training.test_loop import TINY

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def written(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def corpus(tables):
    return load("tables", tables={name: pd.read_csv(tables / f"{name}.csv") for name in ("audio", "face")})


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory, stack):
    config = preset("tables").replace(**{**TINY, "epochs": 3, "batch_size": 8, "diagnostics": 2})
    run = train_run(config, tmp_path_factory.mktemp("frames") / "run", corpus=corpus)
    score_run(run, corpus=corpus, partitions=("dev", "test"))
    return run


class TestTrainedOnDataFrames:
    def test_the_settings_are_made_definite(self, run):
        data = run.config().data
        assert (data.target, data.auxiliary, data.task) == ("audio", ("face",), "classification")
        assert set(run.facts().fingerprints) == {"--table audio", "--table face"}

    def test_the_weights_are_those_of_the_same_files(self, run, tables, tmp_path):
        config = preset("tables").replace(**{**TINY, "epochs": 3, "batch_size": 8, "diagnostics": 2})
        other = train_run(config.replace(data_dir=tables), tmp_path / "run")
        for name, values in other.read_arrays("best").items():
            np.testing.assert_array_equal(run.read_arrays("best")[name], values)

    def test_other_data_are_refused(self, run, tables):
        changed = pd.read_csv(tables / "audio.csv")
        changed.loc[0, "audio_0"] += 1
        corpus = load("tables", tables={"audio": changed})
        with pytest.raises(InputError, match=r"1 file changed since training, such as --table audio"):
            score_run(run, corpus=corpus)


def test_runs_within_a_folder_that_is_none(run, tmp_path):
    """Such as a search's, whose best run is a folder of it."""
    shutil.copytree(run.path, tmp_path / "search" / "best")
    with pytest.raises(InputError, match=r"search: no run folder, .*; run folders in it: .*search/best$"):
        Run.open(tmp_path / "search")


class TestHistory:
    def test_a_row_per_epoch(self, run):
        history, rows = run.history(), written(run.history_file)
        assert history.index.tolist() == [1, 2, 3]
        assert history.index.name == "epoch"
        assert history["loss"].tolist() == [float(row["loss"]) for row in rows]
        # Gradients are looked at every second epoch.
        name = next(name for name in history if name.startswith("gradient"))
        assert history[name].notna().tolist() == [bool(row[name]) for row in rows]
        assert 0 < history[name].notna().sum() < 3


class TestScores:
    def test_a_row_per_partition(self, run):
        scores, kept = run.scores(), json.loads((run.path / "scores.json").read_text())
        assert scores.index.tolist() == ["dev", "test"]
        assert scores.loc["test", "f1_macro"] == kept["test"]["f1_macro"]
        assert "confusion" not in scores

    def test_of_a_regression_before_post_processing_too(self, tmp_path):
        run = Run(tmp_path)
        run.write_json("scores.json", {"simulated": True, "dev": {"ccc": 0.5, "raw": {"ccc": 0.25}}})
        assert run.scores().to_dict("index") == {"dev": {"ccc": 0.5, "raw_ccc": 0.25}}


class TestPredictions:
    def test_of_classes(self, run):
        predictions = run.predictions("test")
        rows = written(run.predictions_folder("test") / "utterances.csv")
        assert predictions.columns.tolist() == ["id", "label", "prediction", "p_anger", "p_calm", "p_joy"]
        assert predictions["id"].tolist() == [row["id"] for row in rows]
        np.testing.assert_array_equal(predictions["p_joy"], [float(row["p_joy"]) for row in rows])
        right = (predictions["label"] == predictions["prediction"]).mean()
        assert right == pytest.approx(run.scores().loc["test", "f1_micro"])

    def test_of_recordings_one_after_another(self, tmp_path):
        run = Run(tmp_path)
        for name, values in (("2", (0.1, 1 / 3)), ("NA", (0.5,))):
            rows = [{"id": name, "time": 0.04 * k, "raw": value} for k, value in enumerate(values)]
            run.write_predictions("dev", name, rows)
        found = run.predictions("dev")
        assert found["id"].tolist() == ["2", "2", "NA"]
        assert found["raw"].tolist() == [0.1, 1 / 3, 0.5]

    def test_not_evaluated(self, tmp_path):
        with pytest.raises(MissingInputError, match=r"no predictions of 'test'; python -m emobed_tf.evaluate"):
            Run(tmp_path).predictions("test")


@pytest.mark.parametrize("content", [b"", b'epoch,loss\n1,"2\n', b"\xff\xfe"])
def test_damaged(tmp_path, content):
    run = Run(tmp_path)
    with pytest.raises(MissingInputError, match=r"history.csv: missing"):
        run.history()
    run.history_file.write_bytes(content)
    with pytest.raises(InputError, match=r"history.csv: damaged"):
        run.history()


class TestTestReads:
    def test_are_noted_one_after_another(self, run):
        (read,) = run.test_reads()
        assert read["settings"] == run.config().to_dict()
        assert read["best_epoch"] == run.read_json("scores.json")["training"]["best_epoch"]
        before = run.read_json("test_reads.json")
        try:
            run.note_test_read()
            assert run.test_reads()[0] == read and len(run.test_reads()) == 2
        finally:
            run.write_json("test_reads.json", before)

    def test_of_a_run_of_before_there_were_notes(self, tmp_path):
        assert Run(tmp_path).test_reads() == []

    def test_damaged(self, tmp_path):
        (tmp_path / "test_reads.json").write_text('{"reads": 3}')
        with pytest.raises(InputError, match=r"test_reads\.json: damaged"):
            Run(tmp_path).test_reads()


class TestSelection:
    def test_stands_in_the_folder(self, run):
        assert json.loads(run.config_file.read_text())["selection"] == "f1_macro" == run.selection

    def test_of_a_run_of_before_it_was_written_down(self, run, corpus, tmp_path):
        """Its file says null; it goes on, and then says what it was all the time."""
        older = Run(shutil.copytree(run.path, tmp_path / "run"))
        older.write_json("config.json", {**run.config().to_dict(), "selection": None})
        assert older.selection == "f1_macro"
        config = preset("tables").replace(**{**TINY, "epochs": 3, "batch_size": 8, "diagnostics": 2})
        train_run(config, older.path, corpus=corpus, resume=True)
        assert older.config().training.selection == "f1_macro"

    @pytest.mark.parametrize(
        ("dataset", "task", "score"),
        [("recola", "regression", "ccc"), ("omg", "classification", "f1_micro"), ("omg", "regression", "ccc")],
    )
    def test_is_the_data_sets_own(self, dataset, task, score):
        assert selection_of(preset(dataset), task) == score

    def test_or_what_was_asked_for(self):
        assert selection_of(preset("omg").replace(selection="uar"), "classification") == "uar"


def test_names_of_runs_with_the_same_folder_name():
    assert names_of([Run(Path("x/a")), Run(Path("y/b"))]) == ["a", "b"]
    assert names_of([Run(Path("x/0")), Run(Path("y/0"))]) == ["x/0", "y/0"]
