"""Features of a simulated recording: descriptors of each frame, then their mean and deviation over a window.

The extractor (which descriptor hears what) is the same for every seed: only people, emotions and noise change. So
recordings of two seeds are in one feature space, as those of two corpora under one extractor are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emobed_tf.corpora.simulate.emotion import FRAME_SECONDS, TAU_SECONDS, Scene, generator, smooth_process

SPEECH, FACE = "speech", "face"
_GROUPS = 4
_NUISANCES = 6
_NUISANCE_TAU = 1.6
_FLOOR = -1.2
# Fewer frames of speech than this in a window: pitch and the like are missing.
_LEAST_VOICED = 5


@dataclass(frozen=True)
class Extractor:
    """What a modality measures.

    Attributes:
        descriptors: number of frame-level descriptors; a file has twice as many columns (mean, deviation).
        windows: by dimension, the length of the window in seconds.
        errors: by dimension, deviation of what the modality shows besides the emotion, in deviations of the emotion:
            it bounds the correlation by 1 / sqrt(1 + error^2).
        needs: `speech` or `face`: without it, the modality tells nothing.
        stem: first part of the columns' names.
    """

    descriptors: int
    windows: Mapping[str, float]
    errors: Mapping[str, float]
    needs: str
    stem: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in the order of the files."""
        width = len(str(self.descriptors))
        return tuple(
            f"{self.stem}{number:0{width}d}_{functional}"
            for number in range(1, self.descriptors + 1)
            for functional in ("amean", "stddev")
        )


EXTRACTORS = {
    "audio": Extractor(44, {"arousal": 4.0, "valence": 6.0}, {"arousal": 0.45, "valence": 1.4}, SPEECH, "lld"),
    "video_appearance": Extractor(84, {"arousal": 6.0, "valence": 4.0}, {"arousal": 1.4, "valence": 0.6}, FACE, "pc"),
    "video_geometric": Extractor(316, {"arousal": 4.0, "valence": 8.0}, {"arousal": 1.4, "valence": 0.6}, FACE, "geo"),
}


def descriptors(seed: int, modality: str, partition: str, number: int, what: Scene, sign: int = 1) -> np.ndarray:
    """Frame-level descriptors of one modality in one recording.

    Args:
        seed: seed of the package.
        modality: a key of `EXTRACTORS`.
        partition: partition of the recording.
        number: number of the recording.
        what: the scene that is seen or heard.
        sign: -1 shows the opposite of the emotion.

    Returns:
        float64 `[frames, descriptors]`.
    """
    extractor = EXTRACTORS[modality]
    rng = generator(seed, "features", modality, partition, number)
    frames = len(what.face)
    shown = {}
    for dimension, tau in TAU_SECONDS.items():
        error = extractor.errors[dimension]
        private = smooth_process(rng, frames, tau)[:, 0]
        shown[dimension] = (sign * what.now(dimension) + error * private) / np.sqrt(1 + error**2)
    nuisances = smooth_process(rng, frames, _NUISANCE_TAU, _NUISANCES)
    sources = np.column_stack([_readings(shown["arousal"], shown["valence"]), nuisances])
    mixing, groups, own = _mixing(modality, sources.shape[1])
    gains = np.exp(0.15 * rng.standard_normal(_GROUPS))[groups]
    shift = 0.15 * generator(seed, "shift", modality, partition).standard_normal(_GROUPS)
    offsets = (shift + 0.5 * rng.standard_normal(_GROUPS))[groups]
    values = offsets + gains * np.einsum("ts,sd->td", sources, mixing)
    values += own * smooth_process(rng, frames, _NUISANCE_TAU, extractor.descriptors)
    # Whoever is aroused also moves more: the deviation over a window tells of arousal too.
    flutter = 0.6 * np.exp(0.35 * shown["arousal"])[:, None]
    return values + flutter * rng.standard_normal(values.shape)


def _readings(arousal: np.ndarray, valence: np.ndarray) -> np.ndarray:
    """Linear and non-linear readings of the two dimensions, each of about unit variance, `[frames, readings]`."""
    return np.column_stack(
        [
            arousal,
            1.2 * np.logaddexp(0, 1.5 * arousal) - 1.1,
            1.3 * np.tanh(arousal),
            valence,
            1.3 * np.tanh(1.2 * valence),
            1.2 * np.logaddexp(0, 1.5 * valence) - 1.1,
            arousal * valence,
        ]
    )


def _mixing(modality: str, sources: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The extractor's mixing matrix `[sources, descriptors]`, group and own noise of each descriptor."""
    rng = generator(0, "extractor", modality)
    count = EXTRACTORS[modality].descriptors
    kept = rng.random((sources, count)) < 0.3
    kept[rng.integers(0, sources, count), np.arange(count)] = True
    weights = kept * rng.standard_normal((sources, count))
    weights /= np.sqrt(np.sum(weights**2, axis=0))
    return weights, rng.permutation(np.arange(count) % _GROUPS), rng.uniform(0.2, 0.7, count)


def functionals(values: np.ndarray, modality: str, dimension: str, what: Scene) -> np.ndarray:
    """Mean and deviation of each descriptor over a centred window, one row a frame.

    Where the window would reach over an edge of the recording, the nearest complete window's row is repeated. A frame
    without a face is a row of zeros. Every third audio descriptor is of voice alone (like pitch): NaN if the window
    holds next to no speech.

    Args:
        values: `[frames, descriptors]` from `descriptors`.
        modality: a key of `EXTRACTORS`.
        dimension: `arousal` or `valence`, which have windows of their own.
        what: the scene.

    Returns:
        float64 `[frames, 2 * descriptors]`: mean and deviation of the first descriptor, of the second, …
    """
    extractor = EXTRACTORS[modality]
    half = min(round(extractor.windows[dimension] / FRAME_SECONDS / 2), (len(values) - 1) // 2)
    if extractor.needs == FACE:
        means, deviations = _window(values, what.face[:, None].astype(float), half, 1)
    else:
        present = what.speech[:, None]
        means, deviations = _window(present * values + (1 - present) * _FLOOR, np.ones_like(present), half, 1)
        voiced = (present > 0.5).astype(float)
        means[:, ::3], deviations[:, ::3] = _window(values[:, ::3], voiced, half, _LEAST_VOICED)
    rows = np.stack([means, deviations], axis=2).reshape(len(means), -1)
    rows = np.pad(_to_units(rows, modality), ((half, len(values) - half - len(rows)), (0, 0)), mode="edge")
    if extractor.needs == FACE:
        rows[~what.face] = 0.0
    return rows


def _window(values: np.ndarray, weights: np.ndarray, half: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    def total(signal: np.ndarray) -> np.ndarray:
        summed = np.cumsum(np.pad(signal, ((1, 0), (0, 0))), axis=0)
        return summed[2 * half + 1 :] - summed[: -2 * half - 1]

    count = total(weights)
    count = np.where(count < least, np.nan, count)
    means = total(values * weights) / count
    squares = total(values**2 * weights) / count
    return means, np.sqrt(np.maximum(squares - means**2, 0))


def _to_units(rows: np.ndarray, modality: str) -> np.ndarray:
    """Each column in units of its own: real features run from fractions to hundreds."""
    rng = generator(0, "units", modality)
    scales = 10 ** rng.uniform(-0.5, 1.3, rows.shape[1])
    return scales * (rows + 2 * rng.standard_normal(rows.shape[1]))
