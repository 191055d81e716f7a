"""One file of recordings to features, in whatever process: what a worker does."""

import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.audio import SAMPLE_RATE, Sound, cut
from emobed_tf.recordings.extractors import Extractor, find_extractor
from emobed_tf.recordings.store import Rows
from emobed_tf.recordings.windows import Windows

_SHORT = 0.1  # seconds that may be missing at a segment's end before somebody is told: tables of segments are rounded


@dataclass(frozen=True)
class Job:
    """A file with the segments of it that are wanted. It can be pickled.

    Attributes:
        path: of the file.
        segments: start and end of each in seconds; an end may be None.
        features: name of the extractor.
        windows: None: one row for each segment.
    """

    path: str
    segments: tuple[tuple[float, float | None], ...]
    features: str
    windows: Windows | None

    def __str__(self) -> str:
        return self.path


@dataclass
class Extracted:
    """What was made of a file.

    Attributes:
        rows: of each segment, in their order; None where nothing could be made of it.
        problems: why, each a line with the file's name.
    """

    rows: list[Rows | None]
    problems: list[str] = field(default_factory=list)


def extract_file(job: Job) -> Extracted:
    """Decodes a file once and extracts all of its segments.

    Args:
        job: what is wanted.

    Returns:
        What was made of it; a file that can't be read is a problem and no error.

    Raises:
        InputError: if there is no such extractor, a package that it needs is missing, or it breaks its own promises.
    """
    extractor = _extractor(job.features, job.windows)
    sound = Sound(Path(job.path))
    try:
        samples = np.concatenate(list(sound.blocks()))
    except InputError as error:
        return Extracted([None] * len(job.segments), [str(error)])
    done = Extracted([])
    for start, end in job.segments:
        found = _rows(extractor, job, samples, start, end, tuple(sound.notes))
        done.rows.append(None if isinstance(found, str) else found)
        if isinstance(found, str):
            done.problems.append(found)
    return done


def _rows(
    extractor: Extractor, job: Job, samples: np.ndarray, start: float, end: float | None, notes: tuple[str, ...]
) -> Rows | str:
    """Rows of a segment, or what is the matter with it, in a line."""
    try:
        segment = cut(samples, Path(job.path), start, end)
    except InputError as error:
        return str(error)
    try:
        times, features = extractor.extract(segment)
    except InputError as error:
        until = "the end" if end is None else f"{end:g} s"
        place = "" if start == 0 and end is None else f" from {start:g} s to {until}"
        return f"{job.path}{place}: {error}"
    _check_promises(extractor, job, times, features)
    seconds = len(samples) / SAMPLE_RATE
    if end is not None and end > seconds + _SHORT:
        notes = (*notes, f"a segment is to end at {end:g} s, and its sound ends at {seconds:.2f} s")
    return Rows(None if times is None else np.round(times + start, 9), features, notes)


def _check_promises(extractor: Extractor, job: Job, times: np.ndarray | None, features: np.ndarray) -> None:
    rows = 1 if times is None else len(times)
    if features.shape != (rows, len(extractor.columns)) or (times is None) != (job.windows is None):
        raise InputError(
            f"--features {job.features}: {job.path}: expected features [{rows}, {len(extractor.columns)}], got "
            f"{list(features.shape)}; one row without windows, else one for each time"
        )
    if np.isinf(features).any():
        name = extractor.columns[int(np.argwhere(np.isinf(features))[0, 1])]
        raise InputError(
            f"--features {job.features}: {job.path}: '{name}' is infinite; expected NaN where it is missing"
        )


@functools.lru_cache(maxsize=4)
def _extractor(name: str, windows: Windows | None) -> Extractor:
    """One for all files of a process."""
    return find_extractor(name, windows)
