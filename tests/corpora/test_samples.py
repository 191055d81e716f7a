"""Frames of samples that are read when somebody asks for them."""

import numpy as np
import pytest

from emobed_tf.corpora.samples import PaddedSamples, SampleFrames, as_model_input, sample_names


class Counting:
    """Samples 0, 1, 2, ... in memory, and how often somebody has asked for them."""

    def __init__(self, length):
        self.whole, self.asked = np.arange(length, dtype=np.int16), 0

    @property
    def samples(self):
        self.asked += 1
        return self.whole


class TestSampleFrames:
    def test_are_rows_of_the_samples(self):
        frames = SampleFrames(Counting(23), 5)
        assert (len(frames), frames.shape, frames.size) == (4, (4, 5), 20)
        np.testing.assert_array_equal(frames, np.arange(20).reshape(4, 5))

    def test_a_slice_reads_nothing(self):
        source = Counting(100)
        frames = SampleFrames(source, 5)
        asked = source.asked
        part = frames[3:8][1:]
        assert part.shape == (4, 5)
        assert source.asked == asked
        np.testing.assert_array_equal(part, np.arange(20, 40).reshape(4, 5))
        assert source.asked == asked + 1

    def test_less_than_a_frame_is_one_with_silence_behind(self):
        np.testing.assert_array_equal(SampleFrames(Counting(3), 5), [[0, 1, 2, 0, 0]])

    def test_frames_that_follow_each_other_only(self):
        with pytest.raises(ValueError, match="one after another"):
            SampleFrames(Counting(100), 5)[::2]
        with pytest.raises(ValueError, match="copy"):
            np.asarray(SampleFrames(Counting(100), 5), copy=False)


class TestPaddedSamples:
    def test_items_are_padded_with_silence(self):
        padded = PaddedSamples((SampleFrames(Counting(9), 2)[:2], SampleFrames(Counting(9), 2)[1:]))
        assert padded.shape == (2, 3, 2)
        assert len(padded) == 2
        first, second, nothing = [[0, 1], [2, 3], [0, 0]], [[2, 3], [4, 5], [6, 7]], np.zeros((3, 2))
        np.testing.assert_array_equal(padded.take(np.array([[1, 0], [0, 7]])), [[second, first], [first, nothing]])


class TestAsModelInput:
    def test_samples_are_divided_by_full_scale(self):
        found = as_model_input(np.array([[-32768, 16384, 32767]], np.int16))
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, [[-1, 0.5, 32767 / 32768]])

    def test_features_stay_as_they_are(self):
        features = np.ones((2, 3), np.float32)
        assert as_model_input(features) is features


def test_sample_names():
    assert sample_names(3) == ("sample_1", "sample_2", "sample_3")
