"""Which settings are chosen, and how much their choice has to do with test."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

Rule = Literal["best", "one-standard-error"]
BEST, ONE_STANDARD_ERROR = get_args(Rule)

Simplicity = Callable[[Mapping[str, Any]], tuple[float, ...]]
"""What settings are ordered by, the simplest first: see `systems.base.System.simplicity`."""


@dataclass(frozen=True)
class Candidate:
    """One configuration and what its fits said of it.

    Attributes:
        settings: the configuration.
        records: of its fits, see `trials.run_trial`, split by split, and within a split by seed.
        splits: number of splits of training and development that it was fitted on.
    """

    settings: Mapping[str, Any]
    records: tuple[Mapping[str, Any], ...]
    splits: int = 1

    @property
    def failed(self) -> str | None:
        """Why it can't be chosen: one of its fits failed."""
        return next((record["failed"] for record in self.records if "failed" in record), None)

    @property
    def scores(self) -> tuple[float, ...]:
        """What its score is the mean of: of each split the mean over seeds, or of a single split each seed's."""
        found = np.array([record["score"] for record in self.records]).reshape(self.splits, -1)
        return tuple((found.mean(axis=1) if self.splits > 1 else found[0]).tolist())

    @property
    def score(self) -> float:
        """Its development score, the mean over splits and seeds."""
        return math.fsum(self.scores) / len(self.scores)

    @property
    def error(self) -> float:
        """Standard error of that mean; 0 for a single score."""
        scores = self.scores
        return float(np.std(scores, ddof=1)) / math.sqrt(len(scores)) if len(scores) > 1 else 0.0

    def record(self) -> dict[str, Any]:
        """All of its fits as one record: the record of its only one, or its settings and score."""
        if len(self.records) == 1:
            return dict(self.records[0])
        if self.failed is not None:
            return {"settings": dict(self.settings), "failed": self.failed}
        return {"settings": dict(self.settings), "score": self.score, "scores": list(self.scores)}


def chosen(candidates: Sequence[Candidate], rule: str, simplicity: Simplicity) -> Candidate | None:
    """The configuration that a rule takes.

    Args:
        candidates: in their order, the default first.
        rule: `best`, or `one-standard-error`: of those whose score is at most one standard error of the best one's
            below it, the simplest (L. Breiman et al., "Classification and regression trees", 1984, section 3.4.3).
        simplicity: what settings are ordered by.

    Returns:
        Between equals the earlier one. None if all failed.
    """
    able = [candidate for candidate in candidates if candidate.failed is None]
    if not able:
        return None
    best = max(able, key=lambda candidate: candidate.score)
    if rule == BEST:
        return best
    near = [candidate for candidate in able if candidate.score >= best.score - best.error]
    return min(near, key=lambda candidate: simplicity(candidate.settings))


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's: Pearson's correlation of the ranks, equal values sharing the mean of theirs.

    Args:
        first: values.
        second: as many others, in the same order.

    Returns:
        -1 to 1; None with fewer than three pairs, or where all values of one of them are equal.
    """
    if len(first) < 3:
        return None
    ranks = np.stack([_ranks(first), _ranks(second)])
    if not ranks.std(axis=1).all():
        return None
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, np.float64)
    below = (array[:, None] > array).sum(axis=1)
    equal = (array[:, None] == array).sum(axis=1)
    return below + (equal - 1) / 2
