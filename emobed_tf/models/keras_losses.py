"""The losses of `losses` as `keras.losses.Loss`, for anybody's `compile`."""

from typing import Any, Literal

import keras
import tensorflow as tf

from emobed_tf.models import losses
from emobed_tf.models.losses import Margin


@keras.saving.register_keras_serializable(package="emobed_tf")
class ConcordanceLoss(keras.losses.Loss):
    """1 - concordance correlation coefficient (EmoBed, Eq. 9) over all frames of a batch.

    The coefficient is one number of the whole batch, so there is nothing to reduce. A sample weight is a mask: frames
    count where it isn't 0.

    Args:
        name: of the loss.

    Example:
        >>> loss = ConcordanceLoss()
        >>> round(float(loss([[0.0, 1.0, 2.0]], [[0.0, 1.0, 2.0]])), 6)
        0.0
        >>> model.compile("adam", ConcordanceLoss(), metrics=[PooledCCC()])  # doctest: +SKIP
    """

    def __init__(self, name: str = "concordance_loss"):
        super().__init__(name=name, reduction=None)

    def __call__(self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None) -> tf.Tensor:
        """The loss of a batch.

        Args:
            y_true: float `[batch]` or `[batch, frames]`, maybe with a last dimension of 1.
            y_pred: float, as many values.
            sample_weight: 0 where a frame takes no part; of the shape of `y_true`, or one for each sequence.

        Returns:
            A scalar in [0, 2].
        """
        return losses.ccc_loss(*losses.series(y_true, y_pred, sample_weight))

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """See `__call__`; all frames count.

        Args:
            y_true: float `[batch]` or `[batch, frames]`.
            y_pred: float, as many values.

        Returns:
            A scalar in [0, 2].
        """
        return self(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        return {"name": self.name}


@keras.saving.register_keras_serializable(package="emobed_tf")
class BatchHardTripletLoss(keras.losses.Loss):
    """Batch-hard triplet loss over a batch of embeddings (EmoBed, Eq. 5 and 6), of one modality or of several joined.

    A sample weight is a mask: embeddings take part where it isn't 0. Anchors without a positive or a negative are left
    out.

    Args:
        margin: None is Eq. 6 as printed (no margin, no hinge), a number the hinge, "soft" the softplus.
        anchors: "mean" over valid anchors, or the "sum" of Eq. 6.
        normalise: L2-normalise embeddings first.
        name: of the loss.

    Example:
        >>> loss = BatchHardTripletLoss()
        >>> float(loss([0, 0, 1, 1], [[0.0], [1.0], [5.0], [7.0]]))  # ((1 - 5) + (1 - 4) + (2 - 4) + (2 - 6)) / 4
        -3.25
    """

    def __init__(
        self,
        margin: Margin = None,
        anchors: Literal["mean", "sum"] = "mean",
        normalise: bool = False,
        name: str = "batch_hard_triplet_loss",
    ):
        super().__init__(name=name, reduction=None)
        self.margin, self.anchors, self.normalise = margin, anchors, normalise

    def __call__(self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None) -> tf.Tensor:
        """The loss of a batch.

        Args:
            y_true: int `[batch]` or `[batch, 1]`, classes.
            y_pred: float `[batch, units]`, embeddings.
            sample_weight: 0 where an embedding takes no part, `[batch]`.

        Returns:
            A scalar; 0 where no anchor is valid.
        """
        embeddings = tf.convert_to_tensor(y_pred)
        if self.normalise:
            embeddings = tf.math.l2_normalize(embeddings, axis=1)
        classes = tf.cast(tf.reshape(y_true, [-1]), tf.int32)
        mask = None if sample_weight is None else tf.not_equal(tf.reshape(sample_weight, [-1]), 0)
        return losses.batch_hard_triplet_loss(embeddings, classes, mask, margin=self.margin, reduction=self.anchors)

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        """See `__call__`; all embeddings take part.

        Args:
            y_true: int `[batch]`, classes.
            y_pred: float `[batch, units]`, embeddings.

        Returns:
            A scalar.
        """
        return self(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        return {"margin": self.margin, "anchors": self.anchors, "normalise": self.normalise, "name": self.name}
