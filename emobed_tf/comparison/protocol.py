"""The protocol of every comparison: settings chosen on development, then seeds with the chosen ones, test read once.

Each system tries equally many configurations with seed 0; the best development score wins; with it the system is fitted
once for each seed, and only those fits predict test recordings. Each fit is one task and one line of a ledger.
"""

import io
import statistics
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.trials import Source, Trial, run_trial
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.console import Progress
from emobed_tf.errors import InputError
from emobed_tf.files import write_bytes
from emobed_tf.systems.base import find


@dataclass(frozen=True)
class Budget:
    """Budget, the same for every system."""

    configurations: int = 16
    """Settings that each system tries on development; 1: its defaults, no search."""
    seeds: int = 5
    """Fits with the chosen settings, from seed 0 on."""

    def check(self) -> "Budget":
        """Itself.

        Raises:
            InputError: if there is nothing to do.
        """
        for name in ("configurations", "seeds"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name}: expected 1 or more, found {getattr(self, name)}")
        return self


@dataclass(frozen=True)
class Cell:
    """One system on one problem.

    Attributes:
        problem: name of the problem; cells of one name and system are the same.
        source: where it comes from, see `trials.Source`.
        system: see `systems.find`.
    """

    problem: str
    source: Source
    system: str


@dataclass(frozen=True)
class Result:
    """What came out for a cell.

    Attributes:
        cell: which one.
        settings: that were chosen; None if all failed.
        tried: records of the choice, see `trials.run_trial`, in the order of the configurations.
        runs: records of the fits with the chosen settings, by seed; those that failed are left out.
        failed: why there is no result, or why some seeds are missing.
    """

    cell: Cell
    settings: dict[str, Any] | None
    tried: tuple[dict, ...]
    runs: tuple[dict, ...]
    failed: str | None = None


def run_cells(
    cells: Sequence[Cell],
    budget: Budget,
    ledger: Ledger,
    how: Workers,
    *,
    threads: int,
    predictions: Path | None = None,
    progress: Progress | None = None,
    announce: Callable[[float], None] | None = None,
) -> list[Result]:
    """Chooses and fits every cell; what the ledger has already is not done again.

    Tasks of one cell come one after another: a worker that has compiled a step for one uses it for the next.

    Args:
        cells: in the order of the results; equal ones are done once.
        budget: how much each gets.
        ledger: open, see `ledger.Ledger`.
        how: where the work is done.
        threads: of TensorFlow in a worker.
        predictions: folder for the predictions of final fits, see `predictions_file`.
        progress: told how far it is.
        announce: told once the estimated seconds of what remains, after one fit of each system.

    Raises:
        InputError: if a system can't learn the task, or data can't be read.
    """
    plans = {cell: _configurations(cell, budget) for cell in dict.fromkeys(cells)}
    work = _Work(ledger, how, threads, predictions, progress, _total(plans, budget))
    choices = {
        cell: [Trial(cell.problem, cell.source, cell.system, settings, 0) for settings in plan]
        for cell, plan in plans.items()
        if not isinstance(plan, str)
    }
    first_of_each: dict[str, Trial] = {}
    for cell, trials in choices.items():
        first_of_each.setdefault(cell.system, trials[0])
    work.do(first_of_each.values())
    if announce is not None:
        announce(_remaining_seconds(choices, budget, ledger) / how.workers)
    work.do(trial for trials in choices.values() for trial in trials)
    chosen = {cell: _best([ledger[trial.key] for trial in trials]) for cell, trials in choices.items()}
    finals = {cell: _finals(cell, best, budget) for cell, best in chosen.items() if best is not None}
    work.do(trial for trials in finals.values() for trial in trials)
    found = {}
    for cell, plan in plans.items():
        tried = tuple(ledger[trial.key] for trial in choices.get(cell, ()))
        runs = tuple(ledger[trial.key] for trial in finals.get(cell, ()))
        failures = [plan] if isinstance(plan, str) else [r["failed"] for r in (runs or tried) if "failed" in r]
        runs = tuple(run for run in runs if "failed" not in run)
        found[cell] = Result(cell, chosen.get(cell), tried, runs, failures[0] if failures else None)
    return [found[cell] for cell in cells]


def predictions_file(folder: Path, problem: str, system: str, seed: int) -> Path:
    """Where predictions of a final fit are: an npz file with an array for each `PARTITION/RECORDING`.

    They are in the gold standard's time, before post-processing: `[frames]`, or scores `[classes]`.
    """
    return folder / urllib.parse.quote(problem, safe=" +,()") / f"{urllib.parse.quote(system)}-seed{seed}.npz"


class _Work:
    """Does trials that the ledger lacks, and keeps count."""

    def __init__(self, ledger: Ledger, how: Workers, threads: int, predictions, progress, total: int):
        self.ledger, self.how, self.threads = ledger, how, threads
        self.predictions, self.progress, self.total = predictions, progress, total
        self.done: set[str] = set()

    def do(self, trials: Iterable[Trial]) -> None:
        trials = {trial.key: trial for trial in trials}
        self.done |= {key for key in trials if key in self.ledger}
        missing = [trial for key, trial in trials.items() if key not in self.ledger]
        if missing:
            self._report(missing[0])
        for position, outcome in fan_out(run_trial, missing, self.how, threads=self.threads):
            trial = missing[position]
            if self.predictions is not None and outcome.predictions:
                self._keep(trial, outcome.predictions)
            self.ledger.add(trial.key, outcome.record)
            self.done.add(trial.key)
            self._report(trial)

    def _keep(self, trial: Trial, predictions: dict[str, dict[str, np.ndarray]]) -> None:
        content = io.BytesIO()
        flat = {f"{part}/{name}": values for part, each in predictions.items() for name, values in each.items()}
        np.savez_compressed(content, **flat)
        path = predictions_file(self.predictions, trial.problem, trial.system, trial.seed)
        write_bytes(path, content.getbuffer())

    def _report(self, trial: Trial) -> None:
        if self.progress is not None:
            self.progress(len(self.done), self.total, f"{trial.system} on {trial.problem}")


def _configurations(cell: Cell, budget: Budget) -> list[dict] | str:
    """Settings to try; or why there are none."""
    problem, system = cell.source(), find(cell.system)
    if problem.task not in system.tasks:
        raise InputError(f"system {cell.system} learns {' and '.join(system.tasks)}, not {problem.task}")
    try:
        return system().configurations(problem.without_test(), budget.configurations)
    except InputError as error:
        return str(error)


def _total(plans: dict[Cell, list[dict] | str], budget: Budget) -> int:
    return sum(len(plan) + budget.seeds for plan in plans.values() if not isinstance(plan, str))


def _best(records: Sequence[dict]) -> dict[str, Any] | None:
    """Settings of the best development score; between equals the earlier ones, defaults first."""
    scored = [record for record in records if "failed" not in record]
    return max(scored, key=lambda record: record["score"])["settings"] if scored else None


def _finals(cell: Cell, settings: dict[str, Any], budget: Budget) -> list[Trial]:
    return [Trial(cell.problem, cell.source, cell.system, settings, seed, final=True) for seed in range(budget.seeds)]


def _remaining_seconds(choices: dict[Cell, list[Trial]], budget: Budget, ledger: Ledger) -> float:
    """Of one worker: each system's fits take as long as those that it has done."""
    taken: dict[str, list[float]] = {}
    missing: dict[Cell, int] = {}
    for cell, trials in choices.items():
        done = [ledger[trial.key] for trial in trials if trial.key in ledger]
        taken.setdefault(cell.system, []).extend(record.get("total_seconds", 0.0) for record in done)
        missing[cell] = len(trials) - len(done) + budget.seeds
        best = _best(done) if len(done) == len(trials) else None
        if best is not None:
            missing[cell] -= sum(trial.key in ledger for trial in _finals(cell, best, budget))
    return sum(statistics.fmean(taken[cell.system]) * missing[cell] for cell in choices)
