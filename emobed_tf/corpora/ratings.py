"""What each rater gave, and how far raters disagree."""

import numpy as np

from emobed_tf.corpora.corpus import Modality
from emobed_tf.corpora.files import listing


def rater_deviation(ratings: np.ndarray) -> np.ndarray:
    """Standard deviation over raters (1/N), float32 `[frames]`.

    Args:
        ratings: float `[frames, raters]`.
    """
    return ratings.std(axis=1, dtype=np.float64).astype(np.float32)


def unrated(modality: Modality, label: str) -> str | None:
    """What is missing, in words, if training recordings have no ratings of a label, or of one rater only.

    Args:
        modality: whose recordings.
        label: name of the label.
    """
    recordings = modality.partition("train")
    missing = [r.id for r in recordings if label not in r.ratings or np.shape(r.ratings[label])[-1] < 2]
    if not missing:
        return None
    return (
        f"what each rater gave for {label}, but modality '{modality.name}' has no ratings in {listing(missing)}; "
        "RECOLA has them in ratings_individual"
    )
