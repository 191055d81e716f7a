"""Out-of-fold results of two systems compared by speaker: the gain, its interval, its test.

A unit of evidence is a speaker; seeds are averaged before anything is tested, for they are no new speakers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold, mean_over_seeds
from emobed_tf.errors import InputError
from emobed_tf.evaluation.power import detectable_gain
from emobed_tf.evaluation.significance import SECOND_BETTER, bootstrap_interval, holm, sign_flip_test

LEVEL = 0.05
POWER = 0.8
# 20 speakers have 2^20 assignments of signs, which take half a second.
_EXACT_UP_TO = 2**20


@dataclass(frozen=True)
class Gain:
    """Is one system better than another on a target?

    Attributes:
        target: modality that was recognised from.
        first: name of the system that is compared with.
        second: name of the one that may be better.
        difference: of the pooled scores, second minus first, the mean over seeds.
        low: lower end of the bootstrap's 95 % interval of `difference`, over speakers.
        high: its upper end.
        by_speaker: mean over speakers of the differences of their own scores: what the sign-flip test tests.
        deviation: standard deviation of those differences.
        p: one-sided p-value of the sign-flip test over speakers.
        p_holm: the same, corrected over the targets.
        exact: whether all assignments of signs were enumerated.
        speakers: number of them.
        seeds: number of seeds that both systems have.
        detectable: true gain that this test finds in 4 of 5 cases, if differences vary as they did; None if no gain
            can be found with so few speakers.
    """

    target: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    by_speaker: float
    deviation: float
    p: float
    p_holm: float
    exact: bool
    speakers: int
    seeds: int
    detectable: float | None

    @property
    def better(self) -> bool:
        """Whether the second system is better: p after Holm's correction below .05, and the interval above 0."""
        return self.p_holm < LEVEL and self.low > 0


def gains(
    results: Mapping[tuple[str, str], OutOfFold], first: str, second: str, targets: Sequence[str], score: str
) -> list[Gain]:
    """Compares two systems on every target on which both have results; p-values are corrected over all targets.

    Args:
        results: by target and system.
        first: name of the system to compare with, such as `classic`.
        second: name of the other.
        targets: in the order of the answer.
        score: see `OutOfFold.scores`.
    """
    both = [target for target in targets if {(target, first), (target, second)} <= results.keys()]
    found = [_gain(results[target, first], results[target, second], score, len(targets)) for target in both]
    corrected = holm([gain.p for gain in found] + [1.0] * (len(targets) - len(both)))
    return [replace(gain, p_holm=p) for gain, p in zip(found, corrected, strict=False)]


def number(value: float, signed: bool = False) -> str:
    """A score or a difference with three digits and no zero before the point."""
    return f"{value:{'+' if signed else ''}.3f}".replace("0.", ".", 1)


def interval_text(gain: Gain) -> str:
    """Ends of a gain's interval."""
    return f"{number(gain.low, True)} to {number(gain.high, True)}"


def p_text(p: float) -> str:
    """A p-value with three digits, or as one that is smaller."""
    return "< .001" if p < 0.001 else number(p)


def _gain(first: OutOfFold, second: OutOfFold, score: str, targets: int) -> Gain:
    if first.speakers != second.speakers:
        raise InputError(f"{first.title} and {second.title} have other speakers for target '{first.target}'")
    seeds = [seed for seed in first.seeds if seed in second.seeds]
    if not seeds:
        raise InputError(f"{first.title} and {second.title} have no seed in common for target '{first.target}'")
    differences = second.by_speaker(score, seeds) - first.by_speaker(score, seeds)
    test = sign_flip_test(differences, alternative=SECOND_BETTER, exact_up_to=_EXACT_UP_TO)
    interval = bootstrap_interval(mean_over_seeds(score), first.of_seeds(seeds), second.of_seeds(seeds))
    deviation = float(differences.std(ddof=1))
    return Gain(
        target=first.target,
        first=first.system,
        second=second.system,
        difference=interval.estimate,
        low=interval.low,
        high=interval.high,
        by_speaker=test.difference,
        deviation=deviation,
        p=test.p_value,
        p_holm=test.p_value,
        exact=test.exact,
        speakers=test.units,
        seeds=len(seeds),
        detectable=detectable_gain(np.full(len(differences), deviation), LEVEL / targets, POWER),
    )
