"""The first layer of every encoder: online standardisation, inside the graph."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emobed_tf.corpora.moments import moments_of, usable_deviation


@keras.saving.register_keras_serializable(package="emobed_tf")
class Standardise(keras.layers.Layer):
    """Online standardisation (section 4.2): mean and deviation of the training frames, inside the graph.

    A missing value (NaN) becomes 0, the mean. Values beyond `clip` deviations are clipped: real features reach
    hundreds of deviations on speakers that training never saw.

    Args:
        clip: in training deviations.
        **kwargs: of `keras.layers.Layer`.
    """

    stream_state_shape = None  # each frame is seen by itself, see `streaming`

    def __init__(self, clip: float = 10.0, **kwargs: Any):
        super().__init__(**kwargs)
        self.clip = clip

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes mean and deviation, 0 and 1 until `adapt`.

        Args:
            input_shape: of the features; the last size has to be known.
        """
        width = (input_shape[-1],)
        self.mean = self.add_weight(shape=width, initializer="zeros", trainable=False, name="mean")
        self.deviation = self.add_weight(shape=width, initializer="ones", trainable=False, name="deviation")

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """Standardised features.

        Args:
            features: float32 `[..., features]`, NaN where missing.

        Returns:
            float32 `[..., features]` in [-clip, clip].
        """
        scaled = tf.clip_by_value((features - self.mean) / self.deviation, -self.clip, self.clip)
        present = tf.equal(features, features)  # False for NaN; ten times as fast as is_nan on a CPU
        return tf.where(present, scaled, tf.zeros_like(scaled))

    def adapt(self, features: np.ndarray) -> None:
        """Takes mean and deviation from training frames, missing values left out.

        Args:
            features: float `[..., features]`, NaN where missing. A column that doesn't vary is only centred, and so
                is one that is missing everywhere (about 0).
        """
        moments = moments_of(features.reshape(-1, features.shape[-1]))
        self.mean.assign(moments.mean.astype(np.float32))
        self.deviation.assign(usable_deviation(moments).astype(np.float32))

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        return {**super().get_config(), "clip": self.clip}
