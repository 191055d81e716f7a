"""Assertions in the graph that refuse in words."""

import pytest

pytestmark = pytest.mark.usefixtures("stack")


def test_words_and_numbers_are_put_together():
    import tensorflow as tf

    from emobed_tf.saved_model.refusing import in_words, refuse_unless

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32)])
    def checked(numbers):
        with tf.control_dependencies(
            [refuse_unless(tf.size(numbers) == 1, "expected one, got ", in_words(numbers), "!")]
        ):
            return tf.identity(numbers)

    assert checked(tf.constant([7])).numpy() == [7]
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected one, got 1, 2!"):
        checked(tf.constant([1, 2]))
