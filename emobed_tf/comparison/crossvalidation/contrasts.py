"""What has to be said of the primary contrast of a cross-validation, and of the others."""

from collections.abc import Iterable

import numpy as np

from emobed_tf.comparison.crossvalidation.gains import Gain, p_text
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold, OutOfFoldResults, deal_and_seed
from emobed_tf.comparison.crossvalidation.plan import CrossValidationPlan
from emobed_tf.comparison.grids import decimals
from emobed_tf.evaluation.clusters import design_effect, intraclass_correlation
from emobed_tf.evaluation.evidence import compare
from emobed_tf.systems.registry import find_system


def contrast_notes(
    plan: CrossValidationPlan, found: Iterable[Gain], results: OutOfFoldResults, primary: str
) -> list[str]:
    """What has to be said of the primary contrast on every target, and of the others.

    Args:
        plan: of the folds.
        found: gains over the reference.
        results: by target and system.
        primary: see `comparison.contrasts.primary_system`.

    Returns:
        Sentences.
    """
    title = find_system(primary).title
    lines = [
        f"Primary contrast: {title}. All other rows are exploratory: their p-values are corrected over targets, but "
        "not over systems, and a small one is a reason to look again, not a result."
    ]
    for gain in found:
        if gain.second == primary:
            lines.append(gain_sentence(gain))
            first, second = results[gain.target, gain.first], results[gain.target, gain.second]
            lines += fold_notes(plan, first, second)
    return lines


def gain_sentence(gain: Gain) -> str:
    """Whether a gain is shown, and which gain is excluded.

    Args:
        gain: over the reference.

    Returns:
        One sentence.
    """
    first, second = (find_system(name).title for name in (gain.first, gain.second))
    shown = "is better than" if gain.better else "is not shown to be better than"
    facts = f"gain {decimals(gain.difference, signed=True)}, 95 % {gain.interval_text}, p {p_text(gain.p_holm)}"
    return f"{gain.target}: {second} {shown} {first} ({facts}); {gain.excluded_text} (one-sided, 95 %)."


def fold_notes(plan: CrossValidationPlan, first: OutOfFold, second: OutOfFold) -> list[str]:
    """How far speakers of one fold go together, since one model predicts all of them.

    Args:
        plan: of the folds.
        first: results of the reference.
        second: of another system on the same target.

    Returns:
        A sentence, or none where it can't be told.
    """
    found = fold_correlation(plan, first, second)
    if found is None:
        return []
    correlation, effect = found
    text = (
        f"{first.target}: speakers of one fold share a model; the intraclass correlation of their gains within folds "
        f"is {decimals(correlation, signed=True)}"
    )
    speakers = len(first.statistics.speakers)
    if effect > 1:
        text += (
            f", so that {speakers} speakers say as much as about {speakers / effect:.0f} independent ones, and tests "
            "and intervals are somewhat too confident"
        )
        text += "; --fold-seeds repeats all of it with other splits of the speakers" if not plan.repeats else ""
    return [f"{text}."]


def fold_correlation(plan: CrossValidationPlan, first: OutOfFold, second: OutOfFold) -> tuple[float, float] | None:
    """The intraclass correlation of speakers' gains within folds, and what it does to the variance of their mean.

    Args:
        plan: of the folds.
        first: results of the reference.
        second: of another system on the same target.

    Returns:
        The correlation and the design effect, each the mean over deals; None where no deal tells.
    """
    pair = compare(first.statistics, second.statistics, plan.scores[0])
    found = []
    for deal, folds in enumerate(plan.deals):
        seeds = [seed for seed in pair.first.seeds if deal_and_seed(seed)[0] == deal]
        if not seeds:
            continue
        place = {speaker: fold.number for fold in folds for speaker in fold.test}
        groups = [place[speaker] for speaker in pair.first.speakers]
        gains = compare(pair.first.of_seeds(seeds), pair.second.of_seeds(seeds), pair.score).by_speaker
        correlation = intraclass_correlation(gains, groups)
        if correlation is not None:
            found.append((correlation, design_effect(correlation, groups)))
    return None if not found else (float(np.mean([c for c, _ in found])), float(np.mean([e for _, e in found])))
