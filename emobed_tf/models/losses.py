"""Losses as pure functions: batch-hard crossmodal triplet loss, masked task losses, L2 (EmoBed, Eq. 2 to 8)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import tensorflow as tf

from emobed_tf.evaluation.metrics import ccc_from_moments
from emobed_tf.models.mining import Pairs, batch_hard_pairs
from emobed_tf.settings import Objective

if TYPE_CHECKING:
    import keras

Margin = float | Literal["soft"] | None


def pair_distances(embeddings: tf.Tensor, pairs: Pairs) -> tuple[tf.Tensor, tf.Tensor]:
    """Distance (Eq. 5) of every embedding to its hardest positive and negative, with gradient.

    Args:
        embeddings: float `[N, E]`.
        pairs: from `batch_hard_pairs`.

    Returns:
        d+ and d-, float `[N]` >= 0; 0 where an embedding is no valid anchor. The gradient of a zero distance is 0.
    """
    embeddings = tf.convert_to_tensor(embeddings)

    def distance(index: tf.Tensor) -> tf.Tensor:
        difference = embeddings - tf.gather(embeddings, tf.where(pairs.valid, index, 0))
        squared = tf.reduce_sum(difference * difference, axis=1)
        apart = pairs.valid & (squared > 0)
        return tf.where(apart, tf.sqrt(tf.where(apart, squared, 1)), 0)

    return distance(pairs.positive), distance(pairs.negative)


def margin_of(objective: Objective) -> Margin:
    """The margin that a setting means.

    Args:
        objective: checked.

    Returns:
        What `with_margin` takes.
    """
    return None if objective.margin == "none" else objective.margin


def with_margin(difference: tf.Tensor, margin: Margin) -> tf.Tensor:
    """What a triplet costs.

    Args:
        difference: d+ - d-, float of any shape.
        margin: None leaves it as it is, a number m is max(0, m + d+ - d-), "soft" is log(1 + exp(d+ - d-)).

    Returns:
        Float of the same shape.

    Raises:
        ValueError: for another margin.
    """
    if margin is None:
        return difference
    if margin == "soft":
        return tf.math.softplus(difference)
    if isinstance(margin, (int, float)) and not isinstance(margin, bool):
        return tf.nn.relu(margin + difference)
    raise ValueError(f"Invalid value for argument `margin`. Expected None, a number or 'soft'. Received: {margin!r}")


def triplet_loss(
    positive: tf.Tensor,
    negative: tf.Tensor,
    valid: tf.Tensor,
    *,
    margin: Margin = None,
    reduction: Literal["mean", "sum"] = "mean",
    weight: tf.Tensor | None = None,
) -> tf.Tensor:
    """Eq. 6 from distances: d+ - d- over valid anchors, as printed, as a hinge, or as a softplus.

    Args:
        positive: d+, float `[N]`.
        negative: d-, float `[N]`.
        valid: bool `[N]`, the anchors that count.
        margin: None is Eq. 6, a number m is max(0, m + d+ - d-), "soft" is log(1 + exp(d+ - d-)).
        reduction: "mean" over valid anchors, or the "sum" of Eq. 6.
        weight: of each anchor's term, float `[N]` >= 0; the mean is the weighted one. Default: all count alike.

    Returns:
        A scalar; 0 where no anchor is valid.

    Raises:
        ValueError: for another margin or reduction.
    """
    difference = with_margin(positive - negative, margin)
    counts = tf.cast(valid, difference.dtype)
    if weight is not None:
        counts *= weight
    total = tf.reduce_sum(counts * tf.where(valid, difference, 0))
    if reduction == "sum":
        return total
    if reduction != "mean":
        raise ValueError(f"Invalid value for argument `reduction`. Expected 'mean' or 'sum'. Received: {reduction!r}")
    return tf.math.divide_no_nan(total, tf.reduce_sum(counts))


def batch_hard_triplet_loss(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    mask: tf.Tensor | None = None,
    *,
    margin: Margin = None,
    reduction: Literal["mean", "sum"] = "mean",
) -> tf.Tensor:
    """Crossmodal triplet loss over the joined batch of all modalities (EmoBed, Eq. 5 and 6).

    Anchors without a positive or without a negative are left out.

    Args:
        embeddings: float `[N, E]`, every modality's, joined.
        labels: int `[N]`, classes.
        mask: bool `[N]`, False where an embedding takes no part.
        margin: None is Eq. 6 as printed (no margin, no hinge), a number the hinge, "soft" the softplus.
        reduction: "mean" over valid anchors, or "sum".

    Returns:
        A scalar of the embeddings' dtype; 0 where no anchor is valid.

    Example:
        >>> loss = batch_hard_triplet_loss([[0.0], [1.0], [5.0], [7.0]], [0, 0, 1, 1])
        >>> float(loss)  # ((1 - 5) + (1 - 4) + (2 - 4) + (2 - 6)) / 4
        -3.25
    """
    pairs = batch_hard_pairs(embeddings, labels, mask)
    return triplet_loss(*pair_distances(embeddings, pairs), pairs.valid, margin=margin, reduction=reduction)


def ccc_loss(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """1 - concordance (Eq. 9) over all valid frames of a batch.

    Args:
        y_true: float `[batch, frames]`, labels; anything finite where masked.
        y_pred: float `[batch, frames]`.
        mask: bool `[batch, frames]`, True where a frame exists.

    Returns:
        A scalar in [0, 2].
    """
    return 1 - ccc_from_moments(*moments(y_true, y_pred, mask))


def series(y_true: tf.Tensor, y_pred: tf.Tensor, sample_weight: tf.Tensor | None = None) -> tuple[tf.Tensor, ...]:
    """Labels, predictions and mask of one shape, from what Keras hands to a loss or a metric.

    Args:
        y_true: float, as many values as `y_pred`.
        y_pred: float `[batch]` or `[batch, frames]`, maybe with a last dimension of 1.
        sample_weight: 0 where a value doesn't count; of their shape, or with dimensions missing at the end.

    Returns:
        `y_true`, `y_pred`, and the mask, bool, all of the shape of `y_pred`.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    y_true = tf.reshape(y_true, tf.shape(y_pred))
    if sample_weight is None:
        return y_true, y_pred, tf.ones(tf.shape(y_pred), tf.bool)
    mask = tf.convert_to_tensor(sample_weight)
    mask = mask if mask.dtype == tf.bool else tf.not_equal(mask, 0)
    while mask.shape.rank < y_pred.shape.rank:
        mask = mask[..., tf.newaxis]
    return y_true, y_pred, tf.broadcast_to(mask, tf.shape(y_pred))


def moments(
    y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor, centre: float | None = None
) -> tuple[tf.Tensor, ...]:
    """Sufficient statistics of the concordance: n, sums, sums of squares, sum of products.

    Args:
        y_true: float `[batch, frames]`.
        y_pred: float `[batch, frames]`.
        mask: bool `[batch, frames]`, True where a frame exists.
        centre: what values are taken about. Default: the mean of `y_true`, which keeps float32 accurate.

    Returns:
        Six scalars of the dtype of `y_pred`.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    weight = tf.cast(mask, y_pred.dtype)
    y_true = tf.cast(y_true, y_pred.dtype)
    n = tf.reduce_sum(weight)
    if centre is None:
        centre = tf.reduce_sum(weight * y_true) / tf.maximum(n, 1)
    true, pred = weight * (y_true - centre), weight * (y_pred - centre)
    return (n, *(tf.reduce_sum(value) for value in (true, pred, true * true, pred * pred, true * pred)))


def mse_loss(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor, deviation: float) -> tf.Tensor:
    """Mean squared error over valid frames, of labels scaled by their training deviation.

    Args:
        y_true: float `[batch, frames]`.
        y_pred: float `[batch, frames]`.
        mask: bool `[batch, frames]`.
        deviation: standard deviation of the training labels, so that the loss doesn't depend on their scale.

    Returns:
        A scalar >= 0.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    weight = tf.cast(mask, y_pred.dtype)
    squared = tf.square((tf.cast(y_true, y_pred.dtype) - y_pred) / deviation)
    return tf.reduce_sum(weight * squared) / tf.maximum(tf.reduce_sum(weight), 1)


def reconstruction_loss(inputs: tf.Tensor, outputs: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """Mean squared error of a reconstruction over what exists.

    Args:
        inputs: float `[batch, frames, features]`, standardised; anything finite where there is nothing.
        outputs: float, the same shape.
        present: bool, the same shape.

    Returns:
        A scalar >= 0; 0 where nothing exists.
    """
    squared = tf.where(present, tf.square(outputs - inputs), 0)
    return tf.reduce_sum(squared) / tf.maximum(tf.reduce_sum(tf.cast(present, squared.dtype)), 1)


def cross_entropy_loss(classes: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy.

    Args:
        classes: int `[batch]`.
        logits: float `[batch, classes]`.

    Returns:
        A scalar >= 0.
    """
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits))


def smoothed_loss(classes: tf.Tensor, logits: tf.Tensor, smoothing: float = 0.1) -> tf.Tensor:
    """Mean cross-entropy to smoothed labels (Szegedy et al., 2016, section 7).

    What a person feels is a matter of opinion: no class is sure, so the network need not be. At the optimum, logits are
    finite.

    Args:
        classes: int `[batch]`.
        logits: float `[batch, classes]`.
        smoothing: in [0, 1), the part of a label that is spread evenly over all classes.

    Returns:
        A scalar > 0: at its least, the entropy of a smoothed label.
    """
    evenly = -tf.reduce_mean(tf.nn.log_softmax(logits))
    return (1 - smoothing) * cross_entropy_loss(classes, logits) + smoothing * evenly


def soft_target_loss(teacher: tf.Tensor, logits: tf.Tensor, taught: tf.Tensor, temperature: float) -> tf.Tensor:
    """Distance to a teacher's classes: T^2 KL(p_teacher || p_student), both softened by the temperature T.

    The factor T^2 keeps gradients of one size whatever the temperature (Hinton, Vinyals and Dean, 2015, section 2.1).

    Args:
        teacher: its logits, float `[batch, classes]`; anything finite where it says nothing.
        logits: the student's, the same shape.
        taught: bool `[batch]`, where the teacher says something.
        temperature: > 0; 1 compares the classes as they are.

    Returns:
        A scalar >= 0, the mean over what is taught; 0 where nothing is.
    """
    theirs, own = (tf.nn.log_softmax(values / temperature) for values in (teacher, logits))
    divergence = tf.reduce_sum(tf.exp(theirs) * (theirs - own), axis=1)
    weight = tf.cast(taught, divergence.dtype)
    return temperature**2 * tf.reduce_sum(weight * divergence) / tf.maximum(tf.reduce_sum(weight), 1)


def embedding_distance(teacher: tf.Tensor, embeddings: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Mean squared distance to a teacher's embeddings, dimension by dimension.

    Args:
        teacher: float `[N, E]`; anything finite where it says nothing.
        embeddings: the student's, the same shape.
        mask: bool `[N]`, the embeddings that count.

    Returns:
        A scalar >= 0; 0 where none counts.
    """
    squared = tf.reduce_mean(tf.square(embeddings - teacher), axis=1)
    weight = tf.cast(mask, squared.dtype)
    return tf.reduce_sum(weight * squared) / tf.maximum(tf.reduce_sum(weight), 1)


def squared_kernels(variables: "Sequence[keras.Variable]") -> tf.Tensor:
    """R of Eq. 8: the sum of squares of all kernels (biases, scales and statistics left out).

    Args:
        variables: of a network, Keras variables. A kernel is one whose name ends in `kernel`: of dense, recurrent and
            convolutional layers (`kernel`, `recurrent_kernel`, `first_kernel`), and of layers of one's own.

    Returns:
        A scalar >= 0.
    """
    # `l2_loss` is half the sum of squares in one pass; twice a sum is exact.
    kernels = (variable for variable in variables if variable.name.endswith("kernel"))
    return 2 * tf.add_n([tf.nn.l2_loss(kernel) for kernel in kernels])
