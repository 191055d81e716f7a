"""What a training needs: how many steps are one call, and features standardised once."""

import numpy as np
import pytest

from emobed_tf.training.session import Session
from tests.training.test_loop import assert_equal_weights, settings, weights

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]


def table_settings(tables, **changes):
    named = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
    return settings(None, "tables", table=named, framework="emobed", **{"target": "audio", **changes})


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
        from emobed_tf.training import setup
        from emobed_tf.training.loop import train_run

        config = table_settings(tables)
        with Session() as session:
            at_once = train_run(config, tmp_path / "at once", session=session)
            (model,) = session.models.idle.values()
            assert model.steps > 1
            assert not model.compile_steps, "too few steps in a call"
        monkeypatch.setattr(setup, "_STEPS_AT_MOST", 1)
        one = train_run(config, tmp_path / "one")
        assert_equal_weights(weights(at_once), weights(one))
        assert (at_once.path / "history.csv").read_text() == (one.path / "history.csv").read_text()

    def test_compiled_ones_give_the_plain_ones_scores_and_weights(self, tables, monkeypatch):
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training import setup
        from emobed_tf.training.loop import train

        config, corpus = load_corpus(table_settings(tables, epochs=2, xla=True))
        plain = train(config, corpus)
        monkeypatch.setattr(setup, "_STEPS_COMPILED", 2)
        with Session() as session:
            compiled, again = (train(config, corpus, session=session) for _ in range(2))
            (model,) = session.models.idle.values()
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
        from emobed_tf.training import setup
        from emobed_tf.training.loop import train_run

        monkeypatch.setattr(setup, "_STEPS_COMPILED", 2)
        config = table_settings(tables, target="face", epochs=3, xla=True)
        with Session() as session:
            whole = train_run(config, tmp_path / "whole", session=session)
            train_run(config.replace(epochs=1), tmp_path / "parts", session=session)
            parts = train_run(config, tmp_path / "parts", resume=True, session=session)
            assert all(model.compile_steps for model in session.models.idle.values())
        assert_equal_weights(weights(whole), weights(parts))
        assert (whole.path / "history.csv").read_text() == (parts.path / "history.csv").read_text()


class TestStart:
    def test_features_are_standardised_alike_however_many_at_once(self, tables, monkeypatch):
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training import setup

        named = (f"audio={tables / 'audio'}.csv",)
        config, corpus = load_corpus(settings(None, "tables", table=named, target="audio", framework="classic"))
        raw = corpus.modality("audio").partition("train")
        features = np.stack([recording.features for recording in raw])
        mean, deviation = np.nanmean(features, axis=(0, 1)), np.nanstd(features, axis=(0, 1))
        for at_once in (1, 7 * features[0].size, 2**20):  # 7: the last part is a smaller one
            monkeypatch.setattr(setup, "_STANDARDISED_AT_ONCE", at_once)
            found = setup.prepare(config, corpus).sequences["audio"].features
            np.testing.assert_allclose(found, (features - mean) / deviation, atol=1e-5)
