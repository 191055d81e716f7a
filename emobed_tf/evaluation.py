"""Scores of a run and the comparison of two: the chain learnt on development, applied untouched elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import keras
import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Corpus, Recording
from emobed_tf.errors import InputError
from emobed_tf.evidence import speaker_statistics
from emobed_tf.inference import predict
from emobed_tf.metrics import (
    CLASSIFICATION_SCORES,
    classification_scores,
    confusion_matrix,
    pooled_ccc,
    regression_scores,
)
from emobed_tf.postprocess import SHIFTS, WINDOWS, PostProcessing, learn, shift
from emobed_tf.runs import Facts
from emobed_tf.significance import (
    SECOND_BETTER,
    bootstrap_interval,
    fisher_z_test,
    proportions_z_test,
    swap_test,
)


@dataclass(frozen=True)
class Evaluated:
    """A system's outputs on a labelled partition, and their scores.

    Attributes:
        partition: `dev` or `test`.
        recordings: the labelled ones.
        labels: their labels: float `[frames]`, or int scalars.
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
    scores: dict
    confusion: np.ndarray | None = None

    @property
    def speakers(self) -> list[str]:
        """Speaker of each recording: the unit that tests exchange and intervals draw."""
        return [recording.speaker for recording in self.recordings]

    @property
    def frames(self) -> int:
        """Number of scored frames or utterances."""
        return int(sum(np.size(label) for label in self.labels))


@dataclass(frozen=True)
class Comparison:
    """Three kinds of evidence that a second system is better than a first, on one score.

    Attributes:
        score: its name.
        first: value of the first system.
        second: value of the second.
        published: one-tailed p-value of the test that the paper uses: Fisher r-to-z of the CCC on all frames, or the
            z-test on the share of right answers (micro-averaged F1) of all utterances. It takes frames for
            independent. None with too few of them.
        published_n: frames or utterances that it counts.
        swap: p-value of the exchange test by speaker, one-tailed: the primary evidence.
        swap_two_sided: the same, two-sided.
        exact: whether all exchanges were enumerated.
        units: number of speakers.
        low: lower end of the bootstrap's 95 % interval of the difference, over speakers; None with a single one.
        high: its upper end.
    """

    score: str
    first: float
    second: float
    published: float | None
    published_n: int
    swap: float
    swap_two_sided: float
    exact: bool
    units: int
    low: float | None
    high: float | None


def labelled(corpus: Corpus, modality: str, partition: str) -> tuple[Recording, ...]:
    """Recordings of a partition that have the corpus' label."""
    return tuple(r for r in corpus.modality(modality).partition(partition) if corpus.label in r.labels)


def outputs(model: keras.Model, recordings: Sequence[Recording], facts: Facts) -> list[np.ndarray]:
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
    """Scores of a system's outputs on labelled recordings.

    Args:
        partition: their partition.
        recordings: labelled.
        raw: their `outputs`.
        facts: of the run.
        chain: from `learn_chain`.
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


def interval(evaluated: Evaluated, score: str) -> tuple[float, float] | None:
    """Ends of the bootstrap's 95 % interval of a score over speakers; None with a single speaker.

    Args:
        evaluated: a system's outputs.
        score: `ccc`, or a key of `metrics.CLASSIFICATION_SCORES`.
    """
    function, (statistics,) = _statistics(score, [evaluated])
    if len(statistics) < 2:
        return None
    found = bootstrap_interval(function, statistics)
    return found.low, found.high


def compare(first: Evaluated, second: Evaluated, score: str) -> Comparison:
    """Is the second system better than the first on the same recordings?

    Args:
        first: outputs of one system, such as classic.
        second: of the other, such as EmoBed.
        score: `ccc`, or a key of `metrics.CLASSIFICATION_SCORES`.

    Raises:
        InputError: if the two were not scored on the same recordings and labels.
    """
    first, second = _by_id(first), _by_id(second)
    same = [r.id for r in first.recordings] == [r.id for r in second.recordings]
    if not same or any(not np.array_equal(a, b) for a, b in zip(first.labels, second.labels, strict=True)):
        raise InputError(f"the two runs have different recordings or labels in partition '{first.partition}'")
    function, (a, b) = _statistics(score, [first, second])
    values = [float(function(x.sum(axis=0))) for x in (a, b)]
    test = swap_test(function, a, b, alternative=SECOND_BETTER)
    found = bootstrap_interval(function, a, b) if len(a) > 1 else None
    return Comparison(
        score=score,
        first=values[0],
        second=values[1],
        published=_published(score, first, second),
        published_n=first.frames,
        swap=test.p_value,
        swap_two_sided=test.p_two_sided,
        exact=test.exact,
        units=test.units,
        low=found.low if found else None,
        high=found.high if found else None,
    )


def prediction_rows(evaluated: Evaluated, facts: Facts) -> dict[str, list[dict]]:
    """What goes into CSV: by recording (regression over frames), or all utterances under one name.

    Args:
        evaluated: a system's outputs.
        facts: of the run.
    """
    step = facts.frame_seconds[facts.target]
    both = list(zip(evaluated.recordings, evaluated.labels, evaluated.raw, evaluated.final, strict=True))
    if facts.task == REGRESSION:
        rows = {r.id: regression_rows(r, step, raw, final, label) for r, label, raw, final in both}
        return rows if step else {"utterances": [row for part in rows.values() for row in part]}
    return {"utterances": [classification_row(r, raw, facts.classes, int(label)) for r, label, raw, _ in both]}


def regression_rows(
    recording: Recording, step: float | None, raw: np.ndarray, final: np.ndarray, gold: np.ndarray | None = None
) -> list[dict]:
    """Rows of one recording: id, time (s), gold standard where known, raw and post-processed prediction."""
    rows = []
    for k, (before, after) in enumerate(zip(raw, final, strict=True)):
        row = {"id": recording.id}
        if step:
            row["time"] = round(recording.start + k * step, 6)
        if gold is not None:
            row["gold_standard"] = float(gold[k])
        rows.append({**row, "raw": float(before), "postprocessed": float(after)})
    return rows


def classification_row(
    recording: Recording, probabilities: np.ndarray, classes: Sequence[str], label: int | None = None
) -> dict:
    """Row of one utterance: id, label where known, prediction, and the probability of each class."""
    row = {"id": recording.id}
    if label is not None:
        row["label"] = classes[label]
    row["prediction"] = classes[int(np.argmax(probabilities))]
    return row | {f"p_{name}": float(p) for name, p in zip(classes, probabilities, strict=True)}


def _regression(labels: Sequence[np.ndarray], predictions: Sequence[np.ndarray], facts: Facts) -> dict[str, float]:
    scores = regression_scores(labels, predictions)
    if facts.frame_seconds[facts.target] is None:
        del scores["ccc_mean"]  # an utterance is one point: it has no concordance of its own
    return scores


def _by_id(system: Evaluated) -> Evaluated:
    """The same with recordings in the order of their ids: two tables need not have the same order."""
    order = sorted(range(len(system.recordings)), key=lambda k: system.recordings[k].id)
    parts = {name: tuple(getattr(system, name)[k] for k in order) for name in ("recordings", "labels", "raw", "final")}
    return replace(system, **parts)


def _published(score: str, first: Evaluated, second: Evaluated) -> float | None:
    n = first.frames
    if score != "ccc":
        return proportions_z_test(first.scores["f1_micro"], n, second.scores["f1_micro"], n)
    return fisher_z_test(first.scores["ccc"], n, second.scores["ccc"], n) if n > 3 else None


def _statistics(score: str, systems: Sequence[Evaluated]):
    """The score as a function of summed statistics, and each system's statistics by speaker."""
    function = pooled_ccc if score == "ccc" else partial(_score_of_counts, CLASSIFICATION_SCORES[score])
    return function, [speaker_statistics(system)[1] for system in systems]


def _score_of_counts(score, counts: np.ndarray) -> np.ndarray:
    return score(np.asarray(counts, np.float64))
