"""Stacks of convolutions against SciPy's correlation, and sizes worked out by hand."""

import numpy as np
import pytest
from scipy.signal import correlate

pytestmark = pytest.mark.usefixtures("stack")

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(x)),
}
# Kernels, strides and pools of a frame of 640 samples, as they should come out.
SHAPES = {
    "conv": ([(20, 10, 1), (8, 8, 1), (8, 8, 1)], "relu"),
    "emo18": ([(8, 1, 10), (6, 1, 8), (6, 1, 8)], "leaky_relu"),
    "zhao19": ([(3, 1, 4), (3, 1, 4), (3, 1, 4), (3, 1, 5)], "elu"),
}


def layer_of(name, samples=640, seed=0):
    """The front end's layer with random weights, biases among them."""
    from emobed_tf.models.front_ends.registry import find_front_end
    from emobed_tf.settings import Network

    [layer] = find_front_end(name)(Network(), "audio", False)
    layer.build((None, None, samples))
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        fan_in = max(1, int(np.prod(weight.shape[:-1])))
        weight.assign(rng.normal(0, fan_in**-0.5, weight.shape))
    return layer


def correlated(samples, layer, stages, activation):
    """Silence in front, then each stage by SciPy, in double precision; activation before pooling, as published."""
    hidden = np.concatenate([np.zeros(layer.tail), samples])[:, np.newaxis]
    arrays = [weight.numpy().astype(np.float64) for weight in layer.weights]
    for k, (_, stride, pool) in enumerate(stages):
        kernel, bias = arrays[2 * k : 2 * k + 2]
        outputs = [
            sum(correlate(hidden[:, c], kernel[:, c, f], "valid") for c in range(kernel.shape[1])) + bias[f]
            for f in range(kernel.shape[2])
        ]
        hidden = ACTIVATIONS[activation](np.stack(outputs, axis=1)[::stride])
        hidden = np.stack([hidden[i : i + pool].max(axis=0) for i in range(0, len(hidden), pool)])
    return hidden


class TestStacks:
    @pytest.mark.parametrize("name", SHAPES)
    @pytest.mark.parametrize("training", [True, False])
    def test_is_that_of_scipy(self, name, training):
        layer = layer_of(name)
        samples = np.random.default_rng(1).normal(size=3 * 640).astype(np.float32)
        found = layer(samples.reshape(1, 3, 640), training=training).numpy()
        expected = correlated(samples.astype(np.float64), layer, *SHAPES[name])
        np.testing.assert_allclose(found[0], expected.reshape(3, -1), atol=1e-4)

    def test_compiled_it_is_the_same(self):
        import tensorflow as tf

        layer = layer_of("emo18")
        inputs = tf.constant(np.random.default_rng(1).normal(size=(2, 3, 640)), tf.float32)

        @tf.function(autograph=False)
        def gradients():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(inputs, training=True) ** 2)
            return tape.gradient(loss, layer.trainable_variables)

        plain = [value.numpy() for value in gradients()]
        layer.compile_training = True
        compiled = [value.numpy() for value in tf.function(gradients.python_function, autograph=False)()]
        for one, other in zip(plain, compiled, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4 * np.abs(one).max())

    @pytest.mark.parametrize(
        ("name", "tail"),
        [
            ("conv", 10),  # 20 - 10; kernels of the others are as long as their strides
            ("emo18", 457),  # ((6 - 1) * 8 + (6 - 1)) * 10 + (8 - 1)
            ("zhao19", 170),  # ((2 * 4 + 2) * 4 + 2) * 4 + 2
        ],
    )
    def test_tail_is_that_worked_out_by_hand(self, name, tail):
        assert layer_of(name).tail == tail

    @pytest.mark.parametrize(
        ("name", "samples", "channels"),
        [
            ("conv", 640, 128),
            ("emo18", 640, 256),
            ("zhao19", 640, 256),  # 640 / (4 * 4 * 4 * 5) = 2 steps
            ("conv", 160, 128),  # strides 10, 8, 2
            ("emo18", 160, 256),  # pools 10, 8, 2
            ("emo18", 1600, 512),  # pools 10, 8, 10: 2 steps
            ("conv", 800, 128),  # strides 10, 8, 10: a kernel of 8 grows to 10
        ],
    )
    def test_any_number_of_samples_a_frame_will_do(self, name, samples, channels):
        layer = layer_of(name, samples)
        outputs = layer(np.zeros((1, 2, samples), np.float32))
        assert outputs.shape == (1, 2, channels) == (1, 2, layer.channels)

    def test_layer_is_made_again_from_its_configuration(self):
        layer = layer_of("zhao19")
        again = type(layer).from_config(layer.get_config())
        again.build((None, None, 640))
        again.set_weights(layer.get_weights())
        inputs = np.random.default_rng(0).normal(size=(1, 2, 640)).astype(np.float32)
        np.testing.assert_array_equal(again(inputs), layer(inputs))
