"""A model that takes as long as it is told to."""

import tensorflow as tf


def export_slow(folder):
    """A version with three signatures, `amount` [batch] -> `amount` [batch]; the first element counts.

    - `serving_default`: counts so far; can be stopped at any time
    - `wide`: `amount` [batch] -> [batch, so many] ones
    - `stubborn`: multiplies two matrices with so many rows, which nothing can stop
    """
    amount = tf.TensorSpec([None], tf.float32, name="amount")

    @tf.function(input_signature=[amount])
    def count(amount):
        counted = tf.constant(0.0, tf.float64)
        while counted < tf.cast(amount[0], tf.float64):
            counted += 1
        return {"amount": tf.cast(counted, tf.float32)[tf.newaxis]}

    @tf.function(input_signature=[amount])
    def multiply(amount):
        matrix = tf.ones([tf.cast(amount[0], tf.int32)] * 2)
        return {"amount": tf.matmul(matrix, matrix)[0, :1]}

    @tf.function(input_signature=[amount])
    def widen(amount):
        return {"amount": tf.ones([tf.size(amount), tf.cast(amount[0], tf.int32)])}

    signatures = {"serving_default": count, "stubborn": multiply, "wide": widen}
    tf.saved_model.save(tf.Module(), str(folder), signatures)
