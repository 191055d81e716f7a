"""Predictions as rows of a CSV file."""

from collections.abc import Sequence

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.corpora.facts import Facts
from emobed_tf.evaluation.scores import Evaluated


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
