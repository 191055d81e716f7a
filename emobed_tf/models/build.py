"""The network of a configuration."""

import functools
from collections.abc import Mapping

import keras
import numpy as np

from emobed_tf.config import Config, Network
from emobed_tf.corpora.facts import Facts
from emobed_tf.models.emobed import EmoBed
from emobed_tf.models.network import encoder_network, head_network
from emobed_tf.models.weights import set_weight_arrays

_MODELS_KEPT = 8


def build_model(config: Config, facts: Facts) -> EmoBed:
    """The network of a run, with the seed's initial weights."""
    widths = {name: len(columns) for name, columns in facts.features.items()}
    training = config.training
    return build_emobed(
        widths, facts.outputs, config.network, seed=training.seed, clip=config.data.clip, xla=training.xla
    )


def monomodal_model(config: Config, facts: Facts, weights: Mapping[str, np.ndarray]) -> keras.Model:
    """The target's encoder and the head with given weights, valid until the next call for a network of its shape.

    Args:
        config: of the training.
        facts: of the training.
        weights: by name, see `models.weights.weight_arrays`; those of the auxiliaries are left alone.

    Returns:
        float32 `[batch, frames, features]` -> `[batch, frames]` (regression) or `[batch, classes]`.
    """
    width = len(facts.features[facts.target])
    model = _target_only(facts.target, width, facts.outputs, config.network, config.data.clip)
    set_weight_arrays(model, weights)
    return model.monomodal(facts.target)


@functools.lru_cache(maxsize=_MODELS_KEPT)
def _target_only(target: str, width: int, outputs: int, network: Network, clip: float) -> EmoBed:
    return build_emobed({target: width}, outputs, network, seed=0, clip=clip)


def build_emobed(
    features: Mapping[str, int],
    outputs: int = 1,
    network: Network | None = None,
    *,
    seed: int = 0,
    clip: float = 10.0,
    xla: bool = True,
) -> "EmoBed":
    """An untrained network: per modality an encoder (Eq. 1), and one shared head (Eq. 2).

    Args:
        features: number of features by modality; only these get a branch.
        outputs: 1 for regression (linear, per frame), the number of classes for classification (logits, per frame).
        network: layers and units. Default: the paper's for RECOLA.
        seed: of the initial weights. A layer's are derived from the seed and its name, so that a network with more
            modalities begins with the same weights where both have a layer.
        clip: see `Standardise`.
        xla: whether fused layers and mining compile themselves in training.

    Returns:
        The model: `{modality: float32 [batch, frames, features]}` -> `{modality: [batch, frames, outputs]}`.
    """
    network = network or Network()
    inputs = {name: keras.Input((None, width), name=name) for name, width in features.items()}
    encoders = {name: encoder_network(name, width, network, clip, xla) for name, width in features.items()}
    head = head_network(outputs, network, xla)
    model = EmoBed(inputs=inputs, outputs={name: head(encoders[name](inputs[name])) for name in features})
    model.compile_mining = xla
    model.initialise(seed)
    return model
