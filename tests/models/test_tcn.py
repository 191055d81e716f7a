"""The temporal convolutional network against a plain loop, Keras' own convolution, and its response to an impulse."""

import keras
import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.settings import Network

pytestmark = pytest.mark.usefixtures("stack")


def plain_convolution(x, kernel, bias, dilation):
    """y_t = b + sum_j W_j x_{t - (k - 1 - j) d}, with zeros before the first frame: frame by frame, tap by tap."""
    batch, frames, _ = x.shape
    y = np.zeros((batch, frames, kernel.shape[2])) + bias
    for t in range(frames):
        for j, weights in enumerate(kernel):
            past = t - (len(kernel) - 1 - j) * dilation
            if past >= 0:
                y[:, t] += x[:, past] @ weights
    return y


def plain_block(x, weights, dilation, bounded):
    """Bai et al. (2018), Fig. 1b, without weight normalisation and dropout; or with tanh in the end."""
    hidden = np.maximum(plain_convolution(x, weights["first_kernel"], weights["first_bias"], dilation), 0)
    hidden = plain_convolution(hidden, weights["second_kernel"], weights["second_bias"], dilation)
    if "skip_kernel" in weights:
        x = x @ weights["skip_kernel"] + weights["skip_bias"]
    return np.tanh(hidden + x) if bounded else np.maximum(np.maximum(hidden, 0) + x, 0)


def random_block(width, units, kernel_size, dilation, bounded=False):
    """A block with random weights, biases among them, and these by name in double precision."""
    from emobed_tf.models.tcn import TemporalBlock

    block = TemporalBlock(units, kernel_size, dilation, bounded)
    block.build((None, None, width))
    rng = np.random.default_rng(kernel_size)
    for weight in block.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return block, {weight.name: weight.numpy().astype(np.float64) for weight in block.weights}


class TestBlock:
    @pytest.mark.parametrize(
        ("width", "units", "kernel_size", "dilation", "frames"),
        [(3, 4, 3, 1, 9), (4, 4, 2, 4, 11), (2, 5, 4, 2, 20), (3, 4, 3, 8, 5), (3, 3, 3, 2, 1)],
    )
    @pytest.mark.parametrize("bounded", [True, False])
    def test_is_that_of_a_plain_loop(self, width, units, kernel_size, dilation, frames, bounded):
        block, weights = random_block(width, units, kernel_size, dilation, bounded)
        assert ("skip_kernel" in weights) == (width != units)
        x = np.random.default_rng(0).normal(size=(2, frames, width))
        expected = plain_block(x, weights, dilation, bounded)
        np.testing.assert_allclose(block(x.astype(np.float32)), expected, atol=1e-5)

    def test_is_that_of_keras_convolutions(self):
        block, weights = random_block(3, 5, 3, 4)
        inputs = hidden = keras.Input((None, 3))
        for _ in range(2):
            hidden = keras.layers.Conv1D(5, 3, padding="causal", dilation_rate=4, activation="relu")(hidden)
        skip = keras.layers.Conv1D(5, 1)(inputs)
        stock = keras.Model(inputs, keras.layers.ReLU()(hidden + skip))
        parts = {name: weights[name][None] if name == "skip_kernel" else weights[name] for name in weights}
        first, second, skipped = [layer for layer in stock.layers if isinstance(layer, keras.layers.Conv1D)]
        if first.kernel.shape[0] == 1:  # Keras sorts layers by depth
            first, second, skipped = second, skipped, first
        elif second.kernel.shape[0] == 1:
            second, skipped = skipped, second
        for layer, name in ((first, "first"), (second, "second"), (skipped, "skip")):
            layer.set_weights([parts[f"{name}_kernel"], parts[f"{name}_bias"]])
        x = np.random.default_rng(0).normal(size=(2, 30, 3)).astype(np.float32)
        np.testing.assert_allclose(block(x), stock(x), atol=1e-5)

    @pytest.mark.parametrize(("name", "value"), [("kernel_size", 1), ("dilation", 0)])
    def test_sees_frames_before(self, name, value):
        from emobed_tf.models.tcn import TemporalBlock

        with pytest.raises(ValueError, match=f"`{name}`. Expected {value + 1} or more. Received: {value}"):
            TemporalBlock(3, **{name: value})

    def test_comes_back_from_its_configuration(self):
        from emobed_tf.models.tcn import TemporalBlock

        block = TemporalBlock(7, 4, 8, True, name="audio.block_3")
        stored = keras.saving.serialize_keras_object(block)
        assert stored["registered_name"] == "emobed_tf>TemporalBlock"
        again = keras.saving.deserialize_keras_object(stored)
        assert again.get_config() == block.get_config()
        assert (again.units, again.kernel_size, again.dilation, again.bounded) == (7, 4, 8, True)


class TestEncoder:
    @pytest.mark.parametrize(("kernel_size", "layers"), [(3, 1), (3, 2), (2, 3), (4, 2)])
    def test_receptive_field_by_an_impulse(self, kernel_size, layers):
        """Positive weights lose nothing on the way: the output moves for as many frames as the field has, no more."""
        from emobed_tf.models.build import build_emobed
        from emobed_tf.models.tcn import receptive_field

        network = Network(layers, 4, 0, 5, encoder="tcn", kernel_size=kernel_size)
        encoder = build_emobed({"audio": 2}, 1, network).encoder("audio")
        for weight in encoder.trainable_weights:
            weight.assign(np.full(weight.shape, 0.1))
        x = np.zeros((1, 60, 2), np.float32)
        rest = encoder(x).numpy()
        x[0, 10] = 1
        moved = np.flatnonzero(np.abs(encoder(x).numpy() - rest).max(axis=(0, 2)) > 0)
        field = receptive_field(kernel_size, layers)
        assert moved.tolist() == list(range(10, 10 + field))

    def test_receptive_fields_by_hand(self):
        """A block of dilation d adds twice (k - 1) d. For k = 3: 4; 4 + 8; 4 + 8 + 16 + 32; and so on."""
        from emobed_tf.models.tcn import receptive_field

        assert [receptive_field(3, blocks) for blocks in (1, 2, 4, 6)] == [5, 13, 61, 253]
        assert receptive_field(2, 3) == 1 + 2 * (1 + 2 + 4)

    def test_is_made_of_blocks_whose_dilations_double(self):
        from emobed_tf.models.tcn import tcn

        layers = tcn(Network(3, 4, encoder="tcn", kernel_size=5), "audio", True)
        assert [layer.name for layer in layers] == ["audio.block_1", "audio.block_2", "audio.block_3"]
        assert [layer.dilation for layer in layers] == [1, 2, 4]
        assert {(layer.units, layer.kernel_size) for layer in layers} == {(4, 5)}
        assert [layer.bounded for layer in layers] == [False, False, True]

    def test_more_frames_than_anybody_has(self):
        from emobed_tf.models.tcn import tcn

        with pytest.raises(InputError, match=r"--encoder-layers 20 and --kernel-size 3 it sees 4,194,301 frames"):
            tcn(Network(20, 4, encoder="tcn"), "audio", True)
