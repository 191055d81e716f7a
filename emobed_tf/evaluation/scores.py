"""A system's outputs on labelled recordings, and their scores: the chain learnt on development is applied untouched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Corpus, Recording
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.labels import has_label, known, labelled_frames
from emobed_tf.corpora.samples import are_samples, as_model_input
from emobed_tf.corpora.time import shift
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import confusion_matrix
from emobed_tf.evaluation.postprocessing import SHIFTS, WINDOWS, PostProcessing, learn
from emobed_tf.evaluation.score_table import classification_scores, regression_scores

SCORED_PARTITIONS = ("dev", "test")


class Predictor(Protocol):
    """A monomodal model, as far as an evaluation asks it: a Keras model is one."""

    def predict_on_batch(self, x: np.ndarray) -> np.ndarray:
        """The model's outputs for one batch.

        Args:
            x: float32 `[batch, frames, features]`.

        Returns:
            float32 `[batch, frames]`: predictions; or `[batch, classes]`: probabilities.
        """


@dataclass(frozen=True)
class Evaluated:
    """A system's outputs on a labelled partition, and their scores.

    Attributes:
        partition: `dev` or `test`.
        recordings: the labelled ones.
        labels: their labels: float `[frames]`, NaN where a frame has none and isn't scored, or int scalars.
        raw: in the gold standard's time: predictions `[frames]`, or class probabilities `[classes]`.
        final: post-processed `[frames]` (regression), else as `raw`.
        scores: by name; for a regression those of `final`, and those of `raw` under `raw`.
        confusion: int `[classes, classes]`, rows are true; None for a regression.
    """

    partition: str
    recordings: tuple[Recording, ...]
    labels: tuple[np.ndarray, ...]
    raw: tuple[np.ndarray, ...]
    final: tuple[np.ndarray, ...]
    scores: dict[str, Any]
    confusion: np.ndarray | None = None

    @property
    def speakers(self) -> list[str]:
        """Speaker of each recording: the unit that tests exchange and intervals draw."""
        return [recording.speaker for recording in self.recordings]

    @property
    def frames(self) -> int:
        """Number of scored frames or utterances."""
        return int(sum(np.count_nonzero(known(label)) for label in self.labels))

    @property
    def scored(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Of a regression: what is scored, labels and `final` of the labelled frames of each recording."""
        return labelled_frames(self.labels, self.final)


def labelled(corpus: Corpus, modality: str, partition: str) -> tuple[Recording, ...]:
    """Recordings of a partition that have the corpus' label.

    Args:
        corpus: any.
        modality: name of one of its modalities.
        partition: `train`, `dev` or `test`.

    Returns:
        Those of that modality, in its order.

    Raises:
        InputError: if the corpus has no such modality.
    """
    return tuple(r for r in corpus.modality(modality).partition(partition) if has_label(r, corpus.label))


def outputs(model: Predictor, recordings: Sequence[Recording], facts: Facts) -> list[np.ndarray]:
    """What a monomodal model says of recordings, in the gold standard's time: the label delay undone.

    Args:
        model: monomodal.
        recordings: of the target modality.
        facts: of the run.

    Returns:
        Per recording predictions `[frames]` or class probabilities `[classes]`.
    """
    found = predict(model, recordings)
    return [shift(values, facts.delay) for values in found] if facts.task == REGRESSION else found


def learn_chain(
    recordings: Sequence[Recording],
    raw: Sequence[np.ndarray],
    facts: Facts,
    windows: Sequence[float] = WINDOWS,
) -> tuple[PostProcessing | None, dict[str, float]]:
    """Post-processing learnt on development (section 4.2), and the CCC after each of its steps.

    Args:
        recordings: labelled, of the development partition.
        raw: their `outputs`.
        facts: of the run.
        windows: of the median filter in seconds, that are tried.

    Returns:
        The chain, None for a classification; an utterance has no time, so only centring and scaling are tried there.
    """
    if facts.task != REGRESSION:
        return None, {}
    golds = [recording.labels[facts.label] for recording in recordings]
    step = facts.frame_seconds[facts.target]
    return learn(golds, raw, step or 1.0, windows if step else (), SHIFTS if step else ())


def evaluate(
    partition: str,
    recordings: Sequence[Recording],
    raw: Sequence[np.ndarray],
    facts: Facts,
    chain: PostProcessing | None,
) -> Evaluated:
    """Scores of a system's outputs on the labelled frames of recordings.

    Args:
        partition: their partition.
        recordings: labelled.
        raw: their `outputs`.
        facts: of the run.
        chain: from `learn_chain`.

    Returns:
        The outputs, raw and after the chain, with labels and scores.

    Raises:
        InputError: as `score_table.regression_scores` or `metrics.confusion_matrix`.
    """
    labels = tuple(recording.labels[facts.label] for recording in recordings)
    recordings, raw = tuple(recordings), tuple(raw)
    if facts.task == REGRESSION:
        final = tuple(chain.apply(values) for values in raw) if chain else raw
        scores = {**_regression(labels, final, facts), "raw": _regression(labels, raw, facts)}
        return Evaluated(partition, recordings, labels, raw, final, scores)
    decided = [int(np.argmax(values)) for values in raw]
    confusion = confusion_matrix([int(label) for label in labels], decided, len(facts.classes))
    scores = {**classification_scores(confusion), "confusion": confusion.tolist()}
    return Evaluated(partition, recordings, labels, raw, raw, scores, confusion)


def _regression(labels: Sequence[np.ndarray], predictions: Sequence[np.ndarray], facts: Facts) -> dict[str, float]:
    scores = regression_scores(*labelled_frames(labels, predictions))
    if facts.frame_seconds[facts.target] is None:
        del scores["ccc_mean"]  # an utterance is one point: it has no concordance of its own
    return scores


_FRAMES_AT_A_TIME, _FRAMES_OF_SAMPLES = 100_000, 5_000  # 5,000 frames of 640 samples take 13 MB


def predict(model: Predictor, recordings: Sequence[Recording]) -> list[np.ndarray]:
    """What a model from `EmoBed.monomodal` says of each recording.

    Args:
        model: float32 `[batch, frames, features]` -> `[batch, ...]`.
        recordings: with features of that modality.

    Returns:
        float32 per recording, in their order: `[frames]` in the features' time (regression), or class probabilities
        `[classes]`.

    Raises:
        InputError: if the model's output is not finite.
    """
    outputs: list[np.ndarray] = [np.empty(0)] * len(recordings)
    by_length: dict[int, list[int]] = {}
    for k, recording in enumerate(recordings):
        by_length.setdefault(recording.frames, []).append(k)
    for frames, members in by_length.items():
        waveform = are_samples(recordings[members[0]].features)
        size = max(1, (_FRAMES_OF_SAMPLES if waveform else _FRAMES_AT_A_TIME) // frames)
        for first in range(0, len(members), size):
            chosen = members[first : first + size]
            values = model.predict_on_batch(np.stack([as_model_input(recordings[k].features) for k in chosen]))
            for k, value in zip(chosen, values, strict=True):
                if not np.isfinite(value).all():
                    raise InputError(f"the prediction for recording {recordings[k].id} is not finite; train again")
                outputs[k] = value
    return outputs
