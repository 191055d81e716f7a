"""Losses that compare every embedding of a batch with all others, with their gradients, in memory that grows with N.

A loss of this kind has a value for each row, and its gradient is a product of a matrix `[rows, N]` with embeddings.
Both are made together, block by block, so that nothing has to be kept, or computed again, for the way back.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from emobed_tf.models.pairing import Blocks, Rows, taken


class RowSums(NamedTuple):
    """What a block of rows adds up to.

    Attributes:
        sums: a scalar for each number that the loss is made of, the numerator of the loss first.
        counted: bool `[rows]`, rows that are anchors.
        own: gradient of the numerator in the block's own embeddings, `[rows, E]`.
        others: that in all of them, `[N, E]`.
    """

    sums: tuple[tf.Tensor, ...]
    counted: tf.Tensor
    own: tf.Tensor
    others: tf.Tensor


def summed(
    block_sums: Callable[[Rows, Rows], RowSums], everything: Rows, blocks: Blocks, *, width: int, number: int
) -> tuple[list[tf.Tensor], tf.Tensor, tf.Tensor]:
    """A loss over all rows, block by block.

    Args:
        block_sums: of a block of rows and all of them.
        everything: all rows, with a mask.
        blocks: how many rows are taken at a time.
        width: dimensions of the gradient.
        number: of sums.

    Returns:
        The sums; bool `[N]`, which rows are anchors; the gradient of the first sum, `[N, E]`.
    """
    if isinstance(blocks.n, int) and isinstance(blocks.rows, int) and blocks.n <= blocks.rows:
        whole = block_sums(everything, everything)
        return list(whole.sums), whole.counted, whole.own + whole.others
    rows = blocks.rows if isinstance(blocks.n, int) else tf.minimum(blocks.rows, blocks.n)

    def step(k: tf.Tensor, gradient: tf.Tensor, counted: tf.Tensor, *sums: tf.Tensor) -> tuple[tf.Tensor, ...]:
        # The last block begins earlier, so that all have one shape; rows that have had their turn are masked.
        part = taken(everything, tf.minimum(k * rows, blocks.n - rows) + tf.range(rows))
        part = part._replace(mask=part.mask & (part.index >= k * rows))
        found = block_sums(part, everything)
        which = part.index[:, None]
        gradient = tf.tensor_scatter_nd_add(gradient + found.others, which, found.own)
        counted = tf.tensor_scatter_nd_max(counted, which, tf.cast(found.counted, tf.int32))
        return k + 1, gradient, counted, *(a + b for a, b in zip(sums, found.sums, strict=True))

    dtype = everything.points.dtype
    gradient, counted = tf.zeros([blocks.n, width], dtype), tf.zeros([blocks.n], tf.int32)
    start = (0, gradient, counted, *[tf.zeros([], dtype)] * number)
    found = tf.while_loop(lambda k, *_: k * rows < blocks.n, step, start, parallel_iterations=1)
    return list(found[3:]), found[2] > 0, found[1]


def with_gradient(embeddings: tf.Tensor, value: tf.Tensor, gradient: tf.Tensor) -> tf.Tensor:
    """A loss whose gradient is known.

    Args:
        embeddings: that it depends on, float `[N, E]`.
        value: scalar.
        gradient: of the value in the embeddings, `[N, E]`.

    Returns:
        The value. It can be derived once, not twice.
    """

    @tf.custom_gradient
    def known(embeddings: tf.Tensor) -> tuple[tf.Tensor, Callable[..., Any]]:
        return tf.identity(value), lambda upstream: upstream * gradient

    return known(embeddings)
