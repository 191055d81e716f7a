"""A run folder's model and data, and predictions for new files."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest

from emobed_tf.corpora import load
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from tests.oracles.network import in_numpy
from tests.tiny import settings

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


@pytest.fixture
def run(arousal_run, tmp_path):
    """A run folder of one's own, with one encoder layer and one of the head."""
    return Run(shutil.copytree(arousal_run[0], tmp_path / "run"))


class TestLoadModel:
    def test_is_the_targets_branch_with_the_best_weights(self, run):
        from emobed_tf.runs.scoring import load_model

        inputs = np.random.default_rng(0).normal(size=(2, 9, 88)).astype(np.float32)
        inputs[0, 3, 5] = np.nan
        _, expected = in_numpy(run, "audio", inputs, 1, 1)
        np.testing.assert_allclose(load_model(run)(inputs), expected[..., 0], atol=2e-6)

    def test_keeps_no_other_branch(self, run):
        from emobed_tf.runs.scoring import load_model

        kept = run.read_json("scores.json")["training"]["parameters"]["kept"]
        assert load_model(run).count_params() == kept

    def test_a_run_of_before_there_was_a_choice_of_encoder(self, run):
        """Its config.json names none: it has the paper's."""
        from emobed_tf.models.weights import weight_arrays
        from emobed_tf.runs.scoring import load_model

        inputs = np.random.default_rng(0).normal(size=(1, 20, 88)).astype(np.float32)
        expected = load_model(run)(inputs).numpy()
        config = json.loads(run.config_file.read_text())
        for name in ("encoder", "kernel_size"):
            del config[name]
        run.write_json("config.json", config)
        again = Run.open(run.path)
        assert again.config().network.encoder == "gru"
        found = load_model(again)
        np.testing.assert_array_equal(found(inputs), expected)
        assert weight_arrays(found).keys() >= {"audio.gru_1/kernel", "shared.output/kernel"}


class TestLoadData:
    def test_is_what_it_was_trained_on(self, run):
        from emobed_tf.runs.scoring import load_data

        config, corpus = load_data(run)
        assert config == run.config()
        assert set(corpus.modalities) == {"audio", "video_appearance"}

    def test_where_it_has_moved(self, run, recola, tmp_path):
        from emobed_tf.runs.scoring import load_data

        moved = shutil.copytree(recola, tmp_path / "moved")
        config, _ = load_data(run, moved)
        assert config == run.config().replace(data_dir=moved)

    def test_the_target_alone_needs_no_other_files(self, run, recola, tmp_path):
        from emobed_tf.runs.scoring import load_data

        moved = shutil.copytree(recola, tmp_path / "moved")
        shutil.rmtree(moved / "features_video_appearance")
        _, corpus = load_data(run, moved, target_only=True)
        assert set(corpus.modalities) == {"audio"}
        with pytest.raises(InputError, match="no modality 'video_appearance'"):
            load_data(run, moved)

    def test_other_features(self, run):
        from emobed_tf.runs.scoring import load_data

        values = run.read_json("run.json")
        values["facts"]["features"]["audio"][0] = "another"
        run.write_json("run.json", values)
        with pytest.raises(InputError, match="the features of 'audio' are not those that it was trained on"):
            load_data(run)


class TestPredictFiles:
    def test_a_row_a_frame_in_the_order_of_the_files(self, run, recola, tmp_path):
        from emobed_tf.runs.scoring import predict_files

        files = [recola / "features_audio" / "arousal" / f"dev_{k}.arff" for k in (2, 1)]
        number = predict_files(run, files, tmp_path / "new" / "p.csv")
        with open(tmp_path / "new" / "p.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert number == len(rows) == 602, "12 s and both ends, 25 frames a second, twice"
        assert [row["id"] for row in rows] == ["dev_2"] * 301 + ["dev_1"] * 301
        assert list(rows[0]) == ["id", "time", "raw", "postprocessed"]


class TestCompareRuns:
    def test_of_another_label(self, run):
        from emobed_tf.runs.scoring import compare_runs

        other = Run(shutil.copytree(run.path, run.path.parent / "other"))
        facts = dataclasses.asdict(other.facts()) | {"label": "valence"}
        other.write_json("run.json", {**other.read_json("run.json"), "facts": facts})
        with pytest.raises(InputError, match=r"run learnt arousal, .*other valence; name two runs"):
            compare_runs(run, {}, other, {})


class TestBySpeaker:
    """A run on utterances that is standardised by speaker."""

    @pytest.fixture(scope="class")
    def spoken(self, tables, tmp_path_factory):
        from emobed_tf.training.loop import train_run

        config = settings(tables, "tables", framework="classic", standardise="speaker", batch_size=8, epochs=1)
        return train_run(config, tmp_path_factory.mktemp("spoken") / "run")

    def test_what_is_brought_to_what_stands_in_the_folder(self, spoken, tables):
        training = [r.features for r in load("tables", tables).modality("audio").partition("train")]
        prior = Run.open(spoken.path).facts().speaker_prior
        np.testing.assert_allclose(prior.mean, np.mean(training, axis=(0, 1)), rtol=1e-6)
        np.testing.assert_allclose(prior.deviation, np.std(training, axis=(0, 1)), rtol=1e-6)
        assert prior.weight == 5.0

    def test_predictions_of_the_whole_table_are_those_of_the_evaluation(self, spoken, tables):
        from emobed_tf.runs.scoring import predict_rows, score_run

        evaluated = score_run(spoken)["dev"]
        rows = {row["id"]: row for row in predict_rows(spoken, [tables / "audio.csv"])}
        for recording, probabilities in zip(evaluated.recordings, evaluated.raw, strict=True):
            row = rows[recording.id]
            assert [row[f"p_{name}"] for name in ("anger", "calm", "joy")] == pytest.approx(probabilities, abs=1e-6)

    def test_it_is_the_same_with_data_in_memory(self, spoken, tables):
        """`corpora.load` knows nothing of speakers' statistics."""
        from emobed_tf.runs.scoring import score_run

        read, in_memory = (score_run(spoken, corpus=each)["dev"] for each in (None, load("tables", tables)))
        np.testing.assert_array_equal(read.raw, in_memory.raw)

    def test_other_rows_of_a_speaker_count_and_those_of_others_dont(self, spoken, tables, tmp_path):
        from emobed_tf.runs.scoring import predict_rows

        with (tables / "audio.csv").open() as file:
            header, *lines = file.read().splitlines()
        of_dev_0 = [line for line in lines if ",dev_0," in line]
        others = [line for line in lines if ",dev_1," in line]
        found = []
        for name, kept in (("alone", of_dev_0), ("beside", of_dev_0 + others), ("fewer", of_dev_0[:2])):
            path = tmp_path / f"{name}.csv"
            path.write_text("\n".join([header, *kept]) + "\n")
            found.append({row["id"]: row for row in predict_rows(spoken, [path])})
        alone, beside, fewer = found
        first = of_dev_0[0].split(",")[0]
        assert alone[first]["p_joy"] == pytest.approx(beside[first]["p_joy"], abs=1e-6)
        assert abs(alone[first]["p_joy"] - fewer[first]["p_joy"]) > 1e-5
