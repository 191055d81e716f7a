"""Trains everything that has a name, very briefly, and says which bits come out."""

import hashlib
import json
import sys
import typing
import warnings
from pathlib import Path

import numpy as np

from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.settings import (
    CLASSIFICATION_LOSSES,
    ENCODERS,
    FRONT_ENDS,
    REGRESSION_LOSSES,
    Framework,
    Objective,
    Training,
)
from emobed_tf.systems.base import Problem
from emobed_tf.systems.registry import CONTROL_NAMES, SYSTEM_NAMES, find_system
from tests.tiny import TINY

BRIEF = {**TINY, "epochs": 2, "encoder_units": 4, "head_units": 3, "triplet_preset": "stable"}
OF_REGRESSION = {"regression_loss": REGRESSION_LOSSES, "encoder": tuple(ENCODERS), "batches": None}
OF_CLASSES = {"classification_loss": CLASSIFICATION_LOSSES, "framework": typing.get_args(Framework)}
OF_CLASSES |= {"metric_loss": None, "alignment": None}
OF_WAVEFORMS = {"front_end": tuple(FRONT_ENDS)}


def choices(setting):
    """What a setting can be, by its annotation."""
    kinds = typing.get_type_hints(Objective) | typing.get_type_hints(Training)
    return typing.get_args(kinds[setting])


def cases():
    """Every name of every registry: which data it is trained on, which setting it is, and the name."""
    found = []
    for data, settings in (("recola", OF_REGRESSION), ("tables", OF_CLASSES), ("recordings", OF_WAVEFORMS)):
        for setting, names in settings.items():
            found += [f"{data}:{setting}:{name}" for name in names or choices(setting)]
    for name in (*SYSTEM_NAMES, *CONTROL_NAMES):
        data = "recola" if "regression" in find_system(name).tasks else "tables"
        found.append(f"{data}:system:{name}")
    return found


def bits(case, folders):
    """The SHA-256 of what a training gives: its best weights, or for a system its predictions of development.

    Args:
        case: from `cases`.
        folders: of the data sets, by name; of `recordings`, its table and that of faces.
    """
    data, setting, name = case.split(":")
    changes = BRIEF if data == "recola" else {**BRIEF, "batch_size": 8}
    if data == "recordings":
        config = preset(data).replace(table=tuple(folders[data]), target="audio", **changes)
    else:
        config = preset(data).replace(data_dir=Path(folders[data]), target="audio", **changes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if setting == "system":
            config, corpus = load_corpus(config.replace(triplet_preset="paper"))
            return _digest(_predictions(name, Problem(config, corpus).without_test()))
        return _digest(_weights(config.replace(**{setting: name})))


def _weights(config):
    from emobed_tf.training.loop import train

    if config.objective.framework not in ("joint", "emobed"):
        config = config.replace(alpha=None)
    return train(*load_corpus(config)).weights


def _predictions(name, problem):
    system = find_system(name)()
    problem = system.view(problem)
    system.fit(problem, system.configurations(problem, 1)[0], 0)
    return {str(k): values for k, values in enumerate(system.predict(problem.recordings("dev")))}


def _digest(arrays):
    digest = hashlib.sha256()
    for key in sorted(arrays):
        values = np.ascontiguousarray(arrays[key])
        digest.update(f"{key} {values.dtype} {values.shape}".encode() + values.tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(TINY["threads"])
    for each in cases():
        print(json.dumps([each, bits(each, json.loads(sys.argv[1]))]), flush=True)
