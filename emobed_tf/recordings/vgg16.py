"""VGG16 as far as `fc7`, with VGG-Face's weights from the files in which there are any."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from emobed_tf.errors import InputError

SIZE = 224
"""Height and width of its pictures in pixels."""
SUFFIXES = (".h5", ".hdf5", ".mat")
"""Of files that `read_weights` reads."""
MEANS = (93.5940, 104.7624, 129.1863)
"""Of the faces that it was trained on: blue, green and red."""
_BLOCKS = (2, 2, 3, 3, 3)  # convolutions before each pooling
_CONVOLUTIONS = tuple(f"conv{block}_{k + 1}" for block, count in enumerate(_BLOCKS, 1) for k in range(count))
LAYERS = (*_CONVOLUTIONS, "fc6", "fc7")
"""Layers with weights, in order."""
Weights = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""Kernel and bias of each layer, float32: `[3, 3, in, out]`, of the first for blue, green and red; or `[in, out]`."""


def read_weights(path: Path) -> Weights:
    """Reads weights.

    Args:
        path: rcmalli's `rcmalli_vggface_tf_vgg16.h5` for Keras, or Oxford's `vgg_face.mat` for MatConvNet, also as
            MatConvNet has it itself. The latter take red, green and blue, so their first kernel is turned round.

    Returns:
        What there is of VGG16 up to `fc7`.

    Raises:
        InputError: if it is no such file, or layers are missing or don't fit to one another.
    """
    try:
        found = _of_matconvnet(path) if path.suffix.lower() == ".mat" else _of_keras(path)
    except (OSError, ValueError, TypeError, AttributeError, NotImplementedError, MatReadError) as error:
        raise InputError(f"{path}: no weights that can be read ({' '.join(str(error).split())})") from None
    missing = [name for name in LAYERS if name not in found]
    if missing:
        raise InputError(f"{path}: no layer {', '.join(missing)}; expected VGG-Face's VGG16 with its top")
    weights: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name in LAYERS:
        if len(found[name]) != 2:
            raise InputError(f"{path}: layer {name}: expected a kernel and a bias, got {len(found[name])} arrays")
        kernel, bias = (np.asarray(part, np.float32) for part in found[name])
        weights[name] = kernel.reshape(-1, kernel.shape[-1]) if name.startswith("fc") else kernel, bias
    _check(path, weights)
    return weights


def _of_keras(path: Path) -> dict[str, list[np.ndarray]]:
    with h5py.File(path) as file:
        layers = file.get("model_weights", file)  # of a whole model
        return {name: _kernel_and_bias(layers[name]) for name in LAYERS if name in layers}


def _kernel_and_bias(group: Any) -> list[np.ndarray]:
    arrays: list[np.ndarray] = []
    group.visititems(lambda _, one: arrays.append(one[()]) if isinstance(one, h5py.Dataset) else None)
    return sorted(arrays, key=np.ndim, reverse=True)


def _of_matconvnet(path: Path) -> dict[str, list[np.ndarray]]:
    file = loadmat(path, squeeze_me=True, struct_as_record=False)
    layers = file["layers"] if "layers" in file else getattr(file.get("net"), "layers", ())
    found = {}
    for layer in layers:
        if layer.name in LAYERS:
            kernel, bias = (layer.filters, layer.biases) if hasattr(layer, "filters") else layer.weights
            found[layer.name] = [kernel[:, :, ::-1] if layer.name == LAYERS[0] else kernel, bias]
    return found


def _check(path: Path, weights: Weights) -> None:
    entering = 3
    for name in LAYERS:
        kernel, bias = (part.shape for part in weights[name])
        if name == "fc6":
            entering *= (SIZE // 2 ** len(_BLOCKS)) ** 2
        expected = (entering,) if name.startswith("fc") else (3, 3, entering)
        if kernel[:-1] != expected or bias != kernel[-1:]:
            raise InputError(f"{path}: layer {name}: expected a kernel {[*expected, 'any']} and its bias, got {kernel}")
        entering = kernel[-1]


def network(weights: Weights) -> Callable[[np.ndarray], np.ndarray]:
    """What computes `fc7`. It needs TensorFlow in this process.

    Args:
        weights: from `read_weights`.

    Returns:
        From pictures `[n, 224, 224, 3]`, red, green and blue in [0, 255], to the activations of `fc7` behind its
        rectifier, float32 `[n, 4096]`.
    """
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32)])
    def fc7(pictures: Any) -> Any:
        flow = pictures[..., ::-1] - tf.constant(MEANS)
        for block, count in enumerate(_BLOCKS, 1):
            for k in range(count):
                kernel, bias = weights[f"conv{block}_{k + 1}"]
                flow = tf.nn.relu(tf.nn.conv2d(flow, kernel, 1, "SAME") + bias)
            flow = tf.nn.max_pool2d(flow, 2, 2, "VALID")
        flow = tf.reshape(flow, [tf.shape(flow)[0], -1])
        for name in ("fc6", "fc7"):
            kernel, bias = weights[name]
            flow = tf.nn.relu(flow @ kernel + bias)
        return flow

    return lambda pictures: fc7(tf.constant(pictures, tf.float32)).numpy()
