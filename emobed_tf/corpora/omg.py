"""OMG-Emotion: the challenge's CSV files with the labels, and a feature table per modality and partition."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emobed_tf.console import Progress
from emobed_tf.corpora.checks import NUMBER, STEP_TOLERANCE, check_same_names
from emobed_tf.corpora.columns import NEVER_FEATURES, Columns
from emobed_tf.corpora.corpus import EMOTION, PARTITIONS, Modality, Recording
from emobed_tf.corpora.csvfile import csv_header, csv_rows
from emobed_tf.corpora.files import listing, need_folder, read_bytes, sha256, shorten, visible_files
from emobed_tf.corpora.rows import frame_step, rows_by_id
from emobed_tf.corpora.tablefile import SUFFIXES, Table, read_table
from emobed_tf.datasets import OMG
from emobed_tf.errors import EmoBedWarning, InputError, MissingInputError

CLASSES = OMG.classes  # in the order of the codes in EmotionMaxVote
RANGES = {"arousal": (0.0, 1.0), "valence": (-1.0, 1.0)}
LABEL_FILES = {
    "train": ("omg_TrainVideos.csv",),
    "dev": ("omg_ValidationVideos.csv",),
    "test": (
        "omg_TestVideos_WithLabels.csv",
        "test_labels/omg_TestVideos_WithLabels.csv",
        "omg_TestVideos_WithoutLabels.csv",
    ),
}
KEY = ("video", "utterance")

_VOTE = "EmotionMaxVote"
_TABLE = re.compile(r"features_(.+)_([^_]+)", re.IGNORECASE)
_COLUMNS = Columns(
    texts=KEY,
    numbers=("time",),
    required=dict.fromkeys(KEY, ""),
    ignored=("link", "start", "end", _VOTE, *(name for name in NEVER_FEATURES if name != "time")),
)


@dataclass(frozen=True)
class _Utterance:
    where: str
    partition: str
    speaker: str
    arousal: float | None
    valence: float | None
    emotion: int | None


def utterance_id(video: str, utterance: str) -> str:
    """Name of an utterance in a corpus.

    Args:
        video: name of the video, such as `5b44393ed`.
        utterance: file of the utterance, such as `utterance_4.mp4`.

    Returns:
        Both, such as `5b44393ed/utterance_4`.
    """
    return f"{video}/{utterance.removesuffix('.mp4')}"


def find_modalities(folder: Path) -> dict[str, Path]:
    """The modalities that have feature tables, each with one of them.

    Args:
        folder: of the data set.

    Returns:
        Path of one table by the modality's name, in the order of the files' names.

    Raises:
        MissingInputError: if there is none.
        InputError: if a table's name has an unknown partition, or there are two of the same.
    """
    return {modality: next(iter(tables.values())) for modality, tables in _find_tables(folder).items()}


def _find_tables(folder: Path) -> dict[str, dict[str, Path]]:
    """Feature tables by modality and partition."""
    need_folder(folder, OMG.layout)
    found: dict[str, dict[str, Path]] = {}
    for path in visible_files(folder):
        match = _TABLE.fullmatch(path.stem)
        if path.suffix.lower() not in SUFFIXES or not path.name.lower().startswith("features_"):
            continue
        if not match or match[2] not in PARTITIONS:
            raise InputError(f"{path}: expected a name such as features_audio_train{path.suffix} (train, dev or test)")
        tables = found.setdefault(match[1], {})
        if match[2] in tables:
            raise InputError(f"{path}: the same table as {tables[match[2]]}; remove one")
        tables[match[2]] = path
    if not found:
        raise MissingInputError(f"{folder}: no feature table; expected {OMG.layout}")
    return found


def read(
    folder: Path, modalities: Sequence[str], dimension: str, progress: Progress | None
) -> tuple[list[Modality], dict[str, str]]:
    """Reads the labels and the feature tables.

    Args:
        folder: with both.
        modalities: names of those to read; see `find_modalities`.
        dimension: of no matter here; all labels are read.
        progress: called after each feature table.

    Returns:
        The modalities; and the SHA-256 of every file that was read, by path.

    Raises:
        MissingInputError: if a file is not there.
        InputError: whatever else is wrong, with the file and line.

    Warns:
        EmoBedWarning: with their number, if utterances have labels but no features.
    """
    del dimension
    tables = _find_tables(folder)
    for name in modalities:
        for partition in ("train", "dev"):
            if partition not in tables[name]:
                raise MissingInputError(
                    f"{folder}: no features_{name}_{partition}.csv or .parquet; "
                    f"found {listing(path.name for path in tables[name].values())}"
                )
    fingerprints: dict[str, str] = {}
    needed = [partition for partition in PARTITIONS if any(partition in tables[name] for name in modalities)]
    utterances = _read_labels(folder, needed, fingerprints)
    jobs = [(name, partition) for name in modalities for partition in PARTITIONS if partition in tables[name]]
    read_so_far: dict[str, list[Table]] = {name: [] for name in modalities}
    recordings: dict[str, list[Recording]] = {name: [] for name in modalities}
    steps: dict[str, float | None] = {}
    for done, (name, partition) in enumerate(jobs, start=1):
        table = read_table(tables[name][partition], _COLUMNS)
        fingerprints |= table.files
        first = (read_so_far[name] or [table])[0]
        check_same_names(table.feature_names, str(table.path), first.feature_names, str(first.path))
        step, new = _to_recordings(table, partition, utterances, name)
        if not _same_step(steps.setdefault(name, step), step):
            raise InputError(
                f"{table.path}: a row every {_seconds(step)}, but {_seconds(steps[name])} in {first.path}; "
                "all tables of a modality must have the same"
            )
        recordings[name].extend(new)
        read_so_far[name].append(table)
        if progress is not None:
            progress(done, len(jobs), f"{name}/{partition}")
    return [
        Modality(name, read_so_far[name][0].feature_names, tuple(recordings[name]), steps[name], OMG.name)
        for name in modalities
    ], fingerprints


def _same_step(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is second
    return abs(first - second) <= STEP_TOLERANCE * first


def _seconds(step: float | None) -> str:
    return "utterance" if step is None else f"{step:g} s"


def _read_labels(folder: Path, partitions: Sequence[str], fingerprints: dict[str, str]) -> dict[str, _Utterance]:
    utterances: dict[str, _Utterance] = {}
    for partition in partitions:
        path = next((folder / name for name in LABEL_FILES[partition] if (folder / name).is_file()), None)
        if path is None:
            raise MissingInputError(f"{folder}: no {' or '.join(LABEL_FILES[partition])}; expected {OMG.layout}")
        data = read_bytes(path)
        fingerprints[str(path)] = sha256(data)
        for recording, utterance in _parse_labels(data, path, partition):
            if recording in utterances:
                raise InputError(
                    f"{utterance.where}: '{recording}' a second time (first: {utterances[recording].where}); "
                    "expected each pair of video and utterance once"
                )
            utterances[recording] = utterance
    return utterances


def _parse_labels(data: bytes, path: Path, partition: str) -> list[tuple[str, _Utterance]]:
    rows = csv_rows(data, path)
    header_line, header = csv_header(rows, path)
    labelled = partition != "test" or _VOTE in header
    required = (*KEY, *RANGES, _VOTE) if labelled else KEY
    for name in required:
        if header.count(name) != 1:
            found = "found twice" if name in header else f"found {listing(header)}"
            raise InputError(f"{path}:{header_line}: expected one column '{name}'; {found}")
    result = []
    for line, cells in rows:
        where = f"{path}:{line}"
        if len(cells) != len(header):
            raise InputError(f"{where}: {len(cells)} cells, but the header has {len(header)}; a comma is wrong")
        row = dict(zip(header, cells, strict=True))
        if not row["video"] or not row["utterance"]:
            raise InputError(
                f"{where}: a row without video or utterance ({shorten(','.join(cells))}); "
                "some copies of this file end with such rows: delete them"
            )
        speaker = re.sub(r"_\d+$", "", row["video"])
        arousal, valence = (_number(row[name], name, where) if labelled else None for name in RANGES)
        emotion = _code(row[_VOTE], where) if labelled else None
        utterance = _Utterance(where, partition, speaker, arousal, valence, emotion)
        result.append((utterance_id(row["video"], row["utterance"]), utterance))
    if not result:
        raise InputError(f"{path}:{header_line}: no rows after the header; the file is cut short: copy it again")
    return result


def _number(cell: str, name: str, where: str) -> float:
    low, high = RANGES[name]
    if NUMBER.fullmatch(cell) and low <= float(cell) <= high:
        return float(cell)
    raise InputError(f"{where}: column '{name}': expected a number in [{low:g}, {high:g}], got {shorten(cell)}")


def _code(cell: str, where: str) -> int:
    if NUMBER.fullmatch(cell) and float(cell) in range(len(CLASSES)):
        return int(float(cell))
    codes = ", ".join(f"{code} {name}" for code, name in enumerate(CLASSES))
    raise InputError(f"{where}: column '{_VOTE}': unknown class code {shorten(cell)}; expected {codes}")


def _to_recordings(
    table: Table, partition: str, utterances: Mapping[str, _Utterance], modality: str
) -> tuple[float | None, list[Recording]]:
    video, name = (table.texts[column] for column in KEY)
    for row, (first, second) in enumerate(zip(video, name, strict=True)):
        if not first or not second:
            raise InputError(f"{table.where(row)}: a row without video or utterance; expected both")
    ids = np.array([utterance_id(*key) for key in zip(video, name, strict=True)], dtype=object)
    groups = rows_by_id(table, ids, "video and utterance")
    step = frame_step(table, groups)
    recordings = []
    for recording, rows in groups.items():
        known = utterances.get(recording)
        if known is None or known.partition != partition:
            elsewhere = f"; it is in {known.where}" if known else ""
            raise InputError(
                f"{table.where(rows[0])}: '{recording}' is not among the utterances of {LABEL_FILES[partition][0]}"
                f"{elsewhere}; take the row out"
            )
        labels = {}
        if known.emotion is not None:
            labels = {
                "arousal": np.full(len(rows), known.arousal, np.float32),
                "valence": np.full(len(rows), known.valence, np.float32),
                EMOTION: np.array(known.emotion, np.int32),
            }
        start = float(table.numbers["time"][rows[0]]) if step else 0.0
        recordings.append(Recording(recording, partition, known.speaker, table.features[rows], labels, {}, start))
    without = sum(known.partition == partition for known in utterances.values()) - len(recordings)
    if without:
        warnings.warn(
            f"{table.path}: {without} utterances of '{partition}' have no features and are left out of "
            f"modality '{modality}'",
            EmoBedWarning,
            stacklevel=3,
        )
    return step, recordings
