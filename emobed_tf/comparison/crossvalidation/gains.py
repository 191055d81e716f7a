"""The gain of one system over another on every target: the comparison of `evidence`, corrected over the targets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold, OutOfFoldResults
from emobed_tf.comparison.grids import decimals, interval_text
from emobed_tf.errors import InputError
from emobed_tf.evaluation.caveats import disagreement, least_p_note
from emobed_tf.evaluation.evidence import compare
from emobed_tf.evaluation.power import detectable_gain
from emobed_tf.evaluation.significance import LEVEL, Interval, holm

POWER = 0.8
EXCLUDED = "Excluded above: larger true gains are excluded, one-sided at 95 %, by that test and by the interval."
"""What the column of `excluded_cell` says, after a sentence that names the test."""


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
        excluded: a true gain above it is excluded, one-sided at 95 %, see `Comparison.excluded`; None if so few
            speakers can't exclude any.
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
    excluded: float | None = None

    @property
    def better(self) -> bool:
        """Whether the second system is better: p after Holm's correction below .05, and the interval above 0."""
        return self.p_holm < LEVEL and self.low > 0

    @property
    def interval_text(self) -> str:
        """Ends of its interval."""
        return interval_text(self.low, self.high, signed=True)

    @property
    def excluded_text(self) -> str:
        """What `excluded` says, in words."""
        if self.excluded is None:
            return f"{self.speakers} speakers exclude no gain"
        if self.excluded < 0:
            return "any gain is excluded"
        return f"a gain above {decimals(self.excluded)} is excluded"


def gains(results: OutOfFoldResults, first: str, second: str, targets: Sequence[str], score: str) -> list[Gain]:
    """Compares two systems on every target on which both have results; p-values are corrected over all targets.

    Args:
        results: by target and system.
        first: name of the system to compare with, such as `classic`.
        second: name of the other.
        targets: in the order of the answer.
        score: one that has intervals, see `score_table.SCORES`.

    Returns:
        One for each target on which both have results, in the order of the targets.

    Raises:
        InputError: if the results are of different speakers, or share no seed.
    """
    both = [target for target in targets if {(target, first), (target, second)} <= results.keys()]
    found = [_gain(results[target, first], results[target, second], score, len(targets)) for target in both]
    corrected = holm([gain.p for gain in found] + [1.0] * (len(targets) - len(both)))
    return [replace(gain, p_holm=p) for gain, p in zip(found, corrected, strict=False)]


def caveats(found: Iterable[tuple[str, Gain]], targets: int) -> list[str]:
    """How small p can get with so many speakers, and where an interval says something else.

    Args:
        found: gains, each with what the second system is called.
        targets: over which p-values are corrected.

    Returns:
        Sentences, each once.
    """
    least: dict[str, None] = {}
    named: dict[str, list[str]] = {}
    for title, gain in found:
        note = least_p_note(gain.speakers, gain.exact, cross_validated=True, targets=targets)
        least[f"{gain.target}: {note}" if targets > 1 else note] = None
        doubt = disagreement(gain.p, gain.low, gain.high)
        if doubt:
            named.setdefault(doubt, []).append(title)
    return [*least, *(f"{', '.join(titles)}: {doubt}" for doubt, titles in named.items())]


def excluded_cell(excluded: float | None) -> str:
    """The gain that is excluded, in a cell of a table.

    Args:
        excluded: see `Gain.excluded`.

    Returns:
        Such as `+.012`; nothing where none is excluded.
    """
    return "" if excluded is None else decimals(excluded, signed=True)


def p_text(p: float) -> str:
    """A p-value with three digits, or as one that is smaller.

    Args:
        p: a p-value.

    Returns:
        Such as `.012`.
    """
    return "< .001" if p < 0.001 else decimals(p)


def _gain(first: OutOfFold, second: OutOfFold, score: str, targets: int) -> Gain:
    try:
        found = compare(first.statistics, second.statistics, score)
    except InputError as error:
        raise InputError(f"{first.title} and {second.title} on {first.target}: {error}") from None
    test, interval = found.sign_flip, cast(Interval, found.interval)  # every fold has a speaker of the target
    deviation = float(found.by_speaker.std(ddof=1))
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
        seeds=len(found.first.seeds),
        detectable=detectable_gain(np.full(test.units, deviation), LEVEL / targets, POWER),
        excluded=found.excluded,
    )
