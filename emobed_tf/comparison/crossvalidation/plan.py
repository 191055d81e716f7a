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

from emobed_tf.comparison.crossvalidation.folds import Fold, check_folds, deal, regrouped, speakers_of
from emobed_tf.comparison.protocol import Cell
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.config import Config, former_settings, preset
from emobed_tf.corpora.configured import fingerprints, merged_tables
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.corpora.labels import has_label, pooled
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
        return Problem(config, regrouped(corpus, self.fold))


@dataclass(frozen=True)
class CrossValidationPlan:
    """Folds and targets of a cross-validation.

    Attributes:
        folds: of all speakers.
        configs: by target, resolved.
        corpora: by target, with the data's own partitions.
    """

    folds: tuple[Fold, ...]
    configs: Mapping[str, Config]
    corpora: Mapping[str, Corpus]

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the targets."""
        return tuple(self.configs)

    @property
    def corpus(self) -> Corpus:
        """The data, as the first target reads them."""
        return next(iter(self.corpora.values()))

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores that are reported, the primary one first."""
        return ("ccc",) if self.corpus.task == REGRESSION else ("uar", "f1_macro", "f1_micro")

    @property
    def threads(self) -> int:
        """Threads of one operation."""
        return self.configs[self.targets[0]].training.threads

    @cached_property
    def speakers(self) -> dict[str, frozenset[str]]:
        """Modalities by speaker."""
        return speakers_of(self.corpora.values())

    def cell(self, target: str, system: str, fold: Fold) -> Cell:
        """One system on one target in one fold.

        Args:
            target: modality to recognise from.
            system: its name.
            fold: one of `folds`.

        Returns:
            What the protocol runs.
        """
        config = self.configs[target]
        auxiliaries = cast(tuple[str, ...], config.data.auxiliary)  # the configuration is resolved
        scenario = Scenario(target, auxiliaries, fold.number + 1, len(self.folds))
        return Cell(scenario, FoldSource(config, fold), system)

    def cells(self, systems: Sequence[str]) -> list[Cell]:
        """All folds of all systems on all targets, those with the same shapes one after another.

        Args:
            systems: names.

        Returns:
            Target by target, system by system, fold by fold.
        """
        return [self.cell(t, s, fold) for t in self.targets for s in systems for fold in self.folds]

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
        systems: names of the systems; without a crossmodal or paired one, no auxiliary is read.

    Returns:
        Folds that are checked, and a resolved configuration for each target.

    Raises:
        InputError: if settings, data or numbers of speakers don't fit each other.
    """
    twice = sorted({target for target in protocol.targets if protocol.targets.count(target) > 1})
    if twice:
        raise InputError(f"--targets: {twice[0]} a second time; name each once")
    kinds = [find_system(name) for name in systems]
    with_auxiliaries = any(kind.crossmodal or kind.paired for kind in kinds)
    configs: dict[str, Config] = {}
    corpora: dict[str, Corpus] = {}
    for target in protocol.targets or (settings.data.target,):
        wanted = _of_target(settings, target, with_auxiliaries)
        config, corpus = default_session().corpora.load(wanted, partitioned=False)
        if corpus.task != REGRESSION and config.training.selection is None:
            config = config.replace(selection="uar")
        name = cast(str, config.data.target)  # the configuration is resolved, as are those below
        configs[name], corpora[name] = config, corpus
    folds = deal(speakers_of(corpora.values()), protocol.folds, protocol.dev_speakers, protocol.fold_seed)
    for name, config in configs.items():
        check_folds(corpora[name], folds, name, cast(tuple[str, ...], config.data.auxiliary))
    return CrossValidationPlan(folds, configs, corpora)


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
        settings, auxiliary = settings.replace(framework="classic", alpha=None, beta=None), ()
    if auxiliary is not None:
        auxiliary = tuple(name for name in auxiliary if name != target)
    return settings.replace(target=target, auxiliary=auxiliary, table=merged_tables(settings.data.table))
