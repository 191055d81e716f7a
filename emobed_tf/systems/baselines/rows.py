"""Recordings as rows of standardised features, for the systems that know no time."""

from collections.abc import Sequence

import numpy as np

from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.waveforms import check_no_samples


class Rows:
    """Standardises as the networks do: training moments, missing values to the mean, clipped.

    Args:
        training: rows whose moments count, float `[rows, features]`, NaN where missing.
        clip: in training deviations.
    """

    def __init__(self, training: np.ndarray, clip: float):
        from emobed_tf.models.standardise import Standardise

        self.layer = Standardise(clip)
        self.layer.build((None, training.shape[1]))
        self.layer.adapt(training)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Standardises rows.

        Args:
            values: float `[rows, features]`, NaN where missing.

        Returns:
            float32 `[rows, features]`; 0 where missing.
        """
        return np.asarray(self.layer(values.astype(np.float32, copy=False)))


def frames(recordings: Sequence[Recording]) -> np.ndarray:
    """All frames, one after another.

    Args:
        recordings: of one modality, at least one.

    Returns:
        float32 `[frames, features]`.
    """
    check_no_samples(recordings, "a system that knows no time")
    return np.concatenate([recording.features for recording in recordings])


def utterances(recordings: Sequence[Recording]) -> np.ndarray:
    """One row for each recording: the mean of its frames, missing values left out.

    Args:
        recordings: of one modality, at least one.

    Returns:
        float32 `[recordings, features]`; NaN where a feature is missing in every frame.
    """
    check_no_samples(recordings, "a system that knows no time")
    values = np.stack([_mean(recording.features) for recording in recordings])
    return values.astype(np.float32)


def _mean(features: np.ndarray) -> np.ndarray:
    present = ~np.isnan(features)
    count = present.sum(axis=0)
    sums = np.where(present, features, 0).sum(axis=0, dtype=np.float64)
    return np.where(count, sums / np.maximum(count, 1), np.nan)
