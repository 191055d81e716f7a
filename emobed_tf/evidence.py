"""What several seeds of a system, and of two systems, show: means, intervals and tests over speakers.

A speaker's statistics of all seeds stay together: units are speakers, never seeds, and the score is the mean of the
seeds' scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.metrics import (
    CLASSIFICATION_SCORES,
    confusion_by_unit,
    f1_micro,
    moments_by_recording,
    pooled_ccc,
)
from emobed_tf.significance import (
    SECOND_BETTER,
    bootstrap_interval,
    fisher_z_test,
    proportions_z_test,
    swap_test,
)

if TYPE_CHECKING:
    from emobed_tf.evaluation import Evaluated


@dataclass(frozen=True)
class Summary:
    """A system on one partition.

    Attributes:
        values: score of each seed.
        low: lower end of the bootstrap's 95 % interval of the mean over seeds, speakers drawn; None with one speaker.
        high: its upper end.
    """

    values: tuple[float, ...]
    low: float | None
    high: float | None

    @property
    def mean(self) -> float:
        """Mean over seeds."""
        return float(np.mean(self.values))

    @property
    def deviation(self) -> float:
        """Standard deviation over seeds (n - 1); 0 for one."""
        return float(np.std(self.values, ddof=1)) if len(self.values) > 1 else 0.0


@dataclass(frozen=True)
class Difference:
    """A second system minus a first.

    Attributes:
        value: difference of the means over seeds.
        low: lower end of the bootstrap's 95 % interval, speakers drawn; None with one speaker.
        high: its upper end.
        swap: one-tailed p-value of the exchange test by speaker: the evidence.
        exact: whether all exchanges were enumerated.
        units: number of speakers.
        published: one-tailed p-value of the paper's test, on the means over seeds and frames or utterances as if they
            were independent: Fisher r-to-z of the CCC, or the z-test on the shares of right answers. None with too few.
    """

    value: float
    low: float | None
    high: float | None
    swap: float
    exact: bool
    units: int
    published: float | None


def speaker_statistics(evaluated: "Evaluated") -> tuple[list[str], np.ndarray]:
    """What adds up to the scores, by speaker, as tests and intervals take it.

    Args:
        evaluated: a system's outputs.

    Returns:
        Names of the speakers, sorted; float64 `[speakers, 6]`, moments of the concordance about the mean of the
        partition's gold standards, or int `[speakers, classes, classes]`, confusion matrices.
    """
    speakers, unit = np.unique(evaluated.speakers, return_inverse=True)
    if evaluated.confusion is None:
        by_recording = moments_by_recording(evaluated.labels, evaluated.final)
        sums = np.zeros((len(speakers), by_recording.shape[1]))
        np.add.at(sums, unit, by_recording)
        return speakers.tolist(), sums
    decided = np.array([int(np.argmax(values)) for values in evaluated.raw])
    labels = np.array([int(label) for label in evaluated.labels])
    return speakers.tolist(), confusion_by_unit(labels, decided, unit, evaluated.confusion.shape[0])


def stacked(parts: Sequence[dict]) -> np.ndarray:
    """Statistics of several seeds, `[speakers, seeds, ...]`.

    Args:
        parts: one partition's part of the records of `trials.run_trial`, by seed.

    Raises:
        InputError: if the speakers differ.
    """
    if any(part["speakers"] != parts[0]["speakers"] for part in parts):
        raise InputError("two fits were scored on different speakers")
    return np.stack([np.asarray(part["statistics"], np.float64) for part in parts], axis=1)


def summarise(statistics: np.ndarray, score: str) -> Summary:
    """Score of each seed, and the interval of their mean.

    Args:
        statistics: `[speakers, seeds, ...]`, see `stacked`.
        score: `ccc`, or a key of `CLASSIFICATION_SCORES`.
    """
    values = _by_seed(score)(statistics.sum(axis=0))
    found = bootstrap_interval(_mean(score), statistics) if len(statistics) > 1 else None
    return Summary(tuple(map(float, values)), found and found.low, found and found.high)


def difference(first: np.ndarray, second: np.ndarray, score: str, frames: int) -> Difference:
    """Is the second system better than the first?

    Args:
        first: statistics of the first, `[speakers, seeds, ...]`.
        second: of the second, on the same speakers and with as many seeds.
        score: `ccc`, or a key of `CLASSIFICATION_SCORES`.
        frames: number of scored frames or utterances, for the published test.

    Raises:
        InputError: if the two don't fit each other.
    """
    mean = _mean(score)
    test = swap_test(mean, first, second, alternative=SECOND_BETTER)
    found = bootstrap_interval(mean, first, second) if len(first) > 1 else None
    return Difference(
        value=test.difference,
        low=found and found.low,
        high=found and found.high,
        swap=test.p_value,
        exact=test.exact,
        units=test.units,
        published=_published(first, second, score, frames),
    )


def _published(first: np.ndarray, second: np.ndarray, score: str, frames: int) -> float | None:
    of = pooled_ccc if score == "ccc" else f1_micro
    a, b = (float(np.mean(of(statistics.sum(axis=0)))) for statistics in (first, second))
    if score != "ccc":
        return proportions_z_test(a, frames, b, frames)
    return fisher_z_test(a, frames, b, frames) if frames > 3 else None


def _by_seed(score: str):
    return pooled_ccc if score == "ccc" else CLASSIFICATION_SCORES[score]


def _mean(score: str):
    by_seed = _by_seed(score)
    return lambda sums: by_seed(sums).mean(axis=-1)
