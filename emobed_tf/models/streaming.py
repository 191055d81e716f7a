"""What a network remembers of the frames before, so that a recording can be answered as it comes, chunk by chunk.

A layer that remembers something declares two things: `stream_state_shape`, the shape of its state for one sequence, and
`stream(inputs, state) -> (outputs, state)`, which goes on from a state `[batch, *stream_state_shape]` and returns the
one after the last frame. Before the first frame, states are zeros. `tcn.TemporalBlock` is an example. A layer that sees
each frame by itself declares `stream_state_shape = None`.

GRU layers, and layers of Keras that see each frame by itself, are known here. Any other layer may remember something
that nobody goes on from, and its answers would be wrong without looking so: a network with such a layer has no stream.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emobed_tf.models.emobed import EmoBed
from emobed_tf.models.fused_gru import FusedGRU

_GRU = (keras.layers.GRU, FusedGRU)
_FRAMEWISE = (  # in inference
    keras.layers.Activation,
    keras.layers.ActivityRegularization,
    keras.layers.AlphaDropout,
    keras.layers.Dense,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.InputLayer,
    keras.layers.LeakyReLU,
    keras.layers.ReLU,
    keras.layers.SpatialDropout1D,
)
_FRAMEWISE_OVER_FEATURES = (
    keras.layers.LayerNormalization,
    keras.layers.RMSNormalization,
    keras.layers.Softmax,
    keras.layers.UnitNormalization,
)
_UNKNOWN = object()
_CHUNKS = (1, 2, 5, 1, 16, 7)
_LOUDNESS = 0.05  # of noise that is as loud as speech
_TOLERANCE = 1e-3  # rounding is a thousandth of it


def state_shapes(model: EmoBed, target: str) -> dict[str, tuple[int, ...]]:
    """The states that a stream of the target passes on, by name, in their order.

    Args:
        model: from `build_emobed`, without an `obstacle`.
        target: modality that is kept.

    Returns:
        Shapes for one sequence: `encoder_state_1` belongs to the encoder's first layer that remembers, and so on, then
        those of the head.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for name, part in _parts(model, target).items():
        remembered = [shape for shape in map(_state_shape, part.layers) if shape is not None]
        shapes |= {f"{name}_state_{k}": shape for k, shape in enumerate(remembered, 1)}
    return shapes


def continued(
    model: EmoBed, target: str, features: tf.Tensor, states: Mapping[str, tf.Tensor]
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """The next frames of a stream.

    Args:
        model: see `state_shapes`.
        target: modality that is kept.
        features: float32 `[batch, frames, features]`, one frame or more.
        states: of `state_shapes`, each `[batch, *shape]`, after the frame before; zeros before the first.

    Returns:
        The head's outputs `[batch, frames, outputs]`, and the states after the last frame.
    """
    hidden, after = features, {}
    for name, part in _parts(model, target).items():
        k = 0
        for layer in part.layers:
            if isinstance(layer, keras.layers.InputLayer):
                continue
            if _state_shape(layer) is None:
                hidden = layer(hidden)
            else:
                k += 1
                state = f"{name}_state_{k}"
                hidden, after[state] = _streamed(layer, hidden, states[state])
    return hidden, after


def obstacle(model: EmoBed, target: str) -> str | None:
    """Why a network can't be streamed.

    Args:
        model: from `build_emobed`, with the weights that it will have.
        target: modality that is kept.

    Returns:
        The reason in words; None where it can be streamed, which has then been tried with random features.
    """
    for part in _parts(model, target).values():
        for layer in part.layers:
            if _state_shape(layer) is _UNKNOWN:
                return (
                    f"layer '{layer.name}' ({type(layer).__name__}) doesn't say what it remembers of the frames before"
                )
    noise = np.random.default_rng(0).normal(size=(1, sum(_CHUNKS), model.encoder(target).input_shape[-1]))
    if target in model.waveforms:
        features = (_LOUDNESS * noise).astype(np.float32)
    else:
        mean, deviation = (weight.numpy() for weight in model.standardise(target).weights)
        features = (mean + deviation * noise).astype(np.float32)
    whole = model.head(model.encoder(target)(features)).numpy()
    shapes = state_shapes(model, target)
    states = {name: tf.zeros([1, *shape]) for name, shape in shapes.items()}
    parts = []
    for chunk in np.split(features, np.cumsum(_CHUNKS)[:-1], axis=1):
        outputs, states = continued(model, target, tf.constant(chunk), states)
        parts.append(outputs)
        for name, state in states.items():
            if state.shape != (1, *shapes[name]):
                return f"{name} was declared with shape {list(shapes[name])} and came back as {list(state.shape[1:])}"
    largest = float(np.abs(np.concatenate(parts, axis=1) - whole).max())
    if not largest <= _TOLERANCE * np.abs(whole).max():
        return f"chunks gave other answers than the whole (by {largest:.2g}): a layer remembers more than it says"
    return None


def _parts(model: EmoBed, target: str) -> dict[str, keras.Model]:
    return {"encoder": model.encoder(target), "head": model.head}


def _state_shape(layer: keras.layers.Layer) -> Any:
    """What a layer remembers of one sequence; None for nothing; `_UNKNOWN`."""
    kind = type(layer)  # a subclass may do something else
    if kind in _GRU:
        usual = layer.return_sequences and not (layer.go_backwards or layer.return_state or layer.stateful)
        return (layer.units,) if usual else _UNKNOWN
    if kind in _FRAMEWISE:
        return None
    if kind in _FRAMEWISE_OVER_FEATURES:
        return None if set(keras.tree.flatten(layer.axis)) <= {-1, 2} else _UNKNOWN
    return getattr(layer, "stream_state_shape", _UNKNOWN)


def _streamed(layer: keras.layers.Layer, inputs: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    if type(layer) in _GRU:
        outputs = layer(inputs, initial_state=state)
        return outputs, outputs[:, -1]
    return layer.stream(inputs, state)
