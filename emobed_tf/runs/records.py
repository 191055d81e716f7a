"""What a run folder's JSON files hold, checked: a folder may be damaged, or come from a stranger."""

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emobed_tf.corpora.corpus import CLASSIFICATION, PARTITIONS, REGRESSION
from emobed_tf.corpora.facts import Facts
from emobed_tf.errors import InputError

_MOST_DELAY = 10**6  # frames


def read_facts(values: Any, path: Path) -> Facts:
    """What training found, from JSON.

    Args:
        values: any JSON value.
        path: of the file, for messages.

    Returns:
        The facts.

    Raises:
        InputError: if a value is missing, unknown, of another type, or contradicts another one.
    """
    fields = {field.name: field for field in dataclasses.fields(Facts)}
    # What came later has a default, which is what it was before.
    first = {name for name, field in fields.items() if field.default is field.default_factory is dataclasses.MISSING}
    if not isinstance(values, dict) or not first <= set(values) <= set(fields):
        raise InputError(f"{path}: written by another version, or damaged; train again")
    facts: Facts = typed(Facts, values, f"{path}: facts")
    wrong = _contradiction(facts)
    if wrong:
        raise InputError(f"{path}: damaged ({wrong})")
    return facts


def _contradiction(facts: Facts) -> str | None:
    if facts.task not in (REGRESSION, CLASSIFICATION):
        return f"a task {facts.task[:40]!r}"
    if (facts.task == CLASSIFICATION) != bool(facts.classes) or len(set(facts.classes)) < len(facts.classes):
        return f"a {facts.task} with the classes {', '.join(facts.classes)[:80]!r}"
    if facts.target not in facts.features or set(facts.features) != set(facts.frame_seconds):
        return "no features or no time of a modality"
    if not all(facts.features.values()):
        return "a modality without features"
    if any(seconds is not None and seconds <= 0 for seconds in facts.frame_seconds.values()):
        return "frames that take no time"
    if not 0 <= facts.delay <= _MOST_DELAY or facts.deviation < 0:
        return f"a delay of {facts.delay} frames, a deviation of {facts.deviation:g}"
    prior, width = facts.speaker_prior, len(facts.features[facts.target])
    if prior is not None and not len(prior.mean) == len(prior.deviation) == width:
        return f"a speaker's statistics of other than {width} features"
    return None


def check_run(values: Mapping[str, Any], path: Path) -> None:
    """Checks `run.json` beside its facts.

    Args:
        values: of the file.
        path: of the file, for messages.

    Raises:
        InputError: if what made the run is of another type.
    """
    origin = typed(dict[str, Any], values.get("provenance", {}), f"{path}: provenance")
    for name, kind in (("packages", Mapping[str, str]), ("environment", Mapping[str, str]), ("command", list[str])):
        if name in origin:
            typed(kind, origin[name], f"{path}: provenance: {name}")
    for name in ("emobed_tf", "commit", "python", "platform", "started", "processors", "seed", "threads"):
        typed(str | int | None, origin.get(name), f"{path}: provenance: {name}")


def check_scores(values: Mapping[str, Any], path: Path) -> None:
    """Checks `scores.json`.

    Args:
        values: of the file.
        path: of the file, for messages.

    Raises:
        InputError: if a score is no finite number, or the summary of the training is damaged.
    """
    if "training" in values:
        training = typed(dict[str, Any], values["training"], f"{path}: damaged: training")
        for name, kind in (("epochs", int), ("best_epoch", int), ("seconds", float), ("parameters", Mapping[str, int])):
            if name in training:
                typed(kind, training[name], f"{path}: damaged: training: {name}")
        if not {"kept", "training"} <= set(training.get("parameters", ("kept", "training"))):
            raise InputError(f"{path}: damaged (expected the numbers of parameters in training and kept)")
    for part in PARTITIONS:
        if part not in values:
            continue
        where = f"{path}: damaged: {part}"
        for name, value in typed(dict[str, Any], values[part], where).items():
            if name == "confusion":
                table = typed(Sequence[Sequence[int]], value, f"{where}: {name}")
                if any(len(row) != len(table) or min(row) < 0 for row in table):
                    raise InputError(f"{where}: {name}: expected as many rows as columns of counts")
            elif name == "raw":
                typed(Mapping[str, float], value, f"{where}: {name}")
            else:
                typed(float, value, f"{where}: {name}")
        if "ccc" in values[part] and "ccc" not in values[part].get("raw", {}):
            raise InputError(f"{where}: no raw ccc beside the ccc")


def check_reads(values: Mapping[str, Any], path: Path) -> None:
    """Checks `test_reads.json`.

    Args:
        values: of the file.
        path: of the file, for messages.

    Raises:
        InputError: if it is no list of notes that say when.
    """
    reads = values.get("reads")
    if not isinstance(reads, list) or not all(isinstance(r, dict) and isinstance(r.get("when"), str) for r in reads):
        raise InputError(f"{path}: damaged (expected a list of 'reads')")


CHECKS = {"run.json": check_run, "scores.json": check_scores, "test_reads.json": check_reads}
"""What is checked of a file whenever it is read, by its name."""


_SCALARS = (float, int, str, bool, type(None))


def typed(kind: Any, value: Any, where: str) -> Any:
    """A JSON value as an annotation says.

    Args:
        kind: a type, a dataclass of such, or a union, a mapping from texts, a sequence or a tuple of them.
        value: any JSON value.
        where: file and name, for messages.

    Returns:
        The value; lists as tuples where the annotation says so, dataclasses made, whole numbers as float.

    Raises:
        InputError: if it is of another type, or a number that isn't finite.
    """
    if kind is Any:
        return value
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        for option in inner:
            if isinstance(value, list) and option in _SCALARS:
                continue  # without a message of all that it holds, which nobody would read
            try:
                return typed(option, value, where)
            except InputError:
                continue
    elif dataclasses.is_dataclass(kind) and isinstance(value, dict):
        return _made(kind, value, where)
    elif kind is float and isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    elif kind in _SCALARS and type(value) is kind and kind is not float:
        return value
    elif isinstance(value, list) and origin in (tuple, list, Sequence, typing.get_origin(Sequence[int])):
        if inner and inner[0] is float and all(type(item) is float and math.isfinite(item) for item in value):
            found = list(value)
        else:
            found = [typed(inner[0], item, f"{where}[{k}]") for k, item in enumerate(value)]
        return tuple(found) if origin is tuple else found
    elif isinstance(value, dict) and origin in (dict, typing.get_origin(Mapping[str, int])):
        return {name: typed(inner[1], item, f"{where}: {name[:80]}") for name, item in value.items()}
    readable = str(kind)
    for words in ("typing.", "collections.abc.", "<class '", "'>"):
        readable = readable.replace(words, "")
    raise InputError(f"{where}: expected {readable}, found {repr(value)[:80]}")


def _made(kind: Any, values: dict[str, Any], where: str) -> Any:
    kinds = typing.get_type_hints(kind)
    needed = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    if not needed <= set(values) <= set(kinds):
        raise InputError(f"{where}: expected {', '.join(kinds)}, found {', '.join(values)[:80] or 'nothing'}")
    return kind(**{name: typed(kinds[name], value, f"{where}: {name}") for name, value in values.items()})
