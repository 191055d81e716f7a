"""Latent emotion, what hides it, six raters who follow it late, and the gold standard made from their ratings."""

import zlib
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

FRAME_SECONDS = 0.04
RATERS = ("FM1", "FM2", "FM3", "FF1", "FF2", "FF3")
# Seconds of emotion before the first frame: the slowest rater answers to what was 3.5 s ago.
PREROLL_SECONDS = 4.0

TAU_SECONDS = {"arousal": 1.4, "valence": 1.4}
_CORRELATION = 0.25
_SKEW = 0.45
_SPEECH_SECONDS, _SILENCE_SECONDS = 3.5, 2.0
_RATER_LAGS = (1.8, 2.1, 2.4, 2.6, 2.9, 3.4)
_RATER_SCALE = {"arousal": 0.20, "valence": 0.15}
_RATER_LEVEL = {"arousal": 0.0, "valence": 0.08}
_RATER_NOISE = 0.35
_HARD_TO_READ = 0.8


def frames_of(seconds: float) -> int:
    """Number of frames from 0 to `seconds` inclusive, one every 40 ms.

    Args:
        seconds: a time in seconds.

    Returns:
        Such as 1501 for 60 s.
    """
    return round(seconds / FRAME_SECONDS) + 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A random generator of its own for whatever `names` names: no draw depends on what else is written, or when.

    Args:
        seed: of the package, >= 0.
        *names: what is drawn, such as a partition and the number of a recording.

    Returns:
        A new generator, the same on every call.
    """
    return np.random.default_rng([seed, *(zlib.crc32(str(name).encode()) for name in names)])


def smooth_process(rng: np.random.Generator, frames: int, tau: float, columns: int = 1) -> np.ndarray:
    """Smooth Gaussian processes of zero mean and unit variance.

    White noise through two leaky integrators of the time constant `tau`: the autocorrelation at a lag of u is
    (1 + u / tau) exp(-u / tau), so that independent points are about 4 tau apart.

    Args:
        rng: source of the noise.
        frames: length.
        tau: time constant in seconds.
        columns: number of independent processes.

    Returns:
        float64 `[frames, columns]`.
    """
    pole = np.exp(-FRAME_SECONDS / tau)
    warm_up = int(np.ceil(12 * tau / FRAME_SECONDS))
    numerator, denominator = [1.0], [1.0, -2 * pole, pole**2]
    response = lfilter(numerator, denominator, np.eye(1, warm_up)[0])
    noise = rng.standard_normal((warm_up + frames, columns))
    return lfilter(numerator, denominator, noise, axis=0)[warm_up:] / np.sqrt(np.sum(response**2))


@dataclass(frozen=True)
class Scene:
    """What happens in one recording, before anybody measures or rates it.

    Attributes:
        emotion: by dimension, float64 `[preroll + frames]`, about zero mean and unit variance over many recordings;
            arousal is skewed to the right.
        speech: float64 `[frames]` in [0, 1], 1 while the person speaks, falling off within a third of a second.
        face: bool `[frames]`, False while the camera has lost the face.
    """

    emotion: dict[str, np.ndarray]
    speech: np.ndarray
    face: np.ndarray

    def now(self, dimension: str) -> np.ndarray:
        """The emotion at each frame, without what came before the first.

        Args:
            dimension: `arousal` or `valence`.

        Returns:
            float64 `[frames]`.
        """
        return self.emotion[dimension][-len(self.face) :]


def scene(seed: int, partition: str, number: int, frames: int) -> Scene:
    """The scene of a recording, the same on every call.

    Args:
        seed: of the package.
        partition: of the recording.
        number: of the recording in its partition.
        frames: its length.

    Returns:
        What happens in it.
    """
    rng = generator(seed, "scene", partition, number)
    length = frames + frames_of(PREROLL_SECONDS) - 1
    first = smooth_process(rng, length, TAU_SECONDS["arousal"])[:, 0]
    second = smooth_process(rng, length, TAU_SECONDS["valence"])[:, 0]
    # A lognormal of unit variance and zero mean: long calm stretches, short peaks.
    arousal = (np.exp(_SKEW * first - _SKEW**2 / 2) - 1) / np.sqrt(np.exp(_SKEW**2) - 1)
    valence = _CORRELATION * first + np.sqrt(1 - _CORRELATION**2) * second
    # The partitions differ a little, and so do the people in them.
    level = 0.12 * generator(seed, "level", partition).standard_normal(2) + 0.15 * rng.standard_normal(2)
    emotion = {"arousal": arousal + level[0], "valence": valence + level[1]}
    return Scene(emotion, _speech(rng, frames), _face(rng, frames))


def _speech(rng: np.random.Generator, frames: int) -> np.ndarray:
    on = np.zeros(frames)
    position, speaking = -int(rng.uniform(0, _SPEECH_SECONDS) / FRAME_SECONDS), bool(rng.random() < 0.6)
    while position < frames:
        seconds = rng.gamma(2.0, _SPEECH_SECONDS / 2) if speaking else rng.exponential(_SILENCE_SECONDS)
        end = position + max(1, round(seconds / FRAME_SECONDS))
        on[max(0, position) : max(0, end)] = speaking
        position, speaking = end, not speaking
    decay = np.exp(-FRAME_SECONDS / 0.12)
    released = lfilter([1 - decay], [1, -decay], on)
    return np.maximum(on, released)


def _face(rng: np.random.Generator, frames: int) -> np.ndarray:
    seen = np.ones(frames, bool)
    for _ in range(1 + rng.poisson(frames * FRAME_SECONDS / 40)):
        length = round(rng.uniform(0.6, 2.4) / FRAME_SECONDS)
        start = rng.integers(0, max(1, frames - length))
        seen[start : start + length] = False
    return seen


def ratings(seed: int, partition: str, number: int, dimension: str, what: Scene) -> np.ndarray:
    """What the six raters write down while they watch a scene.

    Each rater has a lag (1.5 to 3.5 s, 2.5 s on average, and a hand that takes another tenth of a second), a gain and
    a bias, and errs smoothly, more so where nobody speaks or the face is lost.

    Args:
        seed: of the package.
        partition: of the recording.
        number: of the recording in its partition.
        dimension: `arousal` or `valence`.
        what: the scene.

    Returns:
        float64 `[frames, raters]` in steps of .01 within [-1, 1].
    """
    rng = generator(seed, "ratings", partition, number, dimension)
    rater = generator(seed, "raters", dimension)
    frames = len(what.face)
    lags = rater.permutation(_RATER_LAGS) + rng.uniform(-0.1, 0.1, len(RATERS))
    gains = np.exp(0.2 * rater.standard_normal(len(RATERS)))
    biases = 0.06 * rater.standard_normal(len(RATERS)) + 0.03 * rng.standard_normal(len(RATERS))
    hard = 1 + _HARD_TO_READ * ((1 - what.speech) + ~what.face)
    errors = _RATER_NOISE * smooth_process(rng, frames, 0.6, len(RATERS)) * _smoothed(hard)[:, None]
    follow = _smoothed(what.emotion[dimension])
    start = len(follow) - frames
    delayed = np.stack([follow[start - d : len(follow) - d] for d in np.rint(lags / FRAME_SECONDS).astype(int)], axis=1)
    written = _RATER_LEVEL[dimension] + biases + _RATER_SCALE[dimension] * gains * (delayed + errors)
    # Plus zero: no -0.00 in a file.
    return np.rint(100 * np.clip(written, -1, 1)) / 100 + 0.0


def _smoothed(signal: np.ndarray, tau: float = 0.1) -> np.ndarray:
    decay = np.exp(-FRAME_SECONDS / tau)
    return lfilter([1 - decay], [1, -decay], signal, zi=[decay * signal[0]])[0]
