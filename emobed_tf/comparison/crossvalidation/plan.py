"""Nested cross-validation grouped by speaker: what is to be done.

Outer folds of speakers are the same for all modalities. Within a fold every system chooses its settings, weights and
post-processing on inner development speakers; the outer fold's speakers are predicted once, at the end. Fits and their
order, resuming and parallel work are `protocol`'s.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np

from emobed_tf.comparison.crossvalidation.folds import Fold, check_folds, deal, inner_splits, regrouped, speakers_of
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.search import Cell
from emobed_tf.config import Config, former_settings, preset
from emobed_tf.corpora.configured import data_name, fingerprints, merged_tables
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.corpora.labels import has_label, pooled
from emobed_tf.corpora.speakers import as_configured
from emobed_tf.errors import InputError
from emobed_tf.settings import PLACES, Names, OptionalInt
from emobed_tf.systems.base import Problem
from emobed_tf.systems.registry import find_system
from emobed_tf.training.session import default_session

REFERENCE = "classic"
_NOT_IN_IDENTITY = ("target", "auxiliary", "framework", "seed", *PLACES)


@dataclass(frozen=True)
class CrossValidationSettings:
    """Nested cross-validation by speaker."""

    targets: Names = ()
    """Modalities to recognise emotion from, one after another (default: --target)."""
    folds: int = 5
    """Outer folds of speakers; each is predicted by systems that saw none of its speakers."""
    dev_speakers: OptionalInt = None
    """Speakers, within a fold's training, for every choice and early stopping (default: as many as a fold
    has, at most a third of them)."""
    fold_seed: int = 0
    """Decides which speakers share a fold."""
    fold_seeds: int = 1
    """Deals of all speakers into folds, each done whole; a speaker's results are averaged over them before any test."""
    inner_folds: int = 1
    """Splits of a fold's other speakers on which each configuration is scored in turn (1: its development speakers
    alone, for whom weights and post-processing are always picked)."""

    def check(self) -> "CrossValidationSettings":
        """Makes sure that numbers are in range.

        Returns:
            Itself.

        Raises:
            InputError: for one that isn't.
        """
        for name in ("fold_seeds", "inner_folds"):
            if getattr(self, name) < 1:
                raise InputError(f"--{name.replace('_', '-')}: expected 1 or more, found {getattr(self, name)}")
        return self


@dataclass(frozen=True)
class FoldSource:
    """A fold as a problem, which a worker makes from the data that it has read.

    Attributes:
        config: resolved, of one target.
        fold: speakers of its partitions.
    """

    config: Config
    fold: Fold

    def __call__(self) -> Problem:
        """Reads the data, or takes them from the session of this process, and regroups them."""
        config, corpus = default_session().corpora.load(self.config, partitioned=False)
        return Problem(config, as_configured(config.data, regrouped(corpus, self.fold)))


@dataclass(frozen=True)
class CrossValidationPlan:
    """Folds and targets of a cross-validation.

    Attributes:
        folds: of all speakers.
        configs: by target, resolved.
        corpora: by target, with the data's own partitions.
        repeats: further deals of all speakers into folds.
        splits: the inner splits of each fold, by deal and fold; none where development speakers choose.
    """

    folds: tuple[Fold, ...]
    configs: Mapping[str, Config]
    corpora: Mapping[str, Corpus]
    repeats: tuple[tuple[Fold, ...], ...] = ()
    splits: tuple[tuple[tuple[Fold, ...], ...], ...] = ()

    @property
    def deals(self) -> tuple[tuple[Fold, ...], ...]:
        """All deals of speakers into folds, `folds` first."""
        return (self.folds, *self.repeats)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets."""
        return tuple(self.configs)

    @property
    def corpus(self) -> Corpus:
        """The data, as the first target reads them."""
        return next(iter(self.corpora.values()))

    @property
    def data_name(self) -> str:
        """What the user calls the data."""
        return data_name(self.configs[self.targets[0]].data)

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that are reported, the primary one first."""
        return ("ccc",) if self.corpus.task == REGRESSION else ("uar", "f1_macro", "f1_micro")

    @property
    def selection_score(self) -> str:
        """Name of the score that settings are chosen by."""
        if self.corpus.task == REGRESSION:
            return "ccc"
        return self.configs[self.targets[0]].classification_score

    @property
    def threads(self) -> int:
        """Threads of one operation."""
        return self.configs[self.targets[0]].training.threads

    @cached_property
    def speakers(self) -> dict[str, frozenset[str]]:
        """Modalities by speaker."""
        return speakers_of(self.corpora.values())

    def cell(self, target: str, system: str, fold: Fold, deal: int = 0) -> Cell:
        """One system on one target in one fold.

        Args:
            target: modality to recognise from.
            system: its name.
            fold: one of the deal's.
            deal: its place in `deals`.

        Returns:
            What the protocol runs.
        """
        config = self.configs[target]
        auxiliaries = cast(tuple[str, ...], config.data.auxiliary)  # the configuration is resolved
        scenario = Scenario(target, auxiliaries, fold.number + 1, len(self.folds), deal=deal + 1 if deal else None)
        inner = self.splits[deal][fold.number] if self.splits else ()
        return Cell(scenario, FoldSource(config, fold), system, tuple(FoldSource(config, split) for split in inner))

    def cells(self, systems: Sequence[str]) -> list[Cell]:
        """All folds of all systems on all targets, those with the same shapes one after another.

        Args:
            systems: names.

        Returns:
            Target by target, system by system, deal by deal, fold by fold.
        """
        folds = [(fold, deal) for deal, dealt in enumerate(self.deals) for fold in dealt]
        return [self.cell(target, system, *fold) for target in self.targets for system in systems for fold in folds]

    def identity(self) -> dict[str, Any]:
        """What must be the same for results to stand beside each other: settings, data, speakers of the folds."""
        settings = self.configs[self.targets[0]].to_dict()
        files = {n: h for t in self.targets for n, h in fingerprints(self.configs[t], self.corpora[t]).items()}
        return {
            "command": "crossvalidate",
            **{name: value for name, value in settings.items() if name not in _NOT_IN_IDENTITY},
            "folds": [dataclasses.asdict(fold) for fold in self.folds],
            "data": files,
        }

    def defaults(self) -> dict[str, Any]:
        """Values of settings in `identity` that came later, in results from before they could be set."""
        return former_settings(preset(self.configs[self.targets[0]].data.dataset).check())

    def golds(self, target: str, speakers: Sequence[str] | None = None) -> np.ndarray:
        """The gold standard of a target's recordings, of some speakers or all, float64, end to end (regression).

        Args:
            target: modality that was recognised from.
            speakers: whose; None: everybody's.

        Returns:
            float64 `[labelled frames]`, or `[utterances]`.
        """
        corpus = self.corpora[target]
        recordings = [r for r in corpus.modality(target).recordings if has_label(r, corpus.label)]
        kept = [r for r in recordings if speakers is None or r.speaker in speakers]
        return pooled([np.asarray(r.labels[corpus.label], np.float64) for r in kept])


def plan_cross_validation(
    settings: Config, protocol: CrossValidationSettings, systems: Sequence[str]
) -> CrossValidationPlan:
    """Reads the data of every target and deals their speakers.

    Args:
        settings: as on the command line. Of a classification that names no `--selection`, unweighted average recall
            is chosen by, for that is the primary score here.
        protocol: folds and targets.
        systems: names of the systems; without one that reads auxiliaries, none is read.

    Returns:
        Folds that are checked, and a resolved configuration for each target.

    Raises:
        InputError: if settings, data or numbers of speakers don't fit each other.
    """
    protocol.check()
    twice = sorted({target for target in protocol.targets if protocol.targets.count(target) > 1})
    if twice:
        raise InputError(f"--targets: {twice[0]} a second time; name each once")
    kinds = [find_system(name) for name in systems]
    with_auxiliaries = any(kind.reads_auxiliaries() for kind in kinds)
    configs: dict[str, Config] = {}
    corpora: dict[str, Corpus] = {}
    for target in protocol.targets or (settings.data.target,):
        wanted = _of_target(settings, target, with_auxiliaries)
        config, corpus = default_session().corpora.load(wanted, partitioned=False)
        if corpus.task != REGRESSION and config.training.selection is None:
            config = config.replace(selection="uar")
        name = cast(str, config.data.target)  # the configuration is resolved, as are those below
        configs[name], corpora[name] = config, corpus
    speakers, seeds = speakers_of(corpora.values()), range(protocol.fold_seed, protocol.fold_seed + protocol.fold_seeds)
    deals = tuple(deal(speakers, protocol.folds, protocol.dev_speakers, seed) for seed in seeds)
    splits: tuple[tuple[tuple[Fold, ...], ...], ...] = ()
    if protocol.inner_folds > 1:
        splits = tuple(
            tuple(inner_splits(fold, speakers, protocol.inner_folds, seed) for fold in folds)
            for folds, seed in zip(deals, seeds, strict=True)
        )
    for name, config in configs.items():
        auxiliaries = cast(tuple[str, ...], config.data.auxiliary)
        for folds in deals:
            check_folds(corpora[name], folds, name, auxiliaries)
        for inner in (split for each in splits for split in each):
            check_folds(corpora[name], inner, name, auxiliaries, ", --inner-folds")
    return CrossValidationPlan(deals[0], configs, corpora, deals[1:], splits)


def check_settings(settings: Config) -> None:
    """Refuses settings of `train` that the protocol fixes.

    Args:
        settings: as on the command line.

    Raises:
        InputError: naming what to use instead.
    """
    if settings.objective.framework != "emobed":
        raise InputError(f"--framework {settings.objective.framework}: every system is one; name them with --systems")
    if settings.training.seed:
        raise InputError(f"--seed {settings.training.seed}: the seeds are 0 to --seeds - 1; leave --seed out")
    settings.check()


def _of_target(settings: Config, target: str | None, with_auxiliaries: bool) -> Config:
    auxiliary = settings.data.auxiliary
    if not with_auxiliaries:  # nor do they count in an epoch
        settings, auxiliary = settings.of_framework("classic"), ()
    if auxiliary is not None:
        auxiliary = tuple(name for name in auxiliary if name != target)
    return settings.replace(target=target, auxiliary=auxiliary, table=merged_tables(settings.data.table))
