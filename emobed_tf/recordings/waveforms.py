"""Waveforms: recordings decoded once, and kept on disk as 16-bit samples that are read from there when needed."""

import json
import os
import tempfile
import warnings
from pathlib import Path
from typing import IO, Any

import numpy as np

from emobed_tf.corpora.cache import cache_folder
from emobed_tf.corpora.files import sha256_of_file
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.recordings.audio import SAMPLE_RATE, Sound, check_is_there, cut

FULL_SCALE = 32_768
"""By which kept samples are divided to be in [-1, 1)."""
_VERSION = 1  # of what is kept: another way to decode or to round is another version


class Waveform:
    """A recording's sound at 16,000 Hz, or a segment of it: decoded when it is met for the first time, and then kept.

    What is kept is found by the SHA-256 of the recording, so it is never stale. A memory map stands for samples, so a
    corpus of any length takes no memory. Where the cache can't be written, the samples stay in memory.

    Args:
        path: of a file of sound, or of a video.
        start: of the segment in seconds.
        end: of the segment in seconds; None: to the last sample. A recording that ends before it is no error.
        folder: of the cache; None: `cache_folder()`.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it can't be read, or the segment holds no sample.

    Warns:
        EmoBedWarning: if the cache can't be written.
    """

    def __init__(self, path: Path, start: float = 0.0, end: float | None = None, *, folder: Path | None = None) -> None:
        check_is_there(path)
        self.path, self._start, self._end = path, start, end
        self._file = (folder or cache_folder()) / "waveforms" / f"{sha256_of_file(path)}.v{_VERSION}.npy"
        self._in_memory: np.ndarray | None = None
        facts = _facts_of(self._file) or self._decode()
        self.rate = int(facts["rate"])
        """Sampling rate of the file itself in Hz."""
        self.channels = int(facts["channels"])
        """Of the file itself."""
        self.notes: tuple[str, ...] = tuple(facts["notes"])
        """What is doubtful of the file, each a part of a sentence, see `audio.Sound`."""
        self._length = len(self.samples)

    def __len__(self) -> int:
        """Number of samples."""
        return self._length

    @property
    def samples(self) -> np.ndarray:
        """Samples at 16,000 Hz, int16 `[samples]`, read-only; divided by `FULL_SCALE` they are in [-1, 1).

        Each access maps the file anew, so that nothing stays open, or in memory, that nobody holds.
        """
        whole = np.load(self._file, mmap_mode="r") if self._in_memory is None else self._in_memory
        return cut(whole, self.path, self._start, self._end)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self) / SAMPLE_RATE

    def _decode(self) -> dict[str, Any]:
        """Keeps the samples, or leaves them in memory where that can't be done."""
        sound = Sound(self.path)
        try:
            _write(self._file, sound)
        except OSError as error:
            if isinstance(error, InputError):
                raise
            warnings.warn(
                f"{self._file.parent}: decoded sound can't be kept here ({error.strerror}), so it stays in memory; set "
                "EMOBED_CACHE to a folder that can be written and has room for 115 MB an hour",
                EmoBedWarning,
                stacklevel=4,
            )
            self._in_memory = np.concatenate([as_integers(block) for block in sound.blocks()])
            self._in_memory.flags.writeable = False
        return _facts_in(sound)


def as_integers(samples: np.ndarray) -> np.ndarray:
    """Samples as 16-bit integers; those of a 16-bit file at 16 kHz are its own.

    Args:
        samples: float32 `[samples]`; what is beyond [-1, 1) is clipped.

    Returns:
        int16 `[samples]`.
    """
    return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _write(path: Path, sound: Sound) -> None:
    """Writes an array of NumPy's form, whose length is known only at its end, and facts behind it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        try:
            length = 0
            _write_header(file, length)
            for block in sound.blocks():
                file.write(as_integers(block).data)
                length += len(block)
            file.write(json.dumps(_facts_in(sound)).encode())
            file.seek(0)
            _write_header(file, length)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _write_header(file: IO[bytes], length: int) -> None:
    # NumPy leaves room in it for the first dimension to grow, so that it always has as many bytes.
    np.lib.format.write_array_header_1_0(file, {"descr": "<i2", "fortran_order": False, "shape": (length,)})


def _facts_in(sound: Sound) -> dict[str, Any]:
    return {"rate": sound.rate, "channels": sound.channels, "notes": sound.notes}


def _facts_of(path: Path) -> dict[str, Any] | None:
    """What stands behind the samples; None if they are not there or damaged, so that they are made again."""
    try:
        with path.open("rb") as file:
            np.lib.format.read_magic(file)
            (length,), _, dtype = np.lib.format.read_array_header_1_0(file)
            file.seek(length * dtype.itemsize, os.SEEK_CUR)
            facts = json.loads(file.read())
            return facts if facts.keys() == {"rate", "channels", "notes"} else None
    except (OSError, ValueError, AttributeError):
        return None
