"""The parts of a network: an encoder per modality (Eq. 1), and the shared head (Eq. 2)."""

import keras

from emobed_tf.config import Network
from emobed_tf.models.fused_gru import FusedGRU
from emobed_tf.models.standardise import Standardise

HEAD = "shared.head"


# The dot keeps these names apart from the modalities', which have none.
def gru_layer(units: int, name: str, fused: bool, xla: bool) -> keras.layers.Layer:
    """A GRU layer over all frames: the fused one, compiled in training or not, or Keras' own."""
    if not fused:
        return keras.layers.GRU(units, return_sequences=True, name=name)
    layer = FusedGRU(units, return_sequences=True, name=name)
    layer.compile_training = xla
    return layer


def encoder_network(modality: str, width: int, network: Network, clip: float, xla: bool) -> keras.Model:
    """A modality's encoder (Eq. 1): float32 `[batch, frames, width]` -> `[batch, frames, units]`."""
    features = keras.Input((None, width), name=f"{modality}.features")
    hidden = Standardise(clip, name=f"{modality}.standardise")(features)
    for k in range(network.encoder_layers):
        hidden = gru_layer(network.encoder_units, f"{modality}.gru_{k + 1}", network.fused, xla)(hidden)
    return keras.Model(features, hidden, name=f"{modality}.encoder")


def head_network(outputs: int, network: Network, xla: bool) -> keras.Model:
    """The shared head (Eq. 2): float32 `[batch, frames, units]` -> `[batch, frames, outputs]`."""
    embedding = hidden = keras.Input((None, network.encoder_units), name="shared.embedding")
    for k in range(network.head_layers):
        hidden = gru_layer(network.head_units, f"shared.gru_{k + 1}", network.fused, xla)(hidden)
    return keras.Model(embedding, keras.layers.Dense(outputs, name="shared.output")(hidden), name=HEAD)
