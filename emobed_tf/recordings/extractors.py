"""Extractors by name: from sound to the rows of a feature table.

An extractor of one's own is a subclass of `Extractor` in a module that Python can import. In `loudness.py`, say:

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
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.importing import import_named
from emobed_tf.recordings.windows import Windows

EXTRACTORS = {
    "logmel": "emobed_tf.recordings.logmel:LogMel",
    "egemaps": "emobed_tf.recordings.egemaps:EGeMAPS",
}
"""Extractors by name, each as one of one's own is named, `package.module:Class`."""


class Extractor(ABC):
    """Makes features of sound: one row for a recording, or one for each window of it.

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

    def __init__(self, windows: Windows | None = None) -> None:
        self.windows = windows

    @property
    def settings(self) -> Mapping[str, Any]:
        """What decides over the numbers besides its version: values that JSON can hold."""
        return {} if self.windows is None else asdict(self.windows)

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


def find_extractor(name: str, windows: Windows | None) -> Extractor:
    """An extractor by name. Its module is imported only then.

    Args:
        name: a key of `EXTRACTORS`, or `package.module:Class`.
        windows: None: one row for a recording.

    Returns:
        The extractor, ready to extract.

    Raises:
        InputError: if there is none of that name, or a package that it needs is missing.
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
    if not (isinstance(found, type) and issubclass(found, Extractor)) or found.__abstractmethods__:
        raise InputError(
            f"--features {name}: expected a subclass of emobed_tf.recordings.extractors.Extractor with its method 'of'"
        )
    extractor = found(windows)
    if not extractor.version or not extractor.columns:
        raise InputError(f"--features {name}: expected a version and columns, by which its features are kept and named")
    if windows is not None and windows.window < extractor.shortest:
        raise InputError(f"--window {windows.window:g}: --features {name} needs {extractor.shortest:g} s or more")
    return extractor
