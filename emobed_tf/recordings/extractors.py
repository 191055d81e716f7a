"""Extractors by name: from recordings to the rows of a feature table.

An extractor of one's own is a subclass of `Extractor` in a module that Python can import; of what is seen, one of
`pictureextractor.PictureExtractor`. In `loudness.py`, say:

    import numpy as np
    from emobed_tf.recordings.extractors import Extractor

    class Loudness(Extractor):
        version = "1"
        columns = ("rms",)

        def of(self, samples):
            return [np.sqrt(np.mean(samples**2))]

`python -m emobed_tf.extract recordings.csv --features loudness:Loudness --output audio.parquet` extracts with it. What
it made of a recording is kept under its name, version and settings: give it another version when it computes something
else.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.importing import import_named
from emobed_tf.recordings.audio import SAMPLE_RATE, Sound, cut, put_together
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.windows import Windows

EXTRACTORS = {
    "logmel": "emobed_tf.recordings.logmel:LogMel",
    "egemaps": "emobed_tf.recordings.egemaps:EGeMAPS",
    "blendshapes": "emobed_tf.recordings.blendshapes:Blendshapes",
    "landmarks": "emobed_tf.recordings.geometry:Landmarks",
    "vgg-face": "emobed_tf.recordings.vggface:VGGFace",
}
"""Extractors by name, each as one of one's own is named, `package.module:Class`."""

Segments = Callable[[float, float | None], tuple[np.ndarray | None, np.ndarray, list[str]]]
"""Rows of a segment of a file, from its start to its end in seconds: times and features as `Extractor.extract` returns
them, and what is doubtful. It raises InputError, with the file's name, where nothing can be made of the segment."""

_SHORT = 0.1  # seconds that may be missing at a segment's end before somebody is told: tables of segments are rounded


class FeatureExtractor(ABC):
    """Makes features of recordings: one row for each, or one for each window of it.

    Args:
        windows: None: one row for a recording.
    """

    version: str = ""
    """Of what it computes, with that of the library which does; features of two versions are not the same features."""
    licence: str = ""
    """What its licence forbids, in a sentence; "" if nothing."""
    columns: Sequence[str] = ()
    """Names of the features, in order."""
    shortest: float = 0.0
    """Seconds of the shortest window that it can do something with."""
    source: Mapping[str, str] = {}
    """What of a recording it is made of, and in which form, for whoever finds the features."""
    takes: Sequence[str] = ()
    """Flags of `looking.Looking` that have an effect. Where there are any, `Looking` is a second argument."""

    def __init__(self, windows: Windows | None = None) -> None:
        self.windows = windows

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides over the numbers besides its version: values that JSON can hold."""
        return {} if self.windows is None else asdict(self.windows)

    def prepare(self) -> None:  # noqa: B027
        """Loads what takes long, in a process that is about to extract; what is wrong with it ends the extraction."""

    @abstractmethod
    def opened(self, path: Path) -> Segments:
        """Opens a file.

        Args:
            path: of a recording.

        Returns:
            What makes rows of its segments.

        Raises:
            InputError: if the file can't be read, with its name.
        """


class Extractor(FeatureExtractor):
    """Makes features of sound.

    Args:
        windows: None: one row for a recording.
    """

    source: Mapping[str, str] = {"sound": f"mean of all channels, {SAMPLE_RATE} Hz"}

    @abstractmethod
    def of(self, samples: np.ndarray) -> Sequence[float] | np.ndarray:
        """The features of all of the sound.

        Args:
            samples: at 16,000 Hz in [-1, 1], float32 `[samples]`, one at least.

        Returns:
            `[columns]`, NaN where one is missing.

        Raises:
            InputError: if the sound is too short, say; the message doesn't name the recording.
        """

    def extract(self, samples: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """The rows of a recording. Whoever can do better than one window at a time overrides it.

        Args:
            samples: as in `of`.

        Returns:
            Times of the rows in seconds, float64 `[rows]`, None without windows; and features, float32
            `[rows, columns]`.

        Raises:
            InputError: as in `of`.
        """
        if self.windows is None:
            return None, np.asarray(self.of(samples), np.float32)[None]
        times, starts, ends = self.windows.over(len(samples))
        rows = [self.of(samples[start:end]) for start, end in zip(starts, ends, strict=True)]
        return times, np.asarray(rows, np.float32)

    def opened(self, path: Path) -> Segments:
        """Decodes a file, once for all of its segments.

        Args:
            path: of a file of sound, or of a video.

        Returns:
            What makes rows of its segments.

        Raises:
            InputError: if it can't be read.
        """
        sound = Sound(path)
        samples = put_together(sound.blocks())
        seconds = len(samples) / SAMPLE_RATE

        def rows(start: float, end: float | None) -> tuple[np.ndarray | None, np.ndarray, list[str]]:
            segment = cut(samples, path, start, end)
            try:
                times, features = self.extract(segment)
            except InputError as error:
                raise InputError(f"{path}{_place(start, end)}: {error}") from None
            return times, features, [*sound.notes, *early_end("sound", seconds, end)]

        return rows


def early_end(what: str, seconds: float, end: float | None) -> list[str]:
    """What is to be said of a segment that goes beyond its file.

    Args:
        what: that ends.
        seconds: at which it does.
        end: of the segment in seconds; None: where the file ends.

    Returns:
        A part of a sentence, or nothing.
    """
    if end is None or end <= seconds + _SHORT:
        return []
    return [f"a segment is to end at {end:g} s, and its {what} ends at {seconds:.2f} s"]


def _place(start: float, end: float | None) -> str:
    until = "the end" if end is None else f"{end:g} s"
    return "" if start == 0 and end is None else f" from {start:g} s to {until}"


def find_extractor(name: str, windows: Windows | None, looking: Looking | None = None) -> FeatureExtractor:
    """An extractor by name. Its module is imported only then.

    Args:
        name: a key of `EXTRACTORS`, or `package.module:Class`.
        windows: None: one row for a recording.
        looking: how it looks at pictures, if it does; None: as it does by itself.

    Returns:
        The extractor, ready to extract.

    Raises:
        InputError: if there is none of that name, a package or a file that it needs is missing, or something was said
            that has no effect on it.
    """
    where = EXTRACTORS.get(name, name)
    if not all(where.partition(":")):
        raise InputError(
            f"--features {name}: expected {', '.join(EXTRACTORS)}, or package.module:Class for one of your own"
        )
    try:
        found = import_named(where)
    except ImportError as error:
        raise InputError(f"--features {name}: {error}; expected a class of a module that Python can import") from None
    if not (isinstance(found, type) and issubclass(found, FeatureExtractor)) or found.__abstractmethods__:
        raise InputError(
            f"--features {name}: expected a subclass of emobed_tf.recordings.extractors.Extractor with its method 'of',"
            " or of emobed_tf.recordings.pictureextractor.PictureExtractor with 'watching'"
        )
    looking = looking or Looking()
    for flag in looking.given:
        if flag not in found.takes:
            raise InputError(f"{flag} has no effect on --features {name}; leave it out")
    more = (looking,) if found.takes else ()
    extractor: FeatureExtractor = found(windows, *more)
    if not extractor.version or not extractor.columns:
        raise InputError(f"--features {name}: expected a version and columns, by which its features are kept and named")
    if windows is not None and windows.window < extractor.shortest:
        raise InputError(f"--window {windows.window:g}: --features {name} needs {extractor.shortest:g} s or more")
    return extractor
