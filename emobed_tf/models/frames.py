"""Frames of padded sequences in the graph."""

import tensorflow as tf


def last_frame(sequence: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Values at each sequence's last existing frame.

    Args:
        sequence: `[batch, frames, ...]`.
        mask: bool `[batch, frames]`, True where a frame exists.

    Returns:
        `[batch, ...]`; of a sequence without any frame, the first one's.
    """
    if sequence.shape[1] == 1:
        return tf.squeeze(sequence, 1)  # a slice has a slower gradient
    last = tf.maximum(tf.reduce_sum(tf.cast(mask, tf.int32), axis=1) - 1, 0)
    return tf.gather(sequence, last, batch_dims=1)


def delayed(sequence: tf.Tensor, frames: int) -> tf.Tensor:
    """`corpora.time.shift` in the graph: the first value repeated, the last ones dropped.

    Args:
        sequence: `[batch, frames, ...]`.
        frames: to delay by, >= 0.

    Returns:
        `[batch, frames, ...]`.
    """
    length = tf.shape(sequence)[1]
    return tf.gather(sequence, tf.maximum(tf.range(length) - frames, 0), axis=1)
