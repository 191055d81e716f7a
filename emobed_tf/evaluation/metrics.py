"""Scores: the concordance correlation coefficient (EmoBed, Eq. 9) and F1 in its three readings.

Each formula stands here once, on quantities that add up: moments for regression, the confusion matrix for
classification. Training (TensorFlow tensors), evaluation, tests of significance and bootstrap (NumPy arrays) sum them
over frames, batches, recordings or speakers, and call the same function.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from emobed_tf.errors import InputError

# Far below the mean square of float32 labels, far above the square of their rounding once they are centred.
EPSILON = 1e-12
# A denominator below this part of the mean square is rounding: both series are constant and equal.
_ROUNDING = 1e-12
# Added to counts, which are integers: 0 / 0 becomes 0, and no other count changes, in float32 or float64.
_TINY = 1e-20


def ccc_from_moments(
    n: Any,
    sum_true: Any,
    sum_pred: Any,
    sum_true2: Any,
    sum_pred2: Any,
    sum_product: Any,
    epsilon: float | np.ndarray = EPSILON,
) -> Any:
    """Concordance correlation coefficient from sums over frames (EmoBed, Eq. 9).

    `2 cov / (var_true + var_pred + (mean_true - mean_pred)^2)`, all with 1/N. The denominator is the mean squared
    error plus twice the covariance, which takes one subtraction instead of three.

    Only arithmetic operators: the arguments are NumPy numbers or arrays, or TensorFlow tensors, broadcast together.

    Sum values that are centred on one constant, the same for gold standard and predictions and for everything that is
    summed up: the coefficient doesn't depend on it, its rounding does. With the mean of the gold standard there is no
    cancellation at all; labels in [-1, 1] may stay as they are if the sums are float64.

    Args:
        n: number of frames; none give 0, too.
        sum_true: sum of the gold standard.
        sum_pred: sum of the predictions.
        sum_true2: sum of the squares of the gold standard.
        sum_pred2: sum of the squares of the predictions.
        sum_product: sum of gold standard times prediction.
        epsilon: added to the denominator, in squared units of the label. Two series that are constant and equal (0 / 0)
            give 0 and a finite gradient.

    Returns:
        The coefficient, of the arguments' type and shape, in [-1, 1] up to rounding.
    """
    n = n + _TINY
    product_of_means = (sum_true / n) * (sum_pred / n)
    covariance = sum_product / n - product_of_means
    return 2.0 * covariance / ((sum_true2 + sum_pred2) / n - 2.0 * product_of_means + epsilon)


def moments(y_true: Any, y_pred: Any, centre: float = 0.0) -> np.ndarray:
    """The six sums that `ccc_from_moments` takes, in its order.

    Args:
        y_true: gold standard, any shape.
        y_pred: predictions, of the same shape.
        centre: subtracted from both; must be the same for all moments that are added up or compared.

    Returns:
        float64 `[6]`: n, sums of true, prediction, true^2, prediction^2, true * prediction.

    Raises:
        InputError: if the shapes differ, there is no frame, or a value is NaN or infinite.
    """
    true, pred = _pair(y_true, y_pred)
    true, pred = true - centre, pred - centre
    return np.array([true.size, true.sum(), pred.sum(), true @ true, pred @ pred, true @ pred])


def moments_by_recording(
    trues: Sequence[np.ndarray], preds: Sequence[np.ndarray], centre: float | None = None
) -> np.ndarray:
    """The moments of each recording, about one centre.

    Args:
        trues: gold standard of each recording, `[frames]`.
        preds: predictions of each recording, `[frames]`.
        centre: see `moments`; by default the mean of all gold standards, so that two systems on the same recordings
            have the same.

    Returns:
        float64 `[recordings, 6]`.

    Raises:
        InputError: as `moments`, with the recording's position; also if there is none, or their numbers differ.
    """
    if len(trues) != len(preds) or not len(trues):
        raise InputError(f"expected as many predictions as gold standards, got {len(preds)} for {len(trues)}")
    pairs = []
    for position, (true, pred) in enumerate(zip(trues, preds, strict=True)):
        try:
            pairs.append(_pair(true, pred))
        except InputError as error:
            raise InputError(f"recording {position}: {error}") from None
    if centre is None:
        centre = float(np.concatenate([true for true, _ in pairs]).mean())
    return np.stack([moments(true, pred, centre) for true, pred in pairs])


def pooled_ccc(sums: np.ndarray) -> np.ndarray:
    """Concordance correlation coefficient of moments in float64, clipped to [-1, 1] (EmoBed, Eq. 9).

    Args:
        sums: float64 `[..., 6]`, summed over what is pooled, with at least one frame. See `moments`.

    Returns:
        float64 `[...]`, in [-1, 1]; 0 where both series are constant and equal.
    """
    sums = np.asarray(sums, dtype=np.float64)
    n, true, pred, true2, pred2, product = np.moveaxis(sums, -1, 0)
    mean_square = (true2 + pred2) / n
    defined = mean_square - 2.0 * (true / n) * (pred / n) > _ROUNDING * mean_square
    ccc = ccc_from_moments(n, true, pred, true2, pred2, product, epsilon=np.where(defined, 0.0, 1.0))
    ccc = np.where(defined, ccc, 0.0)
    return np.clip(ccc, -1.0, 1.0)


def concordance_cc(y_true: Any, y_pred: Any, mask: Any = None) -> float:
    """Concordance correlation coefficient (EmoBed, Eq. 9) over all values, in float64.

    Args:
        y_true: gold standard, any shape.
        y_pred: predictions, of the same shape.
        mask: bool of the same shape, True where a frame counts; None counts all.

    Returns:
        In [-1, 1]; 0 if a series is constant.

    Raises:
        InputError: as `moments`, of the frames that count.

    Example:
        >>> round(concordance_cc([0, 1, 2], [0, 1, 3]), 4)  # 2 * 1 / (2/3 + 14/9 + 1/9)
        0.8571
    """
    true, pred = _pair(y_true, y_pred, mask)
    return float(pooled_ccc(moments(true, pred, true.mean())))


def mean_concordance_cc(pairs: Sequence[tuple[Any, Any]]) -> float:
    """Mean of the recordings' own concordance correlation coefficients. The paper pools instead: `concordance_cc`.

    Args:
        pairs: (gold standard, predictions) of each recording, `[frames]` each.

    Returns:
        In [-1, 1].

    Raises:
        InputError: as `moments`, or if there is no recording.
    """
    if not len(pairs):
        raise InputError("expected at least one recording, got none")
    return float(np.mean([concordance_cc(true, pred) for true, pred in pairs]))


def pearson_cc(y_true: Any, y_pred: Any) -> float:
    """Pearson's correlation coefficient, in float64.

    Args:
        y_true: gold standard, any shape.
        y_pred: predictions, of the same shape.

    Returns:
        In [-1, 1]; 0 if a series is constant.

    Raises:
        InputError: as `moments`.
    """
    true, pred = _pair(y_true, y_pred)
    if np.ptp(true) == 0.0 or np.ptp(pred) == 0.0:
        return 0.0
    # Unit peak first: squares of very small numbers would underflow.
    true, pred = (x / np.abs(x).max() for x in (true - true.mean(), pred - pred.mean()))
    return float(np.clip(true @ pred / np.sqrt((true @ true) * (pred @ pred)), -1.0, 1.0))


def rmse(y_true: Any, y_pred: Any) -> float:
    """Root mean squared error, in float64.

    Args:
        y_true: gold standard, any shape.
        y_pred: predictions, of the same shape.

    Returns:
        In the label's unit, >= 0.

    Raises:
        InputError: as `moments`.
    """
    true, pred = _pair(y_true, y_pred)
    return float(np.sqrt(np.mean((true - pred) ** 2)))


def confusion_matrix(y_true: Any, y_pred: Any, classes: int) -> np.ndarray:
    """Counts of (true class, predicted class).

    Args:
        y_true: true class of each utterance, integers in [0, classes).
        y_pred: predicted class, of the same shape.
        classes: number of classes.

    Returns:
        int64 `[classes, classes]`; rows are true classes, columns predicted ones.

    Raises:
        InputError: if there is no utterance, the shapes differ, or a class is out of range.
    """
    return confusion_by_unit(y_true, y_pred, np.zeros(np.size(y_true), dtype=np.int64), classes)[0]


def confusion_by_unit(y_true: Any, y_pred: Any, units: Any, classes: int) -> np.ndarray:
    """One confusion matrix for each unit (speaker, video), as tests by unit and the bootstrap take them.

    Args:
        y_true: true class of each utterance, integers in [0, classes).
        y_pred: predicted class, of the same shape.
        units: name or number of the unit that each utterance belongs to.
        classes: number of classes.

    Returns:
        int64 `[units, classes, classes]`, units in sorted order.

    Raises:
        InputError: as `confusion_matrix`, or if `units` is not one per utterance.
    """
    true, pred, units = np.ravel(y_true), np.ravel(y_pred), np.ravel(units)
    if not true.size or true.shape != pred.shape or true.shape != units.shape:
        raise InputError(
            "expected the same number of true classes, predicted classes and units, at least one; "
            f"got {true.size}, {pred.size} and {units.size}"
        )
    for name, values in (("true", true), ("predicted", pred)):
        if not np.issubdtype(values.dtype, np.integer):
            raise InputError(f"expected integers as {name} classes, got {values.dtype}")
        if values.min() < 0 or values.max() >= classes:
            raise InputError(f"expected {name} classes in 0 to {classes - 1}, got {values.min()} to {values.max()}")
    names, position = np.unique(units, return_inverse=True)
    confusion = np.zeros((len(names), classes, classes), dtype=np.int64)
    np.add.at(confusion, (position.ravel(), true, pred), 1)
    return confusion


def f1_micro(confusion: Any) -> Any:
    """Micro-averaged F1, which for one class per utterance is the share of right answers.

    Args:
        confusion: counts `[..., classes, classes]`, rows are true classes; a NumPy array or a float TensorFlow tensor.

    Returns:
        `[...]` of the same kind, in [0, 1]; 0 for an empty matrix.
    """
    hits, actual, _ = _class_counts(confusion)
    return _sum(hits) / (_sum(actual) + _TINY)


def f1_macro(confusion: Any) -> Any:
    """Mean F1 of all classes.

    A class that is neither true nor predicted counts as 0: scikit-learn's `average="macro", zero_division=0` with all
    classes as `labels`.

    Args:
        confusion: counts `[..., classes, classes]`, rows are true classes; a NumPy array or a float TensorFlow tensor.

    Returns:
        `[...]` of the same kind, in [0, 1]; 0 for an empty matrix.
    """
    hits, actual, predicted = _class_counts(confusion)
    return _sum(2.0 * hits / (actual + predicted + _TINY)) / confusion.shape[-1]


def f1_harmonic(confusion: Any) -> Any:
    """Harmonic mean of unweighted average precision and unweighted average recall: the paper's words (section 4.3).

    Both averages are over all classes; the precision of a class never predicted and the recall of a class that doesn't
    occur are 0.

    Args:
        confusion: counts `[..., classes, classes]`, rows are true classes; a NumPy array or a float TensorFlow tensor.

    Returns:
        `[...]` of the same kind, in [0, 1]; 0 for an empty matrix.
    """
    hits, actual, predicted = _class_counts(confusion)
    precision = _sum(hits / (predicted + _TINY)) / confusion.shape[-1]
    recall = _sum(hits / (actual + _TINY)) / confusion.shape[-1]
    return 2.0 * precision * recall / (precision + recall + _TINY)


def uar(confusion: Any) -> Any:
    """Unweighted average recall, over the classes that occur in the truth: scikit-learn's `balanced_accuracy_score`.

    Args:
        confusion: counts `[..., classes, classes]`, rows are true classes; a NumPy array or a float TensorFlow tensor.

    Returns:
        `[...]` of the same kind, in [0, 1]; 0 for an empty matrix.
    """
    hits, actual, _ = _class_counts(confusion)
    occurs = actual / (actual + _TINY)
    return _sum(hits / (actual + _TINY)) / (_sum(occurs) + _TINY)


def _pair(y_true: Any, y_pred: Any, mask: Any = None) -> tuple[np.ndarray, np.ndarray]:
    true, pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    if true.shape != pred.shape:
        raise InputError(f"expected predictions of the gold standard's shape {true.shape}, got {pred.shape}")
    if mask is not None:
        mask = np.asarray(mask, dtype=bool)
        if mask.shape != true.shape:
            raise InputError(f"expected a mask of the gold standard's shape {true.shape}, got {mask.shape}")
        true, pred = true[mask], pred[mask]
    if not true.size:
        raise InputError("expected at least one frame to score, got none")
    for name, values in (("gold standard", true), ("predictions", pred)):
        bad = np.count_nonzero(~np.isfinite(values))
        if bad:
            raise InputError(f"expected finite numbers, got {bad} NaN or infinite of {values.size} in the {name}")
    return true.ravel(), pred.ravel()


def _class_counts(confusion: Any) -> tuple[Any, Any, Any]:
    classes = confusion.shape[-1]
    row, column, identity = np.ones((1, classes)), np.ones((classes, 1)), np.eye(classes)
    if isinstance(confusion, np.ndarray):  # a bootstrap has thousands, and small matrix products take most of its time
        hits, actual = np.diagonal(confusion, axis1=-2, axis2=-1), confusion @ column[:, 0]
        return hits[..., np.newaxis, :], actual[..., np.newaxis, :], row @ confusion
    # Matrix products with ones and the identity are TensorFlow's sums and diagonals.
    return row @ (confusion * identity), row @ ((confusion @ column) * identity), row @ confusion


def _sum(by_class: Any) -> Any:
    return (by_class @ np.ones((by_class.shape[-1], 1)))[..., 0, 0]
