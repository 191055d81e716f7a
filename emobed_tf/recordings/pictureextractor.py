"""Extractors of what is seen: a video's pictures one by one, and functionals over them.

An extractor of one's own is a subclass of `PictureExtractor`. In `light.py`, say:

    from contextlib import contextmanager
    from emobed_tf.recordings.pictureextractor import PictureExtractor

    class Light(PictureExtractor):
        version = "1"
        names = ("brightness",)

        @contextmanager
        def watching(self, segment, notes):
            yield lambda image, seconds: [image.mean()]

`python -m emobed_tf.extract recordings.csv --features light:Light --output light.parquet` extracts with it: the columns
are brightness_mean and brightness_stddev.
"""

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.corpora.files import sha256_of_file
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.recordings.extractors import FeatureExtractor, Segments, early_end
from emobed_tf.recordings.faces import LARGEST, Chooser, Face, check_choice
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.pictures import Segment, look
from emobed_tf.recordings.windows import Windows

See = Callable[[np.ndarray, float], Sequence[float] | np.ndarray | None]
"""What looks at one picture: uint8 `[height, width, 3]` and its time in seconds to numbers; None: missing."""
_READER = 1  # another way to read pictures is another number
_BEGINNING = 2.0  # seconds of a segment in which it is decided whom a number means
_NOISE = 1e-6  # of a step: what binary fractions leave


class PictureExtractor(FeatureExtractor):
    """Makes features of pictures: numbers of each that is looked at, and functionals of them over time.

    Args:
        windows: None: one row for a recording.
        looking: how often a picture is looked at, and what else a user can say.
    """

    names: Sequence[str] = ()
    """Of the numbers that `describe` makes of each picture."""
    functionals: Sequence[str] = ("mean", "stddev")
    """What is made of each number over time; ("mean",) for the mean alone."""
    picture_step: float = 0.04
    """Seconds from one picture that is looked at to the next, where the user says nothing."""
    subject: str = "such thing"
    """What is missing in a picture of which `watching` returns None."""
    takes: Sequence[str] = ("--picture-step",)

    def __init__(self, windows: Windows | None = None, looking: Looking | None = None) -> None:
        super().__init__(windows)
        self.looking = looking or Looking()
        self.picture_step = self.looking.picture_step or self.picture_step
        self.shortest = self.picture_step
        self.columns = tuple(f"{name}_{functional}" for name in self.names for functional in self.functionals)
        self.source = {"picture": f"what is shown every {self.picture_step:g} s, by time stamps"}

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides over the numbers besides its version: values that JSON can hold."""
        return {**super().settings, "picture_step": self.picture_step, "reader": _READER}

    @property
    def numbers(self) -> int:
        """How many numbers are seen in a picture: as many as names, unless `describe` makes others of them."""
        return len(self.names)

    @abstractmethod
    def watching(self, segment: Segment, notes: list[str]) -> AbstractContextManager[See]:
        """Begins to look at a recording, or a segment of one.

        Args:
            segment: whose pictures will come.
            notes: to which is added, at the end, what is doubtful.

        Returns:
            A context manager; in it, what looks at one picture after another.
        """

    def describe(self, seen: np.ndarray) -> np.ndarray:
        """What is made of all that was seen before functionals are: by itself nothing.

        Args:
            seen: float64 `[pictures, numbers]`, one row each `picture_step`, NaN where something is missing.

        Returns:
            float64 `[pictures, names]`.
        """
        return seen

    def opened(self, path: Path) -> Segments:
        """Each segment is looked at by itself, so that nothing depends on which others there are.

        Args:
            path: of a video.

        Returns:
            What makes rows of its segments.
        """

        def rows(start: float, end: float | None) -> tuple[np.ndarray | None, np.ndarray, list[str]]:
            notes: list[str] = []
            segment = Segment(path, start, end)
            with self.watching(segment, notes) as see:
                seen, seconds = look(segment, see, notes, self.picture_step)
            notes += early_end("picture", start + seconds, end) + self._gaps(seen)
            return *self._over_time(self.describe(self._filled(seen)), seconds), notes

        return rows

    def _gaps(self, seen: Sequence[Any]) -> list[str]:
        found = sum(numbers is not None for numbers in seen)
        if found * 2 >= len(seen):
            return []
        return [f"no {self.subject} in {'any' if not found else len(seen) - found} of the {len(seen)} pictures"]

    def _filled(self, seen: Sequence[Sequence[float] | np.ndarray | None]) -> np.ndarray:
        nothing = np.full(self.numbers, np.nan)
        return np.array([nothing if numbers is None else numbers for numbers in seen], np.float64)

    def _over_time(self, described: np.ndarray, seconds: float) -> tuple[np.ndarray | None, np.ndarray]:
        if self.windows is None:
            return None, self._functionals(described)[None]
        times, *edges = self.windows.within(seconds)
        first, last = (
            np.ceil(edge / self.picture_step - _NOISE).astype(np.int64).clip(0, len(described)) for edge in edges
        )
        rows = [self._functionals(described[begin:end]) for begin, end in zip(first, last, strict=True)]
        return times, np.array(rows, np.float32).reshape(len(times), len(self.columns))

    def _functionals(self, described: np.ndarray) -> np.ndarray:
        """Of pictures `[pictures, names]`: float32 `[columns]`; over those that are not missing."""
        there = np.isfinite(described)
        with np.errstate(invalid="ignore"):  # 0 / 0 where all are missing
            mean = np.where(there, described, 0).sum(axis=0) / there.sum(axis=0)
            squares = np.where(there, np.square(described - mean), 0).sum(axis=0)
            made = {"mean": mean, "stddev": np.sqrt(squares / there.sum(axis=0))}
        return np.stack([made[name] for name in self.functionals], axis=1).ravel().astype(np.float32)


class FaceExtractor(PictureExtractor):
    """Makes features of one face in each picture.

    Args:
        windows: None: one row for a recording.
        looking: besides the step which face, and the file with the network that finds or describes it.

    Raises:
        InputError: if no file is named, or it is not there.
    """

    variable: str = ""
    """Environment variable that names the file where the user doesn't."""
    wanted: str = ""
    """What file that is, for the message."""
    subject = "face"
    takes = ("--picture-step", "--face", "--model")

    def __init__(self, windows: Windows | None = None, looking: Looking | None = None) -> None:
        super().__init__(windows, looking)
        self.face = check_choice(self.looking.face or LARGEST)
        named = self.looking.model or os.environ.get(self.variable)
        if not named:
            raise InputError(f"--model: expected the path of {self.wanted}; or set {self.variable} to it")
        self.model = Path(named)
        if not self.model.is_file():
            where = "--model" if self.looking.model else self.variable
            raise MissingInputError(f"{where}: {self.model}: no such file; expected {self.wanted}")
        self._model_sha256 = sha256_of_file(self.model)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides over the numbers besides its version: values that JSON can hold."""
        return {**super().settings, "face": self.face, "model_sha256": self._model_sha256}

    @abstractmethod
    def finding(self) -> AbstractContextManager[Callable[[np.ndarray, float], Sequence[Face]]]:
        """Begins to look for faces.

        Returns:
            A context manager; in it, what finds all faces of one picture after another.
        """

    @abstractmethod
    def numbers_of(self, face: Face, image: np.ndarray) -> Sequence[float] | np.ndarray:
        """What is seen of the face that was chosen.

        Args:
            face: one of those that were found.
            image: uint8 `[height, width, 3]`.

        Returns:
            The numbers.
        """

    @contextmanager
    def watching(self, segment: Segment, notes: list[str]) -> Iterator[See]:
        """Looks at the face that is meant.

        Args:
            segment: whose pictures will come. Where a face is to be followed, its beginning is looked at twice.
            notes: to which is added whether there were others, if nobody has said which is meant.

        Yields:
            What looks at one picture after another.
        """
        chooser, pictures = Chooser(self.face), 0
        if self.face != LARGEST:
            chooser.begin(self._first_faces(segment))
        with self.finding() as find:

            def see(image: np.ndarray, seconds: float) -> Sequence[float] | np.ndarray | None:
                nonlocal pictures
                pictures += 1
                face = chooser.choose(find(image, seconds), seconds)
                return None if face is None else self.numbers_of(face, image)

            yield see
        if self.looking.face is None and chooser.several * 2 > pictures:
            notes.append("there are several faces, and the largest of each picture is taken; --face says which")

    def _first_faces(self, segment: Segment) -> list[tuple[Sequence[Face], float]]:
        until = segment.start + _BEGINNING
        beginning = replace(segment, end=until if segment.end is None else min(until, segment.end))
        with self.finding() as find:
            found, _ = look(beginning, lambda image, seconds: (find(image, seconds), seconds), [], self.picture_step)
        return [one for one in found if one is not None]
