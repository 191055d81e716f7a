"""KerasTuner's oracles, resumable: they survive kills, failures and other processes; and a grid of their kind."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle, RandomSearchOracle

from emobed_tf.errors import InputError
from emobed_tf.files import write_bytes
from tuning.space import Space, significant

if TYPE_CHECKING:
    from keras_tuner import Oracle as _Mixed  # whose attributes and methods it uses
else:
    _Mixed = object

TunerKind = Literal["grid", "random", "bayesian", "hyperband"]

FAILURE_REASON = "tuner/reason"  # travels among a failed trial's values: KerasTuner's messages don't cross processes
_ENDED = (TrialStatus.COMPLETED, TrialStatus.FAILED)


class Resumable(_Mixed):
    """Mixed into an oracle.

    - Its files are replaced whole, and what a kill left between two of them is put right on reload.
    - Any number of trials may fail, one after another.
    - A trial that ends a second time, after a worker or the chief was replaced, counts once.
    - Values of ranges have six digits.

    Args:
        limit: trials at most; None: until the oracle stops.
        **arguments: of the oracle.

    Attributes:
        limit: trials at most; None: until the oracle stops.
        exhausted: whether the oracle has nothing left to try.
        listeners: told of every trial that has ended.
    """

    ongoing_trials: dict[str, Trial]
    _retry_queue: list[str]

    def __init__(self, limit: int | None, **arguments: Any):
        super().__init__(max_consecutive_failed_trials=10**9, **arguments)
        self.max_trials = None  # KerasTuner writes it into the trials' names, and it may be raised later
        self.limit, self.exhausted = limit, False
        self.listeners: list[Callable[[Trial], None]] = []
        self.verbose = 0

    @property
    def finished(self) -> bool:
        """Whether all trials have ended and no more are to come."""
        enough = self.exhausted or (self.limit is not None and len(self.end_order) >= self.limit)
        return enough and not self.ongoing_trials and not self._retry_queue

    def remaining_trials(self) -> int | None:
        """How many trials may still begin; None without a limit."""
        return None if self.limit is None else self.limit - len(self.trials)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """What KerasTuner asks for when a trial is to begin.

        Args:
            trial_id: name of the trial.

        Returns:
            `status`, and `values` by name if the trial is to run; stopped where the limit is reached.
        """
        if self.limit is not None and len(self.trials) >= self.limit:
            return {"status": TrialStatus.STOPPED}
        found = self.proposed(trial_id)
        if found["status"] == TrialStatus.RUNNING:
            found["values"] = {name: self._rounded(name, value) for name, value in found["values"].items()}
        self.exhausted = found["status"] == TrialStatus.STOPPED
        return found

    def proposed(self, trial_id: str) -> dict[str, Any]:
        """What the oracle answers while there is something to be asked for.

        Args:
            trial_id: name of the trial.

        Returns:
            `status`, and `values` by name if the trial is to run.
        """
        return super().populate_space(trial_id)

    @keras_tuner.synchronized
    def update_trial(self, trial_id: str, metrics: Mapping[str, float], step: int = 0) -> Trial:
        """Takes a score; one of a trial that has ended is left alone.

        Args:
            trial_id: name of the trial.
            metrics: by name.
            step: of the training that they belong to.

        Returns:
            The trial.
        """
        trial = self.trials[trial_id]
        if trial_id in self.end_order:
            return trial
        return super().update_trial(trial_id, metrics, step)

    @keras_tuner.synchronized
    def end_trial(self, trial: Trial) -> None:
        """Ends a trial and tells the listeners; one that has ended already stays as it is.

        Args:
            trial: completed or failed, with the reason in its message or among its values.
        """
        known = self.trials[trial.trial_id]
        if trial.trial_id in self.end_order:  # by a worker that was thought dead
            self._forget(trial.trial_id)
            return
        trial.message = trial.hyperparameters.values.pop(FAILURE_REASON, trial.message)
        trial.hyperparameters = known.hyperparameters
        super().end_trial(trial)
        self._forget(trial.trial_id)
        for listener in self.listeners:
            listener(known)

    def fail(self, trial: Trial, reason: str) -> None:
        """Ends a trial that nobody can.

        Args:
            trial: that is running.
            reason: why it is given up.
        """
        self.end_trial(Trial(trial.hyperparameters, trial.trial_id, TrialStatus.FAILED, reason))

    def _forget(self, trial_id: str) -> None:
        """Nobody runs an ended trial, or will."""
        self._retry_queue = [waiting for waiting in self._retry_queue if waiting != trial_id]
        self.ongoing_trials = {
            worker: trial for worker, trial in self.ongoing_trials.items() if trial.trial_id != trial_id
        }
        self.save()

    def _rounded(self, name: str, value: Any) -> Any:
        ranges = {p.name for p in self.hyperparameters.space if isinstance(p, keras_tuner.engine.hyperparameters.Float)}
        return significant(value) if name in ranges else value

    def save(self) -> None:
        """Writes the state; a kill leaves the old file or the new one."""
        state = self.get_state()
        _write(Path(self._get_oracle_fname()), state | {"tried_so_far": sorted(state["tried_so_far"])})  # a set

    def _save_trial(self, trial: Trial) -> None:
        if not Path(self._directory).is_dir():  # KerasTuner would make half of it anew
            raise InputError(f"{self._directory}: the search's folder has been removed")
        _write(Path(self._get_trial_dir(trial.trial_id)) / "trial.json", trial.get_state())

    def reload(self) -> None:
        """Reads the state; trials that were running begin again, those that the oracle never knew are dropped."""
        super().reload()
        for trial_id in self.trials.keys() - set(self.start_order):  # killed before the oracle had written it down
            del self.trials[trial_id]
        for trial_id, trial in self.trials.items():
            ended = trial.status in _ENDED
            if ended and trial_id not in self.end_order:
                self.end_order.append(trial_id)
            if not ended:
                # KerasTuner would take what was reported before the kill.
                trial.metrics = Trial(trial.hyperparameters).metrics
                self._retry_queue.append(trial_id)
        self._retry_queue = [t for t in dict.fromkeys(self._retry_queue) if self.trials[t].status not in _ENDED]


class _FromTheStart(Resumable):
    """The first trial is the settings as they stand."""

    def proposed(self, trial_id: str) -> dict[str, Any]:
        if self.trials:
            return super().proposed(trial_id)
        self.hyperparameters.ensure_active_values()
        values = {p.name: p.default for p in self.hyperparameters.space if self.hyperparameters.is_active(p)}
        return {"status": TrialStatus.RUNNING, "values": values}


class ResumableRandom(_FromTheStart, RandomSearchOracle):
    """Random search."""


class ResumableBayesian(_FromTheStart, BayesianOptimizationOracle):
    """Gaussian process; tries nothing twice, and after a kill what it would have tried without."""

    def proposed(self, trial_id: str) -> dict[str, Any]:
        """The settings as they stand, then what the process proposes; see `Resumable.proposed`."""
        self._random_state = np.random.RandomState(self.seed + len(self.trials))
        found = super().proposed(trial_id)
        again = found["status"] == TrialStatus.RUNNING and self._duplicate(found["values"])
        return self._random_populate_space() if again else found


class ResumableHyperband(Resumable, HyperbandOracle):
    """Successive halving; `tuner/epochs` among a trial's values is how long it is trained."""


class ResumableGrid(Resumable, keras_tuner.Oracle):
    """All combinations in their order; KerasTuner's own grid doesn't survive a restart.

    Args:
        space: what is searched, without ranges.
        fixed: values that go into every trial, by name.
        **arguments: of `Resumable`.
    """

    def __init__(self, space: Space, fixed: Mapping[str, Any], **arguments: Any):
        super().__init__(**arguments)
        self.space, self.fixed = space, dict(fixed)

    def proposed(self, trial_id: str) -> dict[str, Any]:
        """The next combination that was not tried; see `Resumable.proposed`."""
        for combination in self.space.combinations():
            values = {**self.fixed, **combination}
            if not self._duplicate(values):
                return {"status": TrialStatus.RUNNING, "values": values}
        return {"status": TrialStatus.STOPPED}


def make_oracle(
    kind: TunerKind,
    space: Space,
    parameters: keras_tuner.HyperParameters,
    objective: keras_tuner.Objective,
    *,
    limit: int | None,
    epochs: int,
    seed: int,
) -> Resumable:
    """The oracle of a search.

    Args:
        kind: of the search.
        space: what is searched.
        parameters: the same, declared; fixed ones among them go into every trial.
        objective: what is maximised.
        limit: trials at most; None: a whole grid, all brackets of Hyperband.
        epochs: of the longest trainings of Hyperband.
        seed: of what is drawn.

    Returns:
        An oracle of KerasTuner that has tried nothing yet.
    """
    common = {"limit": limit, "objective": objective, "hyperparameters": parameters, "seed": seed + 1}  # 0: by chance
    if kind == "grid":
        fixed = {name: value for name, value in parameters.values.items() if name not in space.domains}
        return ResumableGrid(space, fixed, **common)
    if kind == "random":
        return ResumableRandom(**common)
    if kind == "hyperband":
        return ResumableHyperband(max_epochs=epochs, factor=3, **common)
    # KerasTuner would draw three times as many points as there are parameters before it begins to think.
    first = max(3, min(2 * len(space.searched), (limit or 0) // 3))
    return ResumableBayesian(num_initial_points=first, **common)


def _write(path: Path, state: Mapping[str, Any]) -> None:
    write_bytes(path, json.dumps(state).encode())
