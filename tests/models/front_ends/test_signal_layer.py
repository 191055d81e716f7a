"""What every front end keeps to: causality, its receptive field, and chunks that are the whole."""

import numpy as np
import pytest

from tests.models.front_ends.test_convolutions import layer_of

pytestmark = pytest.mark.usefixtures("stack")

NAMES = ("conv", "emo18", "zhao19", "logmel")


def noise(batch, frames, samples=640, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, (batch, frames, samples)).astype(np.float32)


class TestSignalLayer:
    @pytest.mark.parametrize("name", NAMES)
    def test_a_sample_changes_what_the_receptive_field_says_and_nothing_else(self, name):
        """The first sample that the last frame sees changes it, the one before and those after don't."""
        layer = layer_of(name)
        signal = noise(1, 4)
        before = layer(signal).numpy()[0]

        def changed(sample):
            other = signal.copy()
            other.reshape(-1)[sample] += 5
            return np.abs(layer(other).numpy()[0] - before).max(axis=1) > 0

        end = 4 * 640
        first = end - layer.receptive_field
        assert not changed(first - 1)[3]
        seen = [changed(first + k)[3] for k in range(8)]  # a single one may lose against others in pooling
        assert any(seen)
        assert list(changed(2 * 640)) == [False, False, True, changed(2 * 640)[3]]  # nothing before its own frame

    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("samples", [640, 160])
    def test_chunks_are_the_whole(self, name, samples):
        layer = layer_of(name, samples)
        signal = noise(2, 24, samples)
        whole = layer(signal).numpy()
        state, parts = np.zeros((2, *layer.stream_state_shape), np.float32), []
        for chunk in np.split(signal, [1, 2, 7, 8], axis=1):
            outputs, state = layer.stream(chunk, state)
            parts.append(outputs)
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6 * max(1, np.abs(whole).max()))
        np.testing.assert_array_equal(state, signal.reshape(2, -1)[:, -layer.tail :])

    @pytest.mark.parametrize(("batch", "frames"), [(1, 1100), (3, 175), (100, 17)])
    def test_pieces_are_the_whole(self, batch, frames):
        """In inference, frames are computed in pieces (of 512, 170 and 8 here), in training all at once."""
        import tensorflow as tf

        layer = layer_of("conv", 160)
        signal = noise(batch, frames, 160)
        in_pieces = tf.function(layer, autograph=False, input_signature=[tf.TensorSpec([None, None, 160])])(signal)
        assert in_pieces.shape == (batch, frames, layer.channels)
        np.testing.assert_allclose(in_pieces, layer(signal, training=True), rtol=1e-6, atol=2e-6)


class TestWindows:
    @pytest.mark.parametrize(("width", "step"), [(5, 2), (4, 2), (3, 3), (2, 3), (7, 1)])
    def test_are_cut_one_by_one(self, width, step):
        from emobed_tf.models.front_ends.signal_layer import windows

        values = np.random.default_rng(0).normal(size=(2, 3 * step + width, 3)).astype(np.float32)
        expected = [values[:, k * step : k * step + width].reshape(2, -1) for k in range(4)]
        np.testing.assert_array_equal(windows(values, width, step), np.stack(expected, axis=1))


class TestNearestDivisor:
    @pytest.mark.parametrize(
        ("number", "wanted", "found"), [(640, 10, 10), (10, 4, 5), (2, 8, 2), (20, 8, 10), (7, 3, 1), (6, 4, 3)]
    )
    def test_is_that_by_hand(self, number, wanted, found):
        """Divisors of 10: 1, 2, 5, 10; of 20: 5 is 3 away from 8, 10 only 2; of 7: 1 is nearer to 3 than 7."""
        from emobed_tf.models.front_ends.signal_layer import nearest_divisor

        assert nearest_divisor(number, wanted) == found
