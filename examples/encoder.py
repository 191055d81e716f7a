"""An encoder of one's own: each frame beside its difference to the one before, then tanh units.

Deltas are a classic of speech processing: they say whether a voice rises or falls. The layer remembers one frame, and
says so, which is why models that are exported with this encoder can be streamed.

    cd examples && python -m emobed_tf.train --dataset recola --encoder encoder:deltas
"""

import keras
import tensorflow as tf

from emobed_tf.settings import Network


@keras.saving.register_keras_serializable(package="examples")
class Deltas(keras.layers.Layer):
    """Appends the difference to the frame before, and to zeros at the first frame.

    Input float32 `[batch, frames, features]`, output `[batch, frames, 2 * features]`.
    """

    def build(self, input_shape):
        """Notes the number of features; there are no weights."""
        self.width = input_shape[-1]

    @property
    def stream_state_shape(self) -> tuple[int, int]:
        """What is remembered of a sequence: the frame before."""
        return 1, self.width

    def stream(self, inputs, state):
        """The outputs of the next frames, and the state after them."""
        before = tf.concat([state, inputs[:, :-1]], axis=1)
        return tf.concat([inputs, inputs - before], axis=-1), inputs[:, -1:]

    def call(self, inputs):
        """The outputs of a whole sequence."""
        return self.stream(inputs, tf.zeros([tf.shape(inputs)[0], *self.stream_state_shape], inputs.dtype))[0]


def deltas(network: Network, modality: str, xla: bool) -> list[keras.layers.Layer]:
    """The layers of an encoder, in order; see `emobed_tf.models.encoders`."""
    layers = [Deltas(name=f"{modality}.deltas")]
    for k in range(network.encoder_layers):
        layers.append(keras.layers.Dense(network.encoder_units, "tanh", name=f"{modality}.dense_{k + 1}"))
    return layers
