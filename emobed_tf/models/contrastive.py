"""Supervised contrastive loss over the joined batch of all modalities (Khosla et al., 2020, L_out of Eq. 2).

It needs no pairs: every embedding of an anchor's class is a positive, whatever its modality, and all others count.
"""

import functools
from collections.abc import Callable
from typing import Literal, NamedTuple

import tensorflow as tf

from emobed_tf.models.pairing import Blocks, Mining, Origin, Rows, Rules, allowed, blocks_of, check_origin
from emobed_tf.models.row_losses import RowSums, summed, with_gradient


class Contrast(NamedTuple):
    """The loss, and whose it is.

    Attributes:
        loss: scalar; 0 where there is no anchor.
        valid: bool `[N]`, embeddings that are anchors: those with a positive.
    """

    loss: tf.Tensor
    valid: tf.Tensor


def supervised_contrastive_loss(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    mask: tf.Tensor | None = None,
    *,
    temperature: float = 0.1,
    reduction: Literal["mean", "sum"] = "mean",
    weight: tf.Tensor | None = None,
    origin: Origin | None = None,
    mining: Mining = "all",
    negative_seconds: float = 0.0,
    block: int | None = None,
    xla: bool = True,
) -> Contrast:
    """How surely each anchor picks its positives out of all others, by similarity.

    For an anchor i, -1 / |P(i)| sum over p in P(i) of log(exp(z_i z_p / t) / sum over a in A(i) of exp(z_i z_a / t)).
    P(i) are its positives, A(i) these and its negatives, never itself. All in the precision of the embeddings, with the
    largest exponent taken away first; block by block, so that memory grows with N, for the gradient, too.

    Args:
        embeddings: z, float `[N, E]`, all modalities joined; the source has them of unit length.
        labels: int `[N]`, the class of each.
        mask: bool `[N]`, False where an embedding takes no part. Default: all do.
        temperature: t > 0.
        reduction: "mean" over anchors, or the "sum" of the source.
        weight: of each embedding, float `[N]` >= 0: it counts as if there were so many of it, as an anchor, as a
            positive and in the sum below. Default: 1.
        origin: needed for `mining` other than "all" and for `negative_seconds`.
        mining: "all" partners, "inter": only those of other modalities, "intra": only those of the same.
        negative_seconds: least distance in time to a negative in the same recording.
        block: rows at a time; the result doesn't depend on it. Default: see `pairing.blocks_of`.
        xla: compile for more than 1,024, in a graph where N is known and no GPU in sight.

    Returns:
        Loss and anchors. The loss has a gradient, but no second one.

    Raises:
        ValueError: for another reduction, a temperature that isn't above 0, or if `origin` is missing where it is
            needed.

    Example:
        >>> # Two classes of two, at right angles. Of each anchor: 1 to its positive, 0 to both negatives.
        >>> found = supervised_contrastive_loss(
        ...     [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], [0, 0, 1, 1], temperature=1.0
        ... )
        >>> round(float(found.loss), 4)  # log(e + 2) - 1
        0.5514
    """
    rules = Rules(mining, negative_seconds)
    check_origin(origin, rules)
    if reduction not in ("mean", "sum"):
        raise ValueError(f"Invalid value for argument `reduction`. Expected 'mean' or 'sum'. Received: {reduction!r}")
    if not temperature > 0:
        raise ValueError(f"Invalid value for argument `temperature`. Expected more than 0. Received: {temperature!r}")
    embeddings = tf.convert_to_tensor(embeddings)
    points, labels = tf.stop_gradient(embeddings), tf.convert_to_tensor(labels)
    blocks = blocks_of(points, block, xla)
    mask = tf.ones([blocks.n], tf.bool) if mask is None else tf.cast(mask, tf.bool)
    points = tf.where(mask[:, None], points, 0)
    weight = tf.ones([blocks.n], points.dtype) if weight is None else tf.cast(weight, points.dtype)
    sources = map(tf.convert_to_tensor, origin or ())
    everything = Rows(points, None, labels, tf.range(blocks.n), mask, *sources)._replace(weight=weight)
    over_rows = _compiled if blocks.compiled else _over_rows
    total, weights, valid, gradient = over_rows(rules, 1 / temperature, blocks)(everything)
    divisor = tf.ones_like(total) if reduction == "sum" else weights
    loss, gradient = (tf.math.divide_no_nan(value, divisor) for value in (total, gradient))
    return Contrast(with_gradient(embeddings, loss, gradient), valid)


@functools.lru_cache(maxsize=64)
def _compiled(rules: Rules, scale: float, blocks: Blocks) -> Callable[[Rows], tuple[tf.Tensor, ...]]:
    return tf.function(_over_rows(rules, scale, blocks), jit_compile=True, autograph=False)


def _over_rows(rules: Rules, scale: float, blocks: Blocks) -> Callable[[Rows], tuple[tf.Tensor, ...]]:
    def over_rows(everything: Rows) -> tuple[tf.Tensor, ...]:
        width = everything.points.shape[1]
        block_sums = functools.partial(_block_sums, rules, scale)
        sums, valid, gradient = summed(block_sums, everything, blocks, width=width, number=2)
        return *sums, valid, gradient

    return over_rows


def _block_sums(rules: Rules, scale: float, part: Rows, everything: Rows) -> RowSums:
    """Weighted losses and weights of anchors; all matrices are `[rows, N]`."""
    exponents = scale * tf.matmul(part.points, everything.points, transpose_b=True)
    positives, negatives = allowed(everything, part, rules)
    positives &= part.index[:, None] != everything.index[None, :]
    some = positives | negatives
    largest = tf.reduce_max(tf.where(some, exponents, exponents.dtype.min), axis=1, keepdims=True)
    exponents = tf.where(some, exponents - largest, 0)
    weight = everything.weight[None, :]
    share = tf.where(some, weight * tf.exp(exponents), 0)
    total = tf.reduce_sum(share, axis=1, keepdims=True)
    close = tf.where(positives, weight, 0)
    of_positives = tf.reduce_sum(close, axis=1, keepdims=True)
    close = tf.math.divide_no_nan(close, of_positives)
    valid = of_positives > 0
    anchors = tf.where(valid, part.weight[:, None], 0)
    losses = tf.math.log(tf.where(valid, total, 1)) - tf.reduce_sum(close * exponents, axis=1, keepdims=True)
    pull = anchors * scale * (tf.math.divide_no_nan(share, total) - close)
    return RowSums(
        (tf.reduce_sum(anchors * losses), tf.reduce_sum(anchors)),
        valid[:, 0],
        tf.matmul(pull, everything.points),
        tf.matmul(pull, part.points, transpose_a=True),
    )
