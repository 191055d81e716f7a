"""Predictions as rows of a CSV file."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.corpora.facts import Facts
from emobed_tf.evaluation.scores import Evaluated
from emobed_tf.files import plain_number


def prediction_rows(evaluated: Evaluated, facts: Facts) -> dict[str, list[dict[str, Any]]]:
    """What goes into CSV: by recording (regression over frames), or all utterances under one name.

    Args:
        evaluated: a system's outputs.
        facts: of the run.

    Returns:
        Rows by the name of what they go into: the recording's id, or `utterances`.
    """
    step = facts.frame_seconds[facts.target]
    both = list(zip(evaluated.recordings, evaluated.labels, evaluated.raw, evaluated.final, strict=True))
    if facts.task == REGRESSION:
        rows = {r.id: regression_rows(r, step, raw, final, label) for r, label, raw, final in both}
        return rows if step else {"utterances": [row for part in rows.values() for row in part]}
    return {"utterances": [classification_row(r, raw, facts.classes, int(label)) for r, label, raw, _ in both]}


def regression_rows(
    recording: Recording, step: float | None, raw: np.ndarray, final: np.ndarray, gold: np.ndarray | None = None
) -> list[dict[str, Any]]:
    """Rows of one recording: id, time (s), gold standard where known, raw and post-processed prediction.

    Args:
        recording: that was predicted.
        step: time between two frames in seconds; None where the recording is one utterance, which has no time.
        raw: predictions `[frames]`.
        final: post-processed predictions `[frames]`.
        gold: gold standard `[frames]`, if it is known; NaN where a frame has none.

    Returns:
        Cells by column, one row for each frame; None for the gold standard of a frame that has none.
    """
    rows = []
    for k, (before, after) in enumerate(zip(raw, final, strict=True)):
        row: dict[str, Any] = {"id": recording.id}
        if step:
            row["time"] = round(recording.start + k * step, 6)
        if gold is not None:
            row["gold_standard"] = None if np.isnan(gold[k]) else plain_number(gold[k])
        rows.append({**row, "raw": plain_number(before), "postprocessed": plain_number(after)})
    return rows


def classification_row(
    recording: Recording, probabilities: np.ndarray, classes: Sequence[str], label: int | None = None
) -> dict[str, Any]:
    """Row of one utterance: id, label where known, prediction, and the probability of each class.

    Args:
        recording: the utterance.
        probabilities: `[classes]`.
        classes: their names, in the order of their indices.
        label: index of the true class, if it is known.

    Returns:
        Cells by column.
    """
    row: dict[str, Any] = {"id": recording.id}
    if label is not None:
        row["label"] = classes[label]
    row["prediction"] = classes[int(np.argmax(probabilities))]
    return row | {f"p_{name}": plain_number(p) for name, p in zip(classes, probabilities, strict=True)}
