"""The protocol of every comparison: settings chosen on development, then seeds with the chosen ones, test read once.

Each system tries equally many configurations with seed 0; the best development score wins; with it the system is fitted
once for each seed, and only those fits predict test recordings. Each fit is one task and one line of a ledger.
"""

import io
import itertools
import urllib.parse
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.comparison.former import names_of_system
from emobed_tf.comparison.ledger import Ledger, canonical
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import Source, Trial, run_trial
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.console import Progress
from emobed_tf.errors import InputError
from emobed_tf.files import write_bytes
from emobed_tf.systems.registry import find_system


@dataclass(frozen=True)
class Budget:
    """Budget, the same for every system."""

    configurations: int = 16
    """Settings that each system tries on development; 1: its defaults, no search."""
    seeds: int = 5
    """Fits with the chosen settings, from seed 0 on."""

    def check(self) -> "Budget":
        """Makes sure that there is something to do.

        Returns:
            Itself.

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
        scenario: what the problem is; cells of one scenario and system are the same.
        source: where it comes from, see `trials.Source`.
        system: see `registry.find_system`.
    """

    scenario: Scenario
    source: Source
    system: str

    def trial(self, settings: Mapping[str, Any], seed: int, final: bool = False) -> Trial:
        """One fit of it.

        Args:
            settings: one of the system's configurations.
            seed: of the fit.
            final: whether test recordings are predicted, too.

        Returns:
            What `trials.run_trial` takes.
        """
        return Trial(self.scenario, self.source, self.system, settings, seed, final)


@dataclass(frozen=True)
class CellResult:
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
    tried: tuple[dict[str, Any], ...]
    runs: tuple[dict[str, Any], ...]
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
    together: Callable[[Cell], Hashable] = lambda cell: None,
) -> list[CellResult]:
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
        announce: told once the estimated seconds of what remains, after two fits of each system.
        together: neighbouring cells of the same value are chosen and fitted before the next begins. Default: all
            cells are chosen, then all are fitted.

    Returns:
        What came out, in the order of the cells.

    Raises:
        InputError: if a system can't learn the task, or data can't be read.
    """
    plans = {cell: _choices(cell, budget) for cell in dict.fromkeys(cells)}
    choices = {cell: plan for cell, plan in plans.items() if not isinstance(plan, str)}
    total = sum(len(trials) + budget.seeds for trials in choices.values())
    work = _Work(ledger, how, threads, predictions, progress, total)
    pilots = _fit_pilots(choices, work)
    if announce is not None:
        announce(_remaining_seconds(choices, pilots, budget, ledger) / how.workers)
    finals: dict[Cell, list[Trial]] = {}
    for _, neighbours in itertools.groupby(choices, together):
        members = list(neighbours)
        work.do(trial for cell in members for trial in choices[cell])
        chosen = {cell: _best([ledger[trial.key] for trial in choices[cell]]) for cell in members}
        finals |= {cell: _finals(cell, best, budget) for cell, best in chosen.items() if best is not None}
        work.do(trial for cell in members for trial in finals.get(cell, ()))
    found = {cell: _result(cell, plan, finals.get(cell, []), ledger) for cell, plan in plans.items()}
    return [found[cell] for cell in cells]


def predictions_file(folder: Path, scenario: Scenario, system: str, seed: int) -> Path:
    """Where predictions of a final fit are: an npz file with an array for each `PARTITION/RECORDING`.

    They are in the gold standard's time, before post-processing: `[frames]`, or scores `[classes]`.

    Args:
        folder: of all predictions of a comparison.
        scenario: of the fit.
        system: name of the system. A file that an earlier version wrote, and named otherwise, is found.
        seed: of the fit.

    Returns:
        A path; there need not be a file.
    """
    place = folder / urllib.parse.quote(scenario.name, safe=" +,()")
    files = [place / f"{urllib.parse.quote(name)}-seed{seed}.npz" for name in names_of_system(system)]
    return next((file for file in files if file.exists()), files[0])


class _Work:
    """Does trials that the ledger lacks, and keeps count."""

    def __init__(
        self,
        ledger: Ledger,
        how: Workers,
        threads: int,
        predictions: Path | None,
        progress: Progress | None,
        total: int,
    ):
        self.ledger, self.how, self.threads = ledger, how, threads
        self.predictions, self.progress, self.total = predictions, progress, total
        self.done: set[str] = set()

    def do(self, trials: Iterable[Trial]) -> None:
        wanted = {canonical(trial.key): trial for trial in trials}
        self.done |= {name for name, trial in wanted.items() if trial.key in self.ledger}
        missing = {name: trial for name, trial in wanted.items() if name not in self.done}
        if missing:
            self._report(next(iter(missing.values())))
        names, tasks = list(missing), list(missing.values())
        for position, outcome in fan_out(run_trial, tasks, self.how, threads=self.threads):
            trial = tasks[position]
            if self.predictions is not None and outcome.predictions:
                self._keep(self.predictions, trial, outcome.predictions)
            self.ledger.add(trial.key, outcome.record)
            self.done.add(names[position])
            self._report(trial)

    def _keep(self, folder: Path, trial: Trial, predictions: dict[str, dict[str, np.ndarray]]) -> None:
        content = io.BytesIO()
        flat: dict[str, Any] = {
            f"{part}/{name}": values for part, each in predictions.items() for name, values in each.items()
        }
        np.savez_compressed(content, **flat)
        path = predictions_file(folder, trial.scenario, trial.system, trial.seed)
        write_bytes(path, content.getbuffer())

    def _report(self, trial: Trial) -> None:
        if self.progress is not None:
            self.progress(len(self.done), self.total, f"{trial.system} on {trial.scenario.name}")


def _choices(cell: Cell, budget: Budget) -> list[Trial] | str:
    """A fit of each configuration on development; or why there are none."""
    problem, system = cell.source(), find_system(cell.system)
    if problem.task not in system.tasks:
        raise InputError(f"system {cell.system} learns {' and '.join(system.tasks)}, not {problem.task}")
    try:
        found = system().configurations(problem.without_test(), budget.configurations)
    except InputError as error:
        return str(error)
    return [cell.trial(settings, seed=0) for settings in found]


def _finals(cell: Cell, settings: Mapping[str, Any], budget: Budget) -> list[Trial]:
    return [cell.trial(settings, seed, final=True) for seed in range(budget.seeds)]


def _best(records: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Settings of the best development score; between equals the earlier ones, defaults first."""
    scored = [record for record in records if "failed" not in record]
    return max(scored, key=lambda record: record["score"])["settings"] if scored else None


def _result(cell: Cell, plan: list[Trial] | str, finals: Sequence[Trial], ledger: Ledger) -> CellResult:
    if isinstance(plan, str):
        return CellResult(cell, None, (), (), plan)
    tried, fits = (tuple(ledger[trial.key] for trial in trials) for trials in (plan, finals))
    failures = [record["failed"] for record in (fits or tried) if "failed" in record]
    runs = tuple(record for record in fits if "failed" not in record)
    return CellResult(cell, _best(tried), tried, runs, failures[0] if failures else None)


def _fit_pilots(choices: Mapping[Cell, list[Trial]], work: _Work) -> dict[str, list[float]]:
    """Does the first two fits of every system, by which the others' time is estimated.

    The second has what the first compiled. With a single configuration there is nothing to choose, and it is a final.

    Returns:
        Seconds of each, by system.
    """
    firsts: dict[str, tuple[Cell, list[Trial]]] = {}
    for cell, trials in choices.items():
        firsts.setdefault(cell.system, (cell, trials))
    pilots = {system: [trials[0]] for system, (_, trials) in firsts.items()}
    work.do(trials[0] for trials in pilots.values())
    for system, (cell, trials) in firsts.items():
        if len(trials) > 1:
            pilots[system].append(trials[1])
        elif "failed" not in work.ledger[trials[0].key]:
            pilots[system].append(cell.trial(trials[0].settings, seed=0, final=True))
    work.do(trials[-1] for trials in pilots.values())
    records = {system: [work.ledger[trial.key] for trial in trials] for system, trials in pilots.items()}
    return {system: [record.get("total_seconds", 0.0) for record in each] for system, each in records.items()}


def _remaining_seconds(
    choices: Mapping[Cell, list[Trial]], pilots: Mapping[str, list[float]], budget: Budget, ledger: Ledger
) -> float:
    """Of one worker, if each cell begins as its system's first fit did, and goes on as its second did."""
    total = 0.0
    for cell, trials in choices.items():
        done = [ledger[trial.key] for trial in trials if trial.key in ledger]
        missing = len(trials) - len(done) + budget.seeds
        if len(done) == len(trials):
            best = _best(done)
            missing = 0 if best is None else sum(trial.key not in ledger for trial in _finals(cell, best, budget))
        first, later = pilots[cell.system][0], pilots[cell.system][-1]
        total += missing * later + (0.0 if done else first - later)
    return total
