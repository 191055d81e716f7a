"""Early, model-level and late fusion (EmoBed, Fig. 2 a to c): paired streams, and all modalities at inference.

Source: EmoBed, sections 2.2 and 3.1: [x_A; x_V] for early fusion, [e_A; e_V] for model-level fusion, a weighted average
of y_A and y_V for late fusion. It gives neither networks nor how streams of different lengths are paired nor how the
weight is found. Here: layers and training of the classic system; one encoder for each modality and a head over both
embeddings in model-level fusion; every frame of the target beside the nearest frame of the others, training recordings
cut to the shortest stream; late fusion's weight from development, in twentieths.
"""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.corpora.labels import known
from emobed_tf.corpora.pairing import frame_steps, join, joined_corpus, nearest, partners
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import ccc_from_moments, confusion_matrix
from emobed_tf.evaluation.score_table import SCORES
from emobed_tf.models.design import Design
from emobed_tf.systems.base import Problem
from emobed_tf.systems.frameworks import ClassicSystem

_PARTS = 20  # of late fusion's weights


class EarlyFusion(ClassicSystem):
    """The classic system on the features of all modalities side by side (Fig. 2 a)."""

    title = "early fusion"
    pairs = "inference"

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains the classic system on the joined features.

        Args:
            problem: with at least one auxiliary modality.
            settings: one of `configurations`.
            seed: of all that is random.

        Raises:
            InputError: if there is no auxiliary modality, or streams are not paired.
        """
        _check_auxiliaries(problem)
        self.steps = frame_steps(problem.corpus, _names(problem))
        joined = joined_problem(problem)
        self.train(joined, self.config(joined, settings, seed), **self.differences(problem))

    def differences(self, problem: Problem) -> dict[str, Any]:
        """How the training differs from the classic system's.

        Args:
            problem: with all modalities.

        Returns:
            Arguments of `training.loop.train`.
        """
        return {}

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """What the network says of the joined features; see `System.predict`."""
        every = partners({name: recordings[name] for name in self.steps}, self.steps)
        return self.trained.outputs([join(paired, self.steps, cut=False) for paired in every])


class ModelLevelFusion(EarlyFusion):
    """An encoder for each modality, their embeddings side by side, one head on top (Fig. 2 c)."""

    title = "model-level fusion"

    def differences(self, problem: Problem) -> dict[str, Any]:
        """A part of the network for each modality; see `EarlyFusion.differences`."""
        modalities = (problem.corpus.modality(name) for name in _names(problem))
        return {"design": Design(parts=tuple((m.name, len(m.feature_names)) for m in modalities))}


class LateFusion(ClassicSystem):
    """A classic system for each modality, and the weighted average of what they say (Fig. 2 b).

    They are trained apart, so only development and test need be paired.

    Attributes:
        systems: classic ones, by modality, target first.
        weights: float64 `[modalities]` >= 0 with sum 1, the best on development; of equally good ones the most even.
    """

    title = "late fusion"
    pairs = "inference"

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains a classic system for each modality, then finds the weights of the average on development.

        Args:
            problem: with at least one auxiliary modality.
            settings: one of `configurations`, the same for all modalities.
            seed: of all that is random.

        Raises:
            InputError: if there is no auxiliary modality, or development recordings are not paired.
        """
        _check_auxiliaries(problem)
        self.steps, self.task = frame_steps(problem.corpus, _names(problem)), problem.task
        recordings = problem.recordings("dev")
        partners(recordings, self.steps)  # refuses what is not paired before anything is trained
        self.systems = {}
        for name in self.steps:
            self.systems[name] = ClassicSystem()
            alone = dataclasses.replace(problem, config=problem.config.replace(target=name, auxiliary=()))
            self.systems[name].fit(alone, settings, seed)
        golds = [recording.labels[problem.label] for recording in recordings[problem.target]]
        self.weights = best_weights(problem.score, golds, self._predictions(recordings))

    def predict(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """The weighted average of what all modalities say; see `System.predict`."""
        return [np.tensordot(self.weights, values, 1) for values in self._predictions(recordings)]

    @property
    def parameters(self) -> int:
        """Trained numbers of all networks that are kept for inference, and the weights."""
        return len(self.weights) + sum(system.parameters for system in self.systems.values())

    def _predictions(self, recordings: Mapping[str, Sequence[Recording]]) -> list[np.ndarray]:
        """Every modality's prediction for each of the target's recordings, `[modalities, frames or classes]`."""
        every = partners({name: recordings[name] for name in self.steps}, self.steps)
        step = next(iter(self.steps.values()))
        columns = []
        for k, (name, system) in enumerate(self.systems.items()):
            theirs = [paired[k] for paired in every]
            values = system.predict({name: theirs})
            if self.task == REGRESSION:
                where = [nearest(paired[0], step, paired[k], self.steps[name]) for paired in every]
                values = [v[np.clip(at, 0, len(v) - 1)] for v, at in zip(values, where, strict=True)]
            columns.append(values)
        return [np.stack(values) for values in zip(*columns, strict=True)]


def joined_problem(problem: Problem) -> Problem:
    """The same problem with a single modality: the target's and the auxiliaries' features side by side.

    Args:
        problem: with auxiliaries.

    Returns:
        A problem without auxiliaries, see `pairing.joined_corpus`.

    Raises:
        InputError: if streams are not paired.
    """
    corpus = joined_corpus(problem.corpus, _names(problem))
    (name,) = corpus.modalities
    config = problem.config.replace(target=name, auxiliary=())
    return dataclasses.replace(problem, config=config, corpus=corpus)


def best_weights(score: str, golds: Sequence[np.ndarray], predictions: Sequence[np.ndarray]) -> np.ndarray:
    """Weights of an average of several predictions with the best score.

    Args:
        score: one with a function of sums, see `score_table.SCORES`.
        golds: per recording labels `[frames]`, NaN where a frame has none and doesn't count, or an int scalar.
        predictions: per recording `[modalities, frames]` or `[modalities, classes]`.

    Returns:
        float64 `[modalities]` in twentieths with sum 1; of equally good ones the most even.
    """
    candidates = _simplex(len(predictions[0]))
    scores: np.ndarray | list[float]
    if score == "ccc":
        gold, values = np.concatenate(golds), np.concatenate(predictions, axis=1)
        scores = _concordances(candidates, gold[known(gold)], values[:, known(gold)])
    else:
        labels = np.array([int(label) for label in golds])
        scores = [_class_score(score, labels, np.tensordot(w, predictions, (0, 1))) for w in candidates]
    return candidates[int(np.argmax(np.round(scores, 12)))]


def _simplex(modalities: int) -> np.ndarray:
    """All weights in twentieths, `[candidates, modalities]`, the most even first."""
    heads = itertools.product(range(_PARTS + 1), repeat=modalities - 1)
    counts = np.array([(*head, _PARTS - sum(head)) for head in heads if sum(head) <= _PARTS])
    return counts[np.argsort((counts**2).sum(axis=1), kind="stable")] / _PARTS


def _concordances(candidates: np.ndarray, gold: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """CCC (Eq. 9) of every average, from the moments of the predictions: no average is computed."""
    centre = gold.mean(dtype=np.float64)
    gold, values = gold - centre, predictions.astype(np.float64) - centre
    squares = np.einsum("cm,mn,cn->c", candidates, values @ values.T, candidates)
    sums, products = candidates @ values.sum(axis=1), candidates @ (values @ gold)
    return ccc_from_moments(gold.size, gold.sum(), sums, gold @ gold, squares, products)


def _class_score(score: str, labels: np.ndarray, averages: np.ndarray) -> float:
    confusion = confusion_matrix(labels, averages.argmax(axis=1), averages.shape[1])
    function = cast(Callable[[Any], Any], SCORES[score].function)  # every score of classes is one of sums
    return float(function(confusion))


def _names(problem: Problem) -> tuple[str, ...]:
    return (problem.target, *problem.auxiliaries)


def _check_auxiliaries(problem: Problem) -> None:
    if not problem.auxiliaries:
        raise InputError(f"fusion needs another modality beside {problem.target}; name one with --auxiliary")
