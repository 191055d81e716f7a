"""Networks from an architecture, a configuration or numbers of features."""

import dataclasses
from collections.abc import Collection, Mapping

import keras

from emobed_tf.config import Config
from emobed_tf.corpora.facts import Facts
from emobed_tf.models.design import EMOBED, HIDDEN, Architecture, Branch, Design, Head
from emobed_tf.models.emobed import EmoBed
from emobed_tf.models.encoders import gru_layer
from emobed_tf.models.network import Trunk, embedded, encoder_network, head_network, standardised_input, trunk_layers
from emobed_tf.settings import Network


def build_emobed(
    features: Mapping[str, int],
    outputs: int = 1,
    network: Network | None = None,
    *,
    seed: int = 0,
    clip: float = 10.0,
    xla: bool = True,
    waveforms: Collection[str] = (),
) -> EmoBed:
    """An untrained network: per modality an encoder (Eq. 1), and one shared head (Eq. 2).

    Args:
        features: number of features by modality, of a waveform samples a frame; only these get a branch.
        outputs: 1 for regression (linear, per frame), the number of classes for classification (logits, per frame).
        network: layers and units, and what modalities share. Default: the paper's for RECOLA.
        seed: see `build`.
        clip: see `Standardise`.
        xla: whether fused layers and mining compile themselves in training.
        waveforms: modalities of which features are samples in [-1, 1): the network's front end stands before them.

    Returns:
        The model: `{modality: float32 [batch, frames, features]}` -> `{modality: [batch, frames, outputs]}`.

    Example:
        >>> import numpy as np
        >>> model = build_emobed({"audio": 88, "face": 168}, network=Network(encoder_units=8, head_units=8))
        >>> model.monomodal("audio").predict_on_batch(np.zeros((2, 25, 88), np.float32)).shape
        (2, 25)
    """
    branches = tuple(Branch(name, ((name, width),), name in waveforms) for name, width in features.items())
    return build(Architecture(branches, outputs, network or Network(), clip), seed=seed, xla=xla)


def build_model(config: Config, facts: Facts) -> EmoBed:
    """The network of a run, with the seed's initial weights.

    Args:
        config: layers, units and seed.
        facts: features of each modality, and classes.

    Returns:
        See `build`.
    """
    return build(architecture(config, facts), seed=config.training.seed, xla=config.training.xla)


def architecture(config: Config, facts: Facts, design: Design = EMOBED) -> Architecture:
    """What is built for a training.

    Args:
        config: layers and units.
        facts: features of each modality, and classes.
        design: encoders of the target, and heads beside the label's.

    Returns:
        What `build` takes.
    """
    branches = [
        Branch(name, ((name, len(columns)),), name in facts.sample_rates) for name, columns in facts.features.items()
    ]
    if design.parts:
        branches[0] = Branch(facts.target, tuple(design.parts))
    return Architecture(tuple(branches), facts.outputs, config.network, config.data.clip, tuple(design.heads))


def build(architecture: Architecture, *, seed: int = 0, xla: bool = True) -> EmoBed:
    """An untrained network.

    Args:
        architecture: what it is.
        seed: of the initial weights. A layer's are derived from the seed and its name, so that networks begin with the
            same weights where both have a layer, whatever else they have.
        xla: whether fused layers and mining compile themselves in training.

    Returns:
        The model: `{modality: float32 [batch, frames, features]}` -> `{modality: [batch, frames, outputs]}` and, by the
        names of further heads' layers, `[batch, frames, width]`.
    """
    network, target = architecture.network, architecture.branches[0]
    inputs = {b.modality: keras.Input((None, b.width), name=b.modality) for b in architecture.branches}
    trunk = trunk_layers(network, xla)
    encoders = {b.modality: _encoder(b, architecture, xla, trunk) for b in architecture.branches}
    embeddings = {name: encoders[name](inputs[name]) for name in inputs}
    units = network.encoder_units * len(target.parts)
    head = head_network(architecture.outputs, dataclasses.replace(network, encoder_units=units), xla)
    outputs = {name: head(embedding) for name, embedding in embeddings.items()}
    embedding = embeddings[target.modality]
    if any(not other.apart for other in architecture.heads):
        hidden = _with_hidden(head)(embedding)[0]
    for other in architecture.heads:
        source = embedding if other.apart else hidden
        outputs[other.layer] = _other_head(other, source.shape[-1], network, xla)(source)
    model = EmoBed(inputs=inputs, outputs=outputs)
    model.compile_mining, model.heads = xla, architecture.heads
    model.waveforms = tuple(branch.modality for branch in architecture.branches if branch.waveform)
    model.initialise(seed)
    return model


def _encoder(branch: Branch, architecture: Architecture, xla: bool, trunk: Trunk) -> keras.Model:
    network, clip = architecture.network, architecture.clip
    if len(branch.parts) == 1:
        return encoder_network(branch.modality, branch.width, network, clip, xla, trunk, waveform=branch.waveform)
    features, standardised = standardised_input(branch.modality, branch.width, clip)
    embedding = _side_by_side(branch, network, xla, trunk)(standardised)
    return keras.Model(features, embedding, name=f"{branch.modality}.encoder")


def _side_by_side(branch: Branch, network: Network, xla: bool, trunk: Trunk) -> keras.Model:
    """An encoder for each part of standardised features, their embeddings concatenated."""
    standardised = keras.Input((None, branch.width), name=f"{branch.modality}.standardised")
    embeddings, first = [], 0
    for name, width in branch.parts:
        embeddings.append(embedded(standardised[..., first : first + width], name, network, xla, trunk))
        first += width
    together = keras.layers.Concatenate(name=f"{branch.modality}.embedding")(embeddings)
    return keras.Model(standardised, together, name=f"{branch.modality}.parts")


def _with_hidden(head: keras.Model) -> keras.Model:
    """The label's head, with what its last layer reads as its first output."""
    return keras.Model(head.input, [head.get_layer("shared.output").input, head.output], name=HIDDEN)


def _other_head(head: Head, width: int, network: Network, xla: bool) -> keras.Model:
    start = hidden = keras.Input((None, width), name=f"{head.name}.input")
    for k in range(network.head_layers if head.apart else 0):
        hidden = gru_layer(network.head_units, f"{head.name}.gru_{k + 1}", network.fused, xla)(hidden)
    return keras.Model(start, keras.layers.Dense(head.width, name=f"{head.name}.output")(hidden), name=head.layer)
