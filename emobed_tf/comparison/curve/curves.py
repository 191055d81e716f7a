"""Learning curves as statistics by speaker: scores by amount, the area under the curve, what auxiliaries are worth.

The area is the mean score along the curve, amounts spaced by the logarithm of the labelled recordings (trapezoidal
rule), so that each doubling counts alike. It is a function of sums over speakers as every score is: intervals draw
speakers, tests flip the signs of their differences.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.evaluation.bounds import excluded_by_both
from emobed_tf.evaluation.score_table import SCORES
from emobed_tf.evaluation.significance import (
    SECOND_BETTER,
    Interval,
    ScoreFunction,
    SwapTest,
    bootstrap_interval,
    sign_flip_test,
    swap_test,
)
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics, mean_over_seeds

_SIGNS_EXACT_UP_TO = 2**20
_WORTH_DRAWS = 2000


@dataclass(frozen=True, eq=False)
class Curve:
    """A system's predictions of all speakers at several amounts of labels.

    Attributes:
        target: modality that was recognised from.
        system: its name.
        title: its name in tables.
        amounts: in rising order.
        labelled: training recordings of the target that have a label, float64 `[amounts]`, the mean over folds.
        speakers: who were predicted.
        fits: (draw, seed) of each fit.
        sums: float64 `[speakers, amounts, fits, *statistics]`, see `SpeakerStatistics.sums`.
    """

    target: str
    system: str
    title: str
    amounts: tuple[int, ...]
    labelled: np.ndarray
    speakers: tuple[str, ...]
    fits: tuple[tuple[int, int], ...]
    sums: np.ndarray

    def of_fits(self, fits: Sequence[tuple[int, int]]) -> "Curve":
        """The same of some fits, in that order.

        Args:
            fits: some of `fits`.

        Returns:
            With `fits` as given.
        """
        places = [self.fits.index(fit) for fit in fits]
        whole = (self.target, self.system, self.title, self.amounts, self.labelled, self.speakers)
        return Curve(*whole, tuple(fits), self.sums[:, :, places])

    def scores(self, score: str) -> np.ndarray:
        """The score of all recordings together, float64 `[amounts, fits]`.

        Args:
            score: one that has intervals, see `score_table.SCORES`.

        Returns:
            In the order of `amounts` and `fits`.
        """
        return cast(ScoreFunction, SCORES[score].function)(self.sums.sum(axis=0))

    def intervals(self, score: str) -> list[Interval]:
        """The mean score over fits at each amount, with the bootstrap's 95 % interval over speakers.

        Args:
            score: one that has intervals, see `score_table.SCORES`.

        Returns:
            In the order of `amounts`.
        """
        mean = mean_over_seeds(score)
        return [bootstrap_interval(mean, self.sums[:, k]) for k in range(len(self.amounts))]


@dataclass(frozen=True)
class AreaGain:
    """Is one curve above another on a target?

    Attributes:
        first: the curve that is compared with.
        second: the one that may be above.
        interval: difference of the areas, with the bootstrap's 95 % interval over speakers.
        test: one-sided sign-flip test of the speakers' own differences.
        at: difference at each amount, with its interval: exploratory.
        excluded: a true gain of the area above it is excluded, see `bounds.excluded_by_both`; None if so few speakers
            can't exclude any.
    """

    first: Curve
    second: Curve
    interval: Interval
    test: SwapTest
    at: tuple[Interval, ...]
    excluded: float | None = None


@dataclass(frozen=True)
class Worth:
    """How many labelled recordings of the target the auxiliaries stand for, at one amount.

    Attributes:
        labelled: recordings that the target has.
        auxiliary: labelled training recordings of the auxiliaries, the mean over folds.
        recordings: further ones that the reference would need for the same score; 0: none; at most what its curve
            reaches.
        low: lower end of the bootstrap's 95 % interval over speakers.
        high: its upper end.
        most: further recordings that the reference was tried with; `recordings` or an end that equals it means at least
            so many.
    """

    labelled: float
    auxiliary: float
    recordings: float
    low: float
    high: float
    most: float

    @property
    def rate(self) -> float | None:
        """Recordings of the auxiliaries for one more of the target; None where all are worth less than one, rounded.

        Where `recordings` is at its bound, at most so many.
        """
        return self._rate(self.recordings)

    @property
    def rates(self) -> tuple[float, float] | None:
        """Ends of the rate's 95 % interval: those of the worth, the other way round.

        The upper one is infinite where the auxiliaries may be worth less than one recording; None where they are worth
        less than one at both ends.
        """
        low, high = self._rate(self.high), self._rate(self.low)
        return None if low is None else (low, math.inf if high is None else high)

    def bounded(self, recordings: float) -> bool:
        """Whether so many recordings are all that the reference was tried with, so that the worth is at least that.

        Args:
            recordings: the worth, or an end of its interval.

        Returns:
            True: at least so many.
        """
        return recordings >= self.most * (1 - 1e-9)

    def _rate(self, recordings: float) -> float | None:
        return self.auxiliary / recordings if round(recordings) >= 1 else None


@dataclass(frozen=True)
class Recall:
    """How many recordings of withheld classes are recognised.

    Attributes:
        target: modality that was recognised from.
        system: its name.
        title: its name in tables.
        speakers: who were predicted.
        fits: seeds.
        sums: float64 `[speakers, classes, fits, classes of the data, classes of the data]`: confusions, for each
            withheld class by the fits that lacked it.
        withheld: index of each withheld class.
    """

    target: str
    system: str
    title: str
    speakers: tuple[str, ...]
    fits: tuple[int, ...]
    sums: np.ndarray
    withheld: tuple[int, ...]

    @property
    def function(self) -> ScoreFunction:
        """From sums `[..., classes, fits, classes, classes]` to the mean recall of the withheld classes."""
        return lambda sums: self.recalls(sums).mean(axis=(-1, -2))

    def recalls(self, sums: np.ndarray) -> np.ndarray:
        """Recall of each withheld class by the fits that lacked it.

        Args:
            sums: `[..., classes, fits, classes of the data, classes of the data]`.

        Returns:
            `[..., classes, fits]`; 0 for a class that nobody shows.
        """
        found = [_recall(sums[..., k, :, :, :], label) for k, label in enumerate(self.withheld)]
        return np.stack(found, axis=-2)

    def named(self) -> np.ndarray:
        """Share of the recordings of other classes that are taken for the withheld one, float64 `[classes]`."""
        sums = self.sums.sum(axis=0)
        shares = []
        for k, label in enumerate(self.withheld):
            wrong = sums[k, :, :, label].sum(axis=-1) - sums[k, :, label, label]
            others = sums[k].sum(axis=(-1, -2)) - sums[k, :, label].sum(axis=-1)
            shares.append(np.mean(wrong / np.maximum(others, 1)))
        return np.array(shares)


def area_weights(labelled: np.ndarray) -> np.ndarray:
    """Weights of the scores in the area under a curve: the trapezoidal rule over log(recordings).

    Args:
        labelled: recordings at each amount, rising, all > 0.

    Returns:
        float64 `[amounts]`, sum 1.
    """
    if len(labelled) == 1:
        return np.ones(1)
    steps = np.diff(np.log(labelled))
    weights = np.zeros(len(labelled))
    weights[:-1] += steps / 2
    weights[1:] += steps / 2
    return weights / steps.sum()


def area_gain(first: Curve, second: Curve, score: str) -> AreaGain:
    """Is the second curve above the first? On the fits that both have.

    Args:
        first: of one system, such as classic.
        second: of the other, on the same folds.
        score: one that has intervals, see `score_table.SCORES`.

    Returns:
        The difference of the areas, and of the scores at each amount.

    Raises:
        InputError: if the two have no fit in common.
    """
    fits = [fit for fit in second.fits if fit in first.fits]
    if not fits:
        raise InputError(f"{first.title} and {second.title} on {first.target}: no draw and seed came out for both")
    one, two = first.of_fits(fits), second.of_fits(fits)
    area, mean = area_function(first.labelled, score), mean_over_seeds(score)
    by_speaker = area(two.sums) - area(one.sums)
    return AreaGain(
        first,
        second,
        bootstrap_interval(area, one.sums, two.sums),
        sign_flip_test(by_speaker, alternative=SECOND_BETTER, exact_up_to=_SIGNS_EXACT_UP_TO),
        tuple(bootstrap_interval(mean, one.sums[:, k], two.sums[:, k]) for k in range(len(first.amounts))),
        excluded_by_both(by_speaker, area, one.sums, two.sums),
    )


def area_function(labelled: np.ndarray, score: str) -> ScoreFunction:
    """From sums `[..., amounts, fits, *statistics]` to the area under the curve, the mean over fits.

    Args:
        labelled: recordings at each amount.
        score: one that has intervals, see `score_table.SCORES`.

    Returns:
        A function as `significance` takes them.
    """
    mean, weights = mean_over_seeds(score), area_weights(labelled)
    return lambda sums: mean(sums) @ weights


def worth(first: Curve, second: Curve, score: str, auxiliary: float) -> list[Worth]:
    """How many more labelled recordings the first system would need to be as good as the second, at each amount.

    The first one's curve is read as the best score with up to so many recordings, linear in their logarithm between
    amounts. Speakers are drawn for the interval, the same ones for both curves.

    Args:
        first: the reference, such as classic.
        second: of the system that has auxiliaries, on the same folds.
        score: one that has intervals, see `score_table.SCORES`.
        auxiliary: labelled training recordings of the auxiliaries.

    Returns:
        For each amount but the last, where the reference has no further recordings.
    """
    fits = [fit for fit in second.fits if fit in first.fits]
    sums = np.stack([first.of_fits(fits).sums, second.of_fits(fits).sums], axis=1)
    mean, logs = mean_over_seeds(score), np.log(first.labelled)
    found = []
    for k in range(len(logs) - 1):

        def needed(sums: np.ndarray, k: int = k) -> np.ndarray:
            curves = mean(sums)  # [rows, 2, amounts]
            return _needed(curves[:, 0], curves[:, 1, k], logs, k)

        interval = bootstrap_interval(needed, sums, draws=_WORTH_DRAWS)
        most = float(first.labelled[-1] - first.labelled[k])
        found.append(Worth(float(first.labelled[k]), auxiliary, interval.estimate, interval.low, interval.high, most))
    return found


def recall_gain(first: Recall, second: Recall) -> tuple[Interval, SwapTest]:
    """Does the second system recognise more recordings of the withheld classes? Speakers are exchanged and drawn.

    Args:
        first: of one system, such as classic.
        second: of the other, on the same folds.

    Returns:
        Difference of the mean recalls with its interval, and the one-sided exchange test.

    Raises:
        InputError: if the two have no seed in common.
    """
    fits = [fit for fit in second.fits if fit in first.fits]
    if not fits:
        raise InputError(f"{first.title} and {second.title} on {first.target}: no seed came out for both")
    one, two = (r.sums[:, :, [r.fits.index(fit) for fit in fits]] for r in (first, second))
    interval = bootstrap_interval(first.function, one, two)
    return interval, swap_test(first.function, one, two, alternative=SECOND_BETTER)


def stacked(parts: Sequence[Sequence[SpeakerStatistics]], draws: int) -> tuple[tuple[tuple[int, int], ...], np.ndarray]:
    """Statistics of all amounts as one array; where there is one draw, it counts for each.

    Args:
        parts: by amount and draw; of one or `draws` draws.
        draws: most draws of an amount.

    Returns:
        (draw, seed) of the fits that every amount has, draws from 1; and float64
        `[speakers, amounts, fits, *statistics]`.

    Raises:
        InputError: if no fit came out at every amount.
    """
    full = [list(each) if len(each) == draws else [each[0]] * draws for each in parts]
    seeds = set.intersection(*(set(part.seeds) for each in full for part in each))
    fits = tuple((draw + 1, seed) for draw in range(draws) for seed in sorted(seeds))
    if not fits:
        raise InputError("no seed came out at every amount of labels")
    sums = [np.concatenate([p.of_seeds(sorted(seeds)).sums for p in each], axis=1) for each in full]
    return fits, np.stack(sums, axis=1)


def _needed(reference: np.ndarray, reached: np.ndarray, logs: np.ndarray, k: int) -> np.ndarray:
    """Recordings beyond the k-th amount at which each curve `[rows, amounts]` reaches a score `[rows]`."""
    extra = np.empty(len(reached))
    for row, (curve, score) in enumerate(zip(np.maximum.accumulate(reference, axis=1), reached, strict=True)):
        place = int(np.searchsorted(curve, score))  # the first amount that is as good
        if place <= k:
            extra[row] = 0.0
        elif place == len(curve):
            extra[row] = np.exp(logs[-1]) - np.exp(logs[k])
        else:
            part = (score - curve[place - 1]) / (curve[place] - curve[place - 1])
            extra[row] = np.exp(logs[place - 1] + part * (logs[place] - logs[place - 1])) - np.exp(logs[k])
    return np.maximum(extra, 0.0)


def _recall(confusion: np.ndarray, label: int) -> np.ndarray:
    row = confusion[..., label, :]
    return row[..., label] / np.maximum(row.sum(axis=-1), 1e-20)
