"""Encoders by name: from standardised features to an embedding per frame (Eq. 1).

An encoder is a function that is given the settings of the network, the name of a modality, and whether layers may
compile themselves with XLA in training. It returns Keras layers, which are applied one after another behind
`Standardise`: float32 `[batch, frames, features]` -> `[batch, frames, encoder_units]`. In `blstm.py`, say:

    import keras

    def blstm(network, modality, xla):
        layers = []
        for k in range(network.encoder_layers):
            lstm = keras.layers.LSTM(network.encoder_units // 2, return_sequences=True)
            layers.append(keras.layers.Bidirectional(lstm, name=f"{modality}.blstm_{k + 1}"))
        return layers

`python -m emobed_tf.train --encoder blstm:blstm` trains with it. To make an encoder the package's own takes one more
line, in `settings.ENCODERS`.

- A layer's name begins with the modality and a dot. Weights are stored by that name and initialised by it: each takes
  the layer's own initialiser, with a seed that the name decides; see `initial`. A layer of one's own makes a weight by
  `self.add_weight(name="…_kernel", shape=…, initializer="glorot_uniform")`.
- An embedding depends on its frame and those before it alone: behind a recording there may be padding, and no mask is
  passed on. See `padding`.
- An exported model can be streamed if each layer says what it remembers of the frames before; see `streaming`.
- Weights whose names end in `kernel` count in R of Eq. 8; see `losses.squared_kernels`.
- Embeddings should be bounded, as a GRU's are: Eq. 6 as printed has no margin and no hinge, so that others grow without
  end. Otherwise train with `--triplet-preset stable`.
"""

import re
from collections.abc import Callable, Sequence

import keras

from emobed_tf.errors import InputError
from emobed_tf.importing import import_function
from emobed_tf.models.fused_gru import FusedGRU
from emobed_tf.models.initial import noted_initialisers
from emobed_tf.models.weights import inner_layers
from emobed_tf.settings import ENCODERS, Network

Encoder = Callable[[Network, str, bool], Sequence[keras.layers.Layer]]

_TAKEN = ("features", "standardise", "encoder")  # behind the modality's name
_NAMELESS = re.compile(r"variable(_\d+)?")  # what Keras calls a weight that has no name, counted up in the process


def gru(network: Network, modality: str, xla: bool) -> list[keras.layers.Layer]:
    """The paper's encoder: GRU layers. Embeddings lie in (-1, 1).

    Args:
        network: layers and units.
        modality: whose encoder it is.
        xla: whether fused layers compile themselves in training.

    Returns:
        The layers, in their order.
    """
    return [
        gru_layer(network.encoder_units, f"{modality}.gru_{k + 1}", network.fused, xla)
        for k in range(network.encoder_layers)
    ]


def dense(network: Network, modality: str, xla: bool) -> list[keras.layers.Layer]:
    """Layers of tanh units that see each frame by itself. Embeddings lie in (-1, 1).

    For utterances of one frame: from them a GRU's recurrent kernel gets no gradient.

    Args:
        network: layers and units.
        modality: whose encoder it is.
        xla: without effect.

    Returns:
        The layers, in their order.
    """
    return [
        keras.layers.Dense(network.encoder_units, activation="tanh", name=f"{modality}.dense_{k + 1}")
        for k in range(network.encoder_layers)
    ]


# The dot keeps these names apart from the modalities', which have none.
def gru_layer(units: int, name: str, fused: bool, xla: bool) -> keras.layers.Layer:
    """A GRU layer over all frames: the fused one, compiled in training or not, or Keras' own.

    Args:
        units: width of its output.
        name: of the layer.
        fused: whether it is a `FusedGRU`.
        xla: whether a fused one compiles itself in training.

    Returns:
        The layer, float32 `[batch, frames, features]` -> `[batch, frames, units]`.
    """
    if not fused:
        return keras.layers.GRU(units, return_sequences=True, name=name)
    layer = FusedGRU(units, return_sequences=True, name=name)
    layer.compile_training = xla
    return layer


def compiles_itself(layer: keras.layers.Layer) -> bool:
    """Whether all that `training` changes in a layer is that it may compile itself, which pays in scoring, too.

    Args:
        layer: of an encoder, or a model of encoders side by side.

    Returns:
        True for a `FusedGRU` without dropout, and for a model that has such layers alone.
    """
    if isinstance(layer, keras.Model):  # encoders side by side
        plain = (keras.layers.InputLayer, keras.layers.Concatenate, keras.layers.Dense)
        return all(isinstance(part, plain) or compiles_itself(part) for part in layer.layers)
    return isinstance(layer, FusedGRU) and not (layer.dropout or layer.recurrent_dropout)


def find_encoder(name: str) -> Encoder:
    """An encoder by name.

    Args:
        name: a key of `settings.ENCODERS`, or `package.module:NAME`.

    Returns:
        The function.

    Raises:
        InputError: if there is no such function.
    """
    return import_function("--encoder", name, ENCODERS.get(name, name))


def encoded(features: keras.KerasTensor, modality: str, network: Network, xla: bool) -> keras.KerasTensor:
    """A modality's embeddings in a functional model, from an encoder of its own.

    Args:
        features: standardised, symbolic, float32 `[batch, frames, features]`.
        modality: whose encoder it is; its layers' names begin with it.
        network: kind, layers and units.
        xla: whether layers may compile themselves in training.

    Returns:
        Symbolic, float32 `[batch, frames, encoder_units]`.

    Raises:
        InputError: if there is no encoder of that name, or it returns something else than layers that fit.
    """
    return applied(encoder_layers(modality, network, xla), features, network)


def encoder_layers(name: str, network: Network, xla: bool) -> Sequence[keras.layers.Layer]:
    """The layers of an encoder, not yet applied to anything.

    Args:
        name: their names begin with it: that of a modality, or of what several modalities share.
        network: kind, layers and units.
        xla: whether layers may compile themselves in training.

    Returns:
        The layers, in their order.

    Raises:
        InputError: if there is no encoder of that name, or it returns something else than layers that fit.
    """
    encoder = find_encoder(network.encoder)
    with noted_initialisers():
        layers = called(encoder, network, name, xla, f"--encoder {network.encoder}")
    check_layers(layers, name, f"--encoder {network.encoder}")
    return layers


def applied(layers: Sequence[keras.layers.Layer], features: keras.KerasTensor, network: Network) -> keras.KerasTensor:
    """What an encoder's layers make of features in a functional model. The same layers may be applied several times.

    Args:
        layers: from `encoder_layers`.
        features: symbolic, float32 `[batch, frames, features]`.
        network: whose layers they are.

    Returns:
        Symbolic, float32 `[batch, frames, encoder_units]`.

    Raises:
        InputError: if they give something else, or a weight has no name.
    """
    hidden = features
    with noted_initialisers():
        for layer in layers:
            hidden = layer(hidden)
    check_weights(layers, f"--encoder {network.encoder}")
    expected, found = (None, None, network.encoder_units), getattr(hidden, "shape", None)
    if found != expected:
        raise InputError(
            f"--encoder {network.encoder}: expected embeddings [batch, frames, {network.encoder_units}] "
            f"(--encoder-units), got {'several outputs' if found is None else _sizes(found)}"
        )
    return hidden


def called(function: Encoder, network: Network, modality: str, xla: bool, who: str) -> Sequence[keras.layers.Layer]:
    """What a function that somebody has named returns, an encoder or a front end; whether these are layers isn't known.

    Args:
        function: that was named.
        network: its first argument.
        modality: its second.
        xla: its third.
        who: flag and value, for the message.

    Returns:
        Layers, if it is what it should be.

    Raises:
        InputError: if it can't be called so.
    """
    try:
        return function(network, modality, xla)
    except TypeError as error:
        raise InputError(
            f"{who}: expected a function of network, modality and xla that returns a list of Keras layers; called with "
            f"them, it raised a TypeError: {error}"
        ) from error


def check_layers(layers: Sequence[keras.layers.Layer], modality: str, who: str) -> None:
    """Checks what a function of somebody's own returns, of which a network is to be made.

    Args:
        layers: what it returned.
        modality: with whose name the names of layers begin.
        who: flag and value, for the message.

    Raises:
        InputError: if these are not layers, or such as can't be trained or stored here.
    """
    if not isinstance(layers, Sequence) or not all(isinstance(layer, keras.layers.Layer) for layer in layers):
        raise InputError(f"{who}: expected a list of Keras layers, got {layers!r}")
    names = {f"{modality}.{name}" for name in _TAKEN}
    for layer in layers:
        if not layer.name.startswith(f"{modality}.") or layer.name in names:
            raise InputError(
                f"{who}: layer '{layer.name}': expected a name of its own that begins with '{modality}.', because "
                "weights are stored by it"
            )
        names.add(layer.name)
        if isinstance(layer, keras.Model):
            raise InputError(f"{who}: layer '{layer.name}' is a model; return the layers that it is made of")
        if any(isinstance(part, keras.layers.BatchNormalization) for part in inner_layers(layer)):
            raise InputError(
                f"{who}: layer '{layer.name}' normalises by the statistics of batches, padding among them, and such a "
                "training doesn't repeat; use keras.layers.LayerNormalization"
            )


def check_weights(layers: Sequence[keras.layers.Layer], who: str) -> None:
    """Checks that all weights have names.

    Args:
        layers: built.
        who: flag and value, for the message.

    Raises:
        InputError: if a weight has none.
    """
    for layer in layers:
        if any(_NAMELESS.fullmatch(weight.name) for weight in layer.weights):
            raise InputError(
                f"{who}: layer '{layer.name}' has a weight without a name; expected "
                "self.add_weight(name=…, …), because weights are stored by it"
            )


def _sizes(shape: tuple[int | None, ...]) -> str:
    return f"[{', '.join('any' if size is None else str(size) for size in shape)}]"
