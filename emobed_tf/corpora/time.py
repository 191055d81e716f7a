"""Seconds and frames: the one place that rounds times to frames and moves series in time."""

import numpy as np

from emobed_tf.errors import InputError


def frames_of(seconds: float, frame_seconds: float) -> int:
    """Number of frames, rounded, in a time.

    Args:
        seconds: a time in seconds.
        frame_seconds: time between two frames in seconds, > 0.

    Returns:
        A whole number, negative for a negative time.

    Raises:
        InputError: if `frame_seconds` is not positive.
    """
    return round(_ratio(seconds, frame_seconds))


def shift(values: np.ndarray, frames: int) -> np.ndarray:
    """Moves a series in time.

    Args:
        values: `[frames, ...]`, any dtype.
        frames: by how many frames. Positive: later, `y[t] = x[t - frames]`, the first value repeated; negative:
            earlier, the last value repeated. As many as there are, or more, leave nothing but the repeated value.

    Returns:
        A new array of the same shape and dtype.
    """
    values = np.asarray(values)
    return values[np.clip(np.arange(len(values)) - frames, 0, max(len(values) - 1, 0))]


def nearest_times(times: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each time the nearest of others, which may come at another rate.

    Args:
        times: float64 `[rows]`, seconds.
        given: float64 `[one at least]`, seconds, rising.

    Returns:
        Indices of `given`, int64 `[rows]`; and bool `[rows]`, True where even that is more than half a step away, of
        the longer of both steps.
    """
    after = np.clip(np.searchsorted(given, times), 1, max(len(given) - 1, 1))
    before = np.minimum(after - 1, len(given) - 1)
    after = np.minimum(after, len(given) - 1)
    nearest = np.where(np.abs(given[after] - times) < np.abs(given[before] - times), after, before)
    steps = [np.median(np.diff(np.sort(series))) for series in (times, given) if len(series) > 1]
    reach = max(steps, default=0.0) / 2 * 1.001
    return nearest, np.abs(given[nearest] - times) > reach


def _ratio(seconds: float, frame_seconds: float) -> float:
    if not frame_seconds > 0:
        raise InputError(f"expected a positive time between frames in seconds, got {frame_seconds}")
    return seconds / frame_seconds
