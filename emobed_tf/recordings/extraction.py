"""One file of recordings to features, in whatever process: what a worker does."""

import functools
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.extractors import FeatureExtractor, Segments, find_extractor
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.store import Rows
from emobed_tf.recordings.windows import Windows


@dataclass(frozen=True)
class Job:
    """A file with the segments of it that are wanted. It can be pickled.

    Attributes:
        path: of the file.
        segments: start and end of each in seconds; an end may be None.
        features: name of the extractor.
        windows: None: one row for each segment.
        looking: how pictures are looked at; None of sound.
    """

    path: str
    segments: tuple[tuple[float, float | None], ...]
    features: str
    windows: Windows | None
    looking: Looking | None = None

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
    """Opens a file once and extracts all of its segments.

    Args:
        job: what is wanted.

    Returns:
        What was made of it; a file that can't be read is a problem and no error.

    Raises:
        InputError: if there is no such extractor, a package that it needs is missing, or it breaks its own promises.
    """
    extractor = _extractor(job.features, job.windows, job.looking)
    try:
        segments = extractor.opened(Path(job.path))
    except InputError as error:
        return Extracted([None] * len(job.segments), [str(error)])
    done = Extracted([])
    for start, end in job.segments:
        found = _rows(extractor, job, segments, start, end)
        done.rows.append(None if isinstance(found, str) else found)
        if isinstance(found, str):
            done.problems.append(found)
    return done


def _rows(extractor: FeatureExtractor, job: Job, segments: Segments, start: float, end: float | None) -> Rows | str:
    """Rows of a segment, or what is the matter with it, in a line."""
    try:
        times, features, notes = segments(start, end)
    except InputError as error:
        return str(error)
    _check_promises(extractor, job, times, features)
    return Rows(None if times is None else np.round(times + start, 9), features, tuple(notes))


def _check_promises(extractor: FeatureExtractor, job: Job, times: np.ndarray | None, features: np.ndarray) -> None:
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
def _extractor(name: str, windows: Windows | None, looking: Looking | None) -> FeatureExtractor:
    """One for all files of a process, ready."""
    extractor = find_extractor(name, windows, looking)
    extractor.prepare()
    return extractor
