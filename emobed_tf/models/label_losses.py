"""Losses of labels by name: those of regressions and of classifications, and those of one's own.

A regression's loss takes labels, predictions and mask, all `[batch, frames]`; a classification's takes classes
`[batch]` and logits `[batch, classes]`. Both return a scalar that TensorFlow can differentiate.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.errors import InputError
from emobed_tf.importing import import_named
from emobed_tf.models.losses import ccc_loss, cross_entropy_loss, mse_loss, smoothed_loss
from emobed_tf.settings import Objective

ClassificationLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

_REGRESSION_TAKES, _CLASSIFICATION_TAKES = ("y_true", "y_pred", "mask"), ("classes", "logits")
_FLAGS = {True: "--regression-loss", False: "--classification-loss"}


@dataclass(frozen=True)
class RegressionLoss:
    """A loss of a regression, as the table of them has it.

    Attributes:
        function: of labels, predictions and mask, all `[batch, frames]`, to a scalar.
        scaled: whether it also takes the standard deviation of the training labels.
    """

    function: Callable[..., tf.Tensor]
    scaled: bool = False

    def __call__(self, y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor, deviation: float) -> tf.Tensor:
        """The loss of a batch.

        Args:
            y_true: float `[batch, frames]`.
            y_pred: float `[batch, frames]`.
            mask: bool `[batch, frames]`, True where a frame exists.
            deviation: standard deviation of the training labels; used where the loss is scaled alone.

        Returns:
            A scalar.
        """
        scale = (deviation,) if self.scaled else ()
        return self.function(y_true, y_pred, mask, *scale)


REGRESSION_LOSSES: Mapping[str, RegressionLoss] = {
    "ccc": RegressionLoss(ccc_loss),
    "mse": RegressionLoss(mse_loss, scaled=True),
}
"""By name; `config.REGRESSION_LOSSES` lists the same names."""

CLASSIFICATION_LOSSES: Mapping[str, ClassificationLoss] = {
    "cross_entropy": cross_entropy_loss,
    "smoothed": smoothed_loss,
}
"""By name; `config.CLASSIFICATION_LOSSES` lists the same names."""


def regression_loss(name: str) -> RegressionLoss:
    """A loss of a regression by name.

    Args:
        name: a key of `REGRESSION_LOSSES`, or `package.module:NAME` of a function or of a `RegressionLoss`.

    Returns:
        The loss.

    Raises:
        InputError: if there is none of that name.
    """
    if name in REGRESSION_LOSSES:
        return REGRESSION_LOSSES[name]
    found = _own(name, regression=True)
    return found if isinstance(found, RegressionLoss) else RegressionLoss(found)


def classification_loss(name: str) -> ClassificationLoss:
    """A loss of a classification by name.

    Args:
        name: a key of `CLASSIFICATION_LOSSES`, or `package.module:NAME` of a function.

    Returns:
        The function.

    Raises:
        InputError: if there is none of that name.
    """
    return CLASSIFICATION_LOSSES[name] if name in CLASSIFICATION_LOSSES else _own(name, regression=False)


def check_loss(objective: Objective, task: str, outputs: int) -> None:
    """Makes sure that a loss of one's own is one, on two small batches. The package's losses have tests of their own.

    Args:
        objective: that names it.
        task: `regression` or `classification`.
        outputs: 1, or the number of classes.

    Raises:
        InputError: if it takes other arguments, returns something else than a finite scalar, is changed by padding, or
            passes no finite gradient on.
    """
    if task == REGRESSION:
        if objective.regression_loss not in REGRESSION_LOSSES:
            _check_regression(objective.regression_loss)
    elif objective.classification_loss not in CLASSIFICATION_LOSSES:
        _check_classification(objective.classification_loss, outputs)


def _own(name: str, regression: bool) -> Callable[..., tf.Tensor]:
    flag, takes = _FLAGS[regression], _REGRESSION_TAKES if regression else _CLASSIFICATION_TAKES
    expected = f"expected a function of {', '.join(takes)}"
    try:
        found = import_named(name)
    except ImportError as error:
        raise InputError(
            f"{flag} {name}: {error}; {expected} as package.module:NAME: run the command in the module's folder, or "
            "name that folder in PYTHONPATH"
        ) from None
    if not callable(found):
        raise InputError(f"{flag} {name}: {expected}, found a {type(found).__name__}")
    try:
        signature = inspect.signature(found)
    except ValueError:  # of some functions in C
        raise InputError(f"{flag} {name}: {expected}, found one whose arguments can't be known") from None
    try:
        signature.bind(*takes, *(("deviation",) if isinstance(found, RegressionLoss) else ()))
    except TypeError:
        raise InputError(f"{flag} {name}: {expected}, found {name.partition(':')[2]}{signature}") from None
    return found


def _check_regression(name: str) -> None:
    """Two recordings, of five and of three frames; then other numbers in the padding, and no frame at all."""
    who, loss, rng = f"{_FLAGS[True]} {name}", regression_loss(name), np.random.default_rng(0)
    labels, outputs, other = rng.normal(size=(3, 2, 5)).astype(np.float32)
    mask = np.arange(5) < [[5], [3]]

    def value(y_true: np.ndarray, y_pred: np.ndarray, mask: np.ndarray, what: str) -> float:
        return _checked(lambda y: loss(tf.constant(y_true), y, tf.constant(mask), 1.0), y_pred, f"{who}, of {what}")

    found = value(labels, outputs, mask, "a small batch with padding")
    for y_true, y_pred in ((labels, np.where(mask, outputs, other)), (np.where(mask, labels, other), outputs)):
        padded = value(y_true, y_pred, mask, "a small batch with padding")
        if abs(padded - found) > 1e-5 * max(1, abs(found)):
            raise InputError(
                f"{who}: other numbers where `mask` is False change it from {found:g} to {padded:g}; these are padding "
                "and frames without a label: multiply by the mask, or leave them out with tf.boolean_mask"
            )
    value(labels, outputs, np.zeros_like(mask), "a batch in which no frame has a label")


def _check_classification(name: str, outputs: int) -> None:
    """Four utterances."""
    loss, rng = classification_loss(name), np.random.default_rng(0)
    classes, logits = rng.integers(0, outputs, 4).astype(np.int32), rng.normal(size=(4, outputs)).astype(np.float32)
    _checked(lambda y: loss(tf.constant(classes), y), logits, f"{_FLAGS[False]} {name}, of a small batch")


def _checked(loss: Callable[[tf.Tensor], tf.Tensor], outputs: np.ndarray, who: str) -> float:
    """The loss of outputs, once it is known to be a scalar, finite, and to have a finite gradient."""
    predicted = tf.constant(outputs)
    with tf.GradientTape() as tape:
        tape.watch(predicted)
        try:
            value = tf.convert_to_tensor(loss(predicted))
        except (TypeError, ValueError) as error:
            why = " ".join(str(error).split())[:200]
            raise InputError(f"{who}: expected a float32 scalar, got a {type(error).__name__}: {why}") from error
    if value.shape.rank != 0 or value.dtype != tf.float32:
        raise InputError(
            f"{who}: expected a float32 scalar, got {value.dtype.name} {value.shape.as_list()}; take the mean"
        )
    if not np.isfinite(value):
        raise InputError(f"{who}: expected a finite number, got {float(value)}; divide by tf.maximum(count, 1), say")
    gradient = tape.gradient(value, predicted)
    if gradient is None:
        raise InputError(f"{who}: no gradient reaches the predictions; use functions that TensorFlow can differentiate")
    if not np.isfinite(tf.convert_to_tensor(gradient)).all():
        raise InputError(
            f"{who}: its gradient isn't finite; see that nothing is divided by 0, and no root is taken of 0"
        )
    return float(value)
