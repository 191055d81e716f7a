"""Features in bytes, as a served model takes them: digits take longer to write and read than a network to answer."""

import tensorflow as tf

from emobed_tf.saved_model.manifest import PACKED
from emobed_tf.saved_model.refusing import in_words, refuse_unless

_BYTES = 4  # of a number


def frames_of_packed(packed: tf.Tensor, width: int, modality: str) -> tf.Tensor:
    """The features of recordings that are sent as bytes.

    Args:
        packed: string `[batch]`, float32, little-endian, frame by frame; as many in each. NaN is a missing value.
        width: features of a frame.
        modality: that they are of, for the message.

    Returns:
        float32 `[batch, frames, width]`. Nothing but their number is checked.
    """
    packed = tf.reshape(packed, [-1])
    size, frame = tf.reduce_max(tf.strings.length(packed)), width * _BYTES
    some = refuse_unless(tf.size(packed) > 0, "expected one recording or more, got none")
    with tf.control_dependencies([some]):
        alike = refuse_unless(
            tf.reduce_all(tf.strings.length(packed) == size),
            "expected recordings of one length in a request; send the others in requests of their own",
        )
    with tf.control_dependencies([alike]):
        fits = refuse_unless(
            size % frame == 0,
            f"expected {width} {modality} features of {_BYTES} bytes a frame, {frame} bytes or a multiple, got ",
            in_words(size),
            " bytes; see features in the manifest",
        )
    with tf.control_dependencies([fits]):
        values = tf.io.decode_raw(packed, tf.float32)
    return tf.reshape(values, [tf.size(packed), size // frame, width])


def example_packed(width: int) -> dict[str, bytes]:
    """A frame of zeros, for a warm-up request.

    Args:
        width: features of a frame.

    Returns:
        The bytes by the name of the input.
    """
    return {PACKED: bytes(width * _BYTES)}
