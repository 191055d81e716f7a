"""The callbacks that watch a training: the best weights kept in memory, gradients and embeddings looked at."""

import contextlib
import math
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any

import keras
import numpy as np

from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.models.weights import named_variables
from emobed_tf.training.examples import LARGEST
from emobed_tf.training.setup import Setup

RANK, SEPARATION = 1.5, 1e-3


class DivergedError(InputError):
    """A term of the loss became NaN or infinite."""


class Recorder(keras.callbacks.Callback):
    """Keeps best weights and history in memory; stops early, at NaN, and at Ctrl-C.

    Args:
        score: name of the development score, higher is better.
        patience: epochs without a better score before training stops; 0: never.

    Attributes:
        history: a row per epoch; the same in every training of the same settings.
        times: a row per epoch of what isn't: `training_seconds` and `scoring_seconds`.
        best: the highest score so far.
        best_epoch: its epoch, from 1.
        best_weights: arrays of that epoch, by name.
        seconds: that the epochs took.
    """

    def __init__(self, score: str, patience: int):
        super().__init__()
        self.score, self.patience = f"val_{score}", patience
        self.history: list[dict[str, Any]] = []
        self.times: list[dict[str, Any]] = []
        self.best, self.best_epoch = -math.inf, 0
        self.best_weights: dict[str, np.ndarray] = {}
        self.seconds = 0.0
        self._interrupted = False
        self._began = self._trained = self._scored = time.monotonic()
        self._variables: dict[str, Any] = {}

    @property
    def epochs_done(self) -> int:
        """Epochs that have ended."""
        return len(self.history)

    @property
    def stopped_early(self) -> bool:
        """Whether patience is used up."""
        return bool(self.patience) and self.epochs_done - self.best_epoch >= self.patience

    @contextlib.contextmanager
    def stopping_at_a_step(self) -> Iterator[None]:
        """Ctrl-C ends the step first; a second one ends at once.

        An interrupt that strikes in a destructor is swallowed by Python, and TensorFlow has many of those.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def remember(number: int, frame: FrameType | None) -> None:
            self._interrupted = True
            signal.signal(signal.SIGINT, before)

        before = signal.signal(signal.SIGINT, remember)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def on_test_begin(self, logs: Any = None) -> None:
        """Takes the time.

        Args:
            logs: not read.
        """
        self._trained = time.monotonic()

    def on_test_end(self, logs: Any = None) -> None:
        """Takes the time, and ends the training after Ctrl-C.

        Args:
            logs: the score; not read.

        Raises:
            KeyboardInterrupt: if there was one during the score.
        """
        self._scored = time.monotonic()
        if self._interrupted:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Takes the time.

        Args:
            epoch: from 0.
            logs: not read.
        """
        self._began = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Ends the training after Ctrl-C, and where a loss is no number any more.

        Args:
            batch: its number.
            logs: what `EmoBed.train_step` returned.

        Raises:
            KeyboardInterrupt: if there was one during the step.
            DivergedError: if a term or their weighted sum became NaN or infinite.
        """
        if self._interrupted:
            raise KeyboardInterrupt
        for name in (*self.model.terms, "loss"):
            value = float(logs[name])
            if not math.isfinite(value):
                term = {"loss": "the weighted sum"}.get(name, f"term '{name}'")
                raise self._diverged(f"{term} of the loss became {value}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Adds a row to the history, keeps the weights if they are the best, and stops where patience is used up.

        Args:
            epoch: from 0.
            logs: means of the epoch, and the development score with the prefix `val_`.

        Raises:
            DivergedError: if a weight became NaN, infinite, or so large that R of Eq. 8 would.
        """
        steps = int(self.model.optimizer.iterations.numpy())
        row: dict[str, float] = {
            "epoch": epoch + 1,
            "steps": steps,
            **{name: float(value) for name, value in logs.items()},
        }
        weights = self._weights()
        self.history.append(row)
        self.times.append(
            {
                "epoch": epoch + 1,
                "steps": steps,
                "training_seconds": round(self._trained - self._began, 6),
                "scoring_seconds": round(self._scored - self._trained, 6),
            }
        )
        self.seconds += time.monotonic() - self._began
        better = row[self.score] > self.best
        if better:
            self.best, self.best_epoch, self.best_weights = row[self.score], epoch + 1, weights
        self.epoch_recorded(weights, better)
        if self.stopped_early:
            self.model.stop_training = True

    def epoch_recorded(self, weights: dict[str, np.ndarray], better: bool) -> None:
        """Called at the end of every epoch.

        Args:
            weights: the epoch's, by name.
            better: whether they are the best so far.
        """

    def save(self) -> None:
        """Called when training ends, for whatever reason."""

    def _weights(self) -> dict[str, np.ndarray]:
        """The model's, all of them finite."""
        # Asked for once: for Keras to find the value of a variable takes longer than to read it.
        self._variables = self._variables or {name: weight.value for name, weight in named_variables(self.model)}
        found = {name: variable.numpy() for name, variable in self._variables.items()}
        for name, values in found.items():
            largest = np.abs(values).max()
            if not largest <= LARGEST:  # nor is NaN
                raise self._diverged(f"weight {name} became {largest:.3g}")
        return found

    def _diverged(self, what: str) -> DivergedError:
        step = int(self.model.optimizer.iterations.numpy())
        return DivergedError(
            f"{what} by step {step} (epoch {self.epochs_done + 1}). Try a lower --learning-rate, or "
            "--triplet-preset stable"
        )


class Diagnostics(keras.callbacks.Callback):
    """Adds the gradient norm of every weighted term to an epoch's logs, and warns once of a collapsed embedding.

    Args:
        setup: model and data.
        every: epochs between two looks at gradients; 0: never. It costs one more pass for every term.
    """

    def __init__(self, setup: Setup, every: int):
        super().__init__()
        self.setup, self.every = setup, every
        self._warned = False

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Looks at gradients where it is time to, and at the monitors of the embeddings.

        Args:
            epoch: from 0.
            logs: means of the epoch; `gradient_norm_NAME` of every term is added.
        """
        if self.every and epoch % self.every == 0:
            batch = self.setup.batch(epoch * self.setup.steps_per_epoch)
            for name, norm in self.model.gradient_norms(batch).items():
                logs[f"gradient_norm_{name}"] = float(norm)
        self._warn_of_collapse(epoch, logs)

    def _warn_of_collapse(self, epoch: int, logs: dict[str, float]) -> None:
        if self._warned or "valid_anchors" not in logs:
            return
        triplet = "triplet" in self.model.terms
        hint = f"try a lower --beta{', or --triplet-preset stable' if triplet else ''}"
        if logs["valid_anchors"] == 0:
            missing = "and a negative, so the triplet loss is 0" if triplet else "so the contrastive loss is 0"
            problem = f"no embedding has a positive{' ' if triplet else ', '}{missing}; see --mining, --bins, --hop"
        elif logs["effective_rank"] < RANK:
            rank, width = logs["effective_rank"], self.model.head.input_shape[-1]
            problem = f"the embedding has collapsed: effective rank {rank:.2f} of {width}; {hint}"
        elif "d_negative" in logs and logs["d_negative"] < SEPARATION * logs["embedding_norm"]:
            distance = logs["d_negative"]
            problem = f"the embedding has collapsed: distance to the nearest negative {distance:.2g}; {hint}"
        else:
            return
        self._warned = True
        warnings.warn(f"epoch {epoch + 1}: {problem}", EmoBedWarning, stacklevel=2)
