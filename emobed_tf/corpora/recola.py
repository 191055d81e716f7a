"""RECOLA as the AVEC 2016 package lays it out: ARFF features per target dimension, gold standards, raters' files."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emobed_tf.console import Progress
from emobed_tf.corpora import arff
from emobed_tf.corpora.cache import FeatureCache
from emobed_tf.corpora.checks import check_same_names, check_times, check_values
from emobed_tf.corpora.columns import Columns
from emobed_tf.corpora.corpus import DIMENSIONS, PARTITIONS, Modality, Recording
from emobed_tf.corpora.files import (
    listing,
    need_folder,
    read_all,
    read_bytes,
    sha256,
    sha256_of_file,
    visible_files,
)
from emobed_tf.corpora.missing import missing_rows
from emobed_tf.corpora.tablefile import read_table
from emobed_tf.datasets import RECOLA
from emobed_tf.errors import InputError, MissingInputError

_FOLDER = "features_"
_GOLD, _RATINGS = "ratings_gold_standard", "ratings_individual"
# The challenge withholds the test labels; whoever has them keeps them beside the others, or apart.
_LABEL_HOMES = (".", "test_labels")
_FILE = re.compile(r"(train|dev|test)_(\d+)")
_AVEC_2018 = re.compile(r"[a-z]+_\d+_[\d.]+_[\d.]+\.arff", re.IGNORECASE)


@dataclass(frozen=True)
class _Rows:
    """Values of one file, one row per frame, and the time of the first in seconds."""

    path: Path
    names: tuple[str, ...]
    values: np.ndarray
    start: float
    sha256: str


def find_modalities(folder: Path) -> dict[str, Path]:
    """Folders of the modalities in the package, by name: `features_video_appearance` is `video_appearance`.

    Args:
        folder: of the package.

    Returns:
        Paths of the folders, by the modality's name.

    Raises:
        MissingInputError: if there is no package.
        InputError: if it is AVEC 2018's.
    """
    need_folder(folder, RECOLA.layout)
    folders = {
        path.name[len(_FOLDER) :].lower(): path
        for path in sorted(folder.iterdir())
        if path.is_dir() and path.name.lower().startswith(_FOLDER)
    }
    if not folders:
        _refuse_avec_2018(folder.rglob("*.arff"))
        raise MissingInputError(f"{folder}: no folder features_*; expected {RECOLA.layout}")
    return folders


def read(
    folder: Path, modalities: Sequence[str], dimension: str, progress: Progress | None
) -> tuple[list[Modality], dict[str, str]]:
    """Reads a package.

    Args:
        folder: of the package.
        modalities: names of those to read, at least one; see `find_modalities`.
        dimension: `arousal` or `valence`: the package has other features for each.
        progress: called after each feature file.

    Returns:
        The modalities; and the SHA-256 of every file that was read, by path.

    Raises:
        MissingInputError: if a file is not there.
        InputError: whatever else is wrong, with the file and line.
    """
    folders = find_modalities(folder)
    files = {name: _feature_files(folders[name] / dimension) for name in modalities}
    _check_complete(folder, dimension, files)
    recordings = list(files[modalities[0]])
    labels = {recording: _read_labels(folder, recording) for recording in recordings}
    cache = FeatureCache(arff.PARSER_VERSION)
    features = read_all(
        lambda job: _read_features(job[1], job[0], cache),
        [(name, path) for name in modalities for path in files[name].values()],
        [f"{name}/{recording}" for name in modalities for recording in files[name]],
        progress,
    )
    cache.warn()
    parsed = iter(features)
    by_modality = {name: {recording: next(parsed) for recording in recordings} for name in modalities}
    for recording in recordings:
        first, *others = (rows[recording] for rows in by_modality.values())
        for other in (*others, *(rows for kind in labels[recording].values() for rows in kind.values())):
            _check_same_frames(first, other)
    read_files = [*features, *(rows for kinds in labels.values() for kind in kinds.values() for rows in kind.values())]
    return (
        [_to_modality(name, rows, labels) for name, rows in by_modality.items()],
        {str(rows.path): rows.sha256 for rows in read_files},
    )


def is_video(modality: str) -> bool:
    """Whether a row of zeros stands for a frame without a face.

    Args:
        modality: name of a modality of the package.

    Returns:
        True for video, whatever its features.
    """
    return modality.startswith("video")


def _refuse_avec_2018(paths: Iterable[Path]) -> None:
    for path in paths:
        if _AVEC_2018.fullmatch(path.name):
            raise InputError(
                f"{path}: this is AVEC 2018's layout (<partition>_<n>_<window>_<step>.arff, one row every 400 ms), "
                "which is not supported; expected AVEC 2016's (train_1.arff, one row every 40 ms)"
            )


def _feature_files(folder: Path) -> dict[str, Path]:
    need_folder(folder, "feature files such as train_1.arff")
    paths = [path for path in visible_files(folder) if path.suffix.lower() == ".arff"]
    _refuse_avec_2018(paths)
    for path in paths:
        if not _FILE.fullmatch(path.stem):
            raise InputError(f"{path}: expected a name such as train_1.arff, dev_1.arff or test_1.arff")
    found = [path.stem for path in paths]
    for partition in ("train", "dev"):
        if not any(name.startswith(partition) for name in found):
            raise MissingInputError(f"{folder}: no file {partition}_*.arff; found {listing(found) or 'no ARFF file'}")
    return {path.stem: path for path in sorted(paths, key=lambda path: _order(path.stem))}


def _order(recording: str) -> tuple[int, int, str]:
    partition, number = recording.split("_")
    return PARTITIONS.index(partition), int(number), recording


def _label_file(folder: Path, kind: str, dimension: str, name: str) -> Path | None:
    places = (folder / home / kind / dimension / name for home in _LABEL_HOMES)
    return next((path for path in places if path.is_file()), None)


def _check_complete(folder: Path, dimension: str, files: Mapping[str, Mapping[str, Path]]) -> None:
    """Every modality and the gold standard (but for test) must have the same recordings."""
    gold = folder / _GOLD / dimension
    need_folder(gold, "gold standards such as train_1.arff")
    rated = {path.stem for path in visible_files(gold) if _FILE.fullmatch(path.stem) and path.suffix == ".arff"}
    expected = rated.union(*files.values())
    for paths in files.values():
        folder = next(iter(paths.values())).parent
        absent = sorted(expected.difference(paths), key=_order)
        if absent:
            raise MissingInputError(
                f"{folder}: no file for {listing(absent)}, which other modalities or the gold standard have; "
                "expected the same recordings everywhere"
            )
    absent = sorted((name for name in expected - rated if not name.startswith("test")), key=_order)
    if absent:
        raise MissingInputError(f"{gold}: no gold standard for {listing(absent)}; expected {absent[0]}.arff")


def _read_features(path: Path, modality: str, cache: FeatureCache) -> _Rows:
    fingerprint = sha256_of_file(path)
    kept = cache.load(fingerprint) if fingerprint else None
    if fingerprint is None or kept is None:
        data = read_bytes(path)
        # Of these very bytes: the file may have changed since.
        fingerprint = sha256(data)
        kept = arff.parse_features(data, path)
        cache.store(fingerprint, *kept)
    names, features, start = kept
    if is_video(modality):
        features = missing_rows(features)
    return _Rows(path, names, features, start, fingerprint)


def _read_labels(folder: Path, recording: str) -> dict[str, dict[str, _Rows]]:
    """Gold standards and ratings of a recording, by dimension, as far as they are distributed."""
    gold, ratings = {}, {}
    for dimension in DIMENSIONS:
        path = _label_file(folder, _GOLD, dimension, f"{recording}.arff")
        if path is not None:
            data = read_bytes(path)
            values, start = arff.parse_gold_standard(data, path)
            gold[dimension] = _Rows(path, (), values, start, sha256(data))
        path = _label_file(folder, _RATINGS, dimension, f"{recording}.csv")
        if path is not None:
            ratings[dimension] = _read_ratings(path)
    return {"gold": gold, "ratings": ratings}


def _read_ratings(path: Path) -> _Rows:
    table = read_table(path, Columns(numbers=("time",), required={"time": ""}), delimiter=";")
    times = table.numbers["time"]
    check_times(times, arff.FRAME_SECONDS, table.where)
    for rater, values in zip(table.feature_names, table.features.T, strict=True):
        check_values(values, -1, 1, f"the rating of {rater}", table.where)
    return _Rows(path, table.feature_names, table.features, float(times[0]), table.files[str(path)])


def _check_same_frames(first: _Rows, other: _Rows) -> None:
    if len(first.values) != len(other.values):
        raise InputError(
            f"{other.path}: {len(other.values)} rows, but {first.path} has {len(first.values)}; "
            "all files of a recording must have the same: is one cut short?"
        )
    if abs(first.start - other.start) > arff.FRAME_SECONDS / 2:
        raise InputError(
            f"{other.path}: begins at {other.start:.10g} s, but {first.path} at {first.start:.10g} s; "
            "all files of a recording must begin at the same time"
        )


def _to_modality(
    name: str, files: Mapping[str, _Rows], labels: Mapping[str, Mapping[str, Mapping[str, _Rows]]]
) -> Modality:
    reference = next(iter(files.values()))
    recordings = []
    for recording, rows in files.items():
        check_same_names(rows.names, str(rows.path), reference.names, str(reference.path))
        gold, ratings = (
            {dimension: label.values for dimension, label in labels[recording][kind].items()}
            for kind in ("gold", "ratings")
        )
        partition = recording.split("_")[0]
        recordings.append(Recording(recording, partition, recording, rows.values, gold, ratings, rows.start))
    return Modality(
        name, reference.names, tuple(recordings), arff.FRAME_SECONDS, RECOLA.name, zeros_missing=is_video(name)
    )
