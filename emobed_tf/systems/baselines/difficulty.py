"""DDAT (RE) and DDAT (PU): dynamic difficulty awareness training.

Source: Z. Zhang, J. Han, E. Coutinho, and B. Schuller, "Dynamic difficulty awareness training for continuous emotion
prediction", IEEE Transactions on Multimedia 21, 2019 (arXiv:1810.05507). In a first stage a network tells how difficult
each moment is, by its reconstruction error (RE) or the raters' disagreement (PU); in a second one the label is learnt
from the features and that difficulty.

Here: the first stage is MTL (RE) or MTL (PU) with its weight searched; d(t) is the root mean square of the
reconstruction error over the features that exist, or the *predicted* disagreement, since the true one is absent at
test; the second stage is a new classic system on [x; d], with the first one's learning
rate and L2 weight where these are searched, whose first layer standardises d with training moments as it
does all features. d of the training data comes from the network that was trained on them: it is no prediction of the
label that could be too good there.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.perception import PerceptionMultiTask
from emobed_tf.systems.baselines.reconstruction import ReconstructionMultiTask
from emobed_tf.systems.frameworks import ClassicSystem, of_network
from emobed_tf.systems.spread import Space


class ReconstructionDifficulty(ClassicSystem):
    """A network on [x; reconstruction error].

    Attributes:
        first: the first stage.
    """

    title = "DDAT (RE)"
    stage: ClassVar[type[ReconstructionMultiTask | PerceptionMultiTask]] = ReconstructionMultiTask

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings of the first stage; see `System.configurations`."""
        return self.stage().configurations(problem, number)

    def network_space(self, problem: Problem) -> Space | None:
        """What the first stage searches; see `System.network_space`."""
        return self.stage().network_space(problem)

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains the first stage with the settings, then the second one on what it says; see `System.fit`."""
        self.first = self.stage()
        self.first.fit(problem, settings, seed)
        modality = problem.modality
        harder = dataclasses.replace(
            modality,
            recordings=tuple(self._with_difficulty(modality.recordings)),
            feature_names=(*modality.feature_names, "difficulty"),
        )
        super().fit(problem.with_modality(harder), of_network(settings), seed)

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """What the second stage says, with the first one's difficulty as a feature; see `System.predict`."""
        return super().predict({self.target: self._with_difficulty(recordings[self.target])})

    @property
    def parameters(self) -> int:
        """Trained numbers of both stages."""
        return self.first.trained.parameters["training"] + super().parameters

    def _with_difficulty(self, recordings: Sequence[Recording]) -> list[Recording]:
        columns = self.first.difficulty(recordings)
        return [
            dataclasses.replace(recording, features=np.column_stack([recording.features, column]))
            for recording, column in zip(recordings, columns, strict=True)
        ]


class PerceptionDifficulty(ReconstructionDifficulty):
    """A network on [x; predicted disagreement of the raters]."""

    title = "DDAT (PU)"
    tasks = (REGRESSION,)
    stage = PerceptionMultiTask
