"""Is it transfer? What a gain of EmoBed over classic is due to, by what its controls have of it. One page.

*EmoBed is better than classic* is said only if three things hold: the Holm-corrected p is below .05, the interval of
the gain is above 0, and all four controls are beaten. A control is beaten by the same standard as classic: the
one-sided sign-flip test of EmoBed against it, corrected over the targets, below .05, and the interval above 0. Since
all controls have to be beaten at once, no further correction is due (intersection-union test). A control that is not
beaten has not been shown to explain the gain: the two could not be told apart. Another system than EmoBed is judged
against controls of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emobed_tf.comparison.crossvalidation.gains import POWER, Gain, gains, p_text
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFoldResults
from emobed_tf.comparison.grids import Grid, decimals
from emobed_tf.evaluation.evidence import compare
from emobed_tf.evaluation.power import detectable_by_rule
from emobed_tf.evaluation.significance import LEVEL
from emobed_tf.systems.controls import AS_MANY_STEPS, ITSELF_AS_AUXILIARY, PERMUTED_LABELS, TRIPLET_ALONE
from emobed_tf.systems.registry import control_name, find_system

CLASSIC, EMOBED = "classic", "emobed"
CONTROLS = {
    TRIPLET_ALONE: "the loss on embeddings, which the target modality alone has as well",
    PERMUTED_LABELS: "regularisation by a second branch, whose labels may be anybody's",
    ITSELF_AS_AUXILIARY: "a second branch on the same modality: more training of the shared head",
    AS_MANY_STEPS: "the number of optimiser steps",
}
"""Controls, and what a gain would be due to that they have, too."""


@dataclass(frozen=True)
class Verdict:
    """What the audit found on a target.

    Attributes:
        target: modality that emotion was recognised from.
        gain: of EmoBed over classic; None if one of them has no result.
        over_controls: gain of EmoBed over each control that has a result.
        of_controls: gain of each such control over classic.
        system: name of the system that is judged.
        detectable: true gain, over classic and all controls alike, with which the whole rule would be met in 4 of 5
            cases, if speakers' differences vary together as they did; None without all results, or if so few speakers
            can't show any.
    """

    target: str
    gain: Gain | None
    over_controls: Mapping[str, Gain]
    of_controls: Mapping[str, Gain]
    system: str = EMOBED
    detectable: float | None = None

    @property
    def title(self) -> str:
        """What the system is called."""
        return find_system(self.system).title

    @property
    def complete(self) -> bool:
        """Whether EmoBed, classic and all controls have results."""
        return self.gain is not None and self.over_controls.keys() == CONTROLS.keys()

    @property
    def unbeaten(self) -> tuple[str, ...]:
        """Controls that EmoBed is not shown to be better than."""
        return tuple(name for name, gain in self.over_controls.items() if not gain.better)

    @property
    def better(self) -> bool:
        """Whether EmoBed is better than classic, and it is transfer."""
        return self.gain is not None and self.complete and self.gain.better and not self.unbeaten

    @property
    def sentences(self) -> list[str]:
        """What is to be said, in plain words."""
        title = self.title
        if self.gain is None:
            return [f"{self.target}: no verdict, for {title} or classic has no result."]
        size = decimals(self.gain.difference, signed=True)
        facts = f"gain {size}, 95 % {self.gain.interval_text}, p {p_text(self.gain.p_holm)}"
        if not self.gain.better:
            said = f"{self.target}: NOTHING FOUND. {title} is not shown to be better than classic ({facts}). "
            excluded = self.gain.excluded_text
            return [f"{said}{excluded[0].upper()}{excluded[1:]} (one-sided, 95 %).{self._power}"]
        if not self.complete:
            missing = ", ".join(self._control_title(name) for name in CONTROLS if name not in self.over_controls)
            return [f"{self.target}: {title} is ahead of classic ({facts}); no verdict without results of: {missing}."]
        if not self.unbeaten:
            return [
                f"{self.target}: {title.upper()} IS BETTER THAN CLASSIC ({facts}), and better than all controls: the "
                "gain is due to what the other modality tells. It is transfer."
            ]
        return [
            f"{self.target}: {title} is ahead of classic ({facts}), but it is NOT SHOWN TO BE TRANSFER. That "
            f"is not the same as shown to be none.{self._power}",
            *(self._explanation(name) for name in self.unbeaten),
        ]

    @property
    def _power(self) -> str:
        gain, over = self.detectable, "classic and all controls"
        if gain is None and self.gain is not None and not self.complete:
            gain, over = self.gain.detectable, "classic alone"
        if not gain:
            return ""
        share = f"{100 * POWER:.0f} % of cases"
        return f" A true gain of {decimals(gain)} over {over} would have been found in {share} by the whole rule."

    def _control_title(self, control: str) -> str:
        return find_system(control_name(control, self.system)).title

    def _explanation(self, control: str) -> str:
        too, lead = self.of_controls[control], self.over_controls[control]
        own = "is itself better than classic" if too.better else "is not shown to be better than classic itself"
        return (
            f"  The gain is not separable from {CONTROLS[control]}: '{self._control_title(control)}' {own} "
            f"({decimals(too.difference, signed=True)}), and {self.title}'s lead of "
            f"{decimals(lead.difference, signed=True)} over it (95 % {lead.interval_text}) may be chance."
        )


def verdicts(results: OutOfFoldResults, targets: Sequence[str], score: str, system: str = EMOBED) -> list[Verdict]:
    """The verdict on each target.

    Args:
        results: by target and system.
        targets: all that were audited, also without results: p-values are corrected over them.
        score: the primary one.
        system: name of the system that is judged.

    Returns:
        One for each target, in their order.
    """

    def by_target(first: str, second: str) -> dict[str, Gain]:
        return {gain.target: gain for gain in gains(results, first, second, targets, score)}

    names = {control: control_name(control, system) for control in CONTROLS}
    whole = by_target(CLASSIC, system)
    over = {control: by_target(name, system) for control, name in names.items()}
    of = {control: by_target(CLASSIC, name) for control, name in names.items()}
    return [
        Verdict(
            target,
            whole.get(target),
            {control: over[control][target] for control in CONTROLS if target in over[control]},
            {control: of[control][target] for control in CONTROLS if target in of[control]},
            system,
            _detectable(results, (CLASSIC, *names.values()), system, target, score, len(targets)),
        )
        for target in targets
    ]


def _detectable(
    results: OutOfFoldResults, others: Sequence[str], system: str, target: str, score: str, targets: int
) -> float | None:
    """The gain that the whole rule finds; each comparison has the seeds that its two systems share."""
    if any((target, name) not in results for name in (*others, system)):
        return None
    own = results[target, system].statistics
    differences = [compare(results[target, name].statistics, own, score).by_speaker for name in others]
    return detectable_by_rule(np.stack(differences), LEVEL / targets, POWER)


def verdict_grid(verdict: Verdict, score_name: str, prefix: str) -> Grid:
    """EmoBed against classic and against each control.

    Args:
        verdict: on a target.
        score_name: of the primary score.
        prefix: of the title, such as what says that data are simulated.

    Returns:
        A row for classic and for each control.
    """
    rows = []
    compared = {CLASSIC: verdict.gain, **{name: verdict.over_controls.get(name) for name in CONTROLS}}
    for name, gain in compared.items():
        own = verdict.of_controls.get(name)
        title = find_system(CLASSIC).title if name == CLASSIC else find_system(control_name(name, verdict.system)).title
        row = [title, decimals(own.difference, signed=True) if own else ""]
        if gain is None:
            rows.append([*row, "no result", "", "", ""])
        else:
            lead = [decimals(gain.difference, signed=True), gain.interval_text, p_text(gain.p_holm)]
            rows.append([*row, *lead, "yes" if gain.better else "no"])
    columns = ["", "over classic", f"{verdict.title}'s lead over it", "95 %", "p, Holm", "beaten"]
    return Grid(
        f"{prefix}{verdict.target}: what {verdict.title} has that others have not ({score_name})", columns, rows
    )


def conclusion(found: Sequence[Verdict], simulated: bool) -> str:
    """The verdict on all targets in one line.

    Args:
        found: the verdict on each target.
        simulated: whether the data are.

    Returns:
        One sentence.
    """
    transfer = [verdict.target for verdict in found if verdict.better]
    on = ", ".join(transfer)
    text = f"it is transfer on {on}" if transfer else "no transfer between modalities was found"
    return f"VERDICT{' (SIMULATED data)' if simulated else ''}: {text}."


CRITERION = (
    f"Better, or beaten: one-sided sign-flip test over speakers, Holm-corrected over the targets, p < {LEVEL}, and the "
    "bootstrap's 95 % interval over speakers above 0. A system is called better than classic only if it beats classic "
    "and all four controls; a control that is not beaten is not separable from it, which doesn't say that there is no "
    "transfer."
)
