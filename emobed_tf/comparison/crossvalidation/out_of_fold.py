"""Folds of a system put together: predictions for all speakers by fits that saw none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emobed_tf.comparison.crossvalidation.plan import CrossValidationPlan
from emobed_tf.comparison.protocol import CellResult
from emobed_tf.comparison.trials import recorded_statistics
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics, recentred
from emobed_tf.systems.registry import find_system


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for all speakers by fits that saw none of them.

    Attributes:
        target: modality that was recognised from.
        system: its name, see `registry.find_system`.
        title: its name in tables.
        statistics: sums by speaker and seed.
        parameters: kept for inference; None where that says nothing.
        seconds: of a fit, the mean.
        notes: what is missing, and why.
    """

    target: str
    system: str
    title: str
    statistics: SpeakerStatistics
    parameters: int | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


OutOfFoldResults = Mapping[tuple[str, str], OutOfFold]
"""By target and system."""


def pool_folds(plan: CrossValidationPlan, target: str, system: str, results: Sequence[CellResult]) -> OutOfFold | str:
    """A system's results on all folds as one, or why there is none.

    Args:
        plan: of the folds.
        target: of the results.
        system: of the results.
        results: by fold, in the order of `plan.folds`; with fewer there is no result. A seed counts if it has come out
            in every fold.

    Returns:
        All folds as one; or a sentence that says why there is no result.
    """
    title = find_system(system).title
    notes = tuple(
        f"{title} on {target}, fold {result.cell.scenario.fold}: {result.failed}" for result in results if result.failed
    )
    if len(results) < len(plan.folds):
        return f"{title} on {target}: only {len(results)} of {len(plan.folds)} folds could be done"
    by_seed = [{run["seed"]: run for run in result.runs} for result in results]
    seeds = sorted(set.intersection(*(set(runs) for runs in by_seed)))
    if not seeds:
        return notes[0] if notes else f"{title} on {target}: no seed came out in every fold"
    runs = [found[seed] for found in by_seed for seed in seeds]
    parts = [recorded_statistics([found[seed] for seed in seeds], "test") for found in by_seed]
    return OutOfFold(
        target=target,
        system=system,
        title=title,
        statistics=_joined_folds(plan, target, parts),
        parameters=runs[0]["parameters"],
        seconds=float(np.mean([run["seconds"] for run in runs])),
        notes=notes,
    )


def _joined_folds(plan: CrossValidationPlan, target: str, parts: Sequence[SpeakerStatistics]) -> SpeakerStatistics:
    """Statistics of all speakers, in the order of their names; moments about the mean of all gold standards."""
    sums: dict[str, np.ndarray] = {}
    for fold, part in zip(plan.folds, parts, strict=True):
        values = part.sums
        if plan.corpus.task == REGRESSION:
            values = recentred(values, plan.golds(target, fold.test).mean() - plan.golds(target).mean())
        sums |= dict(zip(part.speakers, values, strict=True))
    speakers = tuple(sorted(sums))
    count = sum(part.count for part in parts)
    return SpeakerStatistics(speakers, parts[0].seeds, np.stack([sums[speaker] for speaker in speakers]), count)
