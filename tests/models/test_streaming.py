"""Streams: chunks of any length give what the whole gives, and a network that can't do so says why."""

import numpy as np
import pytest

from tests.models.test_encoders import OWN, build

pytestmark = pytest.mark.usefixtures("stack")

FRAMES = 60
CHUNKS = [(1,) * FRAMES, (FRAMES,), (1, 2, 57), (40, 1, 19), (3,) * 20]


def random_network(encoder, **network):
    """All weights are random, biases among them: what begins with zeros hides what is forgotten."""
    model = build(encoder, {"audio": 4}, **network)
    for k, weight in enumerate(model.trainable_weights):
        weight.assign(0.4 * np.random.default_rng(k).normal(size=weight.shape))
    return model


def features(batch=2, frames=FRAMES):
    return np.random.default_rng(0).normal(3, 2, (batch, frames, 4)).astype(np.float32)


class TestStates:
    @pytest.mark.parametrize(
        ("encoder", "network", "shapes"),
        [
            ("gru", {}, {"encoder_state_1": (6,), "encoder_state_2": (6,), "head_state_1": (5,)}),
            ("gru", {"fused": False, "head_layers": 0}, {"encoder_state_1": (6,), "encoder_state_2": (6,)}),
            ("gru", {"sharing": "trunk"}, {"encoder_state_1": (6,), "encoder_state_2": (6,), "head_state_1": (5,)}),
            ("dense", {}, {"head_state_1": (5,)}),
            ("dense", {"head_layers": 0}, {}),
            # Block 1: 2 frames of 4 features and 6 units; block 2, of dilation 2: 4 frames of 6 and 6.
            ("tcn", {"head_layers": 0}, {"encoder_state_1": (2, 10), "encoder_state_2": (4, 12)}),
            (f"{OWN}:layered", {"head_layers": 0}, {}),
            (f"{OWN}:running_mean", {"head_layers": 0}, {"encoder_state_1": (7,)}),
        ],
    )
    def test_shapes(self, encoder, network, shapes):
        from emobed_tf.models.streaming import obstacle, state_shapes

        model = random_network(encoder, **network)
        assert obstacle(model, "audio") is None
        assert state_shapes(model, "audio") == shapes
        assert list(state_shapes(model, "audio")) == list(shapes)


class TestChunks:
    @pytest.mark.parametrize("chunks", CHUNKS, ids=lambda chunks: f"{len(chunks)} chunks")
    @pytest.mark.parametrize("encoder", ["gru", "dense", "tcn", f"{OWN}:running_mean"])
    def test_give_what_the_whole_gives(self, encoder, chunks):
        """The tcn sees 13 frames: some chunks are shorter, some longer than that."""
        from emobed_tf.models.streaming import continued, state_shapes

        model, x = random_network(encoder), features()
        whole = model.head(model.encoder("audio")(x))
        states = {name: np.zeros((2, *shape), np.float32) for name, shape in state_shapes(model, "audio").items()}
        parts = []
        for chunk in np.split(x, np.cumsum(chunks)[:-1], axis=1):
            outputs, states = continued(model, "audio", chunk, states)
            parts.append(outputs)
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=2e-6)

    def test_a_tcn_remembers_no_more_than_it_sees(self):
        """13 frames: what came before the last 12 doesn't matter, and the 12th before does."""
        model = random_network("tcn", head_layers=0)
        x = features()
        expected = model.encoder("audio")(x).numpy()[:, -1]
        x[:, : FRAMES - 13] = 0
        np.testing.assert_allclose(model.encoder("audio")(x).numpy()[:, -1], expected, atol=1e-6)
        x[:, FRAMES - 13] = 0
        assert np.abs(model.encoder("audio")(x).numpy()[:, -1] - expected).max() > 1e-4


class TestObstacles:
    @pytest.mark.parametrize(
        ("encoder", "message"),
        [
            ("lstm", "layer 'audio.lstm' (LSTM) doesn't say what it remembers of the frames before"),
            ("both_ways", "layer 'audio.both' (Bidirectional) doesn't say what it remembers of the frames before"),
            ("backwards", "layer 'audio.backwards' (GRU) doesn't say what it remembers of the frames before"),
            ("over_time", "layer 'audio.share' (Softmax) doesn't say what it remembers of the frames before"),
            ("wrong_mean", "encoder_state_1 was declared with shape [8] and came back as [7]"),
        ],
    )
    def test_in_words(self, encoder, message):
        from emobed_tf.models.streaming import obstacle

        assert obstacle(random_network(f"{OWN}:{encoder}"), "audio") == message

    @pytest.mark.parametrize("encoder", ["forgetful_mean", "peeks"])
    def test_what_a_layer_does_not_say_is_found_out(self, encoder):
        from emobed_tf.models.streaming import obstacle

        found = obstacle(random_network(f"{OWN}:{encoder}"), "audio")
        assert found.startswith("chunks gave other answers than the whole")
        assert found.endswith("a layer remembers more than it says")

    def test_a_subclass_may_do_anything(self):
        import keras

        from emobed_tf.models.fused_gru import FusedGRU
        from emobed_tf.models.streaming import _state_shape

        class Mine(FusedGRU):
            pass

        class MyDense(keras.layers.Dense):
            pass

        unknown = _state_shape(Mine(3, return_sequences=True))
        assert unknown is _state_shape(MyDense(3)) is _state_shape(keras.layers.SimpleRNN(3))
        assert _state_shape(FusedGRU(3, return_sequences=True)) == (3,)
