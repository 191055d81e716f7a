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
    DISTILLED,
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

BRIEF = {**TINY, "epochs": 2, "encoder_units": 4, "head_units": 3}


def choices(setting):
    """What a setting can be beside its default, which is None or comes first in its annotation."""
    kinds = typing.get_type_hints(Objective) | typing.get_type_hints(Training)
    first, *others = typing.get_args(kinds[setting])
    return typing.get_args(first) if others == [type(None)] else tuple(others)


FRAMEWORKS = typing.get_args(Framework)
# The default losses are those that frameworks and encoders are trained with.
OF_REGRESSION = {
    "encoder": tuple(ENCODERS),
    "regression_loss": REGRESSION_LOSSES[1:],
    "batches": choices("batches"),
    "framework": (DISTILLED,),  # whose recordings have to be paired
}
OF_CLASSES = {
    "framework": tuple(name for name in FRAMEWORKS if name != DISTILLED),
    "classification_loss": CLASSIFICATION_LOSSES[1:],
    "metric_loss": choices("metric_loss"),
    "alignment": choices("alignment"),
}
OF_WAVEFORMS = {"front_end": tuple(FRONT_ENDS)}


def of_settings():
    """Every choice of every setting that names one: which data it is trained on, the setting, and the name."""
    by_data = {"tables": OF_CLASSES, "recola": OF_REGRESSION, "recordings": OF_WAVEFORMS}
    return [
        f"{data}:{setting}:{name}"
        for data, settings in by_data.items()
        for setting, names in settings.items()
        for name in names
    ]


def of_systems():
    """Every system and control: which data it is trained on, and the name. One is classic for as long as EmoBed."""
    names = [name for name in (*SYSTEM_NAMES, *CONTROL_NAMES) if name != "as_many_steps"]
    named = {name: find_system(name).tasks for name in names}
    return [f"{'recola' if 'regression' in tasks else 'tables'}:system:{name}" for name, tasks in named.items()]


def bits(case, folders):
    """The SHA-256 of what a training gives: its best weights, or for a system its predictions of development.

    Args:
        case: from `of_settings` or `of_systems`.
        folders: of the data sets, by name; of `recordings`, their table.
    """
    data, setting, name = case.split(":")
    changes = BRIEF if data == "recola" else {**BRIEF, "batch_size": 8}
    if name == "curriculum":
        changes = {**changes, "epochs": 6}  # one for each of its bins, and one more
    if data == "recordings":
        config = preset(data).replace(table=(f"audio={folders[data]}",), framework="classic", **changes)
    else:
        config = preset(data).replace(data_dir=Path(folders[data]), target="audio", **changes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if setting == "system":
            config, corpus = load_corpus(config)
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
    where, *named = sys.argv[1:]
    for each in named:
        print(json.dumps([each, bits(each, json.loads(where))]), flush=True)
