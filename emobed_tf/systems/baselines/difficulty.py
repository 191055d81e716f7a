"""Networks in succession: how difficult a moment was for the first one is a feature of the second one.

DDAT (RE) and DDAT (PU), dynamic difficulty awareness training: Z. Zhang, J. Han, E. Coutinho, and B. Schuller, "Dynamic
difficulty awareness training for continuous emotion prediction", IEEE Transactions on Multimedia 21, 2019
(arXiv:1810.05507). In a first stage a network tells how difficult each moment is, by its reconstruction error (RE) or
the raters' disagreement (PU), while it learns the label; in a second one the label is learnt from the features and that
difficulty.

MTL (RE): J. Han, Z. Zhang, F. Ringeval, and B. Schuller, "Reconstruction-error-based learning for continuous emotion
recognition in speech", ICASSP 2017. The first network is an autoencoder, see `autoencoder`, and learns no label: its
reconstruction error joins the features of the second. In spite of its name in EmoBed's tables there is one task for
each network.

Here: the first stage of DDAT is the network of two tasks with its weight searched, and both stages have the same
learning rate and L2 weight; of MTL (RE) those of the second network are searched, and the first one's are the problem's
own. d(t) is one number: the root mean square of the reconstruction error over the features that exist, or the
*predicted* disagreement, since the true one is absent at test. The second stage is a new classic system on [x; d],
whose first layer standardises d with training moments as it does all features. d of the training data comes from the
network that was trained on them: it is no prediction of the label that could be too good there.
"""

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.autoencoder import Autoencoder
from emobed_tf.systems.baselines.multitask import AuxiliaryTask
from emobed_tf.systems.baselines.perception import PerceptionMultiTask
from emobed_tf.systems.baselines.reconstruction import ReconstructionMultiTask
from emobed_tf.systems.frameworks import ClassicSystem, of_network
from emobed_tf.systems.spread import spread


class FirstStage(Protocol):
    """A network that tells how difficult each moment is."""

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains it; see `System.fit`.

        Args:
            problem: without test recordings.
            settings: from `OnDifficulty.of_first`.
            seed: of all that is random.
        """

    def difficulty(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """How difficult every frame is, in the features' time.

        Args:
            recordings: of the target modality.

        Returns:
            float32 `[frames]` per recording; NaN where it isn't known.
        """

    @property
    def learnt(self) -> int:
        """Numbers that were trained."""


class OnDifficulty(ClassicSystem):
    """A network on [x; d], after another one that tells d.

    Attributes:
        first: the first stage, once fitted.
    """

    stage: ClassVar[type[FirstStage]]

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains the first stage, then the second one on what it says; see `System.fit`."""
        self.first = self.stage()
        self.first.fit(problem, self.of_first(settings), seed)
        modality = problem.modality
        harder = dataclasses.replace(
            modality,
            recordings=tuple(self._with_difficulty(modality.recordings)),
            feature_names=(*modality.feature_names, "difficulty"),
        )
        super().fit(problem.with_modality(harder), of_network(settings), seed)

    @abc.abstractmethod
    def of_first(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """Settings of the first stage.

        Args:
            settings: of both.

        Returns:
            What its `fit` takes.
        """

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """What the second stage says, with the first one's difficulty as a feature; see `System.predict`."""
        return super().predict({self.target: self._with_difficulty(recordings[self.target])})

    @property
    def parameters(self) -> int:
        """Trained numbers of both stages."""
        return self.first.learnt + super().parameters

    def _with_difficulty(self, recordings: Sequence[Recording]) -> list[Recording]:
        columns = self.first.difficulty(recordings)
        return [
            dataclasses.replace(recording, features=np.column_stack([recording.features, column]))
            for recording, column in zip(recordings, columns, strict=True)
        ]


class ReconstructionErrorLearning(OnDifficulty):
    """A network on [x; error of an autoencoder]."""

    title = "MTL (RE)"
    stage = Autoencoder

    def of_first(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """None: the autoencoder has the problem's own; see `OnDifficulty.of_first`."""
        return {}


class ReconstructionDifficulty(OnDifficulty):
    """A network on [x; reconstruction error of a network that learnt the label as well]."""

    title = "DDAT (RE)"
    stage: ClassVar[type[FirstStage]] = ReconstructionMultiTask
    axes: ClassVar = {**AuxiliaryTask.axes, **ClassicSystem.axes}

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings of both stages: `weight` of the first one's other loss, `learning_rate`, `l2`."""
        values = problem.config.to_dict()
        return spread(self.axes, {"weight": 0.5, **{name: values[name] for name in ClassicSystem.axes}}, number)

    def of_first(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """All of them; see `OnDifficulty.of_first`."""
        return settings


class PerceptionDifficulty(ReconstructionDifficulty):
    """A network on [x; predicted disagreement of the raters]."""

    title = "DDAT (PU)"
    tasks = (REGRESSION,)
    stage = PerceptionMultiTask
