"""Folds of a system put together: predictions for all speakers by fits that saw none of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emobed_tf.comparison.crossvalidation.folds import Fold
from emobed_tf.comparison.crossvalidation.plan import CrossValidationPlan
from emobed_tf.comparison.protocol import CellResult
from emobed_tf.comparison.trials import recorded_statistics
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics, joined_seeds, recentred
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
        settings: that were chosen, deal by deal, fold by fold.
    """

    target: str
    system: str
    title: str
    statistics: SpeakerStatistics
    parameters: int | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    settings: tuple[Mapping[str, Any] | None, ...] = ()


OutOfFoldResults = Mapping[tuple[str, str], OutOfFold]
"""By target and system."""


SEEDS_OF_A_DEAL = 1_000_000
"""By so much the seeds of one deal of speakers lie before those of the next in `OutOfFold.statistics`."""


def deal_and_seed(number: int) -> tuple[int, int]:
    """Which deal and which seed a column of `OutOfFold.statistics` is of.

    Args:
        number: one of its `seeds`.

    Returns:
        Place of the deal, and the seed.
    """
    return divmod(number, SEEDS_OF_A_DEAL)


def pool_folds(plan: CrossValidationPlan, target: str, system: str, results: Sequence[CellResult]) -> OutOfFold | str:
    """A system's results on all folds as one, or why there is none.

    Args:
        plan: of the folds.
        target: of the results.
        system: of the results.
        results: deal by deal, fold by fold, in the order of `plan.deals`; with fewer there is no result. A seed of a
            deal counts if it has come out in every fold of it.

    Returns:
        All folds as one, the deals side by side like further seeds; or a sentence that says why there is no result.
    """
    title = find_system(system).title
    notes = tuple(f"{title} on {target}, {_place(result)}: {result.failed}" for result in results if result.failed)
    expected = sum(len(folds) for folds in plan.deals)
    if len(results) < expected:
        return f"{title} on {target}: only {len(results)} of {expected} folds could be done"
    every, parts, seeds, runs = results, [], [], []
    for deal, folds in enumerate(plan.deals):
        by_seed = [{run["seed"]: run for run in result.runs} for result in results[: len(folds)]]
        results = results[len(folds) :]
        common = sorted(set.intersection(*(set(found) for found in by_seed)))
        for seed in common:
            fits = [found[seed] for found in by_seed]
            parts.append(_joined_folds(plan, folds, target, [recorded_statistics([fit], "test") for fit in fits]))
            seeds.append(deal * SEEDS_OF_A_DEAL + seed)
            runs += fits
    if not seeds:
        return notes[0] if notes else f"{title} on {target}: no seed came out in every fold"
    return OutOfFold(
        target=target,
        system=system,
        title=title,
        statistics=joined_seeds(parts, seeds),
        parameters=runs[0]["parameters"],
        seconds=float(np.mean([run["seconds"] for run in runs])),
        notes=notes,
        settings=tuple(result.settings for result in every),
    )


def _place(result: CellResult) -> str:
    scenario = result.cell.scenario
    return f"fold {scenario.fold}" + (f", deal {scenario.deal}" if scenario.deal else "")


def _joined_folds(
    plan: CrossValidationPlan, folds: Sequence[Fold], target: str, parts: Sequence[SpeakerStatistics]
) -> SpeakerStatistics:
    """Statistics of all speakers, in the order of their names; moments about the mean of all gold standards."""
    sums: dict[str, np.ndarray] = {}
    for fold, part in zip(folds, parts, strict=True):
        values = part.sums
        if plan.corpus.task == REGRESSION:
            values = recentred(values, plan.golds(target, fold.test).mean() - plan.golds(target).mean())
        sums |= dict(zip(part.speakers, values, strict=True))
    speakers = tuple(sorted(sums))
    count = sum(part.count for part in parts)
    return SpeakerStatistics(speakers, parts[0].seeds, np.stack([sums[speaker] for speaker in speakers]), count)
