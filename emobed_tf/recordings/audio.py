"""Sound from files: one channel at 16 kHz, whatever the file has."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.recordings import soundfiles, videosound
from emobed_tf.recordings.resampling import resampled

SAMPLE_RATE = 16_000
"""Of all sound that is decoded, in Hz."""
_SLOWEST, _FASTEST = 1000, 1_000_000  # rates that sound can have, in Hz
_ODDEST = 50_000  # of a rate divided by what it has in common with `SAMPLE_RATE`: resampling takes as much longer


@dataclass
class Sound:
    """A file of sound, or the sound of a video, read block by block.

    Attributes:
        path: of the file.
        rate: that it has itself, in Hz; 0 before it was read, like the next one.
        channels: that it has itself.
        notes: what is doubtful, each a part of a sentence, when it has been read: digital silence, sound that is
            shorter than the picture.
    """

    path: Path
    rate: int = 0
    channels: int = 0
    notes: list[str] = field(default_factory=list)

    def blocks(self) -> Iterator[np.ndarray]:
        """Decodes the file.

        Yields:
            Samples at `SAMPLE_RATE`, float32 `[any]`: the mean of all channels, with integers divided by full scale, so
            in [-1, 1]; floating-point files may go beyond.

        Raises:
            MissingInputError: if there is no such file.
            InputError: if it is empty, no sound, or none of a rate that sound has; or breaks off, with the time at
                which it does.
        """
        check_is_there(self.path)
        by = soundfiles if self.path.suffix.lower() in soundfiles.SUFFIXES else videosound
        self.notes.clear()
        self.rate, self.channels, blocks = by.open_sound(self.path, self.notes)
        if not _SLOWEST <= self.rate <= _FASTEST or self.rate // math.gcd(self.rate, SAMPLE_RATE) > _ODDEST:
            raise InputError(
                f"{self.path}: {self.rate} samples a second; expected a rate that sound has, such as 16000, 44100 or "
                "96000: its header is damaged; copy or make it again"
            )
        yield from resampled(self._mixed(blocks), self.rate, SAMPLE_RATE)

    def _mixed(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        done, silent = 0, True
        for block in blocks:
            if not np.isfinite(block).all():
                wrong = done + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
                raise InputError(f"{self.path}: a sample at {wrong / self.rate:.2f} s is no finite number")
            done += len(block)
            silent = silent and not block.any()
            yield block[:, 0] if self.channels == 1 else block.mean(axis=1)
        if not done:
            raise InputError(f"{self.path}: there is no sound in it, 0 samples")
        if silent:
            self.notes.append(f"digital silence, {done / self.rate:.2f} s of zeros, kept")


def decode(path: Path, start: float = 0.0, end: float | None = None) -> np.ndarray:
    """A recording's sound, or a segment of it.

    Args:
        path: of a file of sound, or of a video.
        start: in seconds, >= 0.
        end: in seconds; None: to the last sample. A recording that ends before it is no error.

    Returns:
        Samples at `SAMPLE_RATE`, float32 `[samples]`, see `Sound.blocks`. Segments are cut out of the whole, so that
        their edges don't ring.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it can't be read, or the segment holds no sample.
    """
    return cut(np.concatenate(list(Sound(path).blocks())), path, start, end)


def cut(samples: np.ndarray, path: Path, start: float = 0.0, end: float | None = None) -> np.ndarray:
    """A segment of a recording.

    Args:
        samples: of all of it, at `SAMPLE_RATE`, `[samples]`.
        path: its name, for the message.
        start: in seconds, >= 0.
        end: in seconds; None: to the last sample.

    Returns:
        A view of the samples.

    Raises:
        InputError: if it holds no sample.
    """
    segment = samples[round(start * SAMPLE_RATE) : None if end is None else round(end * SAMPLE_RATE)]
    if not len(segment):
        until = "the end" if end is None else f"{end:g} s"
        raise InputError(
            f"{path}: nothing from {start:g} s to {until}; the recording is {len(samples) / SAMPLE_RATE:.2f} s long"
        )
    return segment


def check_is_there(path: Path) -> None:
    """Checks that there is a file with something in it.

    Args:
        path: of a recording.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it is a folder, or empty.
    """
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(f"{path}: no such file") from None
    if path.is_dir():
        raise InputError(f"{path}: expected a recording, got a folder")
    if not size:
        raise InputError(f"{path}: the file is empty; copy or make it again")
