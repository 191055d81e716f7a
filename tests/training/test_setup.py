"""Many trainings in one process: one compiled step for each shape, and nothing left of the training before."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.training.test_loop import assert_equal_weights, settings, weights

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]


@pytest.fixture(autouse=True)
def no_idle_models():
    from emobed_tf.training.loop import setup as preparation

    preparation._idle_models.clear()
    return preparation._idle_models


# What TensorFlow builds anew for a training stays in memory, a megabyte at least: 24 MB of 24 trainings.
TRAININGS = """
import json
from emobed_tf.runtime import import_tensorflow
import_tensorflow(1)
from emobed_tf.config import preset
from emobed_tf.training.loop import train
from tests.benchmarks.data import framewise
from tests.benchmarks.worker import resident

corpus = framewise({"audio": 20, "video": 30}, frames=300, recordings=4)
small = {"encoder_layers": 1, "head_layers": 1, "encoder_units": 32, "head_units": 32, "epochs": 2, "threads": 1}
config = preset("recola").replace(target="audio", auxiliary=("video",), task="regression", **small).check()
memory = []
for seed in range(40):
    train(config.replace(seed=seed), corpus)
    memory.append(resident())
print(json.dumps(memory))
"""

OTHERS = {"alpha": 0.9, "beta": 0.1, "l2": 0.01, "learning_rate": 0.01, "seed": 5, "bins": 3}


class TestDisagreement:
    def test_weights_follow_the_mined_frames(self, recola):
        """12 s in pieces of 5 s: 5, 5 and 2 s; one frame of 25 is mined in each second."""

        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.setup import prepare
        from emobed_tf.training.streams import agreement

        config, corpus = load_corpus(settings(recola, disagreement="weighed", sequence_seconds=5.0))
        sequences = prepare(config, corpus).sequences["audio"]
        assert sequences.mined_weights.shape == sequences.mined_classes.shape
        whole = agreement(corpus.modality("audio"), "arousal", 2.4)[0]
        assert len(np.unique(whole[::25])) > 5
        for piece, first in enumerate((0, 125, 250)):
            expected = whole[first : first + 125][::25]
            np.testing.assert_array_equal(sequences.mined_weights[piece, : len(expected)], expected)
        assert "mined_weights" not in prepare(*load_corpus(settings(recola))).sequences["audio"].arrays()

    def test_classes_have_no_raters(self, tables):
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.errors import InputError
        from emobed_tf.training.setup import prepare

        files = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
        config, corpus = load_corpus(settings(None, "tables", table=files, disagreement="weighed"))
        with pytest.raises(InputError, match="--disagreement weighed needs a regression"):
            prepare(config, corpus)


class TestReuse:
    @pytest.mark.parametrize("xla", [False, True])
    def test_a_used_model_trains_like_a_new_one(self, recola, tmp_path, no_idle_models, xla):
        from emobed_tf.training.loop import train_run

        new = train_run(settings(recola, xla=xla), tmp_path / "new")
        no_idle_models.clear()
        train_run(settings(recola, xla=xla, **OTHERS), tmp_path / "others")
        (model,) = no_idle_models.values()
        used = train_run(settings(recola, xla=xla), tmp_path / "used")
        assert list(no_idle_models.values()) == [model]
        assert_equal_weights(weights(new), weights(used))
        assert (new.path / "history.csv").read_text() == (used.path / "history.csv").read_text()
        assert new.read_json("scores.json")["dev"] == used.read_json("scores.json")["dev"]

    def test_nothing_is_traced_again(self, recola, tmp_path, no_idle_models, monkeypatch):
        from emobed_tf.models.emobed import EmoBed
        from emobed_tf.training.loop import train_run

        traced = []
        for name in ("train_step", "test_step"):
            step = getattr(EmoBed, name)
            monkeypatch.setattr(EmoBed, name, lambda self, batch, s=step, n=name: (traced.append(n), s(self, batch))[1])
        train_run(settings(recola), tmp_path / "first")
        assert set(traced) == {"train_step", "test_step"}
        traced.clear()
        train_run(settings(recola, **OTHERS), tmp_path / "second")
        assert traced == []

    @pytest.mark.slow
    def test_nothing_is_left_in_memory(self):
        done = subprocess.run(
            [sys.executable, "-c", TRAININGS], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
        )
        memory = json.loads(done.stdout.splitlines()[-1])
        assert memory[-1] - memory[-25] < 12 * 2**20

    @pytest.mark.parametrize("change", [{"margin": 0.2}, {"batch_size": 3}, {"head_units": 7}, {"clip": 3.0}])
    def test_another_shape_gets_a_model_of_its_own(self, recola, tmp_path, no_idle_models, change):
        from emobed_tf.training.loop import train_run

        train_run(settings(recola, epochs=1), tmp_path / "first")
        train_run(settings(recola, epochs=1, **change), tmp_path / "second")
        assert len(no_idle_models) == 2

    def test_a_model_that_failed_is_not_used_again(self, recola, tmp_path, no_idle_models):
        import keras

        from emobed_tf.training.loop import train_run

        class Stop(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                raise RuntimeError("on purpose")

        with pytest.raises(RuntimeError, match="on purpose"):
            train_run(settings(recola), tmp_path / "run", callbacks=[Stop()])
        assert not no_idle_models

    def test_a_few_models_are_kept_the_latest(self, no_idle_models):
        from emobed_tf.models.cache import keep_for_the_next

        for k in range(10):
            keep_for_the_next(f"shape {k}", k)
        assert list(no_idle_models.values()) == [2, 3, 4, 5, 6, 7, 8, 9]


class TestStepsAtOnce:
    def test_utterances_take_a_divisor_of_the_epoch(self):
        from types import SimpleNamespace

        from emobed_tf.training.setup import steps_at_once

        def steps(frames, epoch):
            return steps_at_once({"audio": SimpleNamespace(features=np.zeros((2, frames, 3)))}, epoch)

        # The epoch is a whole number of calls, if possible of 32 to 64 steps: 96 = 2 x 48.
        assert [steps(1, epoch) for epoch in (1, 39, 64, 96)] == [1, 39, 64, 48]
        # 67 is a prime, 134 twice that; 74 = 2 x 37, 75 = 3 x 25, 257 is a prime beyond 256.
        assert [steps(1, epoch) for epoch in (67, 134, 74, 75, 257)] == [67, 67, 37, 75, 1]
        assert steps(2, 39) == 1

    def test_as_many_as_there_are_give_the_weights_of_one_at_a_time(self, tables, tmp_path, monkeypatch):
        from emobed_tf.training.loop import setup as preparation
        from emobed_tf.training.loop import train_run

        named = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
        config = settings(None, "tables", table=named, target="audio", framework="emobed")
        at_once = train_run(config, tmp_path / "at once")
        (model,) = preparation._idle_models.values()
        assert model.steps > 1
        assert not model.compile_steps, "too few steps in a call"
        monkeypatch.setattr(preparation, "_STEPS_AT_MOST", 1)
        one = train_run(config, tmp_path / "one")
        assert_equal_weights(weights(at_once), weights(one))
        assert (at_once.path / "history.csv").read_text() == (one.path / "history.csv").read_text()

    def test_compiled_ones_give_the_plain_ones_scores_and_weights(self, tables, monkeypatch):
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.loop import setup as preparation
        from emobed_tf.training.loop import train

        named = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
        config = settings(None, "tables", table=named, target="audio", framework="emobed", epochs=2, xla=True)
        config, corpus = load_corpus(config)
        plain = train(config, corpus)
        monkeypatch.setattr(preparation, "_STEPS_COMPILED", 2)
        preparation._idle_models.clear()
        compiled, again = train(config, corpus), train(config, corpus)
        (model,) = preparation._idle_models.values()
        assert model.compile_steps
        for name, values in plain.weights.items():
            np.testing.assert_array_equal(compiled.weights[name], again.weights[name])
            # Adam divides a gradient by its own size, so that rounding of a gradient near 0 moves a weight as far as
            # a thousandth, the learning rate, can.
            difference = np.abs(compiled.weights[name] - values)
            assert np.mean(difference) < 1e-6 and np.max(difference) < 1e-3, name
        for one, other in zip(plain.history, compiled.history, strict=True):
            assert one.keys() == other.keys()
            for name in one.keys() - {"l2", "loss"}:  # the compiled ones log R as it was before the first
                np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-5, err_msg=name)
        without_xla = train(config.replace(xla=False), corpus)
        for name, values in plain.weights.items():
            np.testing.assert_array_equal(without_xla.weights[name], values)

    def test_compiled_ones_continue_to_the_same_weights(self, tables, tmp_path, monkeypatch):
        from emobed_tf.training.loop import setup as preparation
        from emobed_tf.training.loop import train_run

        monkeypatch.setattr(preparation, "_STEPS_COMPILED", 2)
        named = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
        config = settings(None, "tables", table=named, target="face", framework="emobed", epochs=3, xla=True)
        whole = train_run(config, tmp_path / "whole")
        train_run(config.replace(epochs=1), tmp_path / "parts")
        parts = train_run(config, tmp_path / "parts", resume=True)
        assert any(model.compile_steps for model in preparation._idle_models.values())
        assert_equal_weights(weights(whole), weights(parts))
        assert (whole.path / "history.csv").read_text() == (parts.path / "history.csv").read_text()


class TestStart:
    def test_features_are_standardised_alike_however_many_at_once(self, tables, monkeypatch):
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.loop import setup as preparation

        named = (f"audio={tables / 'audio'}.csv",)
        config, corpus = load_corpus(settings(None, "tables", table=named, target="audio", framework="classic"))
        raw = corpus.modality("audio").partition("train")
        features = np.stack([recording.features for recording in raw])
        mean, deviation = np.nanmean(features, axis=(0, 1)), np.nanstd(features, axis=(0, 1))
        for at_once in (1, 7 * features[0].size, 2**20):  # 7: the last part is a smaller one
            monkeypatch.setattr(preparation, "_STANDARDISED_AT_ONCE", at_once)
            found = preparation.prepare(config, corpus).sequences["audio"].features
            np.testing.assert_allclose(found, (features - mean) / deviation, atol=1e-5)
