"""The callbacks that keep a training's best weights in memory, or best and last in a run folder that can continue."""

import contextlib
import json
import math
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.model import EmoBed
from emobed_tf.runs import Run

BEST, LAST = "best", "last"
_OPTIMISER = "optimiser/"
_LARGEST = 1e15  # its square still fits float32: beyond it the next step's R is infinite


class DivergedError(InputError):
    """A term of the loss became NaN or infinite."""


def weight_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """A model's weights by layer and name."""
    return {f"{layer.name}/{weight.name}": weight.numpy() for layer, weight in _weights(model)}


def set_weight_arrays(model: keras.Model, arrays: Mapping[str, np.ndarray]) -> None:
    """Sets a model's weights; arrays of parts that it doesn't have are left alone.

    Raises:
        InputError: if one is missing or of another shape.
    """
    for layer, weight in _weights(model):
        name = f"{layer.name}/{weight.name}"
        if name not in arrays:
            raise InputError(f"weight {name} is missing: the run was trained with another network")
        if arrays[name].shape != tuple(weight.shape):
            raise InputError(f"weight {name}: expected shape {tuple(weight.shape)}, found {arrays[name].shape}")
        weight.assign(arrays[name])


def _weights(model: keras.Model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _weights(layer)
        else:
            yield from ((layer, weight) for weight in layer.weights)


class Keeper(keras.callbacks.Callback):
    """Keeps best weights and history in memory; stops early, at NaN, and at Ctrl-C.

    Args:
        score: name of the development score, higher is better.
        patience: epochs without a better score before training stops; 0: never.

    Attributes:
        history: a row per epoch.
        best: the highest score so far.
        best_epoch: its epoch, from 1.
        best_weights: arrays of that epoch, by name.
        seconds: that the epochs took.
    """

    def __init__(self, score: str, patience: int):
        super().__init__()
        self.score, self.patience = f"val_{score}", patience
        self.history: list[dict[str, Any]] = []
        self.best, self.best_epoch = -math.inf, 0
        self.best_weights: dict[str, np.ndarray] = {}
        self.seconds = 0.0
        self._interrupted = False
        self._began = time.monotonic()

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

        def remember(number, frame):
            self._interrupted = True
            signal.signal(signal.SIGINT, before)

        before = signal.signal(signal.SIGINT, remember)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def on_test_batch_end(self, batch, logs=None):
        if self._interrupted:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if self._interrupted:
            raise KeyboardInterrupt
        for name in (*self.model.terms, "loss"):
            value = float(logs[name])
            if not math.isfinite(value):
                term = {"loss": "the weighted sum"}.get(name, f"term '{name}'")
                raise self._diverged(f"{term} of the loss became {value}")

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}}
        weights = weight_arrays(self.model)
        for name, values in weights.items():
            if not np.isfinite(values).all() or np.abs(values).max() > _LARGEST:
                raise self._diverged(f"weight {name} became {np.abs(values).max():.3g}")
        self.history.append(row)
        self.seconds += time.monotonic() - self._began
        better = row[self.score] > self.best
        if better:
            self.best, self.best_epoch, self.best_weights = row[self.score], row["epoch"], weights
        self.epoch_kept(weights, better)
        if self.stopped_early:
            self.model.stop_training = True

    def epoch_kept(self, weights: dict[str, np.ndarray], better: bool) -> None:
        """Called at the end of every epoch with its weights, and whether they are the best so far."""

    def _diverged(self, what: str) -> DivergedError:
        step = int(self.model.optimizer.iterations.numpy())
        return DivergedError(
            f"{what} by step {step} (epoch {self.epochs_done + 1}). Try a lower --learning-rate, or "
            "--triplet-preset stable"
        )


class RunKeeper(Keeper):
    """Keeps them in a run folder, too: all that a continued run needs is one file, replaced at the end of every epoch.

    Args:
        run: where to write.
        score: see `Keeper`.
        patience: see `Keeper`.
    """

    def __init__(self, run: Run, score: str, patience: int):
        super().__init__(score, patience)
        self.run = run

    def restore(self, model: EmoBed) -> None:
        """Puts the last epoch's weights, optimiser and history in place; without any, training starts anew."""
        if not (self.run.path / f"{LAST}.npz").exists():
            return
        arrays = self.run.read_arrays(LAST)
        if "state" not in arrays:
            raise InputError(f"{self.run.path / LAST}.npz: damaged (no training state)")
        state = json.loads(str(arrays["state"]))
        set_weight_arrays(model, arrays)
        model.optimizer.build(model.trainable_variables)
        for k, variable in enumerate(model.optimizer.variables):
            variable.assign(arrays[f"{_OPTIMISER}{k}"])
        self.history, self.best, self.best_epoch = state["history"], state["best"], state["best_epoch"]
        self.seconds = state["seconds"]

    def epoch_kept(self, weights, better):
        if better:
            self.run.write_arrays(BEST, weights)
        optimiser = {f"{_OPTIMISER}{k}": v.numpy() for k, v in enumerate(self.model.optimizer.variables)}
        state = {
            "history": self.history,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "seconds": self.seconds,
        }
        self.run.write_arrays(LAST, {**weights, **optimiser, "state": np.array(json.dumps(state))})
        self.run.write_history(self.history)

    def _diverged(self, what):
        message = f"{self.run.path}: {super()._diverged(what)}; weights up to epoch {self.epochs_done} are kept"
        return DivergedError(message)
