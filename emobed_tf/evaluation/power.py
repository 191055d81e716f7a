"""Which gain could a protocol detect?

Before anything is trained, `detectable_gain` answers; once differences are known, `detectable_by_rule` for a rule of
several comparisons. Assumed before: each speaker's difference of the two systems' scores is drawn from a normal
distribution of the gain as mean and of a stated deviation, speakers are independent, and the one-sided sign-flip test
over speakers decides. What the deviation is, nobody knows before; for classes, `deviation_by_chance` says what the
number of utterances alone makes of it.
"""

import functools
from collections.abc import Sequence

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.evaluation.bounds import lower_bounds
from emobed_tf.evaluation.significance import EXACT_UP_TO

_DATA_SETS = 2000
_ASSIGNMENTS = 4096
_BOOTSTRAPS = 1000
_ROUNDING = 1e-9


def smallest_p(units: int) -> float:
    """The smallest one-sided p-value that a sign-flip test over so many units can give: all favour one system.

    Args:
        units: number of speakers or recordings.

    Returns:
        In (0, 1].
    """
    return 0.5**units


def detectable_gain(
    deviations: Sequence[float] | np.ndarray, alpha: float, power: float = 0.8, seed: int = 0
) -> float | None:
    """The true mean gain that the one-sided sign-flip test finds with a given probability, by simulation.

    2,000 data sets are drawn; in each, the observed assignment of signs is compared with all others, or with 4,096
    drawn ones where there are more than 2^14. The Monte-Carlo error of the power is .01.

    Args:
        deviations: `[units]`, standard deviation of each unit's difference around the gain; >= 0.
        alpha: level of the test, in (0, 1): with several targets that of Holm's first step, .05 / targets.
        power: probability of p < alpha, in (0, 1).
        seed: of the simulation.

    Returns:
        The gain in the deviations' unit; 0 if there is no deviation at all; None if so few units can't give p < alpha.

    Raises:
        InputError: if an argument is out of its range.
    """
    deviations = np.asarray(deviations, np.float64)
    if deviations.ndim != 1 or not len(deviations) or not (np.isfinite(deviations) & (deviations >= 0)).all():
        raise InputError(f"expected a deviation of 0 or more for each unit, got {deviations.tolist()}")
    for name, value in (("alpha", alpha), ("power", power)):
        if not 0 < value < 1:
            raise InputError(f"expected {name} in 0 to 1, got {value}")
    if smallest_p(len(deviations)) >= alpha:
        return None
    scale = float(deviations.max())
    return scale * _relative_gain(tuple((deviations / scale).tolist()), alpha, power, seed) if scale else 0.0


def detectable_by_rule(
    differences: np.ndarray, alpha: float, power: float = 0.8, confidence: float = 0.95, seed: int = 0
) -> float | None:
    """The true gain with which a system beats several others at once with a given probability, by simulation.

    The rule is that of an audit: against each of them, the one-sided sign-flip test has p < alpha, and the bootstrap's
    interval over units lies above 0. 2,000 data sets are drawn. A unit's differences from all of the others are drawn
    together from the normal distribution with their observed covariance, for they have the system's own score in
    common; the gain over each of them is the same. Each data set has one gain from which on the rule holds.

    Args:
        differences: `[systems, units]`, score of the system minus that of each other one.
        alpha: level of each test, in (0, 1).
        power: probability that the whole rule holds, in (0, 1).
        confidence: of the interval.
        seed: of the simulation.

    Returns:
        The gain; None if so few units can't give p < alpha.

    Raises:
        InputError: if an argument is out of its range.
    """
    values = np.asarray(differences, np.float64)
    if values.ndim != 2 or values.shape[1] < 2 or not np.isfinite(values).all():
        raise InputError(f"expected differences of two units or more, [systems, units], got shape {values.shape}")
    for name, value in (("alpha", alpha), ("power", power), ("confidence", confidence)):
        if not 0 < value < 1:
            raise InputError(f"expected {name} in 0 to 1, got {value}")
    systems, units = values.shape
    rng = np.random.default_rng(seed)
    centred = values - values.mean(axis=1, keepdims=True)
    errors = rng.standard_normal((_DATA_SETS, units, units)) @ centred.T / np.sqrt(units - 1)
    errors = errors.transpose(0, 2, 1).reshape(-1, units)
    bounds = lower_bounds(errors, alpha, exact_up_to=EXACT_UP_TO, draws=_ASSIGNMENTS, seed=seed)
    if bounds is None:
        return None
    needed = -np.minimum(bounds, _interval_ends(errors, 50 * (1 - confidence), rng))
    together = np.sort(needed.reshape(_DATA_SETS, systems).max(axis=1))
    return max(0.0, float(together[int(np.ceil(power * _DATA_SETS)) - 1]))


def deviation_by_chance(counts: np.ndarray, disagreement: float) -> np.ndarray:
    """How much a speaker's difference of unweighted average recalls varies by the number of utterances alone.

    On a share of the utterances one system is right and the other wrong, either way equally often: an utterance's
    difference is -1, 0 or 1 with variance `disagreement`, a recall's is that over its n utterances, and the average
    over the C classes that the speaker shows has the variance `disagreement * sum_c 1 / n_c / C^2`.

    Args:
        counts: int `[speakers, classes]`, utterances.
        disagreement: that share, in [0, 1].

    Returns:
        Standard deviations `[speakers]`; speakers without any utterance are left out.
    """
    counts = np.asarray(counts, np.float64)
    shown = counts > 0
    counts, shown = counts[shown.any(axis=1)], shown[shown.any(axis=1)]
    parts = np.where(shown, 1.0 / np.where(shown, counts, 1.0), 0.0)
    return np.sqrt(disagreement * parts.sum(axis=1)) / shown.sum(axis=1)


@functools.lru_cache
def _relative_gain(deviations: tuple[float, ...], alpha: float, power: float, seed: int) -> float:
    rng = np.random.default_rng(seed)
    errors = rng.standard_normal((_DATA_SETS, len(deviations))) * deviations
    signs, exact = _signs(len(deviations), rng)
    low, high = 0.0, 1.0
    while _share_found(errors, signs, exact, high, alpha) < power:
        low, high = high, 2 * high
    while high - low > 1e-3 * high:
        middle = (low + high) / 2
        if _share_found(errors, signs, exact, middle, alpha) < power:
            low = middle
        else:
            high = middle
    return high


def _interval_ends(errors: np.ndarray, percent: float, rng: np.random.Generator) -> np.ndarray:
    """Lower ends of bootstrap intervals of the mean, `[data sets]`."""
    units = errors.shape[1]
    weights = rng.multinomial(units, np.full(units, 1.0 / units), size=_BOOTSTRAPS) / units
    blocks = (errors[k : k + 1000] for k in range(0, len(errors), 1000))
    return np.concatenate([np.percentile(weights @ block.T, percent, axis=0) for block in blocks])


def _signs(units: int, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    if 2**units <= EXACT_UP_TO:
        numbers = np.arange(2**units)
        return 1.0 - 2.0 * ((numbers[:, None] >> np.arange(units)) & 1), True
    return rng.choice([-1.0, 1.0], size=(_ASSIGNMENTS, units)), False


def _share_found(errors: np.ndarray, signs: np.ndarray, exact: bool, gain: float, alpha: float) -> float:
    """Share of data sets in which the test's p-value is below alpha."""
    values = errors + gain
    observed = values.sum(axis=1)
    found = 0
    for start in range(0, len(values), 200):
        block = slice(start, start + 200)
        reached = signs @ values[block].T >= observed[block] - _ROUNDING
        count = reached.sum(axis=0)
        found += int(np.count_nonzero((count / len(signs) if exact else (count + 1) / (len(signs) + 1)) < alpha))
    return found / len(values)
