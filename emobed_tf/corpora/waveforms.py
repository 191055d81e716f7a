"""Tables of recordings without features, as modalities whose features are the samples of the recordings themselves."""

import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf import datasets
from emobed_tf.corpora.corpus import CLASSIFICATION, Modality, Recording, Target
from emobed_tf.corpora.files import sha256_of_file
from emobed_tf.corpora.samples import SampleFrames, are_samples, as_array, sample_names
from emobed_tf.corpora.tablefile import Table
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.files import at_home
from emobed_tf.importing import import_named

SAMPLE_RATE = 16_000
"""Of all waveforms, in Hz."""
FRAME_SECONDS = 0.04
"""Of a recording that has one label in all."""
LABEL_FILE = "label_file"
"""Column that names a table of labels over time for each recording."""
_SHORTER = 0.5  # seconds of labels without sound of which somebody is told


def as_waveform(
    modality: Modality, table: Table, groups: Mapping[str, np.ndarray], target: Target, *, strict: bool = False
) -> Modality:
    """A modality of a table without features, with frames of samples for features.

    A recording has a frame for each of its labels, which follow each other evenly from the time of the first; each
    frame begins at the time of its label. Where a recording has one label, its frames are 40 ms long and all have it.
    Recordings that can't be read are left out, unless all of them are wanted.

    Args:
        modality: with recordings of no feature.
        table: of `featuretable.read_features`.
        groups: indices of each recording's rows.
        target: what is learnt.
        strict: whether one that can't be read is an error.

    Returns:
        The same with features, `SampleFrames`, and with a sampling rate.

    Raises:
        InputError: if no recording can be read, with `strict` if one can't, or if a frame would not be a whole number
            of samples.

    Warns:
        EmoBedWarning: of each recording that can't be read.
    """
    step = modality.frame_seconds or FRAME_SECONDS
    samples = samples_of(step, table.title)
    found, notes, broken = [], list(modality.notes), []
    for recording in modality.recordings:
        path, start, end = _place(table, int(groups[recording.id][0]))
        begin = recording.start if modality.frame_seconds else start
        try:
            source = import_named(datasets.WAVEFORM)(path, begin, end)
        except InputError as error:
            if strict:
                raise
            broken.append(str(error))
            continue
        notes += [f"{path.name}: {note}" for note in source.notes]
        frames = SampleFrames(source, samples)
        found.append(_labelled(recording, frames, modality.frame_seconds, target, notes))
    for line in broken:
        warnings.warn(f"{line}; left out", EmoBedWarning, stacklevel=4)
    if not found:
        raise InputError(f"{table.title}: none of its {len(broken)} recordings can be read; the first: {broken[0]}")
    return dataclasses.replace(
        modality,
        feature_names=sample_names(samples),
        recordings=tuple(found),
        frame_seconds=step,
        sample_rate=SAMPLE_RATE,
        notes=(*notes, *([f"left out, because they can't be read: {len(broken)}"] if broken else [])),
    )


def with_label_files(table: Table, dimension: str) -> Table:
    """A table of recordings with the labels over time that it names: a row for each label.

    Args:
        table: of `featuretable.read_features`, with a row for each recording.
        dimension: that is learnt; arousal and valence are read, too.

    Returns:
        The same with `time` and dimensions among the numbers. Of a segment those labels that lie within it. A table
        without `LABEL_FILE` is returned as it is.

    Raises:
        MissingInputError: if a file of labels is not there.
        InputError: if one is not what it should be, or has nothing in a segment, or the table has features.
    """
    if LABEL_FILE not in table.texts:
        return table
    if table.feature_names or "time" in table.numbers:
        what = "features" if table.feature_names else "times of its own"
        raise InputError(
            f"{table.title}: column '{LABEL_FILE}' names labels of recordings, and the table has {what}; expected a "
            f"row for each recording, without features; or --ignore {LABEL_FILE}"
        )
    tracks: dict[str, Any] = {}
    rows, found = [], []
    for row, name in enumerate(table.texts[LABEL_FILE]):
        if not name:
            raise InputError(
                f"{table.where(row)}: column '{LABEL_FILE}' is empty; expected the path of a table with labels over "
                "time"
            )
        if name not in tracks:
            tracks[name] = import_named(datasets.LABEL_TRACK)(_home(table) / at_home(name), dimension)
        found.append(_labels_within(tracks[name], table, row))
        rows.append(np.full(len(found[-1]["time"]), row))
    taken = table.take(np.concatenate(rows))
    gaps = [np.full(len(part), np.nan) for part in rows]
    labels = {
        column: np.concatenate([part.get(column, gap) for part, gap in zip(found, gaps, strict=True)])
        for column in dict.fromkeys(column for part in found for column in part)
    }
    return dataclasses.replace(taken, numbers=taken.numbers | labels)


def _labels_within(track: Any, table: Table, row: int) -> dict[str, np.ndarray]:
    """Times and dimensions of the labels that lie within the recording or segment of a row."""
    _, start, end = _place(table, row)
    within = np.flatnonzero((track.times >= start) & (track.times < (np.inf if end is None else end)))
    if not within.size:
        until = "the end" if end is None else f"{end:g} s"
        raise InputError(f"{table.where(row)}: no label in {track.path} from {start:g} s to {until}")
    return {"time": track.times[within], **{name: values[within] for name, values in track.values.items()}}


def unlabelled_waveforms(table: Table, groups: Mapping[str, np.ndarray], samples: int) -> list[Recording]:
    """Recordings that a table names, to predict from.

    Args:
        table: of `featuretable.read_features`.
        groups: indices of each recording's rows.
        samples: of a frame.

    Returns:
        One for each, with the partition "" and no labels.

    Raises:
        InputError: for a recording that can't be read.
    """
    places = {name: _place(table, int(rows[0])) for name, rows in groups.items()}
    return [
        Recording(name, "", name, as_array(_frames(path, start, end, samples)), start=start)
        for name, (path, start, end) in places.items()
    ]


def recording_of_file(path: Path, samples: int) -> Recording:
    """A file of sound, to predict from.

    Args:
        path: of a recording.
        samples: of a frame.

    Returns:
        It, named by the file's stem, with the partition "" and no labels.

    Raises:
        InputError: if it can't be read.
    """
    return Recording(path.stem, "", path.stem, as_array(_frames(path, 0.0, None, samples)))


def files_of(table: Table) -> dict[str, str]:
    """The recordings that a table names, and their tables of labels.

    Args:
        table: with a column `file`.

    Returns:
        SHA-256 by path, of those that are there.
    """
    paths = dict.fromkeys(_place(table, row)[0] for row in range(len(table)))
    paths |= dict.fromkeys(_home(table) / at_home(name) for name in table.texts.get(LABEL_FILE, ()))
    return {str(path): value for path in paths if (value := sha256_of_file(path)) is not None}


def samples_of(step: float, where: str) -> int:
    """Samples of a frame.

    Args:
        step: seconds between two frames.
        where: the table, for the message.

    Returns:
        1 or more.

    Raises:
        InputError: if a frame would not be a whole number of samples.
    """
    samples = SAMPLE_RATE * step
    if abs(samples - round(samples)) > 1e-3 or samples < 1:
        near = max(1, round(samples / 40)) * 40 / SAMPLE_RATE
        raise InputError(
            f"{where}: a label every {step:g} s is every {samples:.6g} samples at {SAMPLE_RATE:,} Hz; expected a whole "
            f"number: bring the labels to another rate, such as --resample {near:g}"
        )
    return round(samples)


def _frames(path: Path, start: float, end: float | None, samples: int) -> SampleFrames:
    return SampleFrames(import_named(datasets.WAVEFORM)(path, start, end), samples)


def _place(table: Table, row: int) -> tuple[Path, float, float | None]:
    """File, beginning and end of the recording in a row."""
    times = [float(table.numbers[name][row]) if name in table.numbers else np.nan for name in ("start", "end")]
    start, end = (None if np.isnan(time) else time for time in times)
    return _home(table) / at_home(table.texts["file"][row]), start or 0.0, end


def _home(table: Table) -> Path:
    """Where what is relative begins."""
    return Path() if table.path is None else table.path if table.path.is_dir() else table.path.parent


def _labelled(
    recording: Recording, frames: SampleFrames, step: float | None, target: Target, notes: list[str]
) -> Recording:
    """A recording with its frames, and as many labels."""
    if step is None:
        labels = {
            name: value if target.task == CLASSIFICATION else np.full(len(frames), value[0], np.float32)
            for name, value in recording.labels.items()
        }
        return dataclasses.replace(recording, features=as_array(frames), labels=labels)
    count = min(len(frames), recording.frames)
    if (recording.frames - count) * step > _SHORTER:
        notes.append(f"{recording.id}: labels of {recording.frames * step:.4g} s, sound of {len(frames) * step:.4g} s")
    labels = {name: value[:count] if np.ndim(value) else value for name, value in recording.labels.items()}
    return dataclasses.replace(recording, features=as_array(frames[:count]), labels=labels)


def check_no_waveform(modalities: Sequence[Modality], what: str) -> None:
    """Refuses waveforms where features are needed.

    Args:
        modalities: that would be read.
        what: needs features, the first words of the message.

    Raises:
        InputError: if one of them is a waveform.
    """
    for modality in modalities:
        if modality.sample_rate is not None:
            raise InputError(_needs_features(what, modality.name))


def check_no_samples(recordings: Iterable[Recording], what: str) -> None:
    """Refuses recordings of a waveform where features are needed.

    Args:
        recordings: that would be read.
        what: needs features, the first words of the message.

    Raises:
        InputError: if the features of one of them are samples.
    """
    for recording in recordings:
        if are_samples(recording.features):
            raise InputError(_needs_features(what, f"recording '{recording.id}'"))


def _needs_features(what: str, name: str) -> str:
    return (
        f"{what} needs features, but {name} is a waveform; make features of it with python -m emobed_tf.extract, or "
        "leave it out"
    )
