"""Series moved in time, and times as frames, against definitions written as loops."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emobed_tf.corpora.time import frames_of, nearest_times, shift
from emobed_tf.errors import InputError


def plain_shift(x, k):
    return [x[min(max(t - k, 0), len(x) - 1)] for t in range(len(x))]


class TestShift:
    def test_forward_repeats_the_first(self):
        assert shift(np.array([1, 2, 3, 4]), 2).tolist() == [1, 1, 1, 2]

    def test_backward_repeats_the_last(self):
        assert shift(np.array([1, 2, 3, 4]), -1).tolist() == [2, 3, 4, 4]

    @pytest.mark.parametrize(("frames", "value"), [(4, 1), (9, 1), (-4, 4), (-9, 4)])
    def test_as_long_as_the_series_or_longer(self, frames, value):
        assert shift(np.array([1, 2, 3, 4]), frames).tolist() == [value] * 4

    def test_zero_is_a_copy(self):
        values = np.array([1.0, 2.0])
        moved = shift(values, 0)
        moved[0] = 9
        assert values.tolist() == [1, 2]

    def test_moves_rows_and_keeps_the_type(self):
        moved = shift(np.array([[1, 2], [3, 4]], dtype=np.float32), 1)
        assert moved.tolist() == [[1, 2], [1, 2]]
        assert moved.dtype == np.float32

    def test_of_nothing_is_nothing(self):
        assert shift(np.zeros((0, 3)), 5).shape == (0, 3)

    @given(st.lists(st.integers(), min_size=1, max_size=30), st.integers(-40, 40))
    def test_equals_the_definition(self, values, frames):
        assert shift(np.array(values, dtype=object), frames).tolist() == plain_shift(values, frames)

    @given(st.integers(1, 50), st.integers(0, 60))
    def test_there_and_back_is_the_identity_inside(self, length, frames):
        values = np.arange(length)
        assert shift(shift(values, -frames), frames)[frames:].tolist() == values[frames:].tolist()
        kept = max(length - frames, 0)
        assert shift(shift(values, frames), -frames)[:kept].tolist() == values[:kept].tolist()

    def test_delay_of_the_protocol(self):
        # Labels come late: what was rated at frame 2 belongs to frame 0; predictions go the other way.
        assert shift(np.array([1, 2, 3, 4]), -2).tolist() == [3, 4, 4, 4]
        assert shift(np.array([1, 2, 3, 4]), 2).tolist() == [1, 1, 1, 2]


class TestFrames:
    @pytest.mark.parametrize(("seconds", "expected"), [(2.4, 60), (0.12, 3), (0.6, 15), (0.0, 0), (0.05, 1), (0.07, 2)])
    def test_rounds(self, seconds, expected):
        assert frames_of(seconds, 0.04) == expected

    @pytest.mark.parametrize("frame_seconds", [0, -0.04, float("nan")])
    def test_refuses(self, frame_seconds):
        with pytest.raises(InputError, match="positive time between frames"):
            frames_of(1.0, frame_seconds)


class TestNearest:
    def test_half_a_step_is_the_farthest(self):
        nearest, far = nearest_times(np.array([0.0, 0.4, 0.6, 1.4, 2.5, 2.6]), np.array([0.0, 1.0, 2.0]))
        assert nearest.tolist() == [0, 0, 1, 1, 2, 2]
        assert far.tolist() == [False, False, False, False, False, True]

    def test_a_single_time(self):
        nearest, far = nearest_times(np.array([1.0]), np.array([1.0]))
        assert (nearest.tolist(), far.tolist()) == ([0], [False])

    @given(st.lists(st.integers(0, 99), min_size=2, max_size=20, unique=True), st.integers(0, 99))
    def test_equals_a_search_of_all(self, given_times, time):
        given_times = np.array(sorted(given_times), float)
        (nearest,), _ = nearest_times(np.array([float(time)]), given_times)
        assert abs(given_times[nearest] - time) == min(abs(given_times - time))
