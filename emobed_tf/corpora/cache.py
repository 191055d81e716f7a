"""Parsed feature files kept on disk, by the SHA-256 of the file that they were made from: never stale.

One cache file per feature file. Nothing is ever deleted: the folder can be removed at any time.
"""

import math
import os
import tempfile
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from emobed_tf.errors import EmoBedWarning

_MAPPED = 2**20  # bytes from which on features are mapped

Features = tuple[tuple[str, ...], np.ndarray, float]


def cache_folder() -> Path:
    """`$EMOBED_CACHE`, or `emobed_tf` in `$XDG_CACHE_HOME`, or `~/.cache/emobed_tf`.

    A user without a home (a container's, say) has `emobed_tf-<uid>` in the folder for temporary files.

    Returns:
        The folder, which need not be there yet.
    """
    if os.environ.get("EMOBED_CACHE"):
        return Path(os.environ["EMOBED_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "emobed_tf"
    try:
        return Path.home() / ".cache" / "emobed_tf"
    except RuntimeError:
        uid = os.getuid() if hasattr(os, "getuid") else "user"
        return Path(tempfile.gettempdir()) / f"emobed_tf-{uid}"


class FeatureCache:
    """Features of ARFF files by fingerprint. Losing it, or not being able to write it, costs time and nothing else.

    Args:
        folder: where to keep them; default `cache_folder()`.
        version: of the parser; other versions' files are not seen.
    """

    def __init__(self, version: int, folder: Path | None = None) -> None:
        self.folder = (folder or cache_folder()) / "features"
        self._version = version
        self._write_error: OSError | None = None

    def path(self, fingerprint: str) -> Path:
        """The cache file of a feature file.

        Args:
            fingerprint: SHA-256 of the feature file, 64 hexadecimal digits.

        Returns:
            Its path, whether it is there or not.
        """
        return self.folder / f"{fingerprint}.v{self._version}.npy"

    def load(self, fingerprint: str) -> Features | None:
        """What was kept of a feature file.

        Args:
            fingerprint: SHA-256 of the feature file.

        Returns:
            Names of the features, features float32 `[frames, features]` and the first row's time in seconds; None if
            they are not there or damaged. Large features are a memory map of the file, which processes share and the
            system may take out of memory; what is written to them stays in this process.
        """
        try:
            with self.path(fingerprint).open("rb") as file:
                checksum, start, names = (np.lib.format.read_array(file, allow_pickle=False) for _ in range(3))
                features = _read_or_mapped(file)
            if int(checksum) != _checksum(start, names, features):
                return None
            return tuple(names.tolist()), features, float(start)
        except Exception:  # noqa: BLE001 - whatever is wrong with a cache file, it is made again
            return None

    def store(self, fingerprint: str, names: Sequence[str], features: np.ndarray, start: float) -> None:
        """Keeps what `load` returns; see `warn` for what happens if it can't.

        Args:
            fingerprint: SHA-256 of the feature file.
            names: of the features.
            features: float32 `[frames, features]`.
            start: time of the first row in seconds.
        """
        arrays = [np.array(start), np.array(names), features]
        temporary = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.folder, suffix=".tmp", delete=False) as file:
                temporary = Path(file.name)
                for array in (np.array(_checksum(*arrays), np.uint32), *arrays):
                    np.lib.format.write_array(file, array, allow_pickle=False)
            temporary.replace(self.path(fingerprint))
        except OSError as error:
            self._write_error = error
            if temporary is not None:
                temporary.unlink(missing_ok=True)

    def warn(self) -> None:
        """Warns (EmoBedWarning), once for all files since the last call, if something could not be kept."""
        if self._write_error is not None:
            warnings.warn(
                f"{self.folder}: parsed features can't be kept here ({self._write_error.strerror}); reading goes on, "
                "but takes as long the next time; set EMOBED_CACHE to a folder that can be written",
                EmoBedWarning,
                stacklevel=2,
            )
            self._write_error = None


def _read_or_mapped(file: BinaryIO) -> np.ndarray:
    """The array at a file's position, in memory or, where it is large, as a map of the file."""
    begin = file.tell()
    np.lib.format.read_magic(file)
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    if math.prod(shape) * dtype.itemsize < _MAPPED or dtype.hasobject:
        file.seek(begin)
        return np.lib.format.read_array(file, allow_pickle=False)
    order: Literal["F", "C"] = "F" if by_column else "C"
    return np.asarray(np.memmap(file, dtype, "c", file.tell(), shape, order))


def _checksum(*arrays: np.ndarray) -> int:
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(np.ascontiguousarray(array).view(np.uint8).data, checksum)
    return checksum
