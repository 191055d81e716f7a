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


def _ratio(seconds: float, frame_seconds: float) -> float:
    if not frame_seconds > 0:
        raise InputError(f"expected a positive time between frames in seconds, got {frame_seconds}")
    return seconds / frame_seconds
