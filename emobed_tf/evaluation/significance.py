"""Is one system better than another? Tests and intervals by recording or speaker, and the paper's own two tests.

Frames of one recording, and utterances of one speaker, depend on each other. The swap test, the sign-flip test and the
bootstrap therefore exchange or draw whole units, and are the primary evidence. Fisher's r-to-z on frames and the z-test
on utterances are here because the paper marks its tables with them (EmoBed, section 4.3).

A score is a function of statistics that add up over units, vectorised over leading axes, as `score_table.SCORES` names
them: of moments (`metrics.moments_by_recording`) or of confusion matrices (`metrics.confusion_by_unit`).
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emobed_tf.errors import InputError

ScoreFunction = Callable[[np.ndarray], np.ndarray]

LEVEL = 0.05
"""Level of a test where one has to be named (EmoBed, section 4.3)."""

TWO_SIDED, SECOND_BETTER = "two-sided", "second-better"
DRAWS = 10_000
# Up to this many assignments are all enumerated: the nine recordings of a RECOLA partition have 512.
EXACT_UP_TO = 2**14

# Differences of scores closer than this part of the scores are equal but for rounding.
_TOLERANCE = 1e-10
# Rows computed at a time: a bound on memory for thousands of units.
_BLOCK = 1024
_WEIGHTS_KEPT = 2**20  # numbers, of 8 MB: 10,000 draws of a hundred speakers


@dataclass(frozen=True)
class SwapTest:
    """Outcome of an exchange test of two systems on the same units.

    Attributes:
        difference: score of the second system minus score of the first.
        p_value: of the alternative that was asked for, in (0, 1].
        alternative: `two-sided`, or `second-better` (one-sided: the second system's score is the higher).
        p_two_sided: of the two-sided alternative, whatever was asked for.
        exact: True if all assignments were enumerated, False if they were drawn.
        assignments: number of assignments that were looked at.
        units: number of recordings, videos or speakers.
    """

    difference: float
    p_value: float
    alternative: str
    p_two_sided: float
    exact: bool
    assignments: int
    units: int


@dataclass(frozen=True)
class Interval:
    """A percentile bootstrap interval.

    Attributes:
        estimate: the score, or difference of scores, on all units as they are.
        low: lower end.
        high: upper end.
        confidence: nominal coverage, such as 0.95.
        draws: number of bootstrap samples.
        units: number of recordings, videos or speakers.
    """

    estimate: float
    low: float
    high: float
    confidence: float
    draws: int
    units: int


def fisher_z_test(r1: float, n1: int, r2: float, n2: int) -> float:
    """Fisher's r-to-z test of two correlation coefficients, as the paper marks Tables 1 and 2 (EmoBed, section 4.3).

    The paper puts in concordance coefficients and all frames. It takes the frames as independent and the two systems,
    too; on autocorrelated frames it finds a difference between equally good systems in about 4 of 10 cases. For
    evidence use `swap_test`.

    Args:
        r1: coefficient of the first system, in [-1, 1].
        n1: number of frames it was computed from, > 3.
        r2: coefficient of the second system, in [-1, 1].
        n2: number of frames it was computed from, > 3.

    Returns:
        One-tailed p-value of the second's being the higher, in [0, 1]; 0.5 for equal coefficients, 1 and -1 included.

    Raises:
        InputError: if a coefficient or a number is out of range.
    """
    for r, n in ((r1, n1), (r2, n2)):
        if not -1.0 <= r <= 1.0:
            raise InputError(f"expected a correlation coefficient in -1 to 1, got {r}")
        if not n > 3:
            raise InputError(f"expected more than 3 frames for Fisher's r-to-z test, got {n}")
    if r1 == r2:
        return 0.5
    with np.errstate(divide="ignore"):
        difference = np.arctanh(r2) - np.arctanh(r1)
    return _lower_tail(-difference / np.sqrt(1.0 / (n1 - 3) + 1.0 / (n2 - 3)))


def proportions_z_test(p1: float, n1: int, p2: float, n2: int) -> float:
    """One-tailed z-test of two proportions, pooled, as the paper marks Table 3 (EmoBed, section 4.3).

    It takes the two samples as independent, though both systems answer on the same utterances, and utterances of one
    speaker as independent. For evidence use `swap_test`.

    Args:
        p1: share of right answers of the first system, in [0, 1].
        n1: number of its utterances, > 0.
        p2: share of right answers of the second system, in [0, 1].
        n2: number of its utterances, > 0.

    Returns:
        One-tailed p-value of the second's being the higher, in [0, 1]; 0.5 for equal shares, 0 and 1 included.

    Raises:
        InputError: if a share or a number is out of range.
    """
    for p, n in ((p1, n1), (p2, n2)):
        if not 0.0 <= p <= 1.0:
            raise InputError(f"expected a share in 0 to 1, got {p}")
        if not n > 0:
            raise InputError(f"expected at least one utterance, got {n}")
    if p1 == p2:
        return 0.5
    pooled = (n1 * p1 + n2 * p2) / (n1 + n2)
    return _lower_tail((p1 - p2) / np.sqrt(pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2)))


def swap_test(
    score: ScoreFunction,
    a: np.ndarray,
    b: np.ndarray,
    *,
    alternative: str = TWO_SIDED,
    draws: int = DRAWS,
    exact_up_to: int = EXACT_UP_TO,
    seed: int = 0,
) -> SwapTest:
    """Exchange test: if both systems are equally good, their outputs on a unit might as well be exchanged.

    The observed difference of scores is compared with those of all `2^units` ways to exchange the two systems' outputs
    unit by unit; where these are more than `exact_up_to`, with drawn ones, the observed counted among them.

    Args:
        score: from summed statistics `[..., *statistics]` to a number `[...]`.
        a: statistics of the first system, `[units, *statistics]`.
        b: statistics of the second system on the same units in the same order, of the same shape.
        alternative: `two-sided` or `second-better`; which p-value `p_value` is.
        draws: number of assignments that are drawn if they are too many.
        exact_up_to: number of assignments up to which all are enumerated.
        seed: of the drawing.

    Returns:
        The difference of the scores, and its p-values.

    Raises:
        InputError: if the shapes differ, there is no unit, a statistic isn't finite, or a setting is out of range.
    """
    a, b = _statistics(a, b)
    if alternative not in (TWO_SIDED, SECOND_BETTER):
        raise InputError(f"expected '{TWO_SIDED}' or '{SECOND_BETTER}' as alternative, got '{alternative}'")
    if draws < 1:
        raise InputError(f"expected at least one draw, got {draws}")
    units = len(a)
    exact = units < 63 and 2**units <= exact_up_to
    assignments = 2**units if exact else draws

    sum_a, sum_b, change = a.sum(axis=0), b.sum(axis=0), b - a
    observed = float(score(sum_b) - score(sum_a))
    scale = _TOLERANCE * max(abs(float(score(sum_a))), abs(float(score(sum_b))))
    higher = further = 0
    for swapped in _all_assignments(units) if exact else _drawn_assignments(units, draws, seed):
        moved = _weighted(swapped, change)
        differences = score(sum_b - moved) - score(sum_a + moved)
        higher += int(np.count_nonzero(differences >= observed - scale))
        further += int(np.count_nonzero(np.abs(differences) >= abs(observed) - scale))
    if exact:
        p_second, p_two_sided = higher / assignments, further / assignments
    else:
        # The observed assignment is one of those under the null hypothesis: without it p could be 0.
        p_second, p_two_sided = (higher + 1) / (draws + 1), (further + 1) / (draws + 1)
    p_value = p_two_sided if alternative == TWO_SIDED else p_second
    return SwapTest(observed, float(p_value), alternative, float(p_two_sided), exact, assignments, units)


def sign_flip_test(differences: np.ndarray, **settings: Any) -> SwapTest:
    """Exchange test of a mean: if both systems are equally good, a unit's difference might as well have the other sign.

    Args:
        differences: score of the second system minus that of the first, `[units]`: one recording, fold or seed each.
        **settings: as `swap_test`.

    Returns:
        As `swap_test`; `difference` is the mean.

    Raises:
        InputError: as `swap_test`.
    """
    differences = np.asarray(differences, dtype=np.float64)
    if differences.ndim != 1:
        raise InputError(f"expected one difference for each unit, got shape {differences.shape}")
    return swap_test(lambda sums: sums / len(differences), np.zeros_like(differences), differences, **settings)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: adjusted p-values of several hypotheses, in their order.

    The smallest of m is multiplied by m, the next by m - 1, and so on, and none may be smaller than one before it.
    Rejecting where the adjusted value is below a level keeps the probability of any false rejection below that level,
    however the tests depend on each other (S. Holm, "A simple sequentially rejective multiple test procedure", 1979).

    Args:
        p_values: of the single tests, in [0, 1].

    Returns:
        Adjusted p-values, in [0, 1], each at least as large as the one it was made from.

    Raises:
        InputError: if one is out of range.
    """
    for p in p_values:
        if not 0.0 <= p <= 1.0:
            raise InputError(f"expected p-values in 0 to 1, got {p}")
    adjusted, least = [0.0] * len(p_values), 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = least
    return adjusted


def bootstrap_interval(
    score: ScoreFunction,
    a: np.ndarray,
    b: np.ndarray | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Percentile bootstrap interval of a score, or of the difference of two systems' scores, over units.

    With few units (nine recordings) such intervals are too narrow; for a comparison of two systems use `swap_test`.

    Args:
        score: from summed statistics `[..., *statistics]` to a number `[...]`.
        a: statistics of the first or only system, `[units, *statistics]`, at least two units.
        b: statistics of the second system on the same units; with it the interval is of `score(b) - score(a)`.
        draws: number of bootstrap samples.
        seed: of the drawing.
        confidence: nominal coverage, in (0, 1).

    Returns:
        The interval, and the score or difference on all units as they are.

    Raises:
        InputError: as `swap_test`, or if there are fewer than two units.
    """
    a, second = _statistics(a, a if b is None else b)
    units = len(a)
    if units < 2:
        raise InputError(f"expected at least 2 units to draw from, got {units}")
    if draws < 1 or not 0.0 < confidence < 1.0:
        raise InputError(f"expected at least one draw and a confidence in 0 to 1, got {draws} and {confidence}")

    def estimate(weights: np.ndarray) -> np.ndarray:
        first = score(_weighted(weights, a))
        return first if b is None else score(_weighted(weights, second)) - first

    samples = np.concatenate([estimate(weights) for weights in _bootstrap_weights(units, draws, seed)])
    tail = 50.0 * (1.0 - confidence)
    low, high = np.percentile(samples, [tail, 100.0 - tail])
    whole = estimate(np.ones((1, units)))[0]
    return Interval(float(whole), float(low), float(high), confidence, draws, units)


def _bootstrap_weights(units: int, draws: int, seed: int) -> Iterable[np.ndarray]:
    """How often each unit is drawn, `[rows, units]` in blocks."""
    # Hundreds of scores of the same speakers take the same draws, which are half of the time of an interval.
    return _kept_weights(units, draws, seed) if units * draws <= _WEIGHTS_KEPT else _new_weights(units, draws, seed)


@functools.lru_cache(maxsize=4)
def _kept_weights(units: int, draws: int, seed: int) -> tuple[np.ndarray, ...]:
    blocks = tuple(_new_weights(units, draws, seed))
    for block in blocks:
        block.flags.writeable = False
    return blocks


def _new_weights(units: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    for size in _blocks(draws):
        yield rng.multinomial(units, np.full(units, 1.0 / units), size=size).astype(np.float64)


def _statistics(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or not a.ndim or not len(a):
        raise InputError(f"expected statistics of the same units for both systems, got shapes {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise InputError("expected finite statistics, got NaN or infinity")
    return a, b


def _weighted(weights: np.ndarray, statistics: np.ndarray) -> np.ndarray:
    # [rows, units] and [units, *statistics] to [rows, *statistics].
    return np.tensordot(weights.astype(np.float64, copy=False), statistics, axes=1)


def _blocks(total: int) -> Iterator[int]:
    for start in range(0, total, _BLOCK):
        yield min(_BLOCK, total - start)


def _all_assignments(units: int) -> Iterator[np.ndarray]:
    bits = 1 << np.arange(units)
    for start in range(0, 2**units, _BLOCK):
        numbers = np.arange(start, min(start + _BLOCK, 2**units))
        yield (numbers[:, None] & bits) > 0


def _drawn_assignments(units: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    for size in _blocks(draws):
        yield rng.integers(0, 2, size=(size, units), dtype=np.int8)


def _lower_tail(z: float) -> float:
    """Of the standard normal distribution."""
    from scipy.special import ndtr  # here: `--help` of every command would wait for it

    return float(ndtr(z))
