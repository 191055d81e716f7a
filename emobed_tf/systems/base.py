"""What every row of a comparison is: a problem to solve, and the interface of the systems that solve it.

A system of one's own is a subclass of `System`, named `package.module:Class`. In `majority.py`, say:

    import numpy as np
    from emobed_tf.systems.base import System

    class Majority(System):
        title, tasks = "majority class", ("classification",)

        def configurations(self, problem, number):
            return [{}]

        def fit(self, problem, settings, seed):
            found = [int(r.labels[problem.label]) for r in problem.modality.partition("train")]
            self.target, self.scores = problem.target, np.bincount(found, minlength=len(problem.corpus.classes))

        def predict(self, recordings):
            return [self.scores for _ in recordings[self.target]]

`python -m emobed_tf.reproduce 3 --system majority:Majority` makes it a row.
"""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, cast

import numpy as np

from emobed_tf.config import Config
from emobed_tf.corpora.budget import with_steps
from emobed_tf.corpora.configured import fingerprints
from emobed_tf.corpora.corpus import CLASSIFICATION, REGRESSION, Corpus, Modality, Recording
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.labels import has_label
from emobed_tf.corpora.time import frames_of
from emobed_tf.evaluation.postprocessing import WINDOWS
from emobed_tf.systems.spread import Space
from emobed_tf.training.session import Session

Pairs = Literal["never", "training", "inference"]
"""Where a system needs the same recordings in all modalities: nowhere, in training, or in training and afterwards."""


@dataclass(frozen=True)
class Problem:
    """Data and what to recognise in them: a target modality, auxiliaries, a label.

    Attributes:
        config: resolved, see `configured.load_corpus`: the ground that every neural system changes. Its framework is
            not the system's. Its steps of an epoch are made a number, so that they are the same for all systems,
            whichever modalities these use; see `budget.with_steps`.
        corpus: with partitions train, dev and test.
        session: that knows earlier trainings, for `training.loop.train`; None: that of this process.
    """

    config: Config
    corpus: Corpus
    session: Session | None = dataclasses.field(default=None, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "config", with_steps(self.config, self.corpus))

    @property
    def target(self) -> str:
        """Modality to recognise emotion from."""
        return cast(str, self.config.data.target)  # the configuration is resolved

    @property
    def auxiliaries(self) -> tuple[str, ...]:
        """Modalities that help in training."""
        return cast(tuple[str, ...], self.config.data.auxiliary)

    @property
    def task(self) -> str:
        """`regression` or `classification`."""
        return self.corpus.task

    @property
    def label(self) -> str:
        """What is learnt: a dimension, or `emotion`."""
        return self.corpus.label

    @property
    def score(self) -> str:
        """The development score that picks weights and settings: see `score_table.SCORES`."""
        return "ccc" if self.task == REGRESSION else self.config.classification_score

    @property
    def modality(self) -> Modality:
        """The target."""
        return self.corpus.modality(self.target)

    @property
    def delay(self) -> int:
        """Label delay in frames of the target; 0 for a classification and for utterances."""
        step = self.modality.frame_seconds
        return frames_of(self.config.data.label_delay, step) if step and self.task == REGRESSION else 0

    @cached_property
    def facts(self) -> Facts:
        """What evaluation has to know of the data, for any system; nothing of it comes from a training."""
        names = (self.target, *self.auxiliaries)
        corpus = self.corpus
        return Facts(
            corpus=corpus.name,
            simulated=corpus.simulated,
            task=corpus.task,
            label=corpus.label,
            classes=corpus.classes,
            target=self.target,
            features={name: corpus.modality(name).feature_names for name in names},
            frame_seconds={name: corpus.modality(name).frame_seconds for name in names},
            delay=self.delay,
            deviation=1.0,
            edges=(),
            fingerprints=fingerprints(self.config, corpus),
            sample_rates={n: rate for n in names if (rate := corpus.modality(n).sample_rate) is not None},
        )

    def with_modality(self, modality: Modality) -> "Problem":
        """The same with a modality added, or another one of its name.

        Args:
            modality: with recordings of all partitions that are needed.

        Returns:
            A new problem with a corpus of its own.
        """
        modalities = {**self.corpus.modalities, modality.name: modality}
        return dataclasses.replace(self, corpus=dataclasses.replace(self.corpus, modalities=modalities))

    def recordings(self, partition: str) -> dict[str, tuple[Recording, ...]]:
        """Recordings of a partition by modality, target first: the target's that have the label, all of the others'.

        Args:
            partition: `train`, `dev` or `test`.

        Returns:
            Recordings in the order of their source, by modality; none of an empty partition.

        Raises:
            InputError: if the corpus lacks a modality.
        """
        labelled = tuple(r for r in self.modality.partition(partition) if has_label(r, self.label))
        others = {name: self.corpus.modality(name).partition(partition) for name in self.auxiliaries}
        return {self.target: labelled, **others}

    def without_test(self) -> "Problem":
        """The same without test recordings: what a system may see while anything is chosen."""

        def kept(modality: Modality) -> Modality:
            recordings = tuple(r for r in modality.recordings if r.partition != "test")
            return dataclasses.replace(modality, recordings=recordings)

        modalities = {name: kept(modality) for name, modality in self.corpus.modalities.items()}
        return dataclasses.replace(self, corpus=dataclasses.replace(self.corpus, modalities=modalities))


class System(abc.ABC):
    """A row of a comparison: fitted to a problem with some settings and a seed, it predicts.

    One instance is fitted once. What a subclass needs of TensorFlow it imports in its methods: a table's rows are
    known before that is imported.
    """

    title: ClassVar[str]
    """The row's name in tables."""
    tasks: ClassVar[tuple[str, ...]] = (REGRESSION, CLASSIFICATION)
    """Tasks that it can learn."""
    pairs: ClassVar[Pairs] = "never"
    """Where it needs paired streams. `inference`: it reads all modalities when it predicts. A system of one's own may
    say `paired = True` instead, which means that."""
    crossmodal: ClassVar[bool] = False
    """Whether auxiliaries help it in training; a system that is neither is the same beside any auxiliary."""
    transductive: ClassVar[bool] = False
    """Whether its `view` uses unlabelled frames of those whom it is tested on."""
    windows: ClassVar[tuple[float, ...]] = WINDOWS
    """Seconds of the median filters that its post-processing may choose between."""
    halving: ClassVar[bool] = False
    """Whether a training of a few epochs says something of a long one, so that successive halving may cut settings."""

    @classmethod
    def view(cls, problem: Problem) -> Problem:
        """The problem as the system sees it, where its data come in another form than the others' do.

        It is asked for once before the fit, with test recordings: `fit` gets the view without them, and `predict` the
        view's recordings. Labels have to be left alone, and what is computed from test recordings has to be declared.

        Args:
            problem: of the comparison.

        Returns:
            The problem itself, unless a subclass says otherwise.
        """
        return problem

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "paired" in vars(cls) and "pairs" not in vars(
            cls
        ):  # what a system said before training had pairs of its own
            cls.pairs = "inference" if vars(cls)["paired"] else "never"

    @classmethod
    def reads_auxiliaries(cls) -> bool:
        """Whether other modalities change what it learns or says."""
        return cls.crossmodal or cls.pairs != "never"

    @abc.abstractmethod
    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings to try on development, JSON values, the defaults first.

        Args:
            problem: what they are for.
            number: how many; the same for every system, so that none wins by searching more. See `spread`. 1 means
                that nothing is searched.

        Returns:
            `number` different ones, or fewer where there are no more. What costs next to nothing may be searched whole.
        """

    def network_space(self, problem: Problem) -> Space | None:
        """What it searches beside the learning rate and the L2 weight that all networks share.

        `fit` then takes `learning_rate` and `l2` among its settings, too.

        Args:
            problem: what the settings are for.

        Returns:
            Its own ranges; None for a system that trains no network, whose `configurations` alone count.
        """
        return None

    def simplicity(self, settings: Mapping[str, Any]) -> tuple[float, ...]:
        """What settings are ordered by where several are about equally good: smaller is simpler.

        Args:
            settings: one of its configurations.

        Returns:
            Numbers that are compared one after another. Default: none, and the earlier settings are taken.
        """
        return ()

    @abc.abstractmethod
    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Learns from the training partition; whatever else is picked (epoch, weights) is picked on development.

        Args:
            problem: without test recordings.
            settings: one of `configurations`.
            seed: of all that is random.

        Raises:
            InputError: if these data can't be learnt with it.
        """

    @abc.abstractmethod
    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """What it says of recordings, in the order of the target's.

        Args:
            recordings: by modality, see `Problem.recordings`. Only a system whose `pairs` are of inference reads others
                than the target's.

        Returns:
            Regression: `[frames]` in the gold standard's time (the label delay undone), before post-processing.
            Classification: scores or probabilities `[classes]`, the largest wins.
        """

    @property
    def parameters(self) -> int | None:
        """Trained numbers that are kept for inference; None where that says nothing."""
        return None

    @property
    def epochs_done(self) -> int | None:
        """Epochs that the fit took, early stopping included; None where that says nothing.

        Who keeps up with a system, as a control of the audit does, needs not train it again to count them.
        """
        return None
