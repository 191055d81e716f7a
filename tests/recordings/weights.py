"""Files of VGG16's weights, laid out as those that are given away."""

import h5py
import numpy as np
from scipy.io import savemat


def as_keras(path, weights):
    """rcmalli's: a group for each layer, with or without weights, and in it one of the same name with both arrays."""
    with h5py.File(path, "w") as file:
        for name, (kernel, bias) in weights.items():
            layer = file.create_group(name)
            layer.attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
            layer[f"{name}/kernel:0"], layer[f"{name}/bias:0"] = kernel, bias
        file.create_group("pool1")
    return path


def as_matconvnet(path, weights, *, inside="net", fields="weights"):
    """Oxford's: a list of layers, fully connected ones are convolutions, and the first takes red, green and blue."""
    layers = []
    for name, (kernel, bias) in weights.items():
        if name == "conv1_1":
            kernel = kernel[:, :, ::-1]
        if name == "fc6":
            kernel = kernel.reshape(7, 7, -1, kernel.shape[1])
        if name == "fc7":
            kernel = kernel[None, None]
        kernel, bias = kernel.astype(np.float32), bias.astype(np.float32)[None]
        parts = np.empty(2, object)
        parts[:] = [kernel, bias]
        numbers = {"weights": parts} if fields == "weights" else {"filters": kernel, "biases": bias}
        rectifier = name.replace("conv", "relu").replace("fc", "relu")
        layers += [{"type": "conv", "name": name, **numbers}, {"type": "relu", "name": rectifier}]
    cells = np.empty(len(layers), object)
    cells[:] = layers
    savemat(path, {"net": {"layers": cells}} if inside == "net" else {"layers": cells})
    return path
