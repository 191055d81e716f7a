"""Training from the signal on PyTorch: the same convolutions, GRU layers, loss and step."""

from typing import Any

import numpy as np
import torch
from torch import nn

from tests.benchmarks.training_torch import _gru, _set, ccc_loss
from tests.benchmarks.worker import Driver, resident

_ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU}


class Network(nn.Module):
    """Convolutions over samples, GRU layers over frames, and a linear output.

    Args:
        weights: by layer and name, as Keras keeps them.
        facts: from the reference worker.
    """

    def __init__(self, weights: dict[str, np.ndarray], facts: dict[str, Any]):
        super().__init__()
        layers: list[nn.Module] = []
        for k, (_, _, stride, pool) in enumerate(facts["stages"], 1):
            kernel, bias = (weights[f"{facts['layer']}/stage_{k}_{name}"] for name in ("kernel", "bias"))
            convolution = nn.Conv1d(kernel.shape[1], kernel.shape[2], kernel.shape[0], stride=stride)
            _set(convolution, weight=kernel.transpose(2, 1, 0), bias=bias)
            layers += [convolution, _ACTIVATIONS[facts["activation"]]()]
            layers += [nn.MaxPool1d(pool)] if pool > 1 else []
        self.convolutions = nn.Sequential(*layers)
        self.encoder = _gru(weights, "audio")
        kernel, bias = weights["shared.output/kernel"], weights["shared.output/bias"]
        self.output = nn.Linear(*kernel.shape)
        _set(self.output, weight=kernel.T, bias=bias)

    def forward(self, signal: torch.Tensor, frames: int) -> torch.Tensor:
        """Outputs `[frames, batch]` of samples `[batch, 1, tail + samples]`."""
        channels = self.convolutions(signal).transpose(1, 2)
        channels = channels.reshape(len(signal), frames, -1).transpose(0, 1)
        return self.output(self.encoder(channels)[0])[..., 0]


def main() -> None:
    driver = Driver()
    arguments, facts = driver.arguments, driver.arguments["facts"]
    torch.set_num_threads(arguments["threads"])
    arrays = np.load(arguments["file"])
    weights = {name.removeprefix("weights/"): arrays[name] for name in arrays if name.startswith("weights/")}
    network = Network(weights, facts)
    samples = arrays["batch/features"]
    batch, frames = samples.shape[:2]
    mean, deviation = (weights[f"audio.standardise/{name}"] for name in ("mean", "deviation"))
    # Zeros stand before the first sample, as in ours, where what is standardised is padded.
    standardised = (samples.reshape(batch, -1) - mean) / deviation
    padded = np.pad(standardised, [(0, 0), (facts["tail"], 0)])
    signal = torch.from_numpy(padded[:, None].astype(np.float32))
    labels = torch.from_numpy(arrays["batch/labels"].T.copy())
    kernels = [value for name, value in network.named_parameters() if "weight" in name]
    others = [value for name, value in network.named_parameters() if "weight" not in name]
    groups = [{"params": kernels, "weight_decay": 2 * facts["l2"]}, {"params": others}]
    adam = torch.optim.Adam(groups, lr=facts["rate"], eps=1e-7, fused=True)

    def loss_of_batch() -> torch.Tensor:
        adam.zero_grad()
        loss = ccc_loss(labels, network(signal, frames))
        loss.backward()
        return loss

    loss = loss_of_batch()
    decay = {kernel: 2 * facts["l2"] * kernel.detach() for kernel in kernels}
    gradients = [value.grad + decay.get(value, 0) for value in network.parameters()]
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients]))
    squares = sum(float((kernel.detach() ** 2).sum()) for kernel in kernels)
    steps = arguments["steps"]

    def repeat() -> None:
        for _ in range(steps):
            loss_of_batch()
            adam.step()

    computes = [float(loss.detach()) + facts["l2"] * squares, float(norm)]
    driver.serve(repeat, per_repeat=steps, computes=computes, before=resident())


if __name__ == "__main__":
    main()
