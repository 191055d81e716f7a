"""Multi-task learning (EmoBed, Fig. 2 d), and what all systems with an auxiliary task have in common.

Source: EmoBed, section 3.1: an auxiliary task "benefits the main task by updating the parameters in the shared
front-end feature-learning network". It gives neither losses nor weights. Here: the encoder is shared, each dimension
has a head of the classic system's layers, and L = L_label + weight * L_other + lambda * R with the weight searched. The
features are the label's (RECOLA's package has others for each dimension); so is the score that picks the weights.
"""

import abc
import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from emobed_tf.corpora.corpus import DIMENSIONS, REGRESSION, Recording
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.labels import has_label
from emobed_tf.errors import InputError
from emobed_tf.models.design import Design, Head
from emobed_tf.systems.base import Problem
from emobed_tf.systems.frameworks import ClassicSystem, of_network
from emobed_tf.systems.spread import Range, spread


class AuxiliaryTask(ClassicSystem):
    """The classic system with one more head: loss_y + weight * loss of that head.

    Attributes:
        trained: what `training.loop.train` returned, once fitted.
    """

    axes: ClassVar = {"weight": Range(0.03, 3, logarithmic=True)}

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """The setting `weight` of the auxiliary loss; see `System.configurations`."""
        return spread(self.axes, {"weight": 0.5}, number)

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains the network with both heads; see `System.fit`."""
        prepared = self.prepared(problem)
        design = Design(heads={self.head(problem): settings["weight"]})
        self.train(prepared, self.config(problem, of_network(settings), seed), design=design)

    @property
    def learnt(self) -> int:
        """Numbers that were trained, those of the other head among them."""
        return self.trained.parameters["training"]

    def prepared(self, problem: Problem) -> Problem:
        """The problem with what the head learns among the training recordings' labels.

        Args:
            problem: as it was given.

        Returns:
            The same, or one with another label.

        Raises:
            InputError: if the data don't have it.
        """
        return problem

    @abc.abstractmethod
    def head(self, problem: Problem) -> Head:
        """What the network predicts beside the label.

        Args:
            problem: that the network learns.

        Returns:
            The head of the auxiliary task.
        """


class MultiTask(AuxiliaryTask):
    """One modality in, arousal and valence out (Fig. 2 d)."""

    title = "multi-task learning"
    tasks = (REGRESSION,)

    def prepared(self, problem: Problem) -> Problem:
        """The problem itself: its training recordings have labels of both dimensions.

        Args:
            problem: of a dimension.

        Returns:
            The same.

        Raises:
            InputError: if the label is no dimension, or a training recording lacks the other one.
        """
        other = _other_dimension(problem)
        training = problem.modality.partition("train")
        missing = [recording.id for recording in training if not has_label(recording, other)]
        if missing:
            raise InputError(
                f"multi-task learning needs arousal and valence, but modality '{problem.target}' has no {other} in "
                f"{listing(missing)}; a data set needs labels of both, a table both columns"
            )
        return problem

    def head(self, problem: Problem) -> Head:
        """A head of its own layers for the other dimension; see `AuxiliaryTask.head`."""
        return Head(_other_dimension(problem), apart=True)


def with_training_label(problem: Problem, name: str, values: Callable[[Recording], np.ndarray]) -> Problem:
    """The problem with one more label of the target's training recordings.

    Args:
        problem: whose corpus.
        name: of the label.
        values: its values for a recording, `[frames]` or a scalar.

    Returns:
        A new problem; other recordings are as they were.
    """
    modality = problem.modality

    def labelled(recording: Recording) -> Recording:
        if recording.partition != "train":
            return recording
        return dataclasses.replace(recording, labels={**recording.labels, name: values(recording)})

    changed = dataclasses.replace(modality, recordings=tuple(map(labelled, modality.recordings)))
    return problem.with_modality(changed)


def _other_dimension(problem: Problem) -> str:
    if problem.label not in DIMENSIONS:
        raise InputError(f"multi-task learning needs labels arousal and valence, not '{problem.label}'")
    return next(name for name in DIMENSIONS if name != problem.label)
