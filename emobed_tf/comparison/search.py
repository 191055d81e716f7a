"""The search of one system's settings on one problem: which fits it takes, rung by rung, and what they decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emobed_tf.comparison.budget import Budget
from emobed_tf.comparison.halving import KEPT, Rung, rungs
from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.selection import Candidate, chosen
from emobed_tf.comparison.trials import Source, Trial
from emobed_tf.errors import InputError
from emobed_tf.systems.base import Problem
from emobed_tf.systems.frameworks import ClassicSystem
from emobed_tf.systems.registry import find_system
from emobed_tf.systems.searches import configurations


@dataclass(frozen=True)
class Cell:
    """One system on one problem.

    Attributes:
        scenario: what the problem is; cells of one scenario and system are the same.
        source: where it comes from, see `trials.Source`.
        system: see `registry.find_system`.
        splits: problems without test recordings that configurations are scored on, instead of the source's own
            development partition; what they are is said by `scenario` and their number.
    """

    scenario: Scenario
    source: Source
    system: str
    splits: tuple[Source, ...] = ()

    def trial(self, settings: Mapping[str, Any], seed: int, final: bool = False) -> Trial:
        """One whole fit of it.

        Args:
            settings: one of the system's configurations.
            seed: of the fit.
            final: whether test recordings are predicted, too.

        Returns:
            What `trials.run_trial` takes.
        """
        return Trial(self.scenario, self.source, self.system, settings, seed, final)


@dataclass(frozen=True)
class SearchPlan:
    """What the search of a cell takes.

    Attributes:
        cell: which one.
        budget: how much it gets.
        configurations: that it tries, the default first.
        rungs: how many of them are trained for how long.
        epochs: of a whole training at most.
    """

    cell: Cell
    budget: Budget
    configurations: tuple[Mapping[str, Any], ...]
    rungs: tuple[Rung, ...]
    epochs: int = 1

    @property
    def fits(self) -> int:
        """Number of all fits."""
        tried = sum(rung.configurations for rung in self.rungs) * self.fits_of_each
        finals = self.budget.seeds + self.budget.show_selection * (len(self.configurations) - 1)
        return finals if self.is_settled else tried + finals

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to choose: the only configuration's final fits are all that is needed."""
        return len(self.configurations) == 1

    @property
    def fits_of_each(self) -> int:
        """Fits of a configuration at a rung."""
        return max(1, len(self.cell.splits)) * self.budget.selection_seeds

    def trials(self, configuration: int, rung: int) -> list[Trial]:
        """Fits of a configuration at a rung.

        Args:
            configuration: its place.
            rung: place of the rung.

        Returns:
            Split by split, seed by seed; of the only configuration, its first final fits.
        """
        cell, at = self.cell, self.rungs[rung]
        if self.is_settled:
            return self.finals(self.configurations[0])[: self.budget.selection_seeds]
        sources: list[tuple[Source, tuple[int, int] | None]] = [(cell.source, None)]
        if cell.splits:
            sources = [(source, (k, len(cell.splits))) for k, source in enumerate(cell.splits, start=1)]
        settings = self.configurations[configuration]
        return [
            Trial(cell.scenario, source, cell.system, settings, seed, split=split, rung=at.number, epochs=at.epochs)
            for source, split in sources
            for seed in range(self.budget.selection_seeds)
        ]

    def candidate(self, configuration: int, rung: int, ledger: Ledger) -> Candidate:
        """What the fits of a configuration at a rung said.

        Args:
            configuration: its place.
            rung: place of the rung.
            ledger: with all of them.

        Returns:
            To choose from.
        """
        records = tuple(ledger[trial.key] for trial in self.trials(configuration, rung))
        splits = 1 if self.is_settled else max(1, len(self.cell.splits))
        return Candidate(self.configurations[configuration], records, splits)

    def survivors(self, rung: int, candidates: Mapping[int, Candidate], ledger: Ledger) -> list[int]:
        """Which configurations go on to the next rung; the ledger keeps who was cut, and after how many epochs.

        Args:
            rung: place of the rung.
            candidates: by the place of the configuration.
            ledger: where the decision is noted.

        Returns:
            Their places; none after the last rung.
        """
        if rung + 1 == len(self.rungs):
            return []
        order = sorted((k for k in candidates if not candidates[k].failed), key=lambda k: -candidates[k].score)
        kept = sorted(order[: self.rungs[rung + 1].configurations])
        at = self.rungs[rung]
        budget = self.budget
        how = {"search": budget.search, "seeds": budget.selection_seeds, "splits": len(self.cell.splits)}
        system = {"system": self.cell.system, "configurations": len(self.configurations)}
        key = {**self.cell.scenario.to_dict(), **system, **how, "purpose": "halving"}
        shown = {k: dict(candidates[k].settings) for k in candidates}
        decision = {"kept": [shown[k] for k in kept], "cut": [shown[k] for k in shown if k not in kept]}
        ledger.agree({**key, "rung": at.number}, {"epochs": at.epochs, **decision})
        return kept

    def chosen(self, candidates: Sequence[Candidate]) -> Candidate | None:
        """The configuration that the budget's rule takes.

        Args:
            candidates: all of them, each as the last rung that it reached left it.

        Returns:
            One of those that reached the last rung; None if they failed.
        """
        last = self.rungs[-1].number
        reached = [c for c in candidates if c.records and c.records[0].get("rung") == last]
        return chosen(reached, self.budget.rule, find_system(self.cell.system)().simplicity)

    def finals(self, settings: Mapping[str, Any]) -> list[Trial]:
        """Fits with the chosen settings.

        Args:
            settings: the chosen ones.

        Returns:
            Seed by seed.
        """
        return [self.cell.trial(settings, seed, final=True) for seed in range(self.budget.seeds)]

    def looks(self, settings: Mapping[str, Any]) -> list[Trial]:
        """Fits that show test scores of the configurations that were not chosen.

        Args:
            settings: the chosen ones, whose final fit shows theirs.

        Returns:
            None unless the budget asks for them.
        """
        if not self.budget.show_selection:
            return []
        cell, others = self.cell, [each for each in self.configurations if each != settings]
        return [Trial(cell.scenario, cell.source, cell.system, each, 0, look=True) for each in others]


def plan_searches(cells: Iterable[Cell], budget: Budget) -> dict[Cell, SearchPlan | str]:
    """What the search of each cell takes; or why nothing can be fitted there.

    A problem is made once for all systems on it: a learning curve has hundreds, of a thousand recordings each.

    Args:
        cells: which ones; equal ones count once.
        budget: how much each gets.

    Returns:
        A plan, or the reason, in the order of the cells.

    Raises:
        InputError: if a system can't learn the task, or the first rung of halving ends before beta has grown.
    """
    by_source: dict[Source, list[Cell]] = {}
    for cell in (order := dict.fromkeys(cells)):
        by_source.setdefault(cell.source, []).append(cell)
    found: dict[Cell, SearchPlan | str] = {}
    for source, members in by_source.items():
        problem = source()
        found |= {cell: _planned(cell, budget, problem) for cell in members}
    return {cell: found[cell] for cell in order}


def _planned(cell: Cell, budget: Budget, problem: Problem) -> SearchPlan | str:
    system = find_system(cell.system)
    if problem.task not in system.tasks:
        raise InputError(f"system {cell.system} learns {' and '.join(system.tasks)}, not {problem.task}")
    try:
        found = configurations(system(), problem.without_test(), budget.configurations, budget.search)
    except InputError as error:
        return str(error)
    epochs = problem.config.training.epochs
    plan = SearchPlan(cell, budget, tuple(found), rungs(len(found), epochs, budget.halving and system.halving), epochs)
    if issubclass(system, ClassicSystem):
        _check_warmup(plan, system().config(problem, {}, 0).objective.beta_warmup)
    return plan


def _check_warmup(plan: SearchPlan, warmup: int) -> None:
    """Refuses to cut settings while beta, which some of them are about, is still growing."""
    first, number = plan.rungs[0], len(plan.rungs)
    if first.epochs is None or warmup <= first.epochs:
        return
    enough = (warmup - 1) * KEPT**number + 1  # then the first rung has as many epochs as beta needs
    raise InputError(
        f"--halving with --beta-warmup {warmup}: rung 1 of {number} trains {first.configurations} configurations of "
        f"{plan.cell.system} for {first.epochs} of {plan.epochs} epochs, and would cut most of them before beta has "
        f"grown; expected --beta-warmup {first.epochs} or less, --epochs {enough} or more, or no --halving"
    )
