"""Features of recordings that are kept on disk, so that what was extracted once need not be extracted again."""

import hashlib
import json
import tempfile
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.corpora.cache import cache_folder
from emobed_tf.errors import EmoBedWarning
from emobed_tf.recordings.audio import SAMPLE_RATE
from emobed_tf.recordings.extractors import FeatureExtractor

_DECODER = 1  # another way to decode sound is another number


@dataclass(frozen=True)
class Rows:
    """What an extractor made of a recording.

    Attributes:
        times: of the rows in seconds from the file's begin, float64 `[rows]`; None of one row without a time.
        features: float32 `[rows, columns]`.
        notes: what is doubtful of the recording, see `audio.Sound`.
    """

    times: np.ndarray | None
    features: np.ndarray
    notes: tuple[str, ...] = ()


class FeatureStore:
    """What one extractor made of recordings. Losing it costs time and nothing else.

    Where it can't be written, features stay in memory, and a warning says so once.

    Args:
        name: of the extractor, as the user named it.
        extractor: of that name.
        folder: of the cache; None: `cache_folder()`.
    """

    def __init__(self, name: str, extractor: FeatureExtractor, folder: Path | None = None) -> None:
        self.folder = (folder or cache_folder()) / "extracted"
        self._identity = [name, extractor.version, dict(extractor.settings), list(extractor.columns)]
        self._in_memory: dict[str, Rows] = {}

    def key(self, content: str, start: float, end: float | None) -> str:
        """What the features of a segment are found by.

        Args:
            content: SHA-256 of the file.
            start: of the segment in seconds.
            end: in seconds, or None.

        Returns:
            SHA-256 of everything that decides over the features.
        """
        facts = [content, start, end, SAMPLE_RATE, _DECODER, *self._identity]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def load(self, key: str) -> Rows | None:
        """What was kept.

        Args:
            key: from `key`.

        Returns:
            The rows; None if they are not there or damaged.
        """
        if key in self._in_memory:
            return self._in_memory[key]
        try:
            with np.load(self._path(key), allow_pickle=False) as arrays:
                times = arrays.get("times")
                return Rows(times, arrays["features"], tuple(arrays["notes"].tolist()))
        except (OSError, ValueError, LookupError, EOFError, zipfile.BadZipFile):
            return None  # whatever is wrong with it, it is made again

    def has(self, key: str) -> bool:
        """Whether something was kept, without reading it.

        Args:
            key: from `key`.

        Returns:
            True if there is a whole file.
        """
        return key in self._in_memory or zipfile.is_zipfile(self._path(key))

    def store(self, key: str, rows: Rows) -> None:
        """Keeps rows.

        Args:
            key: from `key`.
            rows: what `load` returns then.

        Warns:
            EmoBedWarning: once, if they can't be written.
        """
        arrays: dict[str, Any] = {"features": rows.features, "notes": np.array(rows.notes, dtype=np.str_)}
        if rows.times is not None:
            arrays["times"] = rows.times
        temporary = None
        try:
            self._path(key).parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".tmp", delete=False) as file:
                temporary = Path(file.name)
                np.savez(file, **arrays)
            temporary.replace(self._path(key))
        except OSError as error:
            if temporary is not None:
                temporary.unlink(missing_ok=True)
            if not self._in_memory:
                warnings.warn(
                    f"{self.folder}: features can't be kept here ({error.strerror}), so they stay in memory, and are "
                    "extracted anew the next time; set EMOBED_CACHE to a folder that can be written",
                    EmoBedWarning,
                    stacklevel=2,
                )
            self._in_memory[key] = rows

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npz"
