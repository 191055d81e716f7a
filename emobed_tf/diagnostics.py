"""What TensorBoard shows beside the terms of the loss: gradient norms, and a warning when the embedding collapses."""

import warnings
from typing import TYPE_CHECKING

import keras

from emobed_tf.errors import EmoBedWarning

if TYPE_CHECKING:
    from emobed_tf.preparation import Setup

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
        if self._warned or "triplet" not in self.model.terms:
            return
        hint = "try a lower --beta, or --triplet-preset stable"
        if logs["valid_anchors"] == 0:
            problem = (
                "no embedding has a positive and a negative, so the triplet loss is 0; see --mining, --bins, --hop"
            )
        elif logs["effective_rank"] < RANK:
            rank, width = logs["effective_rank"], self.model.head.input_shape[-1]
            problem = f"the embedding has collapsed: effective rank {rank:.2f} of {width}; {hint}"
        elif logs["d_negative"] < SEPARATION * logs["embedding_norm"]:
            distance = logs["d_negative"]
            problem = f"the embedding has collapsed: distance to the nearest negative {distance:.2g}; {hint}"
        else:
            return
        self._warned = True
        warnings.warn(f"epoch {epoch + 1}: {problem}", EmoBedWarning, stacklevel=2)
