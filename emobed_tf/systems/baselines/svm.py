"""Support vector machine on utterances.

Source: P. Barros et al., "The OMG-Emotion behavior dataset", 2018, the challenge's audio baseline. It names neither
kernel nor settings. Here: a radial basis function; complexity and width are searched on development, the width in units
of 1 / (features x variance). Classes keep their weights. An utterance of several frames is their mean.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import CLASSIFICATION, Recording
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.baselines.rows import Rows, utterances
from emobed_tf.systems.spread import Range, spread


class SupportVectorMachine(System):
    """Support vector machine; settings `complexity` and `width`."""

    title = "SVM"
    tasks = (CLASSIFICATION,)

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings `complexity` and `width`; see `System.configurations`."""
        axes = {"complexity": Range(0.01, 100, logarithmic=True), "width": Range(0.01, 10, logarithmic=True)}
        return spread(axes, {"complexity": 1.0, "width": 1.0}, number)

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Fits the machine to standardised utterances; see `System.fit`."""
        from sklearn.svm import SVC

        recordings = problem.modality.partition("train")
        self.target, self.classes = problem.target, len(problem.corpus.classes)
        values = utterances(recordings)
        self.rows = Rows(values, problem.config.data.clip)
        values = self.rows(values)
        unit = 1 / (values.shape[1] * max(float(values.var()), 1e-12))
        self.model = SVC(
            C=settings["complexity"],
            gamma=settings["width"] * unit,
            decision_function_shape="ovr",
            break_ties=True,
            random_state=seed,
        )
        self.model.fit(values, [int(recording.labels[problem.label]) for recording in recordings])

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """Scores of the classes, float64 `[classes]`; see `System.predict`."""
        found = self.model.decision_function(self.rows(utterances(recordings[self.target])))
        if found.ndim == 1:  # two classes: the side of the second
            found = np.stack([-found, found], axis=1)
        scores = np.full((len(found), self.classes), found.min() - 1.0)  # a class that training lacks never wins
        scores[:, self.model.classes_] = found
        return list(scores)
