"""What several seeds of a system, and of two systems, show: means, intervals and tests over speakers.

A speaker's statistics of all seeds stay together: units are speakers, never seeds, and the score is the mean of the
seeds' scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import (
    CLASSIFICATION_SCORES,
    f1_micro,
    pooled_ccc,
)
from emobed_tf.evaluation.scores import Evaluated, speaker_statistics
from emobed_tf.evaluation.significance import (
    SECOND_BETTER,
    bootstrap_interval,
    fisher_z_test,
    proportions_z_test,
    swap_test,
)


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


@dataclass(frozen=True)
class Comparison:
    """Three kinds of evidence that a second system is better than a first, on one score.

    Attributes:
        score: its name.
        first: value of the first system.
        second: value of the second.
        published: one-tailed p-value of the test that the paper uses: Fisher r-to-z of the CCC on all frames, or the
            z-test on the share of right answers (micro-averaged F1) of all utterances. It takes frames for
            independent. None with too few of them.
        published_n: frames or utterances that it counts.
        swap: p-value of the exchange test by speaker, one-tailed: the primary evidence.
        swap_two_sided: the same, two-sided.
        exact: whether all exchanges were enumerated.
        units: number of speakers.
        low: lower end of the bootstrap's 95 % interval of the difference, over speakers; None with a single one.
        high: its upper end.
    """

    score: str
    first: float
    second: float
    published: float | None
    published_n: int
    swap: float
    swap_two_sided: float
    exact: bool
    units: int
    low: float | None
    high: float | None


def interval(evaluated: Evaluated, score: str) -> tuple[float, float] | None:
    """Ends of the bootstrap's 95 % interval of a score over speakers; None with a single speaker.

    Args:
        evaluated: a system's outputs.
        score: `ccc`, or a key of `metrics.CLASSIFICATION_SCORES`.
    """
    function, (statistics,) = _statistics(score, [evaluated])
    if len(statistics) < 2:
        return None
    found = bootstrap_interval(function, statistics)
    return found.low, found.high


def compare(first: Evaluated, second: Evaluated, score: str) -> Comparison:
    """Is the second system better than the first on the same recordings?

    Args:
        first: outputs of one system, such as classic.
        second: of the other, such as EmoBed.
        score: `ccc`, or a key of `metrics.CLASSIFICATION_SCORES`.

    Raises:
        InputError: if the two were not scored on the same recordings and labels.
    """
    first, second = _by_id(first), _by_id(second)
    same = [r.id for r in first.recordings] == [r.id for r in second.recordings]
    if not same or any(not np.array_equal(a, b) for a, b in zip(first.labels, second.labels, strict=True)):
        raise InputError(f"the two runs have different recordings or labels in partition '{first.partition}'")
    function, (a, b) = _statistics(score, [first, second])
    values = [float(function(x.sum(axis=0))) for x in (a, b)]
    test = swap_test(function, a, b, alternative=SECOND_BETTER)
    found = bootstrap_interval(function, a, b) if len(a) > 1 else None
    return Comparison(
        score=score,
        first=values[0],
        second=values[1],
        published=_published(score, first, second),
        published_n=first.frames,
        swap=test.p_value,
        swap_two_sided=test.p_two_sided,
        exact=test.exact,
        units=test.units,
        low=found.low if found else None,
        high=found.high if found else None,
    )


def _by_id(system: Evaluated) -> Evaluated:
    """The same with recordings in the order of their ids: two tables need not have the same order."""
    order = sorted(range(len(system.recordings)), key=lambda k: system.recordings[k].id)
    parts = {name: tuple(getattr(system, name)[k] for k in order) for name in ("recordings", "labels", "raw", "final")}
    return replace(system, **parts)


def _published(score: str, first: Evaluated, second: Evaluated) -> float | None:
    n = first.frames
    if score != "ccc":
        return proportions_z_test(first.scores["f1_micro"], n, second.scores["f1_micro"], n)
    return fisher_z_test(first.scores["ccc"], n, second.scores["ccc"], n) if n > 3 else None


def _statistics(score: str, systems: Sequence[Evaluated]):
    """The score as a function of summed statistics, and each system's statistics by speaker."""
    function = pooled_ccc if score == "ccc" else partial(_score_of_counts, CLASSIFICATION_SCORES[score])
    return function, [speaker_statistics(system)[1] for system in systems]


def _score_of_counts(score, counts: np.ndarray) -> np.ndarray:
    return score(np.asarray(counts, np.float64))
