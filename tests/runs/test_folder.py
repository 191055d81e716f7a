"""A run folder as data frames, and a run that was trained on data frames."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emobed_tf import load, preset, score_run, train_run
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.reporting.folder import history
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


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'epoch,loss\n1,"2\n',
        b"\xff\xfe",
        b"epo,loss\n1,2\n",
        *(b"epoch,loss\n1,2\n%b,2\n" % epoch for epoch in (b"1", b"nan", b"", b"-5", b"1.5", b"x")),
    ],
)
def test_damaged(tmp_path, content):
    run = Run(tmp_path)
    with pytest.raises(MissingInputError, match=r"history.csv: missing"):
        run.history()
    run.history_file.write_bytes(content)
    with pytest.raises(InputError, match=r"history.csv: damaged"):
        run.history()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"encoder_units": 60_000}, "no weights for encoder_units 60000"),
        ({"head_units": 60_000, "encoder_layers": 900}, "head_units 60000 and encoder_layers 900"),
        ({"encoder_units": 10**9}, "--encoder-units: expected 65536 or less"),
        ({"threads": 10**6}, "--threads: expected 1024 or less"),
    ],
)
def test_a_network_larger_than_its_weights_is_not_built(run, tmp_path, changes, words):
    """One of 60,000 units takes 43 GB."""
    other = Run(shutil.copytree(run.path, tmp_path / "run"))
    other.write_json("config.json", {**run.config().to_dict(), **changes})
    with pytest.raises(InputError, match=words):
        Run.open(other.path)


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


FILES = ("config.json", "run.json", "scores.json", "test_reads.json", "history.csv", "best.npz", "last.npz")
ODD = st.sampled_from(
    (None, True, -1, 0, 1.5, 10**18, 10**30, float("nan"), float("inf"), "", "x", "\0", "\ud800", "../..", [], {}, [[]])
)


def mutated_json(draw, text):
    """JSON in which one value, at any depth, is another one, or isn't there."""
    values = json.loads(text)
    place, key = values, draw(st.sampled_from(sorted(values)))
    while isinstance(place[key], (dict, list)) and place[key] and draw(st.booleans()):
        place = place[key]
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
    if draw(st.booleans()):
        place[key] = draw(ODD)
    else:
        del place[key]
    return json.dumps(values).encode()


def mutated_bytes(draw, content):
    start = draw(st.integers(0, len(content)))
    end = draw(st.integers(start, min(len(content), start + 40)))
    return content[:start] + draw(st.binary(max_size=8)) + content[end:]


@st.composite
def mutations(draw, contents):
    """The name of one of a run's files, and another content."""
    name = draw(st.sampled_from(sorted(contents)))
    change = draw(st.sampled_from([mutated_bytes, mutated_json] if name.endswith(".json") else [mutated_bytes]))
    return name, change(draw, contents[name])


class TestMutations:
    """Whatever is in a run folder: it is read, or there is one line that says what is wrong, and where."""

    @pytest.fixture(scope="class")
    @classmethod
    def copy(cls, run, tmp_path_factory):
        return Run(shutil.copytree(run.path, tmp_path_factory.mktemp("mutated") / "run"))

    @pytest.fixture(scope="class")
    @classmethod
    def regression(cls, recola, tmp_path_factory):
        run = train_run(
            preset("recola").replace(**TINY, data_dir=recola), tmp_path_factory.mktemp("regression") / "run"
        )
        return Run(run.path)

    @pytest.fixture(scope="class")
    @classmethod
    def models(cls, copy, regression):
        import keras

        from emobed_tf.models.build import build_model
        from emobed_tf.models.optimizer import FusedAdam

        found = []
        for run in (copy, regression):
            model = build_model(run.config(), run.facts())
            keras.Model.compile(model, FusedAdam())
            found.append(model)
        return found

    def survives(self, run, model, name, content):
        """All is read, or there is one line."""
        from emobed_tf.models.weights import set_weight_arrays
        from emobed_tf.saved_model.manifest import manifest
        from emobed_tf.training.run_recorder import RunRecorder

        path = run.path / name
        whole = path.read_bytes()
        path.write_bytes(content)
        try:
            Run.open(run.path)
            run.chain(), run.scores(), run.history(), history(run), run.test_reads(), run.selection
            manifest(run, {}, {})
            set_weight_arrays(model, run.read_arrays("best"))
            RunRecorder(run, "score", 0).restore(model)
            said = ""
        except InputError as error:
            said = str(error)
        finally:
            path.write_bytes(whole)
        assert "\n" not in said and len(said) < 2000

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_of_a_classification(self, copy, models, data):
        contents = {name: (copy.path / name).read_bytes() for name in FILES}
        self.survives(copy, models[0], *data.draw(mutations(contents)))

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def test_of_a_regression(self, regression, models, data):
        names = (*(name for name in FILES if name != "test_reads.json"), "postprocessing.json")
        contents = {name: (regression.path / name).read_bytes() for name in names}
        self.survives(regression, models[1], *data.draw(mutations(contents)))
