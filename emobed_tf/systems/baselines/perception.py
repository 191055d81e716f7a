"""MTL (PU): the label and the raters' disagreement from shared layers.

Source: J. Han, Z. Zhang, M. Schmitt, and B. Schuller, "From hard to soft: Towards more human-like emotion recognition
by modelling the perception uncertainty", ACM Multimedia 2017; "MTL (PU)" in EmoBed's tables. The perception uncertainty
u(t) is the standard deviation of what the raters gave. EmoBed says neither how the two losses are weighed nor whether
ratings are normalised first. Here: ratings as they are, the deviation with 1/N, delayed as the label is; all GRU layers
are shared and each task has a linear output; loss_y + weight * loss_u + lambda * R with the same kind of loss for both
and the weight searched. A frame without a label, or with fewer than two ratings, has no uncertainty to learn.
"""

from collections.abc import Sequence

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.corpora.labels import known
from emobed_tf.corpora.ratings import rater_deviation, unrated
from emobed_tf.errors import InputError
from emobed_tf.models.design import Head
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.multitask import AuxiliaryTask, with_training_label

UNCERTAINTY = "perception_uncertainty"


class PerceptionMultiTask(AuxiliaryTask):
    """Shared GRU layers with outputs for the label and for the raters' standard deviation."""

    title = "MTL (PU)"
    tasks = (REGRESSION,)

    def prepared(self, problem: Problem) -> Problem:
        """The problem with the raters' standard deviation among the training recordings' labels.

        Args:
            problem: whose training recordings have ratings.

        Returns:
            One with the label `UNCERTAINTY`, `[frames]`, NaN where it isn't known.

        Raises:
            InputError: if ratings are missing.
        """
        check_ratings(problem, self.title)
        return with_training_label(problem, UNCERTAINTY, lambda recording: uncertainty(recording, problem.label))

    def head(self, problem: Problem) -> Head:
        """A linear output for the uncertainty; see `AuxiliaryTask.head`."""
        return Head(UNCERTAINTY)

    def difficulty(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """Predicted uncertainty of every frame in the features' time: the true one is absent at test.

        Args:
            recordings: of the target modality.

        Returns:
            float32 `[frames]` per recording.
        """
        return [values[:, 0] for values in self.trained.head_outputs(UNCERTAINTY, recordings)]


def uncertainty(recording: Recording, label: str) -> np.ndarray:
    """Standard deviation of what raters gave, float32 `[frames]`.

    Args:
        recording: with ratings.
        label: name of the dimension.

    Returns:
        In the ratings' unit; NaN where a frame has no label, or fewer than two ratings.
    """
    deviation = rater_deviation(recording.ratings[label])
    return np.where(known(recording.labels[label]), deviation, np.float32(np.nan))


def check_ratings(problem: Problem, who: str) -> None:
    """Makes sure that training recordings of the target have ratings of the label, of two raters or more.

    Args:
        problem: whose.
        who: name of the system that needs them, for the message.

    Raises:
        InputError: if some have none, or of one rater only.
    """
    missing = unrated(problem.modality, problem.label)
    if missing:
        raise InputError(f"{who} needs {missing}; leave this system out for other data")
