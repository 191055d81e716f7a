"""Which item stands where in a modality's endless stream: a function of seed, modality and position alone."""

import zlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

Drawn = Callable[[tf.Tensor], tf.Tensor]
"""Items, int64 `[n]`, at positions, int64 `[n]`."""


def drawn_items(modality: str, items: int, seed: int, classes: np.ndarray | None = None) -> Drawn:
    """A stream of all items, each once before any comes again; or one that goes round their classes.

    Any stretch of a stream that goes round has as many items of one class as of another, or one more, and a class gives
    each of its items once before any comes again. A stretch of fewer items than there are classes has as many classes
    as items.

    Args:
        modality: whose items; each has its own order.
        items: how many.
        seed: of the order.
        classes: int `[items]`, those that the stream goes round; None: they don't matter.

    Returns:
        A function of positions.
    """
    if classes is None:
        key = tf.constant(zlib.crc32(modality.encode()), tf.int64)
        return lambda position: _shuffled(position, tf.constant(items, tf.int64), seed, key)
    names, members = np.unique(classes, return_counts=True)
    by_class, sizes = tf.constant(np.argsort(classes, kind="stable")), tf.constant(members)
    starts = tf.constant(np.cumsum(members) - members)
    keys = tf.constant([zlib.crc32(f"{modality}/{name}".encode()) for name in names.tolist()], tf.int64)

    def drawn(position: tf.Tensor) -> tf.Tensor:
        of = position % len(names)
        within = _shuffled(position // len(names), tf.gather(sizes, of), seed, tf.gather(keys, of))
        return tf.gather(by_class, tf.gather(starts, of) + within)

    return drawn


def _shuffled(position: tf.Tensor, items: tf.Tensor, seed: int, key: tf.Tensor) -> tf.Tensor:
    """Items in an order that is another one in each pass through them, a function of seed, key and pass alone."""
    shape = tf.shape(position)
    along = [tf.fill(shape, tf.constant(seed, tf.int64)), tf.broadcast_to(key, shape), position // items]
    # The public wrapper of this operation takes a single seed; here every position has its pass's own.
    return tf.raw_ops.RandomIndexShuffle(
        index=position % items, seed=tf.cast(tf.stack(along, axis=1), tf.uint32), max_index=items - 1
    )
