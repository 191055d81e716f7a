"""Strength modelling: a support vector machine and a recurrent network in series, either order.

Source: J. Han, Z. Zhang, N. Cummins, F. Ringeval, and B. Schuller, "Strength modelling for real-world automatic
continuous affect recognition from audiovisual signals", Image and Vision Computing, 2017. The second model reads
[x; first prediction] and learns the same target.

The source doesn't say on which data the first model predicts what the second one is trained on. Here: out of fold,
three folds of training speakers, so that the second sees predictions as good as those of new speakers; development and
test are predicted by a first model of all training data. Order and complexity are searched, the delay is the setting's.
Classes: the support vector machine instead of the regression, and its or the network's score of each class as columns.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Modality, Recording
from emobed_tf.corpora.time import shift
from emobed_tf.errors import InputError
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.baselines.svm import SupportVectorMachine
from emobed_tf.systems.baselines.svr import COMPLEXITY, SupportVectorRegression
from emobed_tf.systems.frameworks import ClassicSystem, of_network
from emobed_tf.systems.spread import Choice, Range, Space, spread

_Model = tuple[type[System], dict[str, Any]]  # with its settings

_FOLDS = 3
_VECTORS_FIRST, _NETWORK_FIRST = "support vectors first", "network first"


class StrengthModelling(System):
    """Two models in series; settings `order` and `complexity`."""

    title = "strength modelling"

    halving = True

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings `order` and `complexity`; see `System.configurations`."""
        own = self.network_space(problem)
        return spread(own.axes, own.default, number)

    def network_space(self, problem: Problem) -> Space:
        """The same settings, beside those of its network; see `System.network_space`."""
        regression = problem.task == REGRESSION
        complexities = COMPLEXITY if regression else Range(0.01, 100, logarithmic=True)
        axes: dict[str, Range | Choice] = {
            "order": Choice((_VECTORS_FIRST, _NETWORK_FIRST)),
            "complexity": complexities,
        }
        return Space(axes, {"order": _VECTORS_FIRST, "complexity": 1e-3 if regression else 1.0})

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Fits the first model, out of fold and to all, then the second one on what it predicts.

        Args:
            problem: without test recordings.
            settings: one of `configurations`.
            seed: of all that is random.

        Raises:
            InputError: if there is only one training recording.
        """
        vectors = self._support_vectors(problem, settings)
        network: _Model = (ClassicSystem, of_network(settings))
        first, second = (vectors, network) if settings["order"] == _VECTORS_FIRST else (network, vectors)
        self.target, self.task, self.delay = problem.target, problem.task, problem.delay
        modality = problem.modality
        self.first = _fitted(first, problem, seed)
        columns = self._out_of_fold(first, problem, seed)
        others = [recording for recording in modality.recordings if recording.partition != "train"]
        columns |= self._columns(self.first, others)
        self.second = _fitted(second, _with_columns(problem, columns), seed)

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """What the second model says, with the first one's prediction as features; see `System.predict`."""
        target = recordings[self.target]
        columns = self._columns(self.first, target)
        return self.second.predict({self.target: [_joined(recording, columns) for recording in target]})

    @property
    def parameters(self) -> int | None:
        """Trained numbers of both models; None where one of them has none to tell."""
        first, second = self.first.parameters, self.second.parameters
        return None if first is None or second is None else first + second

    def _support_vectors(self, problem: Problem, settings: Mapping[str, Any]) -> _Model:
        complexity = settings["complexity"]
        if problem.task == REGRESSION:
            return SupportVectorRegression, {"complexity": complexity, "delay": problem.config.data.label_delay}
        return SupportVectorMachine, {"complexity": complexity, "width": 1.0}

    def _out_of_fold(self, first: _Model, problem: Problem, seed: int) -> dict[str, np.ndarray]:
        """Predictions for every training recording, of models that never saw its speaker."""
        columns: dict[str, np.ndarray] = {}
        for fold in _folds(problem.modality):
            left_out = {recording.id for recording in fold}
            kept = tuple(recording for recording in problem.modality.recordings if recording.id not in left_out)
            others = problem.with_modality(dataclasses.replace(problem.modality, recordings=kept))
            model = _fitted(first, others, seed)
            columns |= self._columns(model, fold)
        return columns

    def _columns(self, model: System, recordings: Sequence[Recording]) -> dict[str, np.ndarray]:
        """Predictions at the time of the features, by recording: `[frames, 1]`, or `[1, classes]`."""
        found = model.predict({self.target: recordings})
        if self.task == REGRESSION:
            found = [shift(values, -self.delay)[:, None] for values in found]
        else:
            found = [values[None] for values in found]
        return {recording.id: values for recording, values in zip(recordings, found, strict=True)}


def _fitted(kind: _Model, problem: Problem, seed: int) -> System:
    system, settings = kind[0](), kind[1]
    system.fit(problem, settings, seed)
    return system


def _folds(modality: Modality) -> list[list[Recording]]:
    """Training recordings in folds of speakers; of recordings where there is one speaker only."""
    recordings = modality.partition("train")
    groups = [recording.speaker for recording in recordings]
    if len(set(groups)) == 1:
        groups = [recording.id for recording in recordings]
    names = sorted(set(groups))
    if len(names) < 2:
        raise InputError(f"modality '{modality.name}': strength modelling needs two training recordings, found one")
    fold_of = {name: k % min(_FOLDS, len(names)) for k, name in enumerate(names)}
    numbers = [fold_of[group] for group in groups]
    return [[r for r, k in zip(recordings, numbers, strict=True) if k == fold] for fold in range(max(numbers) + 1)]


def _with_columns(problem: Problem, columns: Mapping[str, np.ndarray]) -> Problem:
    modality = problem.modality
    recordings = tuple(_joined(recording, columns) for recording in modality.recordings)
    more = recordings[0].features.shape[1] - len(modality.feature_names)
    names = (*modality.feature_names, *(f"first_prediction_{k}" for k in range(more)))
    return problem.with_modality(dataclasses.replace(modality, recordings=recordings, feature_names=names))


def _joined(recording: Recording, columns: Mapping[str, np.ndarray]) -> Recording:
    values = np.broadcast_to(columns[recording.id], (recording.frames, columns[recording.id].shape[1]))
    features = np.concatenate([recording.features, values.astype(np.float32)], axis=1)
    return dataclasses.replace(recording, features=features)
