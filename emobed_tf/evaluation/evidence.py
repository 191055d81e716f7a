"""Is one system better than another? The one comparison, of two runs as of two systems with several seeds each.

`compare` pairs two systems speaker by speaker and seed by seed. Each kind of evidence is computed when it is asked for.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.corpora.files import listing
from emobed_tf.errors import InputError
from emobed_tf.evaluation.bounds import excluded_by_both
from emobed_tf.evaluation.score_table import SCORES
from emobed_tf.evaluation.scores import Evaluated
from emobed_tf.evaluation.significance import (
    SECOND_BETTER,
    Interval,
    SwapTest,
    bootstrap_interval,
    fisher_z_test,
    proportions_z_test,
    sign_flip_test,
    swap_test,
)
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics, mean_over_seeds, statistics_of

# 20 speakers have 2^20 assignments of signs, which take half a second.
_SIGNS_EXACT_UP_TO = 2**20


@dataclass(frozen=True, eq=False)
class Comparison:
    """A second system compared with a first, on one score. Made by `compare`.

    Attributes:
        score: its name.
        first: statistics of the first system.
        second: of the second, of the same speakers and seeds in the same order.
    """

    score: str
    first: SpeakerStatistics
    second: SpeakerStatistics

    @cached_property
    def means(self) -> tuple[float, float]:
        """Score of the first and of the second system, the means over seeds."""
        first, second = (float(np.mean(system.scores(self.score))) for system in (self.first, self.second))
        return first, second

    @property
    def difference(self) -> float:
        """Score of the second system minus that of the first, the means over seeds."""
        return self.means[1] - self.means[0]

    @cached_property
    def interval(self) -> Interval | None:
        """The bootstrap's 95 % interval of the difference, speakers drawn; None with a single one."""
        if len(self.first.speakers) < 2:
            return None
        return bootstrap_interval(mean_over_seeds(self.score), self.first.sums, self.second.sums)

    @cached_property
    def exchange(self) -> SwapTest:
        """The exchange test of the difference, by speaker: one-tailed, with the two-sided p-value beside it."""
        mean = mean_over_seeds(self.score)
        return swap_test(mean, self.first.sums, self.second.sums, alternative=SECOND_BETTER)

    @cached_property
    def by_speaker(self) -> np.ndarray:
        """Difference of each speaker's own scores, the means over seeds, float64 `[speakers]`."""
        return self.second.by_speaker(self.score) - self.first.by_speaker(self.score)

    @cached_property
    def sign_flip(self) -> SwapTest:
        """The sign-flip test of `by_speaker`, one-tailed. Its difference is the mean of the speakers' differences."""
        return sign_flip_test(self.by_speaker, alternative=SECOND_BETTER, exact_up_to=_SIGNS_EXACT_UP_TO)

    @cached_property
    def excluded(self) -> float | None:
        """A true gain of the second system above it is excluded, one-sided at 95 %.

        It is the larger of two bounds: the sign-flip test's of `by_speaker`, and the upper end of the bootstrap's 90 %
        interval of `difference`. None with so few speakers that the test can't exclude any gain.
        """
        return excluded_by_both(self.by_speaker, mean_over_seeds(self.score), self.first.sums, self.second.sums)

    @cached_property
    def published(self) -> float | None:
        """One-tailed p-value of the paper's test on the means over seeds (EmoBed, section 4.3).

        Of a regression that is Fisher's r-to-z of the concordances, of a classification the z-test on the shares of
        right answers. It treats all frames or utterances as independent. None with too few frames.
        """
        count = self.first.count
        if SCORES[self.score].task == REGRESSION:
            return fisher_z_test(self.means[0], count, self.means[1], count) if count > 3 else None
        shares = [float(np.mean(system.scores("f1_micro"))) for system in (self.first, self.second)]
        return proportions_z_test(shares[0], count, shares[1], count)

    def to_dict(self) -> dict[str, Any]:
        """All evidence of the exchange test, the bootstrap and the paper's test, as JSON values."""
        return {
            "score": self.score,
            "first": self.means[0],
            "second": self.means[1],
            "published": self.published,
            "published_n": self.first.count,
            "swap": self.exchange.p_value,
            "swap_two_sided": self.exchange.p_two_sided,
            "exact": self.exchange.exact,
            "units": self.exchange.units,
            "low": self.interval and self.interval.low,
            "high": self.interval and self.interval.high,
        }


def compare(first: SpeakerStatistics, second: SpeakerStatistics, score: str) -> Comparison:
    """Is the second system better than the first? On the seeds that both have: one may have failed with a seed.

    Args:
        first: of one system, such as classic.
        second: of the other, such as EmoBed.
        score: one that has intervals, see `score_table.SCORES`.

    Returns:
        Their comparison; nothing is computed yet.

    Raises:
        InputError: if the two have other speakers, or no seed in common.
    """
    if first.speakers != second.speakers:
        raise InputError("the two were scored on different speakers")
    seeds = [seed for seed in first.seeds if seed in second.seeds]
    if not seeds:
        raise InputError("the two have no seed in common")
    return Comparison(score, first.of_seeds(seeds), second.of_seeds(seeds))


def compare_outputs(first: Evaluated, second: Evaluated, score: str) -> Comparison:
    """Is the second system better than the first on the same recordings? They are paired by their ids.

    Args:
        first: outputs of one system, such as classic.
        second: of the other, such as EmoBed.
        score: one that has intervals, see `score_table.SCORES`.

    Returns:
        Their comparison, with a single seed.

    Raises:
        InputError: if the two were not scored on the same recordings and labels.
    """
    first, second = _by_id(first), _by_id(second)
    _check_same_recordings(first, second)
    return compare(statistics_of(first), statistics_of(second), score)


def _check_same_recordings(first: Evaluated, second: Evaluated) -> None:
    """Both with recordings in the order of their ids."""
    ids = [[recording.id for recording in system.recordings] for system in (first, second)]
    only = [[name for name in ids[k] if name not in set(ids[1 - k])] for k in (0, 1)]
    if any(only):
        counts = ", ".join(
            f"{len(names)} of {len(ids[k])} in the {which} only{f' ({listing(names, 3)})' if names else ''}"
            for k, (names, which) in enumerate(zip(only, ("first", "second"), strict=True))
        )
        raise InputError(
            f"the two runs have different recordings in partition '{first.partition}': {counts}; compare runs with the "
            "same target on the same data"
        )
    pairs = zip(ids[0], first.labels, second.labels, strict=True)
    differing = [name for name, a, b in pairs if not np.array_equal(a, b, equal_nan=True)]
    if differing:
        raise InputError(
            f"the two runs have different labels in partition '{first.partition}' of {listing(differing, 3)}; compare "
            "runs on the same data"
        )


def _by_id(system: Evaluated) -> Evaluated:
    """The same with recordings in the order of their ids: two tables need not have the same order."""
    order = sorted(range(len(system.recordings)), key=lambda k: system.recordings[k].id)
    names = ("recordings", "labels", "raw", "final")
    parts: dict[str, Any] = {name: tuple(getattr(system, name)[k] for k in order) for name in names}
    return replace(system, **parts)
