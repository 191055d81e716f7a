"""The first layer of every encoder: online standardisation, inside the graph."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emobed_tf.corpora.moments import Moments, moments_of, usable_deviation


@keras.saving.register_keras_serializable(package="emobed_tf")
class Standardise(keras.layers.Layer):
    """Online standardisation (section 4.2): mean and deviation of the training frames, inside the graph.

    A missing value (NaN) becomes 0, the mean. Values beyond `clip` deviations are clipped: real features reach
    hundreds of deviations on speakers that training never saw.

    Args:
        clip: in training deviations; infinity: nothing is clipped.
        pooled: whether all features have one mean and one deviation together, as samples of a waveform have.
        **kwargs: of `keras.layers.Layer`.
    """

    stream_state_shape = None  # each frame is seen by itself, see `streaming`

    def __init__(self, clip: float = 10.0, pooled: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.clip, self.pooled = clip, pooled

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes mean and deviation, 0 and 1 until `adapt`.

        Args:
            input_shape: of the features; the last size has to be known.
        """
        width = (1 if self.pooled else input_shape[-1],)
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
        self.adapt_to(moments_of(features.reshape(-1, 1 if self.pooled else features.shape[-1])))

    def adapt_to(self, moments: Moments) -> None:
        """Takes mean and deviation from moments of training frames.

        Args:
            moments: of each feature; of a pooled layer, of all of them as one.
        """
        self.mean.assign(moments.mean.astype(np.float32))
        self.deviation.assign(usable_deviation(moments).astype(np.float32))

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        return {**super().get_config(), "clip": self.clip, "pooled": self.pooled}
