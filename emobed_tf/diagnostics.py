"""What TensorBoard shows beside the terms of the loss: gradient norms, and a warning when the embedding collapses."""

import warnings
from typing import TYPE_CHECKING

import keras

from emobed_tf.errors import EmoBedWarning

if TYPE_CHECKING:
    from emobed_tf.training import Setup

RANK, SEPARATION = 1.5, 1e-3


class Diagnostics(keras.callbacks.Callback):
    """Adds the gradient norm of every weighted term to an epoch's logs, and warns once of a collapsed embedding.

    Args:
        setup: model and data.
        every: epochs between two looks at gradients; 0: never. It costs one more pass for every term.
    """

    def __init__(self, setup: "Setup", every: int):
        super().__init__()
        self.setup, self.every = setup, every
        self._warned = False

    def on_epoch_end(self, epoch, logs=None):
        if self.every and epoch % self.every == 0:
            batch = next(iter(self.setup.batches(epoch * self.setup.steps_per_epoch)))
            for name, norm in self.model.gradient_norms(batch).items():
                logs[f"gradient_norm_{name}"] = float(norm)
        self._warn_of_collapse(epoch, logs)

    def _warn_of_collapse(self, epoch: int, logs: dict[str, float]) -> None:
        collapsed = None
        if logs["effective_rank"] < RANK:
            collapsed = f"effective rank {logs['effective_rank']:.2f} of {self.model.head.input_shape[-1]}"
        elif logs.get("d_negative", 1.0) < SEPARATION * logs["embedding_norm"]:
            collapsed = f"distance to the nearest negative {logs['d_negative']:.2g}"
        if collapsed and not self._warned:
            self._warned = True
            warnings.warn(
                f"the embedding has collapsed in epoch {epoch + 1}: {collapsed}; try a lower --beta, or "
                "--triplet-preset stable",
                EmoBedWarning,
                stacklevel=2,
            )
