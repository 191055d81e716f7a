"""The protocol of every comparison: settings chosen on development, then seeds with the chosen ones, test read last.

Each system tries equally many configurations, with as many seeds; a rule takes one by their development scores; with it
the system is fitted once for each seed, and only those fits predict test recordings. Each fit is one task and one line
of a ledger.
"""

import dataclasses
import io
import itertools
import urllib.parse
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.comparison.budget import Budget
from emobed_tf.comparison.estimate import fit_pilots, remaining_seconds
from emobed_tf.comparison.former import names_of_system
from emobed_tf.comparison.ledger import Ledger, canonical
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.search import Cell, SearchPlan, plan_searches
from emobed_tf.comparison.selection import Candidate
from emobed_tf.comparison.trials import Trial, run_trial
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.console import Progress
from emobed_tf.files import write_bytes
from emobed_tf.systems.registry import find_system

__all__ = ["Budget", "Cell", "CellResult", "predictions_file", "run_cells"]


@dataclass(frozen=True)
class CellResult:
    """What came out for a cell.

    Attributes:
        cell: which one.
        settings: that were chosen; None if all failed.
        tried: records of the choice, one for each configuration in their order: see `Candidate.record`.
        runs: records of the fits with the chosen settings, by seed; those that failed are left out.
        failed: why there is no result, or why some seeds are missing.
        looks: records with test scores of all configurations, in their order; only with `Budget.show_selection`.
    """

    cell: Cell
    settings: dict[str, Any] | None
    tried: tuple[dict[str, Any], ...]
    runs: tuple[dict[str, Any], ...]
    failed: str | None = None
    looks: tuple[dict[str, Any], ...] = ()


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
    announce_systems: Callable[[Mapping[str, float]], None] | None = None,
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
        announce_systems: told the same by system, before `announce`.
        together: neighbouring cells of the same value are chosen and fitted before the next begins. Default: all
            cells are chosen, then all are fitted.

    Returns:
        What came out, in the order of the cells.

    Raises:
        InputError: if a system can't learn the task, data can't be read, or settings and budget contradict each other.
    """
    plans = plan_searches(cells, budget)
    searches = {cell: plan for cell, plan in plans.items() if not isinstance(plan, str)}
    work = _Work(ledger, how, threads, predictions, progress, sum(plan.fits for plan in searches.values()))
    pilots = fit_pilots(searches, work.do, ledger)
    seconds = remaining_seconds(searches, pilots, ledger)
    if announce_systems is not None:
        announce_systems({system: value / how.workers for system, value in seconds.items()})
    if announce is not None:
        announce(sum(seconds.values()) / how.workers)
    chosen: dict[Cell, Candidate | None] = {}
    candidates: dict[Cell, list[Candidate]] = {}
    for _, neighbours in itertools.groupby(searches, together):
        members = {cell: searches[cell] for cell in neighbours}
        candidates |= _choose(members, work)
        chosen |= {cell: plan.chosen(candidates[cell]) for cell, plan in members.items()}
        taken = {cell: best.settings for cell in members if (best := chosen[cell]) is not None}
        work.do(trial for cell, settings in taken.items() for trial in searches[cell].finals(settings))
        work.do(trial for cell, settings in taken.items() for trial in searches[cell].looks(settings))
    found = {
        cell: CellResult(cell, None, (), (), plan)
        if isinstance(plan, str)
        else _result(plan, candidates[cell], chosen[cell], ledger)
        for cell, plan in plans.items()
    }
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
            reads_all = find_system(trial.system).reads_auxiliaries()
            read = trial.scenario if reads_all else dataclasses.replace(trial.scenario, auxiliaries=())
            self.progress(len(self.done), self.total, f"{trial.system} on {read.name}")


def _choose(searches: Mapping[Cell, SearchPlan], work: _Work) -> dict[Cell, list[Candidate]]:
    """Fits configurations rung by rung, those of all cells together.

    Returns:
        All configurations of each cell in their order, each as the last rung that it reached left it.
    """
    found: dict[Cell, dict[int, Candidate]] = {cell: {} for cell in searches}
    alive = {cell: list(range(len(plan.configurations))) for cell, plan in searches.items()}
    for rung in range(max((len(plan.rungs) for plan in searches.values()), default=0)):
        here = {cell: plan for cell, plan in searches.items() if rung < len(plan.rungs)}
        work.do(trial for cell, plan in here.items() for k in alive[cell] for trial in plan.trials(k, rung))
        for cell, plan in here.items():
            found[cell] |= {k: plan.candidate(k, rung, work.ledger) for k in alive[cell]}
            alive[cell] = plan.survivors(rung, {k: found[cell][k] for k in alive[cell]}, work.ledger)
    return {cell: [each[k] for k in sorted(each)] for cell, each in found.items()}


def _result(plan: SearchPlan, candidates: Sequence[Candidate], best: Candidate | None, ledger: Ledger) -> CellResult:
    finals = plan.finals(best.settings) if best is not None else []
    fits = [ledger[trial.key] for trial in finals]
    tried = tuple(candidate.record() for candidate in candidates)
    failures = [record["failed"] for record in (fits or tried) if "failed" in record]
    runs = tuple(record for record in fits if "failed" not in record)
    looks: tuple[dict[str, Any], ...] = ()
    if best is not None and plan.budget.show_selection:
        of_chosen = {canonical(trial.settings): trial for trial in finals[:1]}
        others = {canonical(trial.settings): trial for trial in plan.looks(best.settings)}
        looks = tuple(ledger[(of_chosen | others)[canonical(each)].key] for each in plan.configurations)
    settings = dict(best.settings) if best is not None else None
    return CellResult(plan.cell, settings, tried, runs, failures[0] if failures else None, looks)
