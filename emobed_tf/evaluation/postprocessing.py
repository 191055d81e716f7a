"""Post-processing of continuous predictions: median filter, centring, scaling, time shift (EmoBed, section 4.2).

The chain of the AVEC 2016 challenge. `learn` chooses it on the development partition, where a step is kept only if it
raises the pooled concordance; `PostProcessing.apply` then does the same to any recording, test included.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import product
from numbers import Real
from typing import Any, Self, cast

import numpy as np

from emobed_tf.corpora.labels import known, pooled
from emobed_tf.corpora.time import _ratio, frames_of, shift
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import pooled_ccc

# EmoBed, section 4.2, in seconds.
WINDOWS = (0.12, 0.20, 0.28, 0.36, 0.44)
SHIFTS = tuple(round(0.04 * step, 2) for step in range(1, 16))

# A gain in concordance below this is rounding.
_TOLERANCE = 1e-12
# A spread below this part of the values is the rounding of a float32 network that gives a constant: never scale that.
_CONSTANT = 1e-6


@dataclass(frozen=True)
class PostProcessing:
    """A chain of post-processing, in the order in which it is applied. The default changes nothing.

    Attributes:
        window: frames of the median filter, odd; 1 is off.
        gain: factor on the predictions; 1 unless `scaled`.
        offset: added after the factor, in the label's unit; 0 if neither `centred` nor `scaled`.
        shift: frames by which predictions are moved to later, >= 0; 0 is off.
        centred: whether the offset moves the development predictions' mean to the gold standard's.
        scaled: whether the gain gives the development predictions the gold standard's standard deviation.
    """

    window: int = 1
    gain: float = 1.0
    offset: float = 0.0
    shift: int = 0
    centred: bool = False
    scaled: bool = False

    def __post_init__(self) -> None:
        if _natural(self.window, "the median filter's window") % 2 == 0:
            raise InputError(f"expected an odd number of frames as the median filter's window, got {self.window}")
        _natural(self.shift, "the time shift")
        numbers: tuple[Any, Any] = (self.gain, self.offset)  # whatever a JSON file has there
        if not all(isinstance(x, Real) and np.isfinite(cast(float, x)) for x in numbers):
            raise InputError(f"expected finite gain and offset, got {self.gain!r} and {self.offset!r}")

    def apply(self, prediction: np.ndarray) -> np.ndarray:
        """The chain on one recording.

        Args:
            prediction: `[frames]`, in the label's unit.

        Returns:
            float64 `[frames]`.

        Raises:
            InputError: if it is not one series of finite numbers.
        """
        filtered = _median(_series(prediction, "the prediction"), self.window)
        return shift(self.gain * filtered + self.offset, self.shift)

    def to_dict(self) -> dict[str, Any]:
        """The attributes by name, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `to_dict`.

        Args:
            values: the attributes by name, all of them.

        Returns:
            The chain with these attributes.

        Raises:
            InputError: if a name is missing or unknown, or a value is none that the attribute can have.
        """
        expected = {field.name for field in fields(cls)}
        if set(values) != expected:
            raise InputError(
                f"expected the keys {', '.join(sorted(expected))} for post-processing, "
                f"got {', '.join(sorted(values)) or 'none'}"
            )
        return cls(**values)


def learn(
    golds: Sequence[np.ndarray],
    predictions: Sequence[np.ndarray],
    frame_seconds: float,
    windows: Sequence[float] = WINDOWS,
    shifts: Sequence[float] = SHIFTS,
) -> tuple[PostProcessing, dict[str, float]]:
    """Chooses the chain with the best pooled concordance on development: every window, shift, and on or off of each.

    Centring adds the difference of the pooled means of gold standard and filtered predictions; scaling multiplies the
    deviations from the filtered predictions' pooled mean by the ratio of the standard deviations; predictions that are
    constant but for the rounding of float32 are never scaled. Between chains equally good the one with fewer steps
    wins, then the smaller window, then the smaller shift: leaving out a step of the result lowers the concordance.

    Filter and shift run through all frames; means, deviations and concordance are of those that have a gold standard.

    Args:
        golds: gold standard of each recording, `[frames]`, as the raters gave it; NaN where a frame has none.
        predictions: of each recording, `[frames]`, with the annotation delay put back (`shift`).
        frame_seconds: time between two frames in seconds.
        windows: of the median filter in seconds. Rounded to odd frames; what is below 3 frames drops out.
        shifts: in seconds. Rounded to frames; what is below 1 frame drops out.

    Returns:
        The chain, and the pooled concordance on development after each of its steps: `raw`, `median_filter`,
        `centring`, `scaling`, `time_shift` (a step that is off repeats the value before it).

    Raises:
        InputError: if there is no recording or no gold standard, or a recording's gold standard and prediction don't
            fit each other.

    Example:
        >>> gold = np.array([0.0, 1.0, 2.0, 3.0])
        >>> chain, score = learn([gold], [gold / 2], frame_seconds=0.04)
        >>> chain
        PostProcessing(window=1, gain=2.0, offset=0.0, shift=0, centred=True, scaled=True)
        >>> score["time_shift"]
        1.0
        >>> chain.apply(np.array([0.5, 0.75]))
        array([1. , 1.5])
    """
    golds, predictions = _check(golds, predictions)
    window_frames = [1, *sorted({_odd_frames(w, frame_seconds) for w in windows} - {1})]
    shift_frames = [0, *sorted({frames_of(s, frame_seconds) for s in shifts} - {0})]

    scores: dict[PostProcessing, float] = {}
    for window in window_frames:
        filtered = _Filtered(golds, [_median(prediction, window) for prediction in predictions])
        affines = {(c, s): filtered.affine(c, s) for c, s in product((False, True), repeat=2) if filtered.can(s)}
        for frames in shift_frames:
            sums = filtered.sums(frames)
            for (centred, scaled), (gain, offset) in affines.items():
                chain = PostProcessing(window, gain, offset, frames, centred, scaled)
                scores[chain] = filtered.ccc(sums, gain, offset)

    best = max(scores.values())
    chosen = min((chain for chain, score in scores.items() if score >= best - _TOLERANCE), key=_complexity)
    return chosen, _trace(chosen, scores)


class _Filtered:
    """Development predictions after one median filter, and what affects their pooled concordance.

    Means are taken out of gold standard and predictions first: what is left for the sums doesn't cancel.
    """

    def __init__(self, golds: Sequence[np.ndarray], filtered: Sequence[np.ndarray]) -> None:
        self.known = [known(values) for values in golds]
        gold, pred = pooled(golds), np.concatenate(self._scored(filtered))
        self.gold_mean, self.mean = gold.mean(), pred.mean()
        self.constant = np.ptp(pred) <= _CONSTANT * np.abs(pred).max()
        self.ratio = 1.0 if self.constant else gold.std() / pred.std()
        self.golds = [values - self.gold_mean for values in self._scored(golds)]
        self.filtered = [values - self.mean for values in filtered]
        self.gold, self.gold2 = sum(g.sum() for g in self.golds), sum(g @ g for g in self.golds)
        self.n = len(gold)

    def can(self, scaled: bool) -> bool:
        return not scaled or (not self.constant and np.isfinite(self.ratio))

    def affine(self, centred: bool, scaled: bool) -> tuple[float, float]:
        gain = self.ratio if scaled else 1.0
        target = self.gold_mean if centred else self.mean
        # Exactly (1, 0) if both are off.
        return float(gain), float(target - gain * self.mean)

    def sums(self, frames: int) -> tuple[float, float, float]:
        shifted = self._scored([shift(values, frames) for values in self.filtered])
        return (
            sum(p.sum() for p in shifted),
            sum(p @ p for p in shifted),
            sum(g @ p for g, p in zip(self.golds, shifted, strict=True)),
        )

    def ccc(self, sums: tuple[float, float, float], gain: float, offset: float) -> float:
        pred, pred2, product_ = sums
        rest = gain * self.mean + offset - self.gold_mean
        moments = (
            self.n,
            self.gold,
            gain * pred + self.n * rest,
            self.gold2,
            gain**2 * pred2 + 2.0 * gain * rest * pred + self.n * rest**2,
            gain * product_ + rest * self.gold,
        )
        return float(pooled_ccc(np.array(moments)))

    def _scored(self, series: Sequence[np.ndarray]) -> list[np.ndarray]:
        return [values[known] for values, known in zip(series, self.known, strict=True)]


def _complexity(chain: PostProcessing) -> tuple[int, int, int, bool]:
    steps = (chain.window > 1) + chain.centred + chain.scaled + (chain.shift > 0)
    return steps, chain.window, chain.shift, chain.scaled


def _trace(chosen: PostProcessing, scores: dict[PostProcessing, float]) -> dict[str, float]:
    found = {(c.window, c.centred, c.scaled, c.shift): score for c, score in scores.items()}
    return {
        "raw": found[1, False, False, 0],
        "median_filter": found[chosen.window, False, False, 0],
        "centring": found[chosen.window, chosen.centred, False, 0],
        "scaling": found[chosen.window, chosen.centred, chosen.scaled, 0],
        "time_shift": found[chosen.window, chosen.centred, chosen.scaled, chosen.shift],
    }


def _check(golds: Sequence[np.ndarray], predictions: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    if len(golds) != len(predictions) or not len(golds):
        raise InputError(f"expected as many predictions as gold standards, got {len(predictions)} for {len(golds)}")
    golds = [_series(gold, f"the gold standard of recording {i}", gaps=True) for i, gold in enumerate(golds)]
    if not pooled(golds).size:
        raise InputError("expected a gold standard in one frame or more, got NaN alone")
    predictions = [_series(pred, f"the prediction of recording {i}") for i, pred in enumerate(predictions)]
    for i, (gold, pred) in enumerate(zip(golds, predictions, strict=True)):
        if len(gold) != len(pred):
            raise InputError(f"expected {len(gold)} frames as the prediction of recording {i}, got {len(pred)}")
    return golds, predictions


def _series(values: np.ndarray, what: str, *, gaps: bool = False) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise InputError(f"expected one series of frames as {what}, got shape {values.shape}")
    if np.isinf(values).any() or (np.isnan(values).any() and not gaps):
        raise InputError(f"expected finite numbers as {what}, got {'infinity' if gaps else 'NaN or infinity'}")
    return values


def _natural(frames: int, what: str) -> int:
    if isinstance(frames, bool) or not isinstance(frames, int | np.integer) or frames < 0:
        raise InputError(f"expected a whole number of frames, 0 or more, as {what}, got {frames!r}")
    return int(frames)


def _median(values: np.ndarray, window: int) -> np.ndarray:
    from scipy.ndimage import median_filter  # here: `--help` of every command would wait for it

    return values if window == 1 else median_filter(values, size=window, mode="nearest")


def _odd_frames(seconds: float, frame_seconds: float) -> int:
    # The nearest odd number; an even one goes up, also if the division ends a little below it.
    return max(2 * int(_ratio(seconds, frame_seconds) / 2 + 1e-9) + 1, 1)
