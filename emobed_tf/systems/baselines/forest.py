"""Random forest on utterances.

Source: P. Barros et al., "The OMG-Emotion behavior dataset", 2018, the challenge's video baseline. It names no
settings. Here: scikit-learn's forest; the number of trees and their depth are searched on development. Classes keep
their weights. An utterance of several frames is their mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import CLASSIFICATION, Recording
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.baselines.rows import Rows, utterances
from emobed_tf.systems.spread import Choice, spread


class RandomForest(System):
    """Random forest; settings `depth` (None: leaves are pure) and `trees`."""

    title = "random forest"
    tasks = (CLASSIFICATION,)

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings `depth` and `trees`; see `System.configurations`."""
        axes = {"depth": Choice((3, 5, 8, 12, 20, None)), "trees": Choice((50, 100, 200, 400))}
        return spread(axes, {"depth": None, "trees": 200}, number)

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Grows the trees on standardised utterances; see `System.fit`."""
        from sklearn.ensemble import RandomForestClassifier

        recordings = problem.modality.partition("train")
        self.target, self.classes = problem.target, len(problem.corpus.classes)
        values = utterances(recordings)
        self.rows = Rows(values, problem.config.data.clip)
        self.model = RandomForestClassifier(
            n_estimators=settings["trees"],
            max_depth=settings["depth"],
            n_jobs=problem.config.training.threads,
            random_state=seed,
        )
        self.model.fit(self.rows(values), [int(recording.labels[problem.label]) for recording in recordings])

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """Probabilities of the classes, float64 `[classes]`; see `System.predict`."""
        found = self.model.predict_proba(self.rows(utterances(recordings[self.target])))
        probabilities = np.zeros((len(found), self.classes))
        probabilities[:, self.model.classes_] = found
        return list(probabilities)
