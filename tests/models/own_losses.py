"""Losses of one's own: some that work, and one for each rule that can be broken."""

import tensorflow as tf

from emobed_tf.models.label_losses import RegressionLoss


def absolute(y_true, y_pred, mask):
    weight = tf.cast(mask, y_pred.dtype)
    return tf.reduce_sum(weight * tf.abs(y_true - y_pred)) / tf.maximum(tf.reduce_sum(weight), 1)


def _scaled(y_true, y_pred, mask, deviation):
    return absolute(y_true, y_pred, mask) / deviation


scaled = RegressionLoss(_scaled, scaled=True)


def brier(classes, logits):
    """Sum of squared differences between probabilities and the label."""
    return tf.reduce_mean(tf.reduce_sum((tf.nn.softmax(logits) - tf.one_hot(classes, logits.shape[-1])) ** 2, axis=-1))


def two_arguments(y_true, y_pred):
    return tf.reduce_mean(y_true - y_pred)


def of_each(y_true, y_pred, mask):
    return tf.reduce_mean(tf.where(mask, y_pred - y_true, 0.0), axis=1)


def sees_padded_labels(y_true, y_pred, mask):
    return absolute(y_true - tf.reduce_mean(y_true), y_pred, mask)


def sees_padded_predictions(y_true, y_pred, mask):
    return absolute(y_true, y_pred, mask) + tf.reduce_mean(y_pred)


def nothing_of_nothing(y_true, y_pred, mask):
    return tf.reduce_mean(tf.abs(tf.boolean_mask(y_true - y_pred, mask)))


def infinite(y_true, y_pred, mask):
    return tf.math.log(tf.zeros([])) * absolute(y_true, y_pred, mask)


def without_gradient(y_true, y_pred, mask):
    return tf.reduce_sum(tf.cast(mask & (y_true != y_pred), tf.float32))


def steep(y_true, y_pred, mask):
    return tf.sqrt(0 * absolute(y_true, y_pred, mask))


def of_each_utterance(classes, logits):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits)


def error_rate(classes, logits):
    return tf.reduce_mean(tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) != classes, tf.float32))


def nothing(classes, logits):
    pass
