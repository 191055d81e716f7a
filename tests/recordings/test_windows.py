"""Which samples, and which frames, each row of a table sees."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.windows import Windows, frames_within


class TestWindows:
    def test_centred(self):
        # 1 s of sound, windows of 0.5 s every 0.25 s: [-0.25, 0.25), [0, 0.5), [0.25, 0.75), [0.5, 1)
        times, starts, ends = Windows(0.5, 0.25).over(16_000)
        assert times.tolist() == [0, 0.25, 0.5, 0.75]
        assert starts.tolist() == [0, 0, 4_000, 8_000]
        assert ends.tolist() == [4_000, 8_000, 12_000, 16_000]

    def test_causal(self):
        # a row's step is its last quarter: [-0.25, 0.25), [0, 0.5), …, so nothing comes after time + step
        times, starts, ends = Windows(0.5, 0.25, "causal").over(16_000)
        assert times.tolist() == [0, 0.25, 0.5, 0.75]
        assert starts.tolist() == [0, 0, 4_000, 8_000]
        assert ends.tolist() == [4_000, 8_000, 12_000, 16_000]
        _, starts, ends = Windows(0.75, 0.25, "causal").over(16_000)
        assert starts.tolist() == [0, 0, 0, 4_000]
        assert ends.tolist() == [4_000, 8_000, 12_000, 16_000]
        _, starts, ends = Windows(0.75, 0.25, "centre").over(16_000)
        assert starts.tolist() == [0, 0, 2_000, 6_000]
        assert ends.tolist() == [6_000, 10_000, 14_000, 16_000]

    @pytest.mark.parametrize(
        ("samples", "step", "rows"),
        [
            (16_000 * 300, 0.04, 7_500),  # AVEC: 300 s at 25 a second
            (16_000 * 300 + 639, 0.04, 7_500),
            (16_000 * 300 + 640, 0.04, 7_501),
            (16_000 * 3, 0.1, 30),  # 0.1 is no binary fraction
            (100, 0.04, 1),
        ],
    )
    def test_one_row_a_step(self, samples, step, rows):
        assert len(Windows(4, step).over(samples)[0]) == rows

    def test_times_have_no_binary_noise(self):
        assert Windows(4, 0.1).over(16_000)[0][3] == 0.3

    @pytest.mark.parametrize(
        ("window", "step", "message"),
        [
            (4, 0, "--step: expected 0.01 s or more, found 0"),
            (4, 0.005, "--step: expected 0.01 s or more"),
            (4, float("nan"), "--step"),
            (0.02, 0.04, "--window: expected seconds, as many as --step"),
            (float("inf"), 0.04, "--window"),
            (1e308, 1e308, "--step: expected 86400 s, a day, or less, found 1e.308"),
            (86_401, 0.04, "--window: expected 86400 s, a day, or less, found 86401"),
        ],
    )
    def test_ranges(self, window, step, message):
        with pytest.raises(InputError, match=message):
            Windows(window, step).check()


def test_frames_of_a_window_are_those_of_its_cut():
    """A window's frames, counted one by one in the recording, beside those of the window cut out by itself."""
    length, hop, samples = 400, 160, 5_000
    rng = np.random.default_rng(0)
    starts = rng.integers(0, samples, 200)
    ends = np.minimum(starts + rng.integers(0, 3_000, 200), samples)
    first, last = frames_within(starts, ends, length, hop)
    for start, end, low, high in zip(starts, ends, first, last, strict=True):
        inside = [k for k in range(100) if k * hop >= start and k * hop + length <= end]
        assert list(range(low, high)) == inside
