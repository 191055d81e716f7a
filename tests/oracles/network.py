"""The paper's network in NumPy, from a run's weights."""

import numpy as np


def in_numpy(run, target, inputs, encoder_layers, head_layers, clip=10.0):
    """The paper's network from the run's weights in double precision: embedding and outputs `[batch, frames, ...]`."""
    weights = {name: values.astype(np.float64) for name, values in run.read_arrays("best").items()}
    hidden = (inputs - weights[f"{target}.standardise/mean"]) / weights[f"{target}.standardise/deviation"]
    hidden = np.clip(np.where(np.isnan(inputs), 0, hidden), -clip, clip)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def gru(sequence, layer):
        w, r, b = (weights[f"{layer}/{name}"] for name in ("kernel", "recurrent_kernel", "bias"))
        h, states = np.zeros((len(sequence), len(r))), []
        for frame in np.moveaxis(sequence, 1, 0):
            (xz, xr, xn), (hz, hr, hn) = np.split(frame @ w + b[0], 3, axis=-1), np.split(h @ r + b[1], 3, axis=-1)
            z = sigmoid(xz + hz)
            h = z * h + (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn)
            states.append(h)
        return np.stack(states, axis=1)

    for k in range(encoder_layers):
        hidden = gru(hidden, f"{target}.gru_{k + 1}")
    embedding = hidden
    for k in range(head_layers):
        hidden = gru(hidden, f"shared.gru_{k + 1}")
    return embedding, hidden @ weights["shared.output/kernel"] + weights["shared.output/bias"]
