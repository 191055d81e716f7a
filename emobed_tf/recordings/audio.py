"""Sound from files: one channel at 16 kHz, whatever the file has."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.files import check_is_file
from emobed_tf.recordings import soundfiles, videosound
from emobed_tf.recordings.resampling import resampled

SAMPLE_RATE = 16_000
"""Of all sound that is decoded, in Hz."""
_RATES = 1_000, 384_000  # Hz: below there is no speech, and no recorder goes beyond; others are damaged headers
_ODDEST = 50_000  # of a rate divided by what it has in common with `SAMPLE_RATE`: resampling takes as much longer
_LONGEST = 24 * 3600  # seconds of a recording
_FREE = 3600  # seconds of sound that a file may have whatever its size: silence is packed into next to nothing
_LEAST_BYTES = 100  # of a longer file for each second; speech has hundreds in the densest of formats


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
            InputError: if it is empty or no sound, has a rate that no recorder has, breaks off, with the time at which
                it does, or is longer than a day, or far longer than its bytes can say.
        """
        check_is_there(self.path)
        by = soundfiles if self.path.suffix.lower() in soundfiles.SUFFIXES else videosound
        self.notes.clear()
        self.rate, self.channels, blocks = by.open_sound(self.path, self.notes)
        low, high = _RATES
        if not low <= self.rate <= high or self.rate // math.gcd(self.rate, SAMPLE_RATE) > _ODDEST:
            raise InputError(
                f"{self.path}: a sampling rate of {self.rate} Hz; expected {low} to {high}, such as 16000, 44100 or "
                "96000: its header is damaged; copy or make it again"
            )
        yield from resampled(self._mixed(blocks), self.rate, SAMPLE_RATE)

    def _mixed(self, blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        done, silent = 0, True
        size = self.path.stat().st_size
        most = min(max(_FREE, size / _LEAST_BYTES), _LONGEST)
        for block in blocks:
            if done + len(block) > most * self.rate:
                raise InputError(
                    f"{self.path}: more than {most / 3600:.4g} hours of sound in {size} bytes; expected less of a file "
                    f"of this size, and {_LONGEST // 3600} hours at most; cut it into pieces, or write it as wav"
                )
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
    return cut(put_together(Sound(path).blocks()), path, start, end)


def put_together(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """Blocks of samples as one array, without holding them twice.

    Args:
        blocks: float32 `[any]` each.

    Returns:
        float32 `[samples]`.
    """
    samples = np.empty(0, np.float32)
    for block in blocks:
        done = len(samples)
        samples.resize(done + len(block), refcheck=False)  # nobody else has it; the system moves pages, not bytes
        samples[done:] = block
    return samples


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
        InputError: if it is a folder or the like, empty, or can't be read.
    """
    if not check_is_file(path, "a recording"):
        raise InputError(f"{path}: the file is empty; copy or make it again")
