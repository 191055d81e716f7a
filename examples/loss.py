"""A loss of one's own: Huber's, which is squared for small errors and straight for large ones.

Raters of emotion are sometimes far off. Their frames pull a squared error hard, and this one less. Beside it, one for
classes: the focal loss of Lin et al. (2017), in which utterances that are recognised already count little.

    cd examples && python -m emobed_tf.train --dataset recola --regression-loss loss:huber
    cd examples && python -m emobed_tf.train --dataset omg --classification-loss loss:focal
"""

import tensorflow as tf

DELTA = 0.1  # of arousal, which lies in [-1, 1]
GAMMA = 2.0


def huber(y_true, y_pred, mask):
    """Mean over the frames that count.

    Takes float32 labels and predictions `[batch, frames]`, and a bool mask of the same shape: False is padding, or a
    frame without a label. Neither may change the result, and there may be no frame at all.
    """
    error = tf.abs(y_true - y_pred)
    each = tf.where(error < DELTA, error**2 / 2, DELTA * (error - DELTA / 2))
    counts = tf.cast(mask, y_pred.dtype)
    return tf.reduce_sum(counts * each) / tf.maximum(tf.reduce_sum(counts), 1)


def focal(classes, logits):
    """Mean over utterances. Takes int32 classes `[batch]` and float32 logits `[batch, classes]`."""
    cross_entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)
    return tf.reduce_mean((1 - tf.exp(-cross_entropy)) ** GAMMA * cross_entropy)
