"""audformat's `file`, `start` and `end`: names of recordings, and whether rows are segments or frames."""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np

from emobed_tf.corpora.checks import LATEST, NUMBER, STEP_TOLERANCE
from emobed_tf.corpora.files import shorten
from emobed_tf.corpora.tablefile import Table
from emobed_tf.errors import InputError

# pandas writes whole days without hours, so `0 days` where every segment begins with its file.
_DURATION = re.compile(r"(?=.)(?:(\d{1,9}) days?,?)?(?:(?:^| )(\d{1,9}):(\d\d):(\d\d(?:\.\d+)?))?", re.IGNORECASE)
_SUFFIX = re.compile(r"\.(?=[^.]*[A-Za-z])[A-Za-z0-9]{1,5}")
_LEAST_FRAMES = 3


def seconds_of(text: str) -> float | None:
    """A time as audformat and pandas write it.

    Args:
        text: such as `1.5`, `0 days 00:00:01.500000` or `00:01:30`.

    Returns:
        Seconds; NaN for an empty cell and NaT; None if it is no time.
    """
    if text.lower() in ("", "nat", "nan"):
        return float("nan")
    if NUMBER.fullmatch(text):
        return float(text) if abs(float(text)) <= LATEST else None
    found = _DURATION.fullmatch(text)
    if not found:
        return None
    days, hours, minutes, seconds = found.groups(default="0")
    return int(days) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def times_of(table: Table, role: str) -> np.ndarray:
    """A text column of times in seconds.

    Args:
        table: with that column.
        role: `start` or `end`.

    Returns:
        float64 `[rows]`, NaN where a cell is empty.

    Raises:
        InputError: at the first cell that is no time.
    """
    values = np.empty(len(table))
    for row, text in enumerate(table.texts[role]):
        seconds = seconds_of(text)
        if seconds is None:
            raise InputError(
                f"{table.where(row)}: column '{role}': expected seconds or a time such as 0 days 00:00:01.5, got "
                f"{shorten(text)}"
            )
        values[row] = seconds
    return values


def path_of(file: str) -> tuple[str, ...]:
    """A file's path to compare by: its folders and its name without suffix, from the name on.

    Args:
        file: path as it stands in a table, with slashes either way. `.2` is no suffix: it has a letter.

    Returns:
        Parts, the last folder second, the top one last.
    """
    path = PurePosixPath(file.replace("\\", "/"))
    name = path.stem if _SUFFIX.fullmatch(path.suffix) else path.name
    return (name, *reversed([part for part in path.parent.parts if part not in ("/", ".")]))


def file_ids(files: Sequence[str]) -> dict[str, str]:
    """Short names for files.

    Args:
        files: paths as they stand in a table.

    Returns:
        By path: its name without folders and suffix, and with as many folders as it takes to tell all apart.
    """
    paths = {file: path_of(file) for file in dict.fromkeys(files)}
    depth = 1
    while True:
        names = {file: "/".join(reversed(parts[:depth])) for file, parts in paths.items()}
        if len(set(names.values())) == len(set(paths.values())) or depth > max(map(len, paths.values())):
            return names
        depth += 1


def segment_ids(names: Iterable[str], starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Names for segments of files.

    Args:
        names: of the files, as `file_ids` has them.
        starts: float64 `[rows]`, seconds.
        ends: float64 `[rows]`, seconds.

    Returns:
        Such as `clip/0.5-1.25`, str `[rows]`.
    """
    rows = zip(names, starts, ends, strict=True)
    return np.array([f"{name}/{round(start, 3):.10g}-{round(end, 3):.10g}" for name, start, end in rows], dtype=object)


def are_frames(starts: np.ndarray, ends: np.ndarray, groups: Sequence[np.ndarray]) -> bool:
    """Whether the segments of each file follow each other evenly and without gaps, as windows of a feature do.

    Args:
        starts: float64 `[rows]`, seconds.
        ends: float64 `[rows]`, seconds.
        groups: indices of each file's rows.

    Returns:
        True if they do, and a file has three at least.
    """
    if max(map(len, groups)) < _LEAST_FRAMES:
        return False
    for rows in groups:
        ordered = rows[np.argsort(starts[rows], kind="stable")]
        first, last = starts[ordered], ends[ordered]
        if not np.isfinite(first).all():
            return False
        steps = np.diff(first)
        if steps.size and (
            steps.min() <= 0
            or np.ptp(steps) > 2 * STEP_TOLERANCE * np.median(steps)
            or (first[1:] > last[:-1] + STEP_TOLERANCE * np.median(steps)).any()
        ):
            return False
    return True
