"""What a layer begins a training with: initial weights and random numbers, both from the seed and from names alone.

A weight takes the layer's own Keras initialiser, with a seed of its own where the initialiser takes one. So networks
that share a layer's name begin with the same weights in it, and a training repeats in a used model as in a new one.

Keras' layers have an attribute for it, such as `kernel_initializer`. What a layer of one's own hands to `add_weight` is
kept nowhere by Keras, and therefore noted on the weight while the layer is built.
"""

import contextlib
import functools
import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emobed_tf.errors import InputError
from emobed_tf.models.weights import inner_layers, named_weights

_DRAWS_OF_A_STEP = 1024  # more than any layer makes

_Initializer = Callable[..., tf.Tensor]  # of a shape and, by name, a dtype

_NOTE = "_told_to_add_weight"
_UNSAID = keras.initializers.GlorotUniform(0)  # what `add_weight` documents for a weight of numbers
_one_builds = threading.Lock()


@contextlib.contextmanager
def noted_initialisers() -> Iterator[None]:
    """While it lasts, `keras.layers.Layer.add_weight` notes on each new weight what it is told to begin with."""
    with _one_builds:
        add_weight = keras.layers.Layer.add_weight

        @functools.wraps(add_weight)
        def noting(layer: keras.layers.Layer, *args: Any, **kwargs: Any) -> keras.Variable:
            weight = add_weight(layer, *args, **kwargs)
            told = args[1] if len(args) > 1 else kwargs.get("initializer")
            setattr(weight, _NOTE, _UNSAID if told is None else told)
            return weight

        keras.layers.Layer.add_weight = noting
        try:
            yield
        finally:
            keras.layers.Layer.add_weight = add_weight


def initialise_layer(layer: keras.layers.Layer, seed: int) -> None:
    """Sets a layer's trainable weights, and what its random numbers begin with.

    Args:
        layer: built. Weights that are not trainable keep their values.
        seed: of the training.

    Raises:
        InputError: for a weight whose initialiser can't be found, or draws numbers that don't come from a seed.
    """
    for name, weight in named_weights(layer):
        if weight.trainable:
            weight.assign(_initial_value(layer, name, weight, _seed(seed, layer, name)))
    for k, state in enumerate(seed_states(layer)):
        state.assign([_seed(seed, layer, f"{state.name}_{k}"), 0])


def seed_states(layer: keras.layers.Layer) -> list[keras.Variable]:
    """States of the random numbers that a layer draws in training, such as a dropout's.

    Args:
        layer: built.

    Returns:
        Each is uint32 `[2]`: a seed, and a counter that each draw raises by one. Empty for a layer that draws none.
    """
    if isinstance(layer, keras.layers.GRU) and not (layer.dropout or layer.recurrent_dropout):
        return []  # it has one that it never uses
    weights = {id(weight) for weight in layer.weights}
    return [variable for variable in layer.variables if id(variable) not in weights]


def begin_step(layer: keras.layers.Layer, step: tf.Tensor) -> None:
    """Makes a layer's random numbers in a training step a function of the seed and the step alone.

    Whatever else was drawn before, a training that continues after a kill then draws what it would have drawn.

    Args:
        layer: of the network.
        step: its number, an integer.
    """
    for state in seed_states(layer):
        seed = tf.convert_to_tensor(state)[0]
        state.assign(tf.stack([seed, tf.cast(step * _DRAWS_OF_A_STEP, seed.dtype)]))


def _seed(seed: int, layer: keras.layers.Layer, name: str) -> int:
    return zlib.crc32(f"{seed}/{layer.name}/{name}".encode())


def _initial_value(layer: keras.layers.Layer, name: str, weight: keras.Variable, seed: int) -> tf.Tensor:
    owner = [part for part in inner_layers(layer) if any(one is weight for one in part.weights)][-1]
    initializer, who = _initializer(owner, weight), f"layer '{layer.name}': weight '{name}'"
    if initializer is None:
        raise InputError(
            f"{who} has no initialiser that can be found; make it with self.add_weight(name=…, initializer=…), or give "
            f"the {type(owner).__name__} an attribute {weight.name}_initializer, such as "
            "keras.initializers.get('glorot_uniform')"
        )
    if isinstance(initializer, keras.initializers.Initializer) and "seed" in initializer.get_config():
        initializer = type(initializer).from_config({**initializer.get_config(), "seed": seed})
    value = initializer(tuple(weight.shape), dtype=weight.dtype)
    of_keras = type(initializer).__module__.startswith("keras.")
    if not of_keras and np.any(value != initializer(tuple(weight.shape), dtype=weight.dtype)):
        raise InputError(
            f"{who}: its initialiser gives other numbers each time, and such a training doesn't repeat; use one of "
            "keras.initializers, which take their seed from --seed"
        )
    return value


def _initializer(owner: keras.layers.Layer, weight: keras.Variable) -> _Initializer | None:
    """What a layer was told for a weight: Keras names it after the weight, or its recurrent part; or what was noted."""
    if weight.name == "bias" and getattr(owner, "unit_forget_bias", False):
        return _unit_forget_bias(owner)
    names = (f"{weight.name}_initializer", f"{weight.name.removesuffix('_kernel')}_initializer")
    found = next((found for name in names if (found := getattr(owner, name, None)) is not None), None)
    return keras.initializers.get(getattr(weight, _NOTE, None)) if found is None else found


def _unit_forget_bias(owner: keras.layers.Layer) -> _Initializer:
    """An LSTM's bias as Keras begins with it: that of the forget gate, the second of four, is 1."""

    def initial(shape: tuple[int, ...], dtype: str) -> tf.Tensor:
        gates = tf.split(owner.bias_initializer(shape, dtype=dtype), 4)
        return tf.concat([gates[0], tf.ones_like(gates[1]), *gates[2:]], axis=0)

    return initial
