"""Post-processing in the graph, beside NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emobed_tf.corpora.time import shift
from emobed_tf.evaluation.postprocessing import PostProcessing

pytestmark = pytest.mark.usefixtures("stack")


def in_graph(prediction, delay, chain):
    import tensorflow as tf

    from emobed_tf.saved_model.postprocess import postprocess

    values = tf.function(lambda x: postprocess(x, delay, chain), autograph=False)(np.float32(prediction))
    assert values.dtype == tf.float32
    return values.numpy()


class TestPostprocess:
    def test_by_hand(self):
        """Delay 1: 1 1 5 2. Median of 3 with the ends repeated: of (1 1 1), (1 1 5), (1 5 2), (5 2 2) 1 1 2 2.

        Times 10 plus 0.5, one frame later: 10.5 10.5 10.5 20.5.
        """
        chain = PostProcessing(window=3, gain=10.0, offset=0.5, shift=1)
        np.testing.assert_array_equal(in_graph([[1, 5, 2, 9]], 1, chain), [[10.5, 10.5, 10.5, 20.5]])

    @settings(max_examples=40, deadline=None)
    @given(
        frames=st.integers(1, 30),
        window=st.sampled_from([1, 3, 5, 11, 45]),
        later=st.integers(0, 12),
        delay=st.sampled_from([0, 1, 60]),
        seed=st.integers(0, 2**32 - 1),
    )
    def test_equals_numpy(self, frames, window, later, delay, seed):
        rng = np.random.default_rng(seed)
        # Rounded, so that there are ties.
        prediction = rng.normal(size=(3, frames)).round(1).astype(np.float32)
        chain = PostProcessing(window=window, gain=1.7, offset=-0.3, shift=later, centred=True, scaled=True)
        expected = [chain.apply(shift(recording, delay)) for recording in prediction]
        np.testing.assert_allclose(in_graph(prediction, delay, chain), expected, rtol=1e-6, atol=1e-7)

    def test_off_changes_nothing(self):
        prediction = np.float32([[0.1, -0.7, 0.3]])
        np.testing.assert_array_equal(in_graph(prediction, 0, PostProcessing()), prediction)

    def test_a_large_gain_cancels_exactly(self):
        """A network that hardly varies is scaled by thousands: in float32 alone 3e4 * 0.7 - 21000 is off by 0.001."""
        prediction = np.float32(0.7) + np.arange(-3, 4, dtype=np.float32)[np.newaxis] * np.float32(6e-8)
        chain = PostProcessing(gain=30_000.1, offset=-21_000.07, centred=True, scaled=True)
        np.testing.assert_allclose(in_graph(prediction, 0, chain)[0], chain.apply(prediction[0]), atol=1e-8)
