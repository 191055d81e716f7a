"""Frames of padded sequences in the graph, against plain indexing."""

import numpy as np
import pytest

from emobed_tf.corpora.time import shift

pytestmark = pytest.mark.usefixtures("stack")


class TestLastFrame:
    def test_of_each_sequence(self):
        from emobed_tf.models.frames import last_frame

        values = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
        mask = np.arange(4)[None] < np.array([[4], [2], [0]])
        np.testing.assert_array_equal(last_frame(values, mask), [values[0, 3], values[1, 1], values[2, 0]])

    def test_of_single_frames(self):
        from emobed_tf.models.frames import last_frame

        values = np.arange(6, dtype=np.float32).reshape(3, 1, 2)
        np.testing.assert_array_equal(last_frame(values, np.ones((3, 1), bool)), values[:, 0])


class TestDelayed:
    @pytest.mark.parametrize("frames", [0, 1, 3, 4, 9])
    def test_is_the_shift_of_the_corpora(self, frames):
        from emobed_tf.models.frames import delayed

        values = np.arange(8, dtype=np.float32).reshape(2, 4, 1)
        expected = [shift(sequence, frames) for sequence in values]
        np.testing.assert_array_equal(delayed(values, frames), expected)
