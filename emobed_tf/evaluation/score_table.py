"""All scores by name: what each is called in text, and how it is computed from statistics that add up."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import CLASSIFICATION, REGRESSION
from emobed_tf.evaluation.metrics import (
    f1_harmonic,
    f1_macro,
    f1_micro,
    mean_concordance_cc,
    moments_by_recording,
    pearson_cc,
    pooled_ccc,
    rmse,
    uar,
)


@dataclass(frozen=True)
class Score:
    """A score of a system's predictions.

    Attributes:
        name: what files and settings call it.
        short_name: for narrow tables and figures.
        long_name: for a list of scores.
        task: `regression` or `classification`.
        function: from sums over units to the score, vectorised over leading axes: of moments `[..., 6]` (see
            `metrics.moments`) for a regression, of confusion matrices `[..., classes, classes]` for a classification.
            None for a score that is not computed from such sums.
    """

    name: str
    short_name: str
    long_name: str
    task: str
    function: Callable[[Any], Any] | None = None

    @property
    def has_interval(self) -> bool:
        """Whether units can be drawn and exchanged without predicting again: it has intervals and tests."""
        return self.function is not None


SCORES: Mapping[str, Score] = {
    score.name: score
    for score in (
        Score("ccc", "CCC", "CCC, pooled", REGRESSION, pooled_ccc),
        Score("ccc_mean", "mean CCC", "CCC, mean of recordings", REGRESSION),
        Score("pcc", "PCC", "PCC", REGRESSION),
        Score("rmse", "RMSE", "RMSE", REGRESSION),
        Score("f1_micro", "F1 micro", "F1, micro-averaged (accuracy)", CLASSIFICATION, f1_micro),
        Score("f1_macro", "F1 macro", "F1, macro-averaged", CLASSIFICATION, f1_macro),
        Score(
            "f1_harmonic",
            "F1 harmonic",
            "F1, harmonic mean of unweighted precision and recall",
            CLASSIFICATION,
            f1_harmonic,
        ),
        Score("uar", "UAR", "Unweighted average recall", CLASSIFICATION, uar),
    )
}
"""By name, in the order in which they are shown."""


def short_name(score: str) -> str:
    """The short name of a score, or the name itself if it is no score of this package.

    Args:
        score: name of a score, or any word.

    Returns:
        Such as `UAR`.
    """
    return SCORES[score].short_name if score in SCORES else score


def regression_scores(trues: Sequence[np.ndarray], preds: Sequence[np.ndarray]) -> dict[str, float]:
    """All scores of a regression.

    Args:
        trues: gold standard of each recording, `[frames]`.
        preds: predictions of each recording, `[frames]`.

    Returns:
        `ccc` over all frames of all recordings (the headline, Eq. 9), `ccc_mean` of the recordings' own coefficients,
        `pcc` and `rmse` over all frames.

    Raises:
        InputError: as `metrics.moments_by_recording`.
    """
    by_recording = moments_by_recording(trues, preds)
    true, pred = np.concatenate([np.ravel(x) for x in trues]), np.concatenate([np.ravel(x) for x in preds])
    return {
        "ccc": float(pooled_ccc(by_recording.sum(axis=0))),
        "ccc_mean": mean_concordance_cc(list(zip(trues, preds, strict=True))),
        "pcc": pearson_cc(true, pred),
        "rmse": rmse(true, pred),
    }


def classification_scores(confusion: np.ndarray) -> dict[str, float]:
    """All scores of a confusion matrix `[classes, classes]` by name, each in [0, 1].

    Args:
        confusion: counts; rows are true classes.

    Returns:
        Scores by name, in the order of `SCORES`.
    """
    found = ((score.name, score.function) for score in SCORES.values() if score.task == CLASSIFICATION)
    return {name: float(function(np.asarray(confusion))) for name, function in found if function is not None}
