"""Files on disk to data sets in memory: RECOLA, OMG-Emotion, and feature tables of any corpus. NumPy, no TensorFlow."""

from emobed_tf.corpora.corpus import (
    CLASSIFICATION,
    DIMENSIONS,
    EMOTION,
    PARTITIONS,
    REGRESSION,
    Corpus,
    Modality,
    Recording,
)
from emobed_tf.corpora.loading import TASKS, load
from emobed_tf.corpora.prediction import load_features
from emobed_tf.corpora.ratings import gold_standard_from_ratings

__all__ = [
    "CLASSIFICATION",
    "DIMENSIONS",
    "EMOTION",
    "PARTITIONS",
    "REGRESSION",
    "TASKS",
    "Corpus",
    "Modality",
    "Recording",
    "gold_standard_from_ratings",
    "load",
    "load_features",
]
