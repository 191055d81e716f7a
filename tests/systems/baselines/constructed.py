"""Small problems in memory, made so that it is known who must win."""

from collections.abc import Mapping

import numpy as np

from emobed_tf.config import preset
from emobed_tf.corpora.corpus import CLASSIFICATION, EMOTION, REGRESSION, Corpus, Modality, Recording
from emobed_tf.systems.base import Problem
from tests.conftest import THREADS

TINY = {
    "encoder_layers": 1,
    "encoder_units": 8,
    "head_layers": 1,
    "head_units": 6,
    "epochs": 4,
    "patience": 0,
    "threads": THREADS,
    "xla": False,
    "label_delay": 0.0,
}


def modality(name: str, recordings, frame_seconds: float | None = None) -> Modality:
    """A modality of recordings."""
    columns = tuple(f"{name}{k}" for k in range(recordings[0].features.shape[1]))
    return Modality(name, columns, tuple(recordings), frame_seconds, "constructed")


def problem(
    modalities: Mapping[str, Modality], task: str = REGRESSION, *, classes=(), label=None, **settings
) -> Problem:
    """A problem whose target is the first modality."""
    target, *others = modalities
    label = label or (EMOTION if task == CLASSIFICATION else "arousal")
    config = preset("tables").replace(
        **{**TINY, "target": target, "auxiliary": tuple(others), "task": task, "framework": "joint", **settings}
    )
    return Problem(config.check(), Corpus("tables", task, label, tuple(classes), modalities, {}))


def utterances(name: str, partitions: Mapping[str, tuple], *, task: str = REGRESSION) -> Modality:
    """Utterances u0, u1, … of each partition from (features `[n, f]`, labels `[n]`) or (…, training labels by name)."""
    recordings = []
    for partition, (features, labels) in partitions.items():
        by_name = labels if isinstance(labels, Mapping) else {EMOTION if task == CLASSIFICATION else "arousal": labels}
        for k, row in enumerate(features):
            values = {
                key: np.array(v[k], np.int32) if key == EMOTION else np.array([v[k]], np.float32)
                for key, v in by_name.items()
            }
            recordings.append(Recording(f"{partition}_u{k}", partition, f"{partition}_s{k % 5}", row[None], values))
    return modality(name, recordings)


def development_score(system, given: Problem) -> float:
    """What a fitted system scores on development, from its predictions alone."""
    from emobed_tf.evaluation.metrics import concordance_cc, confusion_matrix, uar

    recordings = given.recordings("dev")
    found = system.predict(recordings)
    labels = [recording.labels[given.label] for recording in recordings[given.target]]
    if given.task == REGRESSION:
        return concordance_cc(np.concatenate(labels), np.concatenate(found))
    confusion = confusion_matrix(
        [int(x) for x in labels], [int(np.argmax(x)) for x in found], len(given.corpus.classes)
    )
    return float(uar(confusion))
