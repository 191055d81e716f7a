"""What a learning curve takes: for each fold the target's labels that are kept, in several draws, and cells of those.

Draws are nested: the first speakers (or recordings) of a draw are the same for every number. All systems see the same
ones. Development keeps all of its labels, so a choice is as sure with few labels as with many.
"""

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Final, Literal, cast

import numpy as np
import tyro

from emobed_tf.comparison.crossvalidation.folds import Fold
from emobed_tf.comparison.crossvalidation.plan import CrossValidationPlan
from emobed_tf.comparison.protocol import Cell
from emobed_tf.comparison.trials import Source
from emobed_tf.corpora.corpus import CLASSIFICATION, Recording
from emobed_tf.corpora.labels import has_label
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.settings import Names
from emobed_tf.systems.base import Problem

ALL: Final = "all"


@dataclass(frozen=True)
class CurveSettings:
    """Learning curve: labels of the target."""

    amounts: Annotated[
        tuple[int | Literal["all"], ...], tyro.conf.arg(metavar="INT|all [INT|all ...]", help_behavior_hint="")
    ] = ()
    """Numbers of speakers (or recordings) whose labels the target keeps for training, all: as many as there are
    (default: 1, 2, 4, ... and all; of recordings, from the number of classes on)."""
    amounts_of: Literal["speakers", "recordings"] = "speakers"
    """What --amounts counts."""
    draws: int = 3
    """How often other speakers (or recordings) are drawn for each number; where all are taken, there is one draw."""
    missing_class: Names = ()
    """Classes whose labels the target loses, one after another, while the auxiliaries keep them; all: each in turn. How
    many recordings of such a class are recognised all the same stands in a table of its own."""

    def check(self, *, inner_folds: bool = False) -> "CurveSettings":
        """Makes sure that the numbers make sense.

        Args:
            inner_folds: whether configurations would be scored on several splits of a fold.

        Returns:
            Itself.

        Raises:
            InputError: for a number that can't be, or one that stands there twice; for inner folds, whose training
                speakers would be others than those whose labels are drawn.
        """
        if inner_folds:
            raise InputError("--inner-folds: a learning curve chooses on one set of development speakers; leave it out")
        if (least := min((amount for amount in self.amounts if amount != ALL), default=1)) < 1:
            raise InputError(f"--amounts: expected numbers of {self.amounts_of} from 1 on, found {least}")
        if len(set(self.amounts)) < len(self.amounts):
            raise InputError("--amounts: one number stands there twice; name each once")
        if self.draws < 1:
            raise InputError(f"--draws: expected 1 or more, found {self.draws}")
        return self


@dataclass(frozen=True)
class FewLabels:
    """A source whose problem has few of the target's recordings to learn from.

    Attributes:
        source: of the whole problem.
        kept: ids of the target's training and development recordings that stay. The others lose their labels and are in
            no partition; test and the auxiliaries are as they were.
    """

    source: Source
    kept: frozenset[str]

    def __call__(self) -> Problem:
        """Makes the whole problem and leaves out what isn't kept."""
        problem = self.source()
        modality = problem.modality
        recordings = tuple(r for r in modality.recordings if r.partition == "test" or r.id in self.kept)
        left = (r for r in modality.recordings if r.partition != "test" and r.id not in self.kept)
        unlabelled = (*modality.unlabelled, *(dataclasses.replace(r, partition="", labels={}) for r in left))
        return problem.with_modality(dataclasses.replace(modality, recordings=recordings, unlabelled=unlabelled))


@dataclass(frozen=True)
class CurvePlan:
    """Points of a learning curve on the folds of a cross-validation.

    Attributes:
        validation: folds and targets.
        settings: what the user wants.
        amounts: numbers of speakers or recordings by target, in rising order; the last may be all of them.
        withheld: classes whose labels the target loses, each by itself.
    """

    validation: CrossValidationPlan
    settings: CurveSettings
    amounts: Mapping[str, tuple[int, ...]]
    withheld: tuple[str, ...]

    @property
    def name(self) -> str:
        """What its files are called: curves by speakers and by recordings, and withheld classes, share a folder."""
        name = "missing-class" if self.withheld else "curve"
        return name if self._units == "speakers" else f"{name}-{self._units}"

    def cells(self, systems: Sequence[str]) -> list[Cell]:
        """All points of all systems on all targets, those of one system and target together.

        Args:
            systems: names.

        Returns:
            Target by target, system by system; then amount by amount, draw by draw, and the withheld classes.
        """
        found = []
        for target in self.validation.targets:
            parts: list[tuple[int, int] | str] = [*self.points(target), *self.withheld]
            found += [cell for system in systems for part in parts for cell in self.part(target, system, part)]
        return found

    def points(self, target: str) -> list[tuple[int, int]]:
        """Numbers of labels with their draws.

        Args:
            target: modality that is recognised from.

        Returns:
            (amount, draw), draws from 1. Where all labels are there, only the first.
        """
        draws = {amount: 1 if self._is_all(target, amount) else self.settings.draws for amount in self.amounts[target]}
        return [(amount, draw) for amount, number in draws.items() for draw in range(1, number + 1)]

    def part(self, target: str, system: str, part: tuple[int, int] | str) -> list[Cell]:
        """One point, or one withheld class, of a system in all folds.

        Args:
            target: modality that is recognised from.
            system: its name.
            part: (amount, draw), or the class that is withheld.

        Returns:
            A cell for each fold. With all labels they are those of a cross-validation.
        """
        return [self._cell(self.validation.cell(target, system, fold, deal), part, fold) for deal, fold in self._folds]

    def labelled(self, target: str) -> np.ndarray:
        """How many training recordings of the target have a label, by amount, the mean over folds and draws.

        Args:
            target: modality that is recognised from.

        Returns:
            float64 `[amounts]`.
        """
        folds, points = [fold for _, fold in self._folds], self.points(target)
        counts = {point: np.mean([len(self._kept(target, fold, *point)) for fold in folds]) for point in points}
        return np.array([np.mean([counts[p] for p in points if p[0] == amount]) for amount in self.amounts[target]])

    def auxiliary_recordings(self, target: str) -> float:
        """How many labelled recordings the auxiliaries of a target have to train on, the mean over folds.

        Args:
            target: modality that is recognised from.

        Returns:
            Of all auxiliaries together.
        """
        names = cast(tuple[str, ...], self.validation.configs[target].data.auxiliary)  # the configuration is resolved
        corpus = self.validation.corpora[target]
        recordings = [r for name in names for r in corpus.modality(name).recordings if has_label(r, self._label)]
        return float(np.mean([sum(r.speaker in fold.train for r in recordings) for fold in self.validation.folds]))

    @property
    def _folds(self) -> list[tuple[int, Fold]]:
        """All folds of all deals, each with the place of its deal."""
        return [(deal, fold) for deal, folds in enumerate(self.validation.deals) for fold in folds]

    @property
    def _units(self) -> str:
        return self.settings.amounts_of

    def _cell(self, cell: Cell, part: tuple[int, int] | str, fold: Fold) -> Cell:
        target = cell.scenario.target
        if isinstance(part, str):
            name, label = f"without {part}", self.validation.corpus.classes.index(part)
            every = [*self._training(target, fold), *self._recordings(target, fold.dev)]
            kept = [r.id for r in every if int(r.labels[self._label]) != label]
        elif self._is_all(target, part[0]):
            return cell
        else:
            amount, draw = part
            name = f"{amount} {self._units[:-1] if amount == 1 else self._units}, draw {draw}"
            kept = [*self._kept(target, fold, amount, draw), *(r.id for r in self._recordings(target, fold.dev))]
        scenario = dataclasses.replace(cell.scenario, labels=name)
        return Cell(scenario, FewLabels(cell.source, frozenset(kept)), cell.system)

    def _kept(self, target: str, fold: Fold, amount: int, draw: int) -> list[str]:
        """Ids of the first speakers' training recordings, or of the first recordings, of a draw."""
        recordings, rng = self._training(target, fold), np.random.default_rng([draw, fold.number])
        if self._units == "speakers":
            chosen = rng.permutation(sorted({r.speaker for r in recordings}))[:amount].tolist()
            return [r.id for r in recordings if r.speaker in chosen]
        order = rng.permutation(len(recordings))
        if self.validation.corpus.task == CLASSIFICATION:
            order = _classes_in_turn([int(r.labels[self._label]) for r in recordings], order)
        return [recordings[k].id for k in order[:amount]]

    def _is_all(self, target: str, amount: int) -> bool:
        return all(amount >= _number(self._training(target, f), self._units) for _, f in self._folds)

    @property
    def _label(self) -> str:
        return self.validation.corpus.label

    def _training(self, target: str, fold: Fold) -> list[Recording]:
        return self._recordings(target, fold.train)

    def _recordings(self, target: str, speakers: Sequence[str]) -> list[Recording]:
        wanted = set(speakers)
        return [r for r in self._labelled[target] if r.speaker in wanted]

    @cached_property
    def _labelled(self) -> dict[str, list[Recording]]:
        """Each target's recordings that have a label: a thousand points ask for them many times."""
        corpora, label = self.validation.corpora, self._label
        return {t: [r for r in corpora[t].modality(t).recordings if has_label(r, label)] for t in corpora}


def plan_curve(validation: CrossValidationPlan, settings: CurveSettings) -> CurvePlan:
    """Points of a learning curve, checked before anything is trained.

    Args:
        validation: folds and targets.
        settings: amounts, draws and withheld classes.

    Returns:
        The plan.

    Raises:
        InputError: for more speakers or recordings than there are, a class that the data don't have, or inner folds.
    """
    settings.check(inner_folds=bool(validation.splits))
    plan = CurvePlan(validation, settings, {}, _withheld(validation, settings.missing_class))
    amounts = {target: _amounts(plan, target) for target in validation.targets}
    return dataclasses.replace(plan, amounts=amounts)


def _amounts(plan: CurvePlan, target: str) -> tuple[int, ...]:
    units = plan.settings.amounts_of
    numbers = [_number(plan._training(target, fold), units) for _, fold in plan._folds]
    least, most = min(numbers), max(numbers)
    if plan.settings.amounts:
        named: set[int] = {most if amount == ALL else amount for amount in plan.settings.amounts}
        wanted = tuple(sorted(named))
        possible = tuple(amount for amount in wanted if amount <= most)
        number = least if least == most else f"{least} to {most}"
        has = f"a fold of '{target}' has {number} labelled {units} to learn from"
        if not possible:
            raise InputError(f"--amounts {wanted[0]}: {has}; choose smaller numbers, or fewer --dev-speakers")
        if possible != wanted:
            left = ", ".join(map(str, wanted[len(possible) :]))
            warnings.warn(f"{has}: --amounts {left} left out there", EmoBedWarning, stacklevel=2)
        return possible
    first = max(2, len(plan.validation.corpus.classes)) if units == "recordings" else 1
    doubled = [first * 2**k for k in range(least.bit_length()) if first * 2**k < least]
    return (*doubled, most)


def _withheld(validation: CrossValidationPlan, names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    corpus = validation.corpus
    if corpus.task != CLASSIFICATION:
        raise InputError(f"--missing-class {names[0]}: {corpus.label} is a number; only classes can be withheld")
    if tuple(names) == (ALL,):
        return corpus.classes
    unknown = [name for name in names if name not in corpus.classes]
    if unknown:
        raise InputError(f"--missing-class: no class '{unknown[0]}'; found {', '.join(corpus.classes)}")
    return tuple(dict.fromkeys(names))


def _number(recordings: Sequence[Recording], units: str) -> int:
    return len({r.speaker for r in recordings}) if units == "speakers" else len(recordings)


def _classes_in_turn(classes: Sequence[int], order: np.ndarray) -> np.ndarray:
    """An order in which classes take turns, so that the first few recordings show as many classes as they can.

    Args:
        classes: of each recording.
        order: of all recordings, which stays that of the recordings of one class.

    Returns:
        int `[recordings]`, positions.
    """
    seen: dict[int, int] = {}
    turns = []
    for k in order:
        seen[classes[k]] = seen.get(classes[k], -1) + 1
        turns.append(seen[classes[k]])
    return order[np.argsort(turns, kind="stable")]
