"""Waveforms as features: frames of 16-bit samples that are read when somebody asks for them, and then forgotten."""

from typing import Any, Protocol, cast

import numpy as np

FULL_SCALE = 32_768
"""By which 16-bit samples are divided to be in [-1, 1)."""


class Source(Protocol):
    """Where samples come from, such as a `recordings.waveforms.Waveform`."""

    @property
    def samples(self) -> np.ndarray:
        """int16 `[samples]`; may be a memory map that is made anew for each access, so that nothing stays open."""


class SampleFrames:
    """Frames of a waveform, an array of int16 `[frames, samples]` that isn't in memory.

    It is sliced along frames, which reads nothing, and becomes an array by `numpy.asarray`. Samples behind the last
    whole frame are not in it, unless there is no whole frame: then they are, with silence behind them.

    Args:
        source: of the samples.
        samples: of a frame.
        first: frame that it begins with.
        frames: number of frames; None: all that the source has behind the first.
    """

    dtype = np.dtype(np.int16)
    ndim = 2

    def __init__(self, source: Source, samples: int, first: int = 0, frames: int | None = None) -> None:
        self._source, self._samples, self._first = source, samples, first
        self._frames = max(1, len(source.samples) // samples) - first if frames is None else frames

    def __len__(self) -> int:
        """Number of frames."""
        return self._frames

    @property
    def shape(self) -> tuple[int, int]:
        """Frames, and samples of each."""
        return self._frames, self._samples

    @property
    def size(self) -> int:
        """Number of samples."""
        return self._frames * self._samples

    def __getitem__(self, part: slice) -> "SampleFrames":
        first, last, step = part.indices(self._frames)
        if step != 1:
            raise ValueError(f"Expected frames one after another. Received: {part}")
        return SampleFrames(self._source, self._samples, self._first + first, max(0, last - first))

    def __array__(self, dtype: np.typing.DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("Samples are read for each array, so there is none without a copy.")
        begin = self._first * self._samples
        found = np.array(self._source.samples[begin : begin + self.size], dtype or np.int16)
        missing = self.size - len(found)
        return (np.pad(found, (0, missing)) if missing else found).reshape(self.shape)


class PaddedSamples:
    """Sequences of frames, right-padded to one length with silence: int16 `[items, frames, samples]`, not in memory.

    Args:
        items: frames of each sequence.
    """

    dtype = np.dtype(np.int16)
    ndim = 3

    def __init__(self, items: "tuple[SampleFrames, ...]") -> None:
        self._items = items
        self.shape = (len(items), max(len(item) for item in items), items[0].shape[1])
        """Sequences, frames of the longest, samples of a frame."""

    def __len__(self) -> int:
        """Number of sequences."""
        return len(self._items)

    def take(self, index: np.ndarray) -> np.ndarray:
        """Some of the sequences.

        Args:
            index: int, of any shape; beyond the last one there is nothing but silence.

        Returns:
            int16 `[*index.shape, frames, samples]`.
        """
        found = np.zeros((index.size, *self.shape[1:]), np.int16)
        for row, k in enumerate(index.reshape(-1)):
            if k < len(self._items):
                found[row, : len(self._items[k])] = self._items[k]
        return found.reshape(*index.shape, *self.shape[1:])


def are_samples(features: object) -> bool:
    """Whether features are samples of a waveform, which are read when they are needed.

    Args:
        features: of a recording.

    Returns:
        True for `SampleFrames`.
    """
    return isinstance(features, SampleFrames)


def as_array(frames: SampleFrames) -> np.ndarray:
    """Frames of samples as the array that they stand for, to a type checker: nothing is read.

    Args:
        frames: any.

    Returns:
        The same object.
    """
    return cast(np.ndarray, cast(Any, frames))


def as_model_input(features: np.ndarray | SampleFrames) -> np.ndarray:
    """Features as networks take them.

    Args:
        features: `[frames, features]`, or 16-bit samples of a waveform, `[frames, samples]`.

    Returns:
        float32 of the same shape: features as they are, samples in [-1, 1).
    """
    values = np.asarray(features)
    return values.astype(np.float32) / FULL_SCALE if values.dtype == np.int16 else values


def sample_names(samples: int) -> tuple[str, ...]:
    """What the features of a waveform are called.

    Args:
        samples: of a frame.

    Returns:
        `sample_1` and so on.
    """
    return tuple(f"sample_{k}" for k in range(1, samples + 1))
