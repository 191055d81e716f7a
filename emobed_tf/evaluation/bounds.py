"""Bounds of a mean difference by the sign-flip test, alone or beside the bootstrap: which true gains the data exclude.

To test that the true gain is g, signs of `difference - g` are flipped. An assignment lies as far out as the observed
one exactly if the flipped units' mean difference lies on the other side of g. The p-value of any g is therefore a rank
among the means of all subsets of units (J. Hartigan, "Using subsample values as typical values", 1969).
"""

import math
from collections.abc import Sequence

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.evaluation.significance import LEVEL, ScoreFunction, bootstrap_interval

_EXACT_UP_TO = 2**20
_DRAWS = 10_000
_AT_ONCE = 2**22  # numbers


def excluded_gain(differences: Sequence[float] | np.ndarray, alpha: float, seed: int = 0) -> float | None:
    """The smallest gain that the one-sided sign-flip test excludes: for any larger one, p < alpha.

    With the same bound below it, from the other one-sided test, this is the test of equivalence by two one-sided tests:
    their interval has the confidence 1 - 2 alpha.

    Args:
        differences: score of the second system minus that of the first, `[units]`.
        alpha: level of the test, in (0, 1).
        seed: of drawing subsets, where there are more than 2^20 of them.

    Returns:
        The gain; None if so few units can't exclude any.

    Raises:
        InputError: if an argument is out of its range.

    Example:
        >>> excluded_gain([0.01, 0.03, -0.02, 0.0, 0.01], 0.05)  # five units: only their largest difference is a bound
        0.03
    """
    values = np.asarray(differences, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise InputError(f"expected a difference for each unit, got {values.tolist()}")
    if not 0 < alpha < 1:
        raise InputError(f"expected alpha in 0 to 1, got {alpha}")
    found = lower_bounds(-values[None], alpha, seed=seed)
    return None if found is None else float(0.0 - found[0])  # not -0.0 where nothing differs


def excluded_by_both(
    by_speaker: np.ndarray, score: ScoreFunction, first: np.ndarray, second: np.ndarray
) -> float | None:
    """The smallest gain that two kinds of evidence exclude, one-sided at 95 %: the larger of their bounds.

    The one is the sign-flip test of the speakers' own differences, the other the upper end of the bootstrap's 90 %
    interval of the score's difference.

    Args:
        by_speaker: score of the second system minus that of the first for each speaker, `[speakers]`.
        score: as `bootstrap_interval` takes it.
        first: statistics of the first system, `[speakers, *statistics]`.
        second: of the second.

    Returns:
        The gain; None if so few speakers can't exclude any.

    Raises:
        InputError: if there are fewer than two speakers.
    """
    by_test = excluded_gain(by_speaker, LEVEL)
    if by_test is None:
        return None
    return max(by_test, bootstrap_interval(score, first, second, confidence=1 - 2 * LEVEL).high)


def lower_bounds(
    values: np.ndarray, alpha: float, *, exact_up_to: int = _EXACT_UP_TO, draws: int = _DRAWS, seed: int = 0
) -> np.ndarray | None:
    """The largest mean that the one-sided sign-flip test excludes from below, for many data sets.

    Args:
        values: float `[data sets, units]`.
        alpha: level of the test, in (0, 1).
        exact_up_to: number of assignments up to which all are enumerated.
        draws: of assignments where there are more.
        seed: of the drawing.

    Returns:
        float64 `[data sets]`: "the true mean is g" has p < alpha against "it is larger" for every smaller g. None if so
        few units can't give p < alpha.
    """
    units = values.shape[1]
    exact = units < 63 and 2**units <= exact_up_to
    # The observed assignment always counts, so that so many others may reach it.
    allowed = math.ceil(alpha * (2**units if exact else draws + 1)) - 2
    if allowed < 0:
        return None
    chosen = None if exact else _drawn_subsets(units, draws, seed)
    rows = max(1, _AT_ONCE // (2**units if exact else draws))
    blocks = [values[k : k + rows] for k in range(0, len(values), rows)]
    return np.concatenate([np.partition(_subset_means(block, chosen), allowed, axis=1)[:, allowed] for block in blocks])


def _subset_means(values: np.ndarray, chosen: np.ndarray | None) -> np.ndarray:
    """Means of all subsets of units but the empty one, or of chosen ones `[subsets, units]`: `[data sets, subsets]`."""
    if chosen is not None:
        return values @ chosen.T / chosen.sum(axis=1)
    sums, counts = np.zeros((len(values), 1)), np.zeros(1)
    for unit in values.T:
        sums = np.concatenate([sums, sums + unit[:, None]], axis=1)
        counts = np.concatenate([counts, counts + 1])
    return sums[:, 1:] / counts[1:]


def _drawn_subsets(units: int, draws: int, seed: int) -> np.ndarray:
    found = np.random.default_rng(seed).integers(0, 2, size=(draws, units)).astype(np.float64)
    return found[found.any(axis=1)]
