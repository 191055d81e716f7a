"""A system of one's own: it says the class whose mean is nearest.

`python -m` finds this file in the folder where you are, and makes it a row of a comparison:

    python -m emobed_tf.crossvalidate --dataset tables --data-dir DIR --systems classic system:NearestMean
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emobed_tf.corpora import CLASSIFICATION, Recording
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.spread import Range, spread


class NearestMean(System):
    """Nearest class mean; the setting `shrinkage` draws the means towards their middle, from 0 (not at all) to 1."""

    title = "nearest mean"
    tasks = (CLASSIFICATION,)

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        return spread({"shrinkage": Range(0.0, 0.9)}, {"shrinkage": 0.0}, number)

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        self.target = problem.target
        recordings = problem.recordings("train")[self.target]
        labels = np.array([recording.labels[problem.label] for recording in recordings], dtype=int)
        frames = np.concatenate([recording.features for recording in recordings])
        self.centre, self.scale = np.nanmean(frames, axis=0), np.nanstd(frames, axis=0) + 1e-6
        utterances = self._utterances(recordings)
        self.means = np.full((len(problem.corpus.classes), frames.shape[1]), 1e9)  # a class never seen is far away
        for label in np.unique(labels):
            self.means[label] = (1 - settings["shrinkage"]) * utterances[labels == label].mean(axis=0)

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        utterances = self._utterances(recordings[self.target])
        return list(-np.linalg.norm(utterances[:, None] - self.means, axis=2))

    @property
    def parameters(self) -> int:
        return self.means.size + self.centre.size + self.scale.size

    def _utterances(self, recordings: Sequence[Recording]) -> np.ndarray:
        """A row `[features]` for each recording: the mean of its standardised frames; a missing value is the mean."""
        return np.array([np.nan_to_num((r.features - self.centre) / self.scale).mean(axis=0) for r in recordings])
