"""Networks of other designs trained as EmoBed is: what weighs nothing changes nothing; a used one is as a new one."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.models.design import Design, Head
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.multitask import with_training_label
from emobed_tf.training.session import Session
from tests.systems.baselines.constructed import TINY, problem, utterances

pytestmark = pytest.mark.usefixtures("stack")


def trained(given, session=None, **design):
    from emobed_tf.training.loop import train

    return train(given.config, given.corpus, design=Design(**design), session=session)


def recola_problem(folder, **settings):
    from emobed_tf.corpora.configured import load_corpus

    config = preset("recola").replace(data_dir=folder, framework="classic", batch_size=2, **{**TINY, **settings})
    return Problem(*load_corpus(config))


def classes_problem(**settings):
    rng = np.random.default_rng(6)
    parts = {}
    for partition in ("train", "dev"):
        labels = rng.integers(0, 3, 30)
        parts[partition] = ((labels[:, None] + rng.normal(size=(30, 4))).astype(np.float32), labels)
    audio = utterances("audio", parts, task="classification")
    return problem(
        {"audio": audio}, "classification", classes=("a", "b", "c"), framework="classic", batch_size=8, **settings
    )


@pytest.fixture(scope="module")
def given(recola):
    return recola_problem(recola, label_delay=2.4, sequence_seconds=5.0, seed=3, epochs=2)


@pytest.fixture(scope="module")
def classic(given):
    from emobed_tf.training.loop import train

    return train(given.config, given.corpus)


class TestTraining:
    """A head that weighs nothing leaves the classic system, bit for bit."""

    @pytest.mark.parametrize("heads", [(), ("apart", "beside", "reconstruction")])
    def test_frames(self, given, classic, heads):
        for name in heads:
            given = with_training_label(given, name, lambda recording: recording.labels["valence"])
        rebuilt = {"width": 88, "reconstructs": True}
        chosen = [Head(n, apart=n == "apart", **(rebuilt if n == "reconstruction" else {})) for n in heads]
        shared = trained(given, heads=dict.fromkeys(chosen, 0.0))
        for name, values in classic.weights.items():
            np.testing.assert_array_equal(values, shared.weights[name], err_msg=name)
        assert shared.score == classic.score
        dev = given.recordings("dev")["audio"]
        for one, other in zip(classic.outputs(dev), shared.outputs(dev), strict=True):
            np.testing.assert_array_equal(one, other)
        assert shared.parameters["kept"] == classic.parameters["kept"]

    def test_utterances(self):
        from emobed_tf.training.loop import train

        given = classes_problem()
        classic, shared = train(given.config, given.corpus), trained(given)
        for name, values in classic.weights.items():
            np.testing.assert_array_equal(values, shared.weights[name], err_msg=name)
        assert shared.score == classic.score > 0.5

    def test_one_bin_that_is_always_in(self):
        """Easy first, but nothing is hard: the classic system but for a loss that may leave utterances out."""
        import keras

        class AllIn(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                self.model.bins_in.assign(1.0)

        from emobed_tf.training.loop import train

        given = classes_problem()
        binned = with_training_label(given, "bins", lambda recording: np.float32(0))
        classic = train(given.config, given.corpus)
        easy = train(binned.config, binned.corpus, design=Design(easy_first="bins"), callbacks=[AllIn()])
        for name, values in classic.weights.items():
            np.testing.assert_allclose(values, easy.weights[name], atol=1e-5, err_msg=name)

    def test_a_head_that_weighs_something_changes_the_encoder(self, given, classic):
        beside = trained(given, heads={Head("valence"): 1.0})
        assert not np.array_equal(classic.weights["audio.gru_1/kernel"], beside.weights["audio.gru_1/kernel"])

    def test_only_emobeds_own_design_logs_the_spread_of_embeddings(self, given, classic):
        spread = {"embedding_norm", "effective_rank"}
        assert spread <= classic.history[0].keys()
        assert trained(given).history[0].keys() == classic.history[0].keys() - spread

    def test_moments_of_the_training_frames(self, given):
        shared = trained(given)
        frames = np.concatenate([r.features for r in given.modality.partition("train")]).astype(np.float64)
        np.testing.assert_allclose(shared.weights["audio.standardise/mean"], np.nanmean(frames, axis=0), rtol=1e-4)
        z = shared.standardised(frames.astype(np.float32))
        np.testing.assert_allclose(z.mean(axis=0), 0, atol=0.05)


class TestReuse:
    @pytest.fixture
    def session(self):
        with Session() as session:
            yield session

    def trained(self, given, session, weight=1.0, **changes):
        changed = dataclasses.replace(given, config=given.config.replace(**changes))
        return trained(changed, session, heads={Head("reconstruction", 4, reconstructs=True): weight})

    def test_a_used_network_trains_like_a_new_one_without_another_trace(self, session, monkeypatch):
        from emobed_tf.models.emobed import EmoBed

        given, traced, forward = classes_problem(), [], EmoBed.forward
        monkeypatch.setattr(EmoBed, "forward", lambda self, b: (traced.append(1), forward(self, b))[1])
        with Session() as another:
            new = self.trained(given, another)
        self.trained(given, session, 0.1, seed=5, l2=0.1, learning_rate=0.02)
        (model,) = session.models.idle.values()
        traced.clear()
        used = self.trained(given, session)
        assert not traced
        assert list(session.models.idle.values()) == [model]
        for name, values in new.weights.items():
            np.testing.assert_array_equal(values, used.weights[name], err_msg=name)

    def test_another_architecture_gets_a_network_of_its_own(self, session):
        given = classes_problem(epochs=1)
        for units in (2, 3):
            self.trained(given, session, head_units=units)
        assert [built.network.head_units for built, _ in session.models.idle] == [2, 3]

    def test_what_was_trained_stays_when_another_is(self, session):
        given = classes_problem(epochs=2)
        first = self.trained(given, session)
        recordings = given.recordings("dev")["audio"]
        before = first.outputs(recordings), first.head_outputs("reconstruction", recordings)
        self.trained(given, session, seed=8).outputs(recordings)
        after = first.outputs(recordings), first.head_outputs("reconstruction", recordings)
        np.testing.assert_array_equal(before[0], after[0])
        np.testing.assert_array_equal(before[1], after[1])
