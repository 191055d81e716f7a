"""What each rater gave: the gold standard that is made of it, and how far raters disagree."""

import numpy as np

from emobed_tf.corpora.corpus import Modality
from emobed_tf.corpora.files import listing
from emobed_tf.errors import InputError


def gold_standard_from_ratings(ratings: np.ndarray) -> np.ndarray:
    """The gold standard that AVEC 2016 makes from what the raters gave.

    With x_r(t) the ratings of rater r, m_r their mean over time and c_r the mean CCC of rater r with each other rater:
    gold(t) = mean_r(x_r(t) - m_r) + sum_r(c_r m_r) / sum_r(c_r).

    Args:
        ratings: `[frames, raters]`, finite.

    Returns:
        float64 `[frames]`. Where raters contradict each other, so that sum_r(c_r) is not positive, the formula's
        weights mean nothing and its second term is the plain mean of all m_r.

    Raises:
        InputError: if the shape is another, there are no frames or raters, or a value is not finite.
    """
    ratings = np.asarray(ratings, dtype=np.float64)
    if ratings.ndim != 2 or not ratings.size or not np.isfinite(ratings).all():
        raise InputError(f"ratings: expected finite numbers [frames, raters], got an array of shape {ratings.shape}")
    means = ratings.mean(axis=0)
    # Exactly zero for a rater who never moved: what rounding leaves would count as agreement.
    centred = np.where(ratings.min(axis=0) == ratings.max(axis=0), 0.0, ratings - means)
    covariances = centred.T @ centred / len(ratings)
    variances = np.diag(covariances)
    spread = variances[:, None] + variances + (means[:, None] - means) ** 2
    concordances = np.divide(2 * covariances, spread, out=np.zeros_like(spread), where=spread > 0)
    np.fill_diagonal(concordances, 0)
    agreement = concordances.sum(axis=1) / max(1, len(means) - 1)
    level = agreement @ means / agreement.sum() if agreement.sum() > 0 else means.mean()
    return centred.mean(axis=1) + level


def rater_deviation(ratings: np.ndarray) -> np.ndarray:
    """Standard deviation over raters (1/N), float32 `[frames]`.

    Args:
        ratings: float `[frames, raters]`, NaN where a rater gave nothing.

    Returns:
        In the ratings' unit, over the raters that there are; 0 where they agree, NaN where there are fewer than two.
    """
    deviation = ratings.std(axis=1, dtype=np.float64)
    several = np.isnan(deviation) & (np.count_nonzero(~np.isnan(ratings), axis=1) > 1)
    deviation[several] = np.nanstd(ratings[several], axis=1, dtype=np.float64)
    return deviation.astype(np.float32)


def unrated(modality: Modality, label: str) -> str | None:
    """What is missing, in words, if training recordings have no ratings of a label, or of one rater only.

    Args:
        modality: whose recordings.
        label: name of the label.

    Returns:
        Such as `what each rater gave for arousal, but modality 'audio' has no ratings in …`; None if nothing is.
    """
    recordings = modality.partition("train")
    missing = [r.id for r in recordings if label not in r.ratings or np.shape(r.ratings[label])[-1] < 2]
    if not missing:
        return None
    return (
        f"what each rater gave for {label}, but modality '{modality.name}' has no ratings in {listing(missing)}; "
        "RECOLA has them in ratings_individual"
    )
