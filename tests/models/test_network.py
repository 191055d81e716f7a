"""The parts of a network by themselves, against NumPy and numbers worked out by hand."""

import numpy as np
import pytest

from emobed_tf.settings import Network
from tests.models.test_emobed import numpy_gru

pytestmark = pytest.mark.usefixtures("stack")

NETWORK = Network(encoder_layers=1, encoder_units=3, head_layers=1, head_units=2)


def arrays(layer):
    return [weight.numpy().astype(np.float64) for weight in layer.weights]


def test_standardised_input():
    import keras

    from emobed_tf.models.network import standardised_input

    features, standardised = standardised_input("audio", 2, clip=1.5)
    model = keras.Model(features, standardised)
    model.layers[-1].adapt(np.array([[0, 10], [4, 10]], np.float32))
    # First feature: mean 2, deviation 2. Second: only centred. Then at most 1.5 deviations; missing is 0.
    assert model(np.array([[[4, 11], [np.nan, 9], [12, -90]]], np.float32)).numpy().tolist() == [
        [[1, 1], [0, -1], [1.5, -1.5]]
    ]
    assert features.name == "audio.features"


def test_encoder_is_a_gru_of_what_is_standardised():
    from emobed_tf.models.network import encoder_network

    encoder = encoder_network("audio", 4, NETWORK, clip=2.0, xla=False)
    features = np.random.default_rng(0).normal(0, 3, (2, 7, 4)).astype(np.float32)
    features[0, 3] = np.nan
    # Nothing adapted yet: mean 0 and deviation 1, so that only clip and gaps change anything.
    expected = numpy_gru(np.clip(np.nan_to_num(features), -2, 2), *arrays(encoder.layers[-1]))
    np.testing.assert_allclose(encoder(features), expected, atol=2e-6)
    assert [layer.name for layer in encoder.layers] == ["audio.features", "audio.standardise", "audio.gru_1"]


def test_head_is_a_gru_and_a_linear_layer():
    from emobed_tf.models.network import HEAD, head_network

    head = head_network(4, NETWORK, xla=False)
    embedding = np.random.default_rng(1).normal(size=(2, 7, 3)).astype(np.float32)
    gru, (kernel, bias) = (arrays(layer) for layer in head.layers[1:])
    np.testing.assert_allclose(head(embedding), numpy_gru(embedding, *gru) @ kernel + bias, atol=2e-6)
    # A GRU of u units over f features has 3u(f + u + 2) numbers: 6 * 7; then (2 + 1) * 4.
    assert head.count_params() == 42 + 12
    assert head.name == HEAD


def test_head_without_a_gru_sees_each_frame_by_itself():
    from emobed_tf.models.network import head_network

    head = head_network(1, Network(encoder_units=2, head_layers=0), xla=False)
    head.layers[-1].set_weights([np.array([[2], [-1]], np.float32), np.array([0.5], np.float32)])
    assert head(np.array([[[1, 0], [0, 1], [3, 4]]], np.float32)).numpy().ravel().tolist() == [2.5, -0.5, 2.5]
