"""The parts of a network: an encoder per modality (Eq. 1), and the shared head (Eq. 2).

With `--sharing trunk` a modality has only a linear projection of its own. Behind it all modalities share the layers of
one encoder, the trunk (unpaired multimodal learner, arXiv:2510.08492).
"""

from collections.abc import Sequence

import keras

from emobed_tf.models.encoders import applied, encoded, encoder_layers, gru_layer
from emobed_tf.models.front_ends.registry import standardised_signal
from emobed_tf.models.standardise import Standardise
from emobed_tf.settings import Network

HEAD = "shared.head"
TRUNK = "shared.trunk"
"""What the names of a trunk's layers begin with. A modality's name has no dot, so none can be called that."""

Trunk = Sequence[keras.layers.Layer]
"""Layers that all modalities share in front of the head; none where each has an encoder of its own."""


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


def trunk_layers(network: Network, xla: bool) -> Trunk:
    """What modalities share in front of the head.

    Args:
        network: kind, layers and units of the encoder, and how much is shared.
        xla: whether layers may compile themselves in training.

    Returns:
        The layers of one encoder, to be applied to every modality; none with `--sharing head`.

    Raises:
        InputError: see `encoders.encoder_layers`.
    """
    return encoder_layers(TRUNK, network, xla) if network.sharing == "trunk" else ()


def embedded(
    standardised: keras.KerasTensor, modality: str, network: Network, xla: bool, trunk: Trunk = ()
) -> keras.KerasTensor:
    """A modality's embeddings: by an encoder of its own, or by a projection of its own and the shared trunk.

    The projection is linear: what a modality has for itself is a change of coordinates and nothing else.

    Args:
        standardised: symbolic, float32 `[batch, frames, features]`.
        modality: whose.
        network: kind, layers and units.
        xla: whether layers may compile themselves in training.
        trunk: from `trunk_layers`.

    Returns:
        Symbolic, float32 `[batch, frames, encoder_units]`.

    Raises:
        InputError: see `encoders.encoded`.
    """
    if not trunk:
        return encoded(standardised, modality, network, xla)
    projected = keras.layers.Dense(network.encoder_units, name=f"{modality}.projection")(standardised)
    return applied(trunk, projected, network)


def encoder_network(
    modality: str, width: int, network: Network, clip: float, xla: bool, trunk: Trunk = (), *, waveform: bool = False
) -> keras.Model:
    """A modality's encoder (Eq. 1).

    Args:
        modality: whose encoder.
        width: number of features.
        network: kind, layers and units.
        clip: see `Standardise`.
        xla: whether layers may compile themselves in training.
        trunk: from `trunk_layers`.
        waveform: whether features are samples, which a front end reads first.

    Returns:
        The model, float32 `[batch, frames, width]` -> `[batch, frames, units]`.

    Raises:
        InputError: see `encoders.encoded` and `front_ends.registry.standardised_signal`.
    """
    if waveform:
        features, standardised = standardised_signal(modality, width, network, clip, xla)
    else:
        features, standardised = standardised_input(modality, width, clip)
    embedding = embedded(standardised, modality, network, xla, trunk)
    return keras.Model(features, embedding, name=f"{modality}.encoder")


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
