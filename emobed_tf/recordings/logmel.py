"""`logmel`: how energy is spread over the bands of hearing, and how that moves. Free of other people's licences."""

from collections.abc import Sequence

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.audio import SAMPLE_RATE
from emobed_tf.recordings.extractors import Extractor
from emobed_tf.recordings.windows import frames_within

BANDS = 40
FRAME, HOP = 400, 160  # samples: 25 and 10 ms
_FFT = 512
_LOWEST, _HIGHEST = 60.0, 7_600.0  # Hz
_FLOOR = 1e-10  # of a band's energy: digital silence has a logarithm, too
_CHUNK = 1 << 13  # frames whose spectra are in memory at a time
_FUNCTIONALS = ("mean", "stddev", "percentile20", "percentile80", "delta_stddev")


class LogMel(Extractor):
    """Functionals of log-mel energies: 40 bands in frames of 25 ms, every 10 ms.

    Of each band over all frames: mean, standard deviation, 20th and 80th percentile, and the standard deviation of the
    difference from frame to frame.
    """

    version = "1"
    shortest = (FRAME + HOP) / SAMPLE_RATE  # one frame lies in it wherever it begins
    columns = tuple(f"logmel{band + 1:02d}_{name}" for band in range(BANDS) for name in _FUNCTIONALS)

    def of(self, samples: np.ndarray) -> np.ndarray:
        """Functionals of all of the sound.

        Args:
            samples: float32 `[samples]` at 16,000 Hz.

        Returns:
            float64 `[200]`: five for the first band, and so on.

        Raises:
            InputError: if there is no frame.
        """
        if len(samples) < FRAME:
            raise InputError(f"{len(samples) / SAMPLE_RATE:.3f} s are too short; expected 0.025 s, a frame, or more")
        return _functionals(log_mel(samples))

    def extract(self, samples: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """As any extractor does, but with one spectrum for each frame, however many windows it is in.

        Args:
            samples: float32 `[samples]` at 16,000 Hz.

        Returns:
            See `Extractor.extract`. A window without a whole frame is a row of NaN.

        Raises:
            InputError: if there is no frame at all.
        """
        if self.windows is None or len(samples) < FRAME:
            return None, np.asarray(self.of(samples), np.float32)[None]
        times, starts, ends = self.windows.over(len(samples))
        frames = log_mel(samples)
        rows = np.full((len(times), len(self.columns)), np.nan, np.float32)
        for row, (first, last) in enumerate(zip(*frames_within(starts, ends, FRAME, HOP), strict=True)):
            if first < last:
                rows[row] = _functionals(frames[first:last])
        return times, rows


def log_mel(samples: np.ndarray) -> np.ndarray:
    """Natural logarithms of the energies in bands of equal width in mel, `1127 ln(1 + f / 700)`, from 60 to 7,600 Hz.

    Args:
        samples: float32 `[samples]` at 16,000 Hz.

    Returns:
        float64 `[frames, 40]` with `1 + (samples - 400) // 160` frames: power spectra of 512 points under a periodic
        Hann window of 400, weighed with triangles in mel, 1e-10 at least.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    weights = _triangles()
    bands = [
        np.square(np.abs(np.fft.rfft(frames[k : k + _CHUNK] * window, _FFT))) @ weights
        for k in range(0, len(frames), _CHUNK)
    ]
    return np.log(np.maximum(np.concatenate(bands), _FLOOR))


def _triangles() -> np.ndarray:
    """Weight of each bin of a spectrum in each band, `[257, 40]`: 1 at the band's centre, 0 at its neighbours'."""
    mel = _mel(np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE))[:, None]
    edges = np.linspace(_mel(_LOWEST), _mel(_HIGHEST), BANDS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    return np.maximum(0, np.minimum((mel - low) / (centre - low), (high - mel) / (high - centre)))


def _mel(hertz: np.ndarray | float) -> np.ndarray:
    return 1127.0 * np.log1p(np.asarray(hertz) / 700.0)


def _functionals(frames: np.ndarray) -> np.ndarray:
    low, high = np.percentile(frames, (20, 80), axis=0)
    moves = np.diff(frames, axis=0).std(axis=0) if len(frames) > 1 else np.zeros(BANDS)
    found: Sequence[np.ndarray] = (frames.mean(axis=0), frames.std(axis=0), low, high, moves)
    return np.stack(found, axis=1).ravel()
