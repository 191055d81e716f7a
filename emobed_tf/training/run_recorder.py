"""The callback that keeps a training in a run folder: best and last weights, and all that a continued run needs."""

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.files import parse_json
from emobed_tf.models.emobed import EmoBed
from emobed_tf.models.weights import set_weight_arrays
from emobed_tf.runs.folder import BEST, LAST, Run
from emobed_tf.training.callbacks import DivergedError, Recorder

_OPTIMISER = "optimiser/"
_SECONDS_BETWEEN = 5.0  # two times that a run folder is written: writing takes as long as some small epochs
_TIMES = {"epoch", "steps", "training_seconds", "scoring_seconds"}


class FolderGoneError(InputError):
    """The run folder was removed while its run was trained."""


class RunRecorder(Recorder):
    """Keeps them in a run folder, too: all that a continued run needs is one file, which is replaced as a whole.

    It is written after the first epoch, which shows whether it can be, then after epochs that end some seconds after
    the last time, and at the end.

    Args:
        run: where to write.
        score: see `Recorder`.
        patience: see `Recorder`.
    """

    def __init__(self, run: Run, score: str, patience: int):
        super().__init__(score, patience)
        self.run = run
        self._unwritten: dict[str, np.ndarray] = {}  # weights and optimiser of the last epoch
        self._best_unwritten = False
        self._optimiser: list[Any] = []
        self._written = -math.inf

    def restore(self, model: EmoBed) -> None:
        """Puts the last epoch's weights, optimiser and history in place; without any, training starts anew.

        Args:
            model: compiled.

        Raises:
            InputError: if what the run folder holds is damaged, or belongs to another network.
        """
        if not (self.run.path / f"{LAST}.npz").exists():
            return
        arrays = self.run.read_arrays(LAST)
        path = self.run.path / f"{LAST}.npz"
        state = _state(arrays, path)
        try:
            set_weight_arrays(model, arrays)
        except InputError as error:
            raise InputError(f"{path}: {error}") from None
        model.optimizer.build(model.trainable_variables)
        for k, variable in enumerate(model.optimizer.variables):
            variable.assign(_fitting(arrays, f"{_OPTIMISER}{k}", variable, path))
        self.history, self.best, self.best_epoch = state["history"], state["best"], state["best_epoch"]
        self.seconds, self.times = state["seconds"], state.get("times", [])  # which the first runs lack, as
        per_epoch = int(model.optimizer.iterations.numpy()) // max(1, len(self.history))  # they do steps
        self.history = [{**row, "steps": row["epoch"] * per_epoch} for row in self.history]

    def epoch_recorded(self, weights: dict[str, np.ndarray], better: bool) -> None:
        """Writes weights, optimiser and history into the run folder, where it is time to.

        Args:
            weights: the epoch's, by name.
            better: whether they are the best so far.

        Raises:
            FolderGoneError: if somebody has removed the run folder.
        """
        if not self.run.is_there:
            self._unwritten = {}  # else `save` made a folder without settings, which nothing could continue
            raise FolderGoneError(
                f"{self.run.path}: the run folder has been removed; training stops after epoch {self.epochs_done}, and "
                "nothing of it is kept: start it again"
            )
        self._optimiser = self._optimiser or [variable.value for variable in self.model.optimizer.variables]
        optimiser = {f"{_OPTIMISER}{k}": variable.numpy() for k, variable in enumerate(self._optimiser)}
        self._unwritten = {**weights, **optimiser}
        self._best_unwritten = self._best_unwritten or better
        if time.monotonic() - self._written >= _SECONDS_BETWEEN:
            self.save()

    def save(self) -> None:
        """Writes what has not been written of the last epoch that ended."""
        if not self._unwritten:
            return
        if self._best_unwritten:
            self.run.write_arrays(BEST, self.best_weights)
        state = {
            "history": self.history,
            "times": self.times,
            "best": self.best,
            "best_epoch": self.best_epoch,
            "seconds": self.seconds,
        }
        self.run.write_arrays(LAST, {**self._unwritten, "state": np.array(json.dumps(state))})
        self.run.write_history(self.history, self.times)
        self._unwritten, self._best_unwritten = {}, False
        self._written = time.monotonic()

    def _diverged(self, what: str) -> DivergedError:
        message = f"{self.run.path}: {super()._diverged(what)}; weights up to epoch {self.epochs_done} are kept"
        return DivergedError(message)


def _state(arrays: Mapping[str, np.ndarray], path: Path) -> dict[str, Any]:
    """Where the training stood, from what `RunRecorder.save` wrote."""
    if "state" not in arrays:
        raise InputError(f"{path}: damaged (no training state)")
    try:
        state = parse_json(str(arrays["state"]), finite=False)
    except ValueError as error:
        raise InputError(f"{path}: damaged (training state: {error})") from None
    if not isinstance(state, dict):
        raise InputError(f"{path}: damaged (training state: expected a JSON object)")
    history: Any = state.get("history")
    times, best_epoch = state.get("times", []), state.get("best_epoch")
    if not _are_rows(history, {"epoch"}) or not _are_rows(times, _TIMES):
        raise InputError(f"{path}: damaged (training state: expected a row of numbers for each epoch)")
    if type(best_epoch) is not int or not 0 <= best_epoch <= len(history):
        raise InputError(f"{path}: damaged (training state: the best epoch is {repr(best_epoch)[:40]})")
    for name in ("best", "seconds"):
        if not _is_number(state.get(name)):
            raise InputError(f"{path}: damaged (training state: '{name}' is no number)")
    return state


def _are_rows(rows: Any, columns: set[str]) -> bool:
    if not isinstance(rows, list):
        return False
    complete = all(isinstance(row, dict) and columns <= set(row) and all(map(_is_number, row.values())) for row in rows)
    return complete and [row["epoch"] for row in rows] == list(range(1, len(rows) + 1))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _fitting(arrays: Mapping[str, np.ndarray], name: str, variable: Any, path: Path) -> np.ndarray:
    """An array of the optimiser's, which has to be what the optimiser's variable is."""
    if name not in arrays:
        raise InputError(f"{path}: damaged ({name} is missing)")
    array, expected = arrays[name], np.dtype(variable.dtype)
    if array.shape != tuple(variable.shape) or array.dtype.kind != expected.kind or not np.isfinite(array).all():
        raise InputError(
            f"{path}: damaged ({name}: expected finite {expected} of the shape {tuple(variable.shape)}, found "
            f"{array.dtype} of {array.shape})"
        )
    return array
