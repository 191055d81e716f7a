"""Rows of features by hand: means of utterances with gaps, and moments of the training alone."""

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Recording
from emobed_tf.systems.baselines.rows import Rows, frames, utterances

NAN = np.nan


def recordings():
    values = ([[1, NAN], [3, NAN], [NAN, NAN]], [[4, 5]])
    return [Recording(f"r{k}", "train", "s", np.array(v, np.float32), {}) for k, v in enumerate(values)]


def test_frames_one_after_another():
    found = frames(recordings())
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[1, NAN], [3, NAN], [NAN, NAN], [4, 5]])


def test_an_utterance_is_the_mean_of_what_is_there():
    found = utterances(recordings())
    assert found.dtype == np.float32
    # (1 + 3) / 2, the gap left out; the second feature of the first recording is missing everywhere.
    np.testing.assert_array_equal(found, [[2, NAN], [4, 5]])


def test_a_mean_of_many_large_values_is_exact():
    """In float32 a running sum of 2^24 and ones would stay where it is."""
    values = np.ones((1001, 1), np.float32)
    values[0] = 2**24
    # (2^24 + 1000) / 1001 = 16778216 / 1001 = 16761 + 455 / 1001; without the ones it were about 16760.
    assert utterances([Recording("r", "train", "s", values, {})])[0, 0] == pytest.approx(16761 + 455 / 1001, abs=1e-2)


@pytest.mark.usefixtures("stack")
def test_moments_are_those_of_the_training():
    rows = Rows(np.array([[1.0, 7.0], [3.0, NAN]]), clip=4.0)
    # First feature: mean 2, deviation 1. Second: always 7, so only centred.
    found = rows(np.array([[4.0, 8.0], [NAN, NAN], [100.0, -100.0]]))
    assert found.dtype == np.float32
    assert found.tolist() == [[2, 1], [0, 0], [4, -4]]
