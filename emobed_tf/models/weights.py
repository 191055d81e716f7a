"""Weights of a model as plain arrays by name, in and out."""

from collections.abc import Iterator, Mapping

import keras
import numpy as np

from emobed_tf.errors import InputError


def leaf_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Layers of a model and of the models in it, none of which is a model."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaf_layers(layer)
        else:
            yield layer


def weight_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """A model's weights by layer and name."""
    return {f"{layer.name}/{weight.name}": weight.numpy() for layer, weight in _weights(model)}


def set_weight_arrays(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Sets a model's weights; arrays of parts that it doesn't have are left alone.

    Raises:
        InputError: if one is missing or of another shape.
    """
    for layer, weight in _weights(model):
        name = f"{layer.name}/{weight.name}"
        if name not in arrays:
            raise InputError(f"weight {name} is missing: the run was trained with another network")
        if arrays[name].shape != tuple(weight.shape):
            raise InputError(f"weight {name}: expected shape {tuple(weight.shape)}, found {arrays[name].shape}")
        weight.assign(arrays[name])


def _weights(model: keras.Model) -> Iterator[tuple[keras.layers.Layer, keras.Variable]]:
    return ((layer, weight) for layer in leaf_layers(model) for weight in layer.weights)
