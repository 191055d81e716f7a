"""Features without labels, to predict from: the same columns as in training, from new files."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from emobed_tf import datasets
from emobed_tf.corpora import arff, omg, recola
from emobed_tf.corpora.checks import STEP_TOLERANCE
from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.files import listing, read_bytes
from emobed_tf.corpora.reader import reader_of
from emobed_tf.corpora.rows import frame_step, rows_by_id
from emobed_tf.corpora.tablefile import NEVER_FEATURES, SUFFIXES, Columns, read_table
from emobed_tf.datasets import TABLES, DataSet
from emobed_tf.errors import InputError

_COLUMNS = Columns(
    texts=("id", *omg.KEY),
    numbers=("time",),
    ignored=tuple(name for name in NEVER_FEATURES if name not in ("id", "time")),
)


def load_features(
    paths: str | Path | Sequence[str | Path],
    *,
    modality: str,
    feature_names: Sequence[str],
    frame_seconds: float | None,
    dataset: str = TABLES.name,
) -> list[Recording]:
    """Reads files of one modality that need have no labels.

    An ARFF file (RECOLA's form) is one recording, named by the file's stem. A CSV or Parquet file holds any number:
    columns `id` (or OMG-Emotion's `video` and `utterance`), `time` if rows are frames, and the features; columns of a
    training table (`partition`, `speaker`, labels) are passed over. Files of a data set in a form of its own are read
    by its reader, see `DataSet.suffixes`.

    Args:
        paths: a file or several.
        modality: name of the modality; in RECOLA's video modalities a row of zeros is a frame without a face.
        feature_names: names of the features as in training. In another order in the file, they are put in this one.
        frame_seconds: time between two frames in seconds; None if a recording is one utterance.
        dataset: that training was on, see `datasets.get`.

    Returns:
        Recordings in the order of the files, with the partition "" and no labels; features float32
        `[frames, len(feature_names)]`.

    Raises:
        MissingInputError: if a file is not there.
        InputError: whatever else is wrong, with the file and line; missing or unexpected columns are named.
    """
    files = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    known = datasets.get(dataset)
    recordings: dict[str, Recording] = {}
    sources: dict[str, Path] = {}
    for path in files:
        if path.suffix.lower() in known.suffixes:
            new = _from_reader(known, path, modality, feature_names, frame_seconds)
        elif path.suffix.lower() == ".arff":
            new = [_from_arff(path, modality, feature_names, frame_seconds)]
        elif path.suffix.lower() in SUFFIXES:
            new = _from_table(path, feature_names, frame_seconds)
        else:
            *others, last = (*known.suffixes, ".arff", *SUFFIXES)
            raise InputError(f"{path}: expected features in a file with the suffix {', '.join(others)} or {last}")
        for recording in new:
            if recording.id in recordings:
                raise InputError(f"{path}: recording '{recording.id}' a second time (first: {sources[recording.id]})")
            recordings[recording.id], sources[recording.id] = recording, path
    return list(recordings.values())


def _from_reader(
    dataset: DataSet, path: Path, modality: str, feature_names: Sequence[str], frame_seconds: float | None
) -> list[Recording]:
    found = reader_of(dataset).read_features(path, modality)
    order = _column_order(found.feature_names, feature_names, str(path))
    _check_step(found.frame_seconds, frame_seconds, path)
    return [replace(recording, features=_reordered(recording.features, order)) for recording in found.recordings]


def _from_arff(path: Path, modality: str, feature_names: Sequence[str], frame_seconds: float | None) -> Recording:
    data = read_bytes(path)
    header = arff.parse_header(data, path)
    arff.check_is_features(header, path)
    if frame_seconds is None:
        raise InputError(
            f"{path}: rows are frames, but the model takes one row per utterance; expected a CSV or Parquet"
        )
    order = _column_order(header.feature_names, feature_names, str(path))
    _, features, start = arff.parse_features(data, path, frame_seconds)
    if recola.is_video(modality):
        features = recola.missing_faces(features)
    return Recording(path.stem, "", path.stem, _reordered(features, order), start=start)


def _from_table(path: Path, feature_names: Sequence[str], frame_seconds: float | None) -> list[Recording]:
    table = read_table(path, _COLUMNS)
    order = _column_order(table.feature_names, feature_names, str(path))
    if "id" in table.texts:
        key, ids = "id", table.texts["id"]
    elif all(name in table.texts for name in omg.KEY):
        key = "video and utterance"
        pairs = zip(*(table.texts[name] for name in omg.KEY), strict=True)
        ids = np.array([omg.utterance_id(*pair) if all(pair) else "" for pair in pairs], dtype=object)
    else:
        raise InputError(f"{path}: no column 'id' (or 'video' and 'utterance'), the name of the recording")
    if ("time" in table.numbers) != (frame_seconds is not None):
        expected = "one row per utterance" if frame_seconds is None else f"a row every {frame_seconds:g} s"
        raise InputError(
            f"{path}: {'a' if 'time' in table.numbers else 'no'} column 'time', but the model takes {expected}"
        )
    groups = rows_by_id(table, ids, key)
    if any(len(rows) > 1 for rows in groups.values()):
        _check_step(frame_step(table, groups), frame_seconds, path)
    starts = table.numbers.get("time", np.zeros(len(table)))
    return [
        Recording(name, "", name, _reordered(table.features[rows], order), start=float(starts[rows[0]]))
        for name, rows in groups.items()
    ]


def _check_step(found: float | None, expected: float | None, path: Path) -> None:
    if (found is None) != (expected is None):
        texts = ["one row per utterance" if step is None else f"a row every {step:g} s" for step in (found, expected)]
        raise InputError(f"{path}: {texts[0]}, but the model takes {texts[1]}")
    if found is not None and expected is not None and abs(found - expected) > STEP_TOLERANCE * expected:
        raise InputError(f"{path}: a row every {found:g} s, but the model takes one every {expected:g} s")


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
        )
    position = {name: index for index, name in enumerate(found)}
    return [position[name] for name in expected]


def _reordered(features: np.ndarray, order: list[int]) -> np.ndarray:
    return features if order == list(range(len(order))) else np.ascontiguousarray(features[:, order])
