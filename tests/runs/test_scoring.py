"""A run folder's model and data, and predictions for new files."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from tests.oracles.network import in_numpy

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
