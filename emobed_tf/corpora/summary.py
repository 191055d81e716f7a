"""What a data set holds, in numbers: for people before a training, and for `python -m emobed_tf.check --json`."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import PARTITIONS, REGRESSION, Corpus, Modality, Recording
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.samples import are_samples
from emobed_tf.corpora.tables import NO_SPEAKERS


def describe(corpus: Corpus) -> dict[str, Any]:
    """What would be trained on.

    Args:
        corpus: any.

    Returns:
        JSON values: name, task, label and classes of the data set; and by modality its features, the seconds between
        two rows, what was recognised and left out, the share of missing values and frames, and by partition recordings,
        speakers, frames and the distribution of labels.
    """
    return {
        "dataset": corpus.name,
        "task": corpus.task,
        "label": corpus.label,
        "classes": list(corpus.classes),
        "simulated": corpus.simulated,
        "modalities": {modality.name: _modality(modality, corpus) for modality in corpus},
    }


def _modality(modality: Modality, corpus: Corpus) -> dict[str, Any]:
    values = sum(recording.features.size for recording in modality.recordings)
    frames = sum(recording.frames for recording in modality.recordings)
    return {
        "features": list(modality.feature_names),
        "row_seconds": modality.frame_seconds,
        "zeros_missing": modality.zeros_missing,
        "notes": list(modality.notes),
        "left_out": dict(modality.left_out),
        "missing_values": sum(map(_missing_values, modality.recordings)) / max(values, 1),
        "missing_rows": sum(int(r.missing.sum()) for r in modality.recordings) / max(frames, 1),
        "partitions": {
            name: _partition(members, corpus) for name in PARTITIONS if (members := modality.partition(name))
        },
    }


def _missing_values(recording: Recording) -> int:
    return 0 if are_samples(recording.features) else int(np.isnan(recording.features).sum())


def _partition(recordings: Sequence[Recording], corpus: Corpus) -> dict[str, Any]:
    labelled = [r.labels[corpus.label] for r in recordings if corpus.label in r.labels]
    found: dict[str, Any] = {
        "recordings": len(recordings),
        "speakers": len({recording.speaker for recording in recordings}),
        "rows": sum(recording.frames for recording in recordings),
        "labelled": len(labelled),
    }
    if not labelled:
        return found
    if corpus.task == REGRESSION:
        values = np.concatenate([np.atleast_1d(label) for label in labelled]).astype(np.float64)
        known = values[np.isfinite(values)]
        found["rows_without_label"] = int(len(values) - len(known))
        summary = {"mean": known.mean(), "deviation": known.std(), "minimum": known.min(), "maximum": known.max()}
        found["labels"] = {name: round(float(value), 6) for name, value in summary.items()}
    else:
        counts = Counter(int(label) for label in labelled)
        found["labels"] = {name: counts[index] for index, name in enumerate(corpus.classes)}
    return found


def features_in_words(modality: Modality) -> str:
    """How many features there are, and which.

    Args:
        modality: any.

    Returns:
        Such as `88 features (F0_amean to loudness_stddev)`, or `a waveform (640 samples a row, 16,000 Hz)`.
    """
    names = modality.feature_names
    if modality.sample_rate is not None:
        return f"a waveform ({len(names)} samples a row, {modality.sample_rate:,} Hz)"
    if len(names) == 1:
        return f"1 feature ({names[0]})"
    return f"{len(names)} features ({names[0]} to {names[-1]})"


def rate_in_words(modality: Modality) -> str:
    """What a row is.

    Args:
        modality: any.

    Returns:
        Such as `a row every 0.04 s`, or `a row for each utterance`.
    """
    if modality.frame_seconds is None:
        return "a row for each utterance"
    return f"a row every {modality.frame_seconds:.6g} s"


def reading_notes(modality: Modality) -> list[str]:
    """What was recognised, put in and left out where a modality was read.

    Args:
        modality: any.

    Returns:
        A line for each.
    """
    lines = [*modality.notes]
    reasons: dict[str, list[str]] = {}
    for column, reason in modality.left_out.items():
        reasons.setdefault(reason, []).append(column)
    lines += [f"not used as features: {listing(columns)} ({reason})" for reason, columns in reasons.items()]
    if modality.zeros_missing:
        lines.append("a row of zeros counts as a missing frame")
    return lines


def speaker_notes(corpus: Corpus) -> list[str]:
    """What has to be known of statistics over speakers.

    Args:
        corpus: any.

    Returns:
        A sentence for each modality whose table doesn't say who speaks.
    """
    return [f"{modality.name}: {NO_SPEAKERS}." for modality in corpus if NO_SPEAKERS in modality.notes]


def read_lines(corpus: Corpus) -> list[str]:
    """What was read of each modality, for people to see before it is trained on.

    Args:
        corpus: any.

    Returns:
        Lines such as `audio: 88 features (F0_amean to loudness_stddev), a row for each utterance`, and below each what
        `reading_notes` says.
    """
    lines = []
    for modality in corpus:
        lines.append(f"{modality.name}: {features_in_words(modality)}, {rate_in_words(modality)}")
        lines += [f"  {note}" for note in reading_notes(modality)]
    return lines
