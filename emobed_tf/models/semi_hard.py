"""Semi-hard triplet loss over the joined batch of all modalities (Schroff, Kalenichenko and Philbin, 2015).

For every pair of an anchor and a positive, the nearest negative that is farther than the positive; where there is none,
the farthest negative. That is what TensorFlow Addons' `triplet_semihard_loss` takes. The hardest negatives of all can
make embeddings collapse early in a training (FaceNet, section 3.2), and a single wrong label makes many of them.
"""

import functools
from typing import Literal, NamedTuple

import tensorflow as tf

from emobed_tf.models.losses import Margin, with_margin
from emobed_tf.models.pairing import (
    TIE,
    Mining,
    Origin,
    Rows,
    Rules,
    allowed,
    blocks_of,
    centred,
    check_origin,
    mean_of_valid,
    squared_distances,
)
from emobed_tf.models.row_losses import RowSums, summed, with_gradient


class SemiHard(NamedTuple):
    """The loss, and what it was made of.

    Attributes:
        loss: scalar; 0 where there is no triplet.
        valid: bool `[N]`, embeddings that are anchors: those with a positive and a negative.
        positive: mean distance of anchors to their positives, over all triplets; 0 without any. No gradient.
        negative: that to the negatives.
    """

    loss: tf.Tensor
    valid: tf.Tensor
    positive: tf.Tensor
    negative: tf.Tensor


def semi_hard_triplet_loss(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    mask: tf.Tensor | None = None,
    *,
    margin: Margin = None,
    reduction: Literal["mean", "sum"] = "mean",
    weight: tf.Tensor | None = None,
    origin: Origin | None = None,
    mining: Mining = "all",
    negative_seconds: float = 0.0,
    block: int | None = None,
) -> SemiHard:
    """d+ - d- over a triplet for every anchor and positive, as it is, as a hinge, or as a softplus.

    Distances are Euclidean (EmoBed, Eq. 5), as float64 has them. A negative as far as the positive is not farther. Of
    negatives that are equally far the one with the lowest index is taken. Rows are sorted, so time grows with
    N^2 log N; memory grows with N.

    Args:
        embeddings: float `[N, E]`, all modalities joined.
        labels: int `[N]`, the class of each.
        mask: bool `[N]`, False where an embedding takes no part. Default: all do.
        margin: None is d+ - d-, a number m is max(0, m + d+ - d-), "soft" is log(1 + exp(d+ - d-)).
        reduction: "mean" over triplets, or "sum".
        weight: of each embedding, float `[N]` >= 0; a triplet's is the product of its three, and the mean the weighted
            one. Default: all count alike.
        origin: needed for `mining` other than "all" and for `negative_seconds`.
        mining: "all" partners, "inter": only those of other modalities, "intra": only those of the same.
        negative_seconds: least distance in time to a negative in the same recording.
        block: rows at a time; the result doesn't depend on it. Default: all of up to 1,024, then 112.

    Returns:
        Loss, anchors and mean distances, of the embeddings' dtype. The loss has a gradient, but no second one; that of
        a zero distance is 0.

    Raises:
        ValueError: for another margin or reduction, or if `origin` is missing where it is needed.

    Example:
        >>> # From 0, the positive is 2 away and the nearest negative 3; from 2, only 7 is farther than 0, and so on.
        >>> found = semi_hard_triplet_loss([[0.0], [2.0], [3.0], [7.0]], [0, 0, 1, 1])
        >>> float(found.loss)  # ((2 - 3) + (2 - 5) + (4 - 3) + (4 - 5)) / 4
        -1.0
    """
    rules = Rules(mining, negative_seconds)
    check_origin(origin, rules)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"Invalid value for argument `reduction`. Expected 'mean' or 'sum'. Received: {reduction!r}")
    embeddings = tf.convert_to_tensor(embeddings)
    points, labels = tf.stop_gradient(embeddings), tf.convert_to_tensor(labels)
    blocks = blocks_of(points, block, xla=False)
    mask = tf.ones([blocks.n], tf.bool) if mask is None else tf.cast(mask, tf.bool)
    weight = None if weight is None else tf.cast(weight, tf.float64)
    sources = map(tf.convert_to_tensor, origin or ())
    everything = Rows(points, None, labels, tf.range(blocks.n), mask, *sources)._replace(weight=weight)
    everything = centred(everything, mean_of_valid(points, mask), tf.float64)
    block_sums = functools.partial(_block_sums, rules, margin)
    (total, weights, triplets, positive, negative), valid, gradient = summed(
        block_sums, everything, blocks, width=points.shape[1], number=5
    )
    divisor = tf.ones_like(total) if reduction == "sum" else weights
    loss, gradient = (tf.cast(tf.math.divide_no_nan(a, divisor), points.dtype) for a in (total, gradient))
    means = (tf.cast(tf.math.divide_no_nan(distance, triplets), points.dtype) for distance in (positive, negative))
    return SemiHard(with_gradient(embeddings, loss, gradient), valid, *means)


def _block_sums(rules: Rules, margin: Margin, part: Rows, everything: Rows) -> RowSums:
    """Weighted terms, weights, triplets and their distances; all matrices are `[rows, N]`, in float64."""
    squares = squared_distances(everything, part)
    tolerance = TIE * (part.squares + tf.reduce_max(squares, axis=1))[:, None]  # |y|^2 <= 2 (|x|^2 + |x - y|^2)
    positives, negatives = allowed(everything, part, rules)
    positives &= part.index[:, None] != everything.index[None, :]
    positives &= tf.reduce_any(negatives, axis=1, keepdims=True)
    chosen = _semi_hard(squares, negatives, tolerance)
    apart = squares > tolerance
    distances = tf.where(apart, tf.sqrt(tf.where(apart, squares, 1)), 0)
    to_chosen = tf.gather(distances, chosen, batch_dims=1)
    weights = tf.cast(positives, tf.float64)
    if everything.weight is not None:
        weights *= part.weight[:, None] * everything.weight[None, :] * tf.gather(everything.weight, chosen)
    difference = distances - to_chosen
    value, slope = with_margin(difference, margin), weights * _slope(difference, margin)
    # Of a row, what all of its triplets say of the distance to each column, then of the embeddings.
    rows, n = tf.unstack(tf.shape(squares))
    place = tf.reshape(chosen + n * tf.range(rows)[:, None], [-1])
    of_negatives = tf.reshape(tf.math.unsorted_segment_sum(tf.reshape(slope, [-1]), place, rows * n), [rows, n])
    pull = tf.where(apart, (slope - of_negatives) / tf.where(apart, distances, 1), 0)
    count = tf.cast(positives, tf.float64)
    sums = (weights * value, weights, count, count * distances, count * to_chosen)
    return RowSums(
        tuple(tf.reduce_sum(matrix) for matrix in sums),
        tf.reduce_any(positives, axis=1),
        tf.reduce_sum(pull, axis=1)[:, None] * _bare(part) - tf.matmul(pull, _bare(everything)),
        tf.reduce_sum(pull, axis=0)[:, None] * _bare(everything) - tf.matmul(pull, _bare(part), transpose_a=True),
    )


def _slope(difference: tf.Tensor, margin: Margin) -> tf.Tensor:
    """Derivative of `with_margin`."""
    if margin is None:
        return tf.ones_like(difference)
    return tf.sigmoid(difference) if margin == "soft" else tf.cast(margin + difference > 0, difference.dtype)


def _bare(rows: Rows) -> tf.Tensor:
    """Points without what `centred` has added."""
    return rows.points[:, :-2]


def _semi_hard(squares: tf.Tensor, negatives: tf.Tensor, tolerance: tf.Tensor) -> tf.Tensor:
    """Of each pair the nearest negative of its row that is farther, or the farthest where none is.

    Args:
        squares: of distances, float64 `[rows, N]`.
        negatives: bool `[rows, N]`.
        tolerance: float64 `[rows, 1]`; squares that differ by less are equal.

    Returns:
        Columns, int32 `[rows, N]`; 0 in a row without negatives.
    """
    n = tf.shape(squares)[1]
    rising, order = tf.math.top_k(-tf.where(negatives, squares, float("inf")), n)  # of equal ones, lowest index first
    rising = -rising
    last = tf.reduce_sum(tf.cast(negatives, tf.int32), axis=1, keepdims=True) - 1
    farthest = tf.gather(rising, tf.maximum(last, 0), batch_dims=1)
    nearer = tf.searchsorted(rising, squares + tolerance, side="right")
    position = tf.where(nearer <= last, nearer, tf.searchsorted(rising, farthest - tolerance))
    tied = (rising[:, 1:] - rising[:, :-1] <= tolerance) & (rising[:, 1:] < float("inf"))
    order = tf.cond(tf.reduce_any(tied), lambda: _lowest_of_ties(order, tied), lambda: order)
    return tf.gather(order, tf.clip_by_value(position, 0, n - 1), batch_dims=1)


def _lowest_of_ties(order: tf.Tensor, tied: tf.Tensor) -> tf.Tensor:
    """Each entry the lowest of those that its square is tied with.

    Args:
        order: columns by rising square, int32 `[rows, N]`.
        tied: bool `[rows, N - 1]`, whether an entry is tied with the one before.

    Returns:
        int32 `[rows, N]`.
    """
    starts = tf.pad(tf.cast(~tied, tf.int32), [[0, 0], [1, 0]], constant_values=1)
    group = tf.cumsum(tf.reshape(starts, [-1])) - 1
    lowest = tf.math.unsorted_segment_min(tf.reshape(order, [-1]), group, tf.size(order))
    return tf.reshape(tf.gather(lowest, group), tf.shape(order))
