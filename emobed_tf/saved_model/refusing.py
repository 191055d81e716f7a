"""Assertions in the graph that refuse a request in words."""

import tensorflow as tf


def refuse_unless(holds: tf.Tensor, *words: str | tf.Tensor) -> tf.Operation:
    """An assertion whose message is a sentence.

    Args:
        holds: bool, a scalar.
        *words: what is said otherwise, put together; strings or string tensors.

    Returns:
        The assertion.
    """
    return tf.debugging.Assert(holds, [tf.strings.join(words)])


def in_words(numbers: tf.Tensor) -> tf.Tensor:
    """Numbers for a message.

    Args:
        numbers: any shape.

    Returns:
        A string, numbers separated by commas.
    """
    return tf.strings.reduce_join(tf.strings.as_string(numbers), separator=", ")
