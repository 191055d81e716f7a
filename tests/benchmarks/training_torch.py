"""Training on PyTorch: the same network, objective and step, as PyTorch's users would write them for speed."""

from typing import Any

import numpy as np
import torch
from torch import nn

from tests.benchmarks.worker import Driver, resident


class Network(nn.Module):
    """An encoder per modality and a shared head; all modalities go through the head in one call.

    Args:
        weights: by layer and name, as Keras keeps them.
        modalities: names, target first.
    """

    def __init__(self, weights: dict[str, np.ndarray], modalities: list[str]):
        super().__init__()
        self.encoders = nn.ModuleDict({name: _gru(weights, name) for name in modalities})
        self.head = _gru(weights, "shared")
        kernel, bias = weights["shared.output/kernel"], weights["shared.output/bias"]
        self.output = nn.Linear(*kernel.shape)
        _set(self.output, weight=kernel.T, bias=bias)

    def forward(self, features: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        """Embeddings and outputs, `[frames, batch, ...]` by modality."""
        embeddings = {name: encoder(features[name])[0] for name, encoder in self.encoders.items()}
        outputs = self.output(self.head(torch.cat(list(embeddings.values()), dim=1))[0])
        return embeddings, dict(zip(embeddings, outputs.chunk(len(embeddings), dim=1), strict=True))


def _gru(weights: dict[str, np.ndarray], prefix: str) -> nn.GRU:
    layers = sum(name.startswith(f"{prefix}.gru_") and name.endswith("/bias") for name in weights)
    width = weights[f"{prefix}.gru_1/kernel"].shape[0]
    gru = nn.GRU(width, weights[f"{prefix}.gru_1/recurrent_kernel"].shape[0], layers)
    for k in range(layers):
        layer = {name: weights[f"{prefix}.gru_{k + 1}/{name}"] for name in ("kernel", "recurrent_kernel", "bias")}
        parts = {
            f"weight_ih_l{k}": layer["kernel"].T,
            f"weight_hh_l{k}": layer["recurrent_kernel"].T,
            f"bias_ih_l{k}": layer["bias"][0],
            f"bias_hh_l{k}": layer["bias"][1],
        }
        _set(gru, **{name: _reset_first(values) for name, values in parts.items()})
    return gru


def _reset_first(values: np.ndarray) -> np.ndarray:
    """Keras has the gates in the order update, reset, candidate; PyTorch reset, update, candidate."""
    update, reset, candidate = np.split(values, 3)
    return np.concatenate([reset, update, candidate])


def _set(module: nn.Module, **values: np.ndarray) -> None:
    with torch.no_grad():
        for name, value in values.items():
            getattr(module, name).copy_(torch.from_numpy(np.ascontiguousarray(value)))


def ccc_loss(labels: torch.Tensor, predictions: torch.Tensor) -> torch.Tensor:
    """1 - concordance over all frames of a batch."""
    centred, deviations = labels - labels.mean(), predictions - predictions.mean()
    error = (labels.mean() - predictions.mean()) ** 2
    product = (centred * deviations).mean()
    return 1 - 2 * product / ((centred**2).mean() + (deviations**2).mean() + error)


def triplet_loss(embeddings: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Eq. 6, batch-hard, mean over anchors. Mining needs no gradient, so only the chosen distances get one."""
    with torch.no_grad():
        distances = torch.cdist(embeddings, embeddings)
        same = classes[:, None] == classes[None, :]
        negative = distances.masked_fill(same, torch.inf).argmin(dim=1)
        positive = distances.masked_fill(~same, -torch.inf).fill_diagonal_(-torch.inf).argmax(dim=1)
        valid = (same.sum(dim=1) > 1) & ~same.all(dim=1)
    farther = torch.linalg.vector_norm(embeddings - embeddings[positive], dim=1)
    nearer = torch.linalg.vector_norm(embeddings - embeddings[negative], dim=1)
    return (farther - nearer)[valid].mean()


class Trainer:
    """A step of Eq. 8 on one batch that is ready in memory.

    Args:
        file: from the reference worker.
        facts: from the reference worker.
        fused: of Adam.
    """

    def __init__(self, file: str, facts: dict[str, Any], fused: bool):
        arrays = np.load(file)
        weights = {name.removeprefix("weights/"): arrays[name] for name in arrays if name.startswith("weights/")}
        modalities = list(facts["strides"])
        self.facts, self.network = facts, Network(weights, modalities)
        self.regression = facts["task"] == "regression"
        self.features, self.labels, classes = {}, {}, []
        for name in modalities:
            batch = {key: torch.from_numpy(arrays[f"batch/{name}/{key}"]) for key in ("features", "labels")}
            self.features[name] = batch["features"].transpose(0, 1).contiguous()
            self.labels[name] = batch["labels"].T.contiguous() if self.regression else batch["labels"].long()
            mined = torch.from_numpy(arrays[f"batch/{name}/mined_classes"])
            classes.append(mined.T.reshape(-1))
        self.classes = torch.cat(classes)
        parameters = dict(self.network.named_parameters())
        self.kernels = [value for name, value in parameters.items() if "weight" in name]
        biases = [value for name, value in parameters.items() if "weight" not in name]
        # The gradient of lambda times the sum of squares is Adam's weight decay of 2 lambda: no term of the loss.
        groups = [{"params": self.kernels, "weight_decay": 2 * facts["l2"]}, {"params": biases}]
        self.adam = torch.optim.Adam(groups, lr=facts["rate"], eps=1e-7, fused=fused)

    def loss(self) -> torch.Tensor:
        """Eq. 8 without the term of the kernels."""
        embeddings, outputs = self.network(self.features)
        weights = {name: 1.0 if name == self.facts["target"] else self.facts["alpha"] for name in outputs}
        total = sum(weights[name] * self._task_loss(name, values) for name, values in outputs.items())
        mined = [values[:: self.facts["strides"][name]].flatten(0, 1) for name, values in embeddings.items()]
        return total + self.facts["beta"] * triplet_loss(torch.cat(mined), self.classes)

    def _task_loss(self, name: str, outputs: torch.Tensor) -> torch.Tensor:
        if self.regression:
            return ccc_loss(self.labels[name], outputs[..., 0])
        return nn.functional.cross_entropy(outputs[-1], self.labels[name])

    def step(self) -> torch.Tensor:
        """Forward, backward, update."""
        self.adam.zero_grad()
        loss = self.loss()
        loss.backward()
        self.adam.step()
        return loss

    def loss_and_gradient(self) -> list[float]:
        """Eq. 8 and the Euclidean norm of its gradient, the kernels' term included."""
        loss = self.loss()
        loss.backward()
        l2 = self.facts["l2"]
        gradients = {value: value.grad for value in self.network.parameters()}
        gradients |= {kernel: kernel.grad + 2 * l2 * kernel.detach() for kernel in self.kernels}
        squares = sum(float((kernel.detach() ** 2).sum()) for kernel in self.kernels)
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients.values()]))
        return [float(loss) + l2 * squares, float(norm)]


def main() -> None:
    driver = Driver()
    arguments = driver.arguments
    torch.set_num_threads(arguments["threads"])
    # As TensorFlow does. Without it, steps slow down after a thousand of them on the one batch.
    torch.set_flush_denormal(arguments["steps"] > 1)
    trainer = Trainer(arguments["file"], arguments["facts"], arguments["fused"])
    before = resident()
    computes = trainer.loss_and_gradient()
    steps = arguments["steps"]

    def repeat() -> None:
        for _ in range(steps):
            trainer.step()

    driver.serve(repeat, per_repeat=steps, computes=computes, before=before)


if __name__ == "__main__":
    main()
