"""Features without labels, to predict from: the same columns as in training, from new files."""

import dataclasses
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf import datasets
from emobed_tf.config import Config, read_reading
from emobed_tf.corpora import arff, recola
from emobed_tf.corpora.checks import STEP_TOLERANCE
from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.featuretable import read_features
from emobed_tf.corpora.files import listing, read_bytes
from emobed_tf.corpora.grid import recordings_of
from emobed_tf.corpora.identity import identity, is_unknown
from emobed_tf.corpora.missing import missing_rows
from emobed_tf.corpora.reader import reader_of
from emobed_tf.corpora.rows import constant, rows_by_id
from emobed_tf.corpora.tablefile import ALL_SUFFIXES, Table
from emobed_tf.corpora.waveforms import recording_of_file, unlabelled_waveforms
from emobed_tf.datasets import TABLES, DataSet
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.files import at_home
from emobed_tf.settings import PLACES, SPEAKER, Reading


@dataclass(frozen=True)
class _Expected:
    """What a model takes, see `load_features`."""

    modality: str
    feature_names: Sequence[str]
    frame_seconds: float | None
    label: str
    reading: Reading
    left_out: Sequence[str]
    speakers: bool
    waveform: bool = False


def load_features(
    paths: str | Path | Sequence[str | Path],
    *,
    modality: str,
    feature_names: Sequence[str],
    frame_seconds: float | None,
    dataset: str = TABLES.name,
    label: str = "",
    reading: Reading | None = None,
    left_out: Sequence[str] = (),
    zeros_missing: bool | None = None,
    speakers: bool = False,
    waveform: bool = False,
) -> list[Recording]:
    """Reads files of one modality that need have no labels, as training read them.

    An ARFF file in RECOLA's form is one recording, named by the file's stem. A table, CSV, Parquet or ARFF, in any form
    that training reads, holds any number; what isn't a feature of the model, but a label, a key or a column that was
    left out in training, is passed over. Files of a data set in a form of its own are read by its reader, see
    `DataSet.suffixes`.

    Args:
        paths: a file or several.
        modality: name of the modality.
        feature_names: names of the features as in training. In another order in the file, they are put in this one.
        frame_seconds: time between two frames in seconds; None if a recording is one utterance.
        dataset: that training was on, see `datasets.get`.
        label: that was learnt; a column of that name is no feature.
        reading: what the columns of tables are.
        left_out: columns that were no features in training.
        zeros_missing: whether a row of nothing but zeros is a missing frame. None: in RECOLA's video modalities.
        speakers: whether tables are asked who is heard or seen. Else, and where a table doesn't tell, each recording's
            speaker is its own id.
        waveform: whether features are samples. Files are then recordings, of sound or video, or tables that name some.

    Returns:
        Recordings in the order of the files, with the partition "" and no labels; features float32
        `[frames, len(feature_names)]`.

    Raises:
        MissingInputError: if a file is not there.
        InputError: whatever else is wrong, with the file and line; missing or unexpected columns are named.

    Warns:
        EmoBedWarning: if speakers are asked for, and a table doesn't tell all of them.
    """
    expected = _Expected(
        modality, feature_names, frame_seconds, label, reading or Reading(), left_out, speakers, waveform
    )
    if zeros_missing is None:
        zeros_missing = recola.is_video(modality)
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    known = datasets.get(dataset)
    recordings: dict[str, Recording] = {}
    sources: dict[str, Path] = {}
    for path in map(at_home, files):
        if path.suffix.lower() in known.suffixes:
            new = _from_reader(known, path, expected)
        elif path.suffix.lower() == ".arff" and not waveform and _is_recola(path):
            new = [_from_arff(path, expected)]
        elif path.suffix.lower() in ALL_SUFFIXES or path.is_dir():
            new = _from_table(path, expected)
        elif waveform:
            new = [recording_of_file(path, len(feature_names))]
        else:
            *others, last = (*known.suffixes, ".arff", ".csv", ".parquet")
            raise InputError(
                f"{path}: expected features in a file with the suffix {', '.join(others)} or {last}; of a recording, "
                "emobed_tf.extract makes them"
            )
        for recording in new:
            if recording.id in recordings:
                raise InputError(f"{path}: recording '{recording.id}' a second time (first: {sources[recording.id]})")
            recordings[recording.id], sources[recording.id] = recording, path
    if zeros_missing:
        return [replace(r, features=missing_rows(r.features)) for r in recordings.values()]
    return list(recordings.values())


def as_in_training(config: Config, facts: Facts) -> dict[str, Any]:
    """How a run's training read the features of its target: arguments of `load_features`.

    Args:
        config: of the run.
        facts: of the run.

    Returns:
        Values by name.
    """
    zeros = facts.zeros_missing
    return {
        "modality": facts.target,
        "feature_names": facts.features[facts.target],
        "frame_seconds": facts.frame_seconds[facts.target],
        "dataset": config.data.dataset,
        "label": facts.label,
        "reading": config.reading,
        "left_out": facts.left_out.get(facts.target, ()),
        "zeros_missing": recola.is_video(facts.target) if zeros is None else facts.target in zeros,
        "speakers": config.data.standardise == SPEAKER,
        "waveform": facts.target in facts.sample_rates,
    }


def reading_to_dict(config: Config, facts: Facts) -> dict[str, Any]:
    """How training read features, for the manifest of an exported model.

    Args:
        config: of the run.
        facts: of the run.

    Returns:
        JSON values: `left_out`, `zeros_missing`, and `settings`, those of `Reading` that were changed. Where labels
        lie is nobody's business.
    """
    rules, usual = as_in_training(config, facts), dataclasses.asdict(Reading())
    changed = {k: v for k, v in dataclasses.asdict(config.reading).items() if v != usual[k] and k not in PLACES}
    return {
        "left_out": list(rules["left_out"]),
        "zeros_missing": rules["zeros_missing"],
        "settings": {name: list(value) if isinstance(value, tuple) else value for name, value in changed.items()},
    }


def as_manifest_says(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """How a model's training read features: arguments of `load_features`, but for the data set.

    Args:
        manifest: of an exported model; those of earlier versions say nothing of it.

    Returns:
        Values by name.

    Raises:
        InputError: if something is missing or of another type, with its name.
    """
    said = _said(manifest, "reading", {}, dict)
    step = _said(manifest, "frame_seconds", _NEEDED, float, int, type(None))
    if step is not None and not 0 < step < math.inf:
        raise InputError(f"{_MANIFEST}: frame_seconds: expected a time above 0 s, found {step:.10g}")
    return {
        "modality": _said(_said(manifest, "model", _NEEDED, dict), "target", _NEEDED, str),
        "feature_names": _names(manifest, "features", _NEEDED),
        "frame_seconds": step,
        "label": _said(manifest, "dimension", "", str),
        "reading": read_reading(_said(said, "settings", {}, dict), f"{_MANIFEST}: reading"),
        "left_out": _names(said, "left_out", ()),
        "zeros_missing": _said(said, "zeros_missing", None, bool, type(None)),
        "speakers": manifest.get("standardise") == SPEAKER,
        "waveform": "waveform" in manifest,
    }


_MANIFEST = "the model's manifest"
_NEEDED = object()


def _said(values: Mapping[str, Any], name: str, otherwise: Any, *kinds: type) -> Any:
    """What a manifest says under a name, of one of these types: it may come from a stranger's server."""
    value = values.get(name, otherwise)
    if (type(value) not in kinds and value is not otherwise) or value is _NEEDED:
        expected = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
        found = "nothing" if value is _NEEDED else repr(value)[:80]
        raise InputError(f"{_MANIFEST}: {name}: expected {expected}, found {found}; export the model again")
    return value


def _names(values: Mapping[str, Any], name: str, otherwise: Any) -> Sequence[str]:
    names: Sequence[str] = _said(values, name, otherwise, list, tuple)
    if not all(isinstance(text, str) for text in names):
        raise InputError(f"{_MANIFEST}: {name}: expected names, found {repr(names)[:80]}; export the model again")
    return names


def _from_reader(dataset: DataSet, path: Path, expected: _Expected) -> list[Recording]:
    found = reader_of(dataset).read_features(path, expected.modality)
    order = _column_order(found.feature_names, expected.feature_names, str(path))
    _check_step(found.frame_seconds, expected.frame_seconds, path)
    return [replace(recording, features=_reordered(recording.features, order)) for recording in found.recordings]


def _is_recola(path: Path) -> bool:
    """Whether an ARFF file is one recording: a time, and then nothing but numbers."""
    first, *others = arff.parse_header(read_bytes(path), path).attributes
    numbers = all(attribute.numeric and attribute.name != "class" for attribute in others)
    return first.name.lower() in arff.TIME_NAMES and numbers


def _from_arff(path: Path, expected: _Expected) -> Recording:
    data = read_bytes(path)
    header = arff.parse_header(data, path)
    arff.check_is_features(header, path)
    if expected.frame_seconds is None:
        raise InputError(
            f"{path}: rows are frames, but the model takes one row per utterance; expected a table of utterances"
        )
    order = _column_order(header.feature_names, expected.feature_names, str(path))
    _, features, start = arff.parse_features(data, path, expected.frame_seconds)
    return Recording(path.stem, "", path.stem, _reordered(features, order), start=start)


def _from_table(path: Path, expected: _Expected) -> list[Recording]:
    found = read_features(
        path,
        expected.modality,
        expected.reading,
        expected.label,
        features=() if expected.waveform else expected.feature_names,
        left_out=expected.left_out,
    )
    table, step = found.table, expected.frame_seconds
    if expected.waveform:
        return _from_recordings(table, expected)
    order = _column_order(table.feature_names, expected.feature_names, str(path))
    if ("time" in table.numbers) != (step is not None):
        wanted = "one row per utterance" if step is None else f"a row every {step:g} s"
        raise InputError(
            f"{path}: {'a' if 'time' in table.numbers else 'no'} column 'time', but the model takes {wanted}"
        )
    if step is not None and len(set(table.texts["id"])) == len(table):  # recordings of one frame tell no step
        starts = table.numbers["time"]
        groups = {name: np.array([row]) for row, name in enumerate(table.texts["id"])}
    else:
        table, groups, own_step, _ = recordings_of(table, expected.reading, found.unit_is_known)
        _check_step(own_step, step, path)
        starts = table.numbers.get("time", np.zeros(len(table)))
    speakers = _speakers(table, groups, path) if expected.speakers else {}
    return [
        Recording(
            name, "", speakers.get(name, name), _reordered(table.features[rows], order), start=float(starts[rows[0]])
        )
        for name, rows in groups.items()
    ]


def _from_recordings(table: Table, expected: _Expected) -> list[Recording]:
    if table.feature_names or "file" not in table.texts:
        raise InputError(
            f"{table.title}: the model hears waveforms; expected recordings, or a table that names them in a column "
            "'file' and has no features"
        )
    groups = {name: rows[:1] for name, rows in rows_by_id(table, table.texts["id"]).items()}
    return unlabelled_waveforms(table, groups, len(expected.feature_names))


def _speakers(table: Table, groups: Mapping[str, np.ndarray], path: Path) -> dict[str, str]:
    """Who is heard or seen, by recording, as far as the table tells."""
    told = "speaker" in table.texts
    found = {name: constant(table, "speaker", rows, name) for name, rows in groups.items()} if told else {}
    known = {name: identity(speaker) for name, speaker in found.items() if not is_unknown(speaker)}
    if len(known) < len(groups):
        which = "all recordings" if not known else f"{len(groups) - len(known)} of {len(groups)} recordings"
        warnings.warn(
            f"{path}: no speaker of {which}; each of them is standardised by its own rows alone; a column 'speaker' "
            "tells who is heard or seen",
            EmoBedWarning,
            stacklevel=4,
        )
    return known


def _check_step(found: float | None, expected: float | None, path: Path) -> None:
    if (found is None) != (expected is None):
        texts = ["one row per utterance" if step is None else f"a row every {step:g} s" for step in (found, expected)]
        raise InputError(f"{path}: {texts[0]}, but the model takes {texts[1]}")
    if found is not None and expected is not None and abs(found - expected) > STEP_TOLERANCE * expected:
        thousand = 500 < max(found / expected, expected / found) < 2000
        hint = "; are its times in another unit than those of training? bring them to the same" if thousand else ""
        raise InputError(f"{path}: a row every {found:g} s, but the model takes one every {expected:g} s{hint}")


def _column_order(found: Sequence[str], expected: Sequence[str], where: str) -> list[int]:
    """Position in the file of each expected feature."""
    missing = [name for name in expected if name not in set(found)]
    unexpected = [name for name in found if name not in set(expected)]
    if missing or unexpected:
        parts = [
            f"{len(names)} {what}: {listing(names)}"
            for what, names in (("missing", missing), ("unexpected", unexpected))
            if names
        ]
        raise InputError(
            f"{where}: expected the model's {len(expected)} features, got {len(found)} ({'; '.join(parts)})"
            + ("; take the unexpected columns out" if unexpected and not missing else "")
        )
    position = {name: index for index, name in enumerate(found)}
    return [position[name] for name in expected]


def _reordered(features: np.ndarray, order: list[int]) -> np.ndarray:
    return features if order == list(range(len(order))) else np.ascontiguousarray(features[:, order])
