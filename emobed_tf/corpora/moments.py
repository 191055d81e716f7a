"""Means and deviations of frames, and how a speaker's features are brought to those of the corpus."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STATISTICS = ("speaker_count", "speaker_mean", "speaker_deviation")
"""What the attributes of `Moments` are called as inputs of an exported model, in their order."""
LEAST_DEVIATION = 1e-6
"""Of a speaker, in the corpus' deviations: what varies less is only centred."""
LARGEST = float(np.finfo(np.float32).max)
"""Features of float32 go no further, however far a value is from its speaker's mean."""


@dataclass(frozen=True, eq=False)
class Moments:
    """What is known of some frames, feature by feature.

    Attributes:
        count: float64 `[features]`, frames in which the feature isn't missing.
        mean: float64 `[features]`; 0 where it is missing in every frame.
        deviation: float64 `[features]`, standard deviation >= 0 (the mean square's root, not n - 1).
    """

    count: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


def moments_of(frames: np.ndarray) -> Moments:
    """Moments of frames, missing values left out.

    Args:
        frames: float `[frames, features]`, NaN where missing. There need be none.

    Returns:
        Theirs, computed in double precision.
    """
    frames = frames.astype(np.float64, copy=False)
    present = np.isfinite(frames)
    count = present.sum(axis=0)
    divisor = np.maximum(count, 1)
    mean = np.where(present, frames, 0).sum(axis=0) / divisor
    deviation = np.sqrt((np.where(present, frames - mean, 0) ** 2).sum(axis=0) / divisor)
    return Moments(count.astype(np.float64), mean, deviation)


def moments_together(one: Moments, other: Moments) -> Moments:
    """Moments of two sets of frames as one, so that all frames need never be in memory at once.

    With counts n and m, means a and b, and variances u and v, the mean is a + (b - a) m / (n + m), and the variance
    (n u + m v) / (n + m) + (b - a)^2 n m / (n + m)^2.

    Args:
        one: of some frames.
        other: of others, with the same features.

    Returns:
        Of both.
    """
    count = one.count + other.count
    share = other.count / np.maximum(count, 1)
    apart = other.mean - one.mean
    variance = (1 - share) * one.deviation**2 + share * other.deviation**2 + share * (1 - share) * apart**2
    return Moments(count, one.mean + share * apart, np.sqrt(variance))


def usable_deviation(moments: Moments) -> np.ndarray:
    """Deviations to divide by.

    Args:
        moments: of the frames that are standardised by.

    Returns:
        float64 `[features]`; 1 for a feature that doesn't vary, or that is missing everywhere: it is only centred.
    """
    floor = 1e-6 * np.maximum(np.abs(moments.mean), 1e-6)
    return np.where(moments.deviation > floor, moments.deviation, 1)


@dataclass(frozen=True)
class SpeakerPrior:
    """The corpus as a speaker's features are brought to it: what it knows before the speaker says anything.

    Statistics of a speaker are those of the speaker's n frames and, beside them, `weight` frames with the corpus' mean
    and deviation. In the corpus' deviations, with z = (m - m0) / s0 and v = (s / s0)^2 of the speaker's own mean m and
    deviation s, mean and variance of all of them together are

        n z / (n + k)    and    (n v + k) / (n + k) + n k z^2 / (n + k)^2.

    Attributes:
        mean: m0 by feature, of the training frames.
        deviation: s0 by feature, of the training frames; 1 for one that doesn't vary.
        weight: k, frames that the corpus counts as.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    weight: float

    def shift_and_scale(self, speaker: Moments) -> tuple[np.ndarray, np.ndarray]:
        """Mean and deviation of a speaker's frames and the corpus' together.

        Args:
            speaker: moments of the speaker's frames.

        Returns:
            Both float64 `[features]`, in the corpus' deviations from its mean: 0 and 1 of a speaker without frames. A
            deviation of less than a millionth is 1: such a feature is only centred.
        """
        z = (speaker.mean - np.array(self.mean)) / np.array(self.deviation)
        v = (speaker.deviation / np.array(self.deviation)) ** 2
        n, k = speaker.count, self.weight
        together = np.where(n + k > 0, n + k, 1)
        deviation = np.sqrt((n * v + k) / together + n * k * (z / together) ** 2)
        return n * z / together, np.where(deviation > LEAST_DEVIATION, deviation, 1)

    def apply(self, features: np.ndarray, speaker: Moments) -> np.ndarray:
        """A speaker's features as if the corpus had said them: with its mean and its deviation.

        Args:
            features: float32 `[frames, features]`, NaN where missing.
            speaker: moments of the speaker's frames.

        Returns:
            float32 `[frames, features]`, NaN where missing.
        """
        shift, scale = self.shift_and_scale(speaker)
        mean, deviation = np.array(self.mean), np.array(self.deviation)
        standardised = ((features - mean) / deviation - shift) / scale
        return np.clip(mean + deviation * standardised, -LARGEST, LARGEST).astype(np.float32)


def prior_of(training: Sequence[np.ndarray], width: int, weight: float) -> SpeakerPrior:
    """The corpus' part in the statistics of speakers.

    Args:
        training: float `[frames, features]` of each training recording, NaN where missing.
        width: number of features.
        weight: frames that the corpus counts as.

    Returns:
        Mean and deviation of all training frames.
    """
    moments = moments_of(np.concatenate([np.zeros((0, width)), *training]))
    return SpeakerPrior(tuple(moments.mean.tolist()), tuple(usable_deviation(moments).tolist()), weight)
