"""The parts of a network: an encoder per modality (Eq. 1), and the shared head (Eq. 2)."""

import keras

from emobed_tf.models.encoders import encoded, gru_layer
from emobed_tf.models.standardise import Standardise
from emobed_tf.settings import Network

HEAD = "shared.head"


def standardised_input(modality: str, width: int, clip: float) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Where an encoder begins.

    Args:
        modality: whose encoder.
        width: number of features.
        clip: see `Standardise`.

    Returns:
        Its input, and the same standardised, float32 `[batch, frames, width]` both.
    """
    features = keras.Input((None, width), name=f"{modality}.features")
    return features, Standardise(clip, name=f"{modality}.standardise")(features)


def encoder_network(modality: str, width: int, network: Network, clip: float, xla: bool) -> keras.Model:
    """A modality's encoder (Eq. 1).

    Args:
        modality: whose encoder.
        width: number of features.
        network: kind, layers and units.
        clip: see `Standardise`.
        xla: whether layers may compile themselves in training.

    Returns:
        The model, float32 `[batch, frames, width]` -> `[batch, frames, units]`.

    Raises:
        InputError: see `encoders.encoded`.
    """
    features, standardised = standardised_input(modality, width, clip)
    return keras.Model(features, encoded(standardised, modality, network, xla), name=f"{modality}.encoder")


def head_network(outputs: int, network: Network, xla: bool) -> keras.Model:
    """The shared head (Eq. 2).

    Args:
        outputs: 1 for regression, the number of classes for classification.
        network: layers and units.
        xla: whether layers may compile themselves in training.

    Returns:
        The model, float32 `[batch, frames, units]` -> `[batch, frames, outputs]`.
    """
    embedding = hidden = keras.Input((None, network.encoder_units), name="shared.embedding")
    for k in range(network.head_layers):
        hidden = gru_layer(network.head_units, f"shared.gru_{k + 1}", network.fused, xla)(hidden)
    return keras.Model(embedding, keras.layers.Dense(outputs, name="shared.output")(hidden), name=HEAD)
