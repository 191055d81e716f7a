"""Is it transfer? What a gain of EmoBed over classic is due to, by what its controls have of it. One page.

*EmoBed is better than classic* is said only if three things hold: the Holm-corrected p is below .05, the interval of
the gain is above 0, and all four controls are beaten. A control is beaten by the same standard as classic: the
one-sided sign-flip test of EmoBed against it, corrected over the targets, below .05, and the interval above 0. Since
all controls have to be beaten at once, no further correction is due (intersection-union test).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emobed_tf.comparison.crossvalidation.gains import POWER, Gain, gains, p_text
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFoldResults
from emobed_tf.comparison.grids import Grid, decimals
from emobed_tf.evaluation.significance import LEVEL
from emobed_tf.systems.controls import AS_MANY_STEPS, ITSELF_AS_AUXILIARY, PERMUTED_LABELS, TRIPLET_ALONE
from emobed_tf.systems.registry import find_system

CLASSIC, EMOBED = "classic", "emobed"
CONTROLS = {
    TRIPLET_ALONE: "a triplet term, which the target modality alone has as well",
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
    """

    target: str
    gain: Gain | None
    over_controls: Mapping[str, Gain]
    of_controls: Mapping[str, Gain]

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
        if self.gain is None:
            return [f"{self.target}: no verdict, for EmoBed or classic has no result."]
        size = decimals(self.gain.difference, signed=True)
        facts = f"gain {size}, 95 % {self.gain.interval_text}, p {p_text(self.gain.p_holm)}"
        if not self.gain.better:
            said = f"{self.target}: NOTHING FOUND. EmoBed is not shown to be better than classic ({facts})."
            if self.gain.detectable:
                share = f"{100 * POWER:.0f} % of cases"
                said += f" A true gain of {decimals(self.gain.detectable)} would have been found in {share}."
            return [said]
        if not self.complete:
            missing = ", ".join(find_system(name).title for name in CONTROLS if name not in self.over_controls)
            return [f"{self.target}: EmoBed is ahead of classic ({facts}); no verdict without results of: {missing}."]
        if not self.unbeaten:
            return [
                f"{self.target}: EMOBED IS BETTER THAN CLASSIC ({facts}), and better than all controls: the gain is "
                "due to what the other modality tells. It is transfer."
            ]
        return [
            f"{self.target}: EmoBed is ahead of classic ({facts}), but it is NOT SHOWN TO BE TRANSFER.",
            *(self._explanation(name) for name in self.unbeaten),
        ]

    def _explanation(self, control: str) -> str:
        too, lead = self.of_controls[control], self.over_controls[control].difference
        due = "is explained by" if too.better else "may be due to"
        return (
            f"  The gain {due} {CONTROLS[control]}: '{find_system(control).title}' has "
            f"{decimals(too.difference, signed=True)} over classic, and EmoBed's lead of {decimals(lead, signed=True)} "
            "over it is not beyond chance."
        )


def verdicts(results: OutOfFoldResults, targets: Sequence[str], score: str) -> list[Verdict]:
    """The verdict on each target.

    Args:
        results: by target and system.
        targets: all that were audited, also without results: p-values are corrected over them.
        score: the primary one.

    Returns:
        One for each target, in their order.
    """

    def by_target(first: str, second: str) -> dict[str, Gain]:
        return {gain.target: gain for gain in gains(results, first, second, targets, score)}

    whole = by_target(CLASSIC, EMOBED)
    over = {control: by_target(control, EMOBED) for control in CONTROLS}
    of = {control: by_target(CLASSIC, control) for control in CONTROLS}
    return [
        Verdict(
            target,
            whole.get(target),
            {control: over[control][target] for control in CONTROLS if target in over[control]},
            {control: of[control][target] for control in CONTROLS if target in of[control]},
        )
        for target in targets
    ]


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
        row = [find_system(name).title, decimals(own.difference, signed=True) if own else ""]
        if gain is None:
            rows.append([*row, "no result", "", "", ""])
        else:
            lead = [decimals(gain.difference, signed=True), gain.interval_text, p_text(gain.p_holm)]
            rows.append([*row, *lead, "yes" if gain.better else "no"])
    columns = ["", "over classic", "EmoBed's lead over it", "95 %", "p, Holm", "beaten"]
    return Grid(f"{prefix}{verdict.target}: what EmoBed has that others have not ({score_name})", columns, rows)


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
    "bootstrap's 95 % interval over speakers above 0. EmoBed is called better than classic only if it beats classic "
    "and all four controls."
)
