"""Windows over a recording, one for each row of a feature table."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.audio import SAMPLE_RATE

Align = Literal["centre", "causal"]
_LEAST_STEP = 0.01  # seconds: extractors see sound in frames that far apart
_LONGEST = 86_400  # seconds: of a recording, so that times stay numbers of samples
_NOISE = 1e-6  # of a step: what binary fractions leave


@dataclass(frozen=True)
class Windows:
    """A window every `step` seconds. What of it lies outside of the recording is cut off, and never padded.

    Attributes:
        window: its length in seconds.
        step: seconds from one to the next: a row of the table for each.
        align: centre: the middle of a window is the time of its row; causal: a window ends where its row's step does,
            so that nothing is seen that comes later.
    """

    window: float
    step: float
    align: Align = "centre"

    def check(self) -> "Windows":
        """Makes sure that there can be such windows.

        Returns:
            Itself.

        Raises:
            InputError: if the step is too short, or longer than the window, or the window is longer than a day.
        """
        if not self.step >= _LEAST_STEP:
            raise InputError(f"--step: expected {_LEAST_STEP} s or more, found {self.step:g}")
        for flag, seconds in (("--step", self.step), ("--window", self.window)):
            if not seconds <= _LONGEST:
                raise InputError(f"{flag}: expected {_LONGEST} s, a day, or less, found {seconds:g}")
        if not self.step <= self.window:
            raise InputError(f"--window: expected seconds, as many as --step ({self.step:g}) or more: {self.window:g}")
        return self

    def over(self, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The windows of a recording.

        Args:
            samples: of the recording, at `SAMPLE_RATE`.

        Returns:
            Times of the rows in seconds, float64 `[rows]`, 0 for the first; first sample of each window, and the one
            behind its last, int64 `[rows]`. There are as many rows as whole steps in the recording, and one at least.
        """
        times, *edges = self.within(samples / SAMPLE_RATE)
        first, last = (np.rint(edge * SAMPLE_RATE).astype(np.int64).clip(0, samples) for edge in edges)
        return times, first, last

    def within(self, seconds: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same in seconds, for what is no sound.

        Args:
            seconds: length of the recording.

        Returns:
            Times of the rows, start and end of each window, float64 `[rows]`; windows reach beyond the recording.
        """
        rows = max(1, math.floor(seconds / self.step + _NOISE))
        times = np.round(np.arange(rows) * self.step, 9)
        ends = times + (self.window / 2 if self.align == "centre" else self.step)
        return times, ends - self.window, ends


def frames_within(starts: np.ndarray, ends: np.ndarray, length: int, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Which frames lie in windows as a whole: those that a window cut out of the recording would have itself.

    Args:
        starts: first sample of each window, int64 `[rows]`.
        ends: the one behind its last, int64 `[rows]`.
        length: of a frame in samples.
        hop: samples from one frame to the next; frame k begins at k * hop.

    Returns:
        First frame of each window, and the one behind its last, int64 `[rows]`; the same where there is none.
    """
    first = -(-starts // hop)
    return first, np.maximum((ends - length) // hop + 1, first)
