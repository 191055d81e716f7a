"""VGG16 up to fc7 in the plainest words, with SciPy's two-dimensional correlation: no word of it is the package's."""

import numpy as np
from scipy.signal import correlate2d

BLOCKS = (2, 2, 3, 3, 3)


def random_weights(channels, units, seed=0):
    """Small networks of the same form: kernels `[3, 3, in, out]` or `[in, out]`, and biases, by layer."""
    rng = np.random.default_rng(seed)
    weights, entering = {}, 3
    for block, count in enumerate(BLOCKS, 1):
        for k in range(1, count + 1):
            kernel = rng.normal(scale=(2 / (9 * entering)) ** 0.5, size=(3, 3, entering, channels))
            weights[f"conv{block}_{k}"] = kernel, rng.normal(scale=5, size=channels)
            entering = channels
    entering *= 7 * 7
    for name in ("fc6", "fc7"):
        weights[name] = rng.normal(scale=(2 / entering) ** 0.5, size=(entering, units)), rng.normal(size=units)
        entering = units
    return weights


def fc7(weights, picture):
    """Of one picture `[224, 224, 3]`, blue, green and red, from which the means have been taken."""
    flow = np.asarray(picture, float)
    for block, count in enumerate(BLOCKS, 1):
        for k in range(1, count + 1):
            kernel, bias = weights[f"conv{block}_{k}"]
            out = []
            for leaving in range(kernel.shape[3]):
                layers = (
                    correlate2d(flow[:, :, entering], kernel[:, :, entering, leaving], mode="same")
                    for entering in range(kernel.shape[2])
                )
                out.append(np.maximum(sum(layers) + bias[leaving], 0))
            flow = np.stack(out, axis=2)
        flow = np.maximum.reduce([flow[a::2, b::2] for a in (0, 1) for b in (0, 1)])
    flow = flow.ravel()  # row by row, and in each place channel by channel
    for name in ("fc6", "fc7"):
        kernel, bias = weights[name]
        flow = np.maximum(flow @ kernel + bias, 0)
    return flow
