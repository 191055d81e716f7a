"""The label and the input itself from shared layers: multi-task learning with reconstruction.

It is the first stage of DDAT (RE), see `difficulty`, and a row of its own. All GRU layers are shared and each task has
a linear output; loss_y + weight * MSE_x + lambda * R with the weight searched, where MSE_x is the mean over the
features that exist, standardised and clipped as the network sees them.
"""

from collections.abc import Sequence

import numpy as np

from emobed_tf.corpora.corpus import Recording
from emobed_tf.models.design import Head
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.multitask import AuxiliaryTask

RECONSTRUCTION = "reconstruction"


class ReconstructionMultiTask(AuxiliaryTask):
    """Shared GRU layers with outputs for the label and for the input."""

    title = "label and reconstruction"

    def head(self, problem: Problem) -> Head:
        """A linear output for every feature; see `AuxiliaryTask.head`."""
        return Head(RECONSTRUCTION, width=len(problem.modality.feature_names), reconstructs=True)

    def difficulty(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """Reconstruction error of every frame: root of the mean square over the features that exist.

        Args:
            recordings: of the target modality.

        Returns:
            float32 `[frames]` per recording; NaN where every feature is missing.
        """
        rebuilt = self.trained.head_outputs(RECONSTRUCTION, recordings)
        pairs = zip(recordings, rebuilt, strict=True)
        return [
            error_of(recording.features, self.trained.standardised(recording.features), x) for recording, x in pairs
        ]


def error_of(features: np.ndarray, standardised: np.ndarray, rebuilt: np.ndarray) -> np.ndarray:
    """Error of a reconstruction, frame by frame: root of the mean square over the features that exist.

    Args:
        features: float `[frames, features]`, NaN where missing.
        standardised: the same as the network sees them, finite.
        rebuilt: what the network makes of them, the same shape.

    Returns:
        float32 `[frames]`, in training deviations; NaN where every feature is missing.
    """
    present = ~np.isnan(features)
    count = present.sum(axis=1)
    squares = np.where(present, (rebuilt - standardised).astype(np.float64) ** 2, 0).sum(axis=1)
    return np.where(count, np.sqrt(squares / np.maximum(count, 1)), np.nan).astype(np.float32)
