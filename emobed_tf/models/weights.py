"""Weights of a model as plain arrays by name, in and out."""

from collections.abc import Iterator, Mapping

import keras
import numpy as np

from emobed_tf.errors import InputError


def leaf_layers(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """Layers of a model and of the models in it, none of which is a model.

    Args:
        model: which may hold other models.

    Yields:
        Layers in the order of the model's.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from leaf_layers(layer)
        else:
            yield layer


def inner_layers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """A layer and all that are inside of it, such as a recurrent layer's cell.

    Args:
        layer: any.

    Returns:
        Each before those inside of it.
    """
    return layer._flatten_layers()  # Keras has no public way


def named_weights(layer: keras.layers.Layer) -> list[tuple[str, keras.Variable]]:
    """A layer's weights, those of layers inside of it among them, each with a name that is unique in the layer.

    A second `kernel` is called `kernel_2`: what Keras calls inner layers depends on what else the process has built.

    Args:
        layer: built.

    Returns:
        Names and weights, in the layer's order.
    """
    found: dict[str, keras.Variable] = {}
    for weight in layer.weights:
        name, k = weight.name, 1
        while name in found:
            k += 1
            name = f"{weight.name}_{k}"
        found[name] = weight
    return list(found.items())


def weight_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """A model's weights by layer and name.

    Args:
        model: built.

    Returns:
        Arrays by `layer/weight`.
    """
    return {name: weight.numpy() for name, weight in named_variables(model)}


def set_weight_arrays(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Sets a model's weights; arrays of parts that it doesn't have are left alone.

    Args:
        model: built.
        arrays: by `layer/weight`, as `weight_arrays` gives them.

    Raises:
        InputError: if one is missing, of another shape or type, or not finite.
    """
    for name, weight in named_variables(model):
        if name not in arrays:
            raise InputError(f"weight {name} is missing: the run was trained with another network")
        if arrays[name].shape != tuple(weight.shape):
            raise InputError(f"weight {name}: expected shape {tuple(weight.shape)}, found {arrays[name].shape}")
        if arrays[name].dtype.kind != np.dtype(weight.dtype).kind:
            raise InputError(f"weight {name}: expected numbers such as {weight.dtype}, found {arrays[name].dtype}")
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"weight {name}: not all of its numbers are finite; the file is damaged")
        weight.assign(arrays[name])


def named_variables(model: keras.Model) -> list[tuple[str, keras.Variable]]:
    """A model's weights with their names.

    Args:
        model: built.

    Returns:
        `layer/weight` and the variable, in the layers' order.
    """
    layers = leaf_layers(model)
    return [(f"{layer.name}/{name}", weight) for layer in layers for name, weight in named_weights(layer)]
