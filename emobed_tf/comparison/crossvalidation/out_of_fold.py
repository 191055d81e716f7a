"""Folds of a system put together: predictions for all speakers by fits that saw none of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from emobed_tf.comparison.crossvalidation.plan import Plan
from emobed_tf.comparison.protocol import Result
from emobed_tf.evaluation.metrics import CLASSIFICATION_SCORES, pooled_ccc
from emobed_tf.evaluation.significance import bootstrap_interval
from emobed_tf.systems.base import find


@dataclass(frozen=True)
class OutOfFold:
    """Predictions for all speakers by fits that saw none of them, as sums by speaker.

    Attributes:
        target: modality that was recognised from.
        system: its name, see `systems.find`.
        title: its name in tables.
        speakers: who was predicted.
        seeds: of the fits.
        statistics: float64 `[speakers, seeds, 6]`, moments of the concordance about one centre, or `[speakers, seeds,
            classes, classes]`, confusion matrices.
        parameters: kept for inference; None where that says nothing.
        seconds: of a fit, the mean.
        notes: what is missing, and why.
    """

    target: str
    system: str
    title: str
    speakers: tuple[str, ...]
    seeds: tuple[int, ...]
    statistics: np.ndarray
    parameters: int | None = None
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def scores(self, score: str) -> np.ndarray:
        """A score of the pooled out-of-fold predictions, float64 `[seeds]`.

        Args:
            score: `ccc`, or a key of `metrics.CLASSIFICATION_SCORES`.
        """
        return score_of(score)(self.statistics.sum(axis=0))

    def by_speaker(self, score: str, seeds: Sequence[int]) -> np.ndarray:
        """Each speaker's own score, the mean over some seeds, float64 `[speakers]`."""
        return score_of(score)(self.of_seeds(seeds)).mean(axis=1)

    def interval(self, score: str) -> tuple[float, float]:
        """Ends of the bootstrap's 95 % interval of the mean over seeds of the pooled score, over speakers."""
        found = bootstrap_interval(mean_over_seeds(score), self.statistics)
        return found.low, found.high

    def of_seeds(self, seeds: Sequence[int]) -> np.ndarray:
        """The statistics of some seeds, in their order."""
        return self.statistics[:, [self.seeds.index(seed) for seed in seeds]]


Results = dict[tuple[str, str], OutOfFold]
"""By target and system."""


def pool(plan: Plan, target: str, system: str, results: Sequence[Result]) -> OutOfFold | str:
    """A system's results on all folds as one, or why there is none.

    Args:
        plan: of the folds.
        target: of the results.
        system: of the results.
        results: by fold, in the order of `plan.folds`; with fewer there is no result. A seed counts if it has come out
            in every fold.
    """
    title = find(system).title
    notes = tuple(
        f"{title} on {target}, fold {k}: {result.failed}" for k, result in enumerate(results, 1) if result.failed
    )
    if len(results) < len(plan.folds):
        return f"{title} on {target}: only {len(results)} of {len(plan.folds)} folds could be done"
    by_seed = [{run["seed"]: run for run in result.runs} for result in results]
    seeds = sorted(set.intersection(*(set(runs) for runs in by_seed)))
    if not seeds:
        return notes[0] if notes else f"{title} on {target}: no seed came out in every fold"
    statistics: dict[str, list[np.ndarray]] = {}
    for fold, runs in zip(plan.folds, by_seed, strict=True):
        change = plan.golds(target, fold.test).mean() - plan.golds(target).mean() if plan.scores == ("ccc",) else 0.0
        tested = [runs[seed]["partitions"]["test"] for seed in seeds]
        for k, speaker in enumerate(tested[0]["speakers"]):
            sums = np.array([part["statistics"][k] for part in tested], np.float64)
            statistics[speaker] = recentred(sums, change) if plan.scores == ("ccc",) else sums
    runs = [found[seed] for found in by_seed for seed in seeds]
    speakers = tuple(sorted(statistics))
    return OutOfFold(
        target=target,
        system=system,
        title=title,
        speakers=speakers,
        seeds=tuple(seeds),
        statistics=np.stack([statistics[speaker] for speaker in speakers]),
        parameters=runs[0]["parameters"],
        seconds=float(np.mean([run["seconds"] for run in runs])),
        notes=notes,
    )


def score_of(score: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function of summed statistics `[..., *statistics]` that a score is."""
    if score == "ccc":
        return pooled_ccc
    function = CLASSIFICATION_SCORES[score]
    return lambda counts: function(np.asarray(counts, np.float64))


def mean_over_seeds(score: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function of summed statistics `[..., seeds, *statistics]` that the mean of a score over seeds is."""
    function = score_of(score)
    return lambda sums: function(sums).mean(axis=-1)


def recentred(moments: np.ndarray, change: float) -> np.ndarray:
    """Moments `[..., 6]` (`metrics.moments`) about another centre, so that they can be summed with others about it.

    Args:
        moments: n, sums of true, prediction, true^2, prediction^2, true * prediction, about some centre.
        change: that centre minus the new one.
    """
    n, true, pred, true2, pred2, product = np.moveaxis(np.asarray(moments, np.float64), -1, 0)
    return np.stack(
        [
            n,
            true + n * change,
            pred + n * change,
            true2 + 2 * change * true + n * change**2,
            pred2 + 2 * change * pred + n * change**2,
            product + change * (true + pred) + n * change**2,
        ],
        axis=-1,
    )
