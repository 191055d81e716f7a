"""Keras metrics that pool over an epoch from sufficient statistics; the formulas are those of `metrics`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import keras
import tensorflow as tf

from emobed_tf.evaluation.metrics import ccc_from_moments
from emobed_tf.evaluation.score_table import SCORES
from emobed_tf.models.losses import moments, series


@keras.saving.register_keras_serializable(package="emobed_tf")
class Means(keras.metrics.Metric):
    """Means over an epoch's steps of several values at once.

    A `keras.metrics.Mean` for each would cost a step of one frame a fifth of its time.

    Args:
        names: of the values.
        name: of the metric.
        dtype: of the sums.
    """

    def __init__(self, names: Sequence[str], name: str = "means", dtype: str = "float32"):
        super().__init__(name=name, dtype=dtype)
        self.names = tuple(names)
        self.sums = self.add_weight(shape=(len(self.names) + 1,), initializer="zeros", name="sums")

    def update_state(self, values: Mapping[str, tf.Tensor]) -> None:
        """Adds a step.

        Args:
            values: a scalar for every name; others are left out.
        """
        self.sums.assign_add(tf.stack([*(tf.cast(values[name], self.sums.dtype) for name in self.names), 1.0]))

    def result(self) -> dict[str, tf.Tensor]:
        """Scalars by name; 0 before the first step."""
        sums = tf.convert_to_tensor(self.sums)
        return dict(zip(self.names, tf.unstack(tf.math.divide_no_nan(sums[:-1], sums[-1])), strict=True))

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        return {**super().get_config(), "names": self.names}


@keras.saving.register_keras_serializable(package="emobed_tf")
class PooledCCC(keras.metrics.Metric):
    """Concordance correlation coefficient (Eq. 9) over all frames seen since the last reset, in float64.

    A mean of per-batch values would be another number; this keeps n, sums, squares and products.

    Args:
        name: of the metric.
        dtype: of the sums.
    """

    def __init__(self, name: str = "ccc", dtype: str = "float64"):
        super().__init__(name=name, dtype=dtype)
        self.moments = [self.add_weight(shape=(), initializer="zeros", name=f"moment_{k}") for k in range(6)]

    def update_state(self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None) -> None:
        """Adds a batch.

        Args:
            y_true: float `[batch]` or `[batch, frames]`, maybe with a last dimension of 1.
            y_pred: float, as many values.
            sample_weight: the mask: False or 0 where a frame doesn't count; of the shape of `y_true`, or one for each
                sequence. Default: all count.
        """
        y_true, y_pred, mask = series(y_true, tf.cast(y_pred, tf.float64), sample_weight)
        # About zero: a pooled sum needs the same centre in every batch, and float64 has digits to spare.
        for moment, value in zip(self.moments, moments(y_true, y_pred, mask, centre=0.0), strict=True):
            moment.assign_add(value)

    def result(self) -> tf.Tensor:
        """The coefficient in [-1, 1]; 0 before the first batch."""
        return tf.cast(ccc_from_moments(*(tf.convert_to_tensor(moment) for moment in self.moments)), tf.float32)


@keras.saving.register_keras_serializable(package="emobed_tf")
class PooledConfusion(keras.metrics.Metric):
    """A score of the confusion matrix (F1 in one of its readings, or the unweighted average recall) over an epoch.

    Args:
        classes: number of classes.
        score: one of a classification, see `score_table.SCORES`; also the default name.
        name: of the metric.
        dtype: of the counts.
    """

    def __init__(self, classes: int, score: str = "f1_macro", name: str | None = None, dtype: str = "float64"):
        super().__init__(name=name or score, dtype=dtype)
        self.classes, self.score = classes, score
        self.confusion = self.add_weight(shape=(classes, classes), initializer="zeros", name="confusion")

    def update_state(self, y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None) -> None:
        """Adds a batch.

        Args:
            y_true: int `[batch]`, class indices.
            y_pred: float `[batch, classes]`, logits or probabilities.
            sample_weight: bool or float `[batch]`; default: all count.
        """
        weight = tf.ones(tf.shape(y_true), tf.float64) if sample_weight is None else tf.cast(sample_weight, tf.float64)
        true = tf.one_hot(y_true, self.classes, dtype=tf.float64)
        pred = tf.one_hot(tf.argmax(y_pred, axis=-1), self.classes, dtype=tf.float64)
        self.confusion.assign_add(tf.matmul(true * weight[:, None], pred, transpose_a=True))

    def result(self) -> tf.Tensor:
        """The score in [0, 1]."""
        function = cast(Callable[[Any], Any], SCORES[self.score].function)  # all of a classification have one
        return tf.cast(function(tf.convert_to_tensor(self.confusion)), tf.float32)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        return {**super().get_config(), "classes": self.classes, "score": self.score}
