"""Sound as a served model takes it: a file's bytes, or 16-bit samples; to frames of samples, in the graph."""

import struct

import tensorflow as tf

from emobed_tf.corpora.samples import FULL_SCALE
from emobed_tf.saved_model.refusing import in_words, refuse_unless

REST = "rest_bytes"
"""What of a chunk is less than a frame: sent along with the next one. Bytes, so a server writes it as base64."""
_BYTES = 2  # of a sample
_HEAD = 44  # bytes before the samples of a usual file


def frames_of_wav(wav: tf.Tensor, samples: int, rate: int) -> tf.Tensor:
    """The frames of a file.

    Args:
        wav: string `[1]`, all bytes of a WAV file: 16-bit PCM, one channel.
        samples: of a frame.
        rate: that the file has to have, in Hz.

    Returns:
        float32 `[1, frames, samples]` in [-1, 1). What is behind the last whole frame is left out; a file that is
        shorter than a frame is one, with silence behind it.
    """
    single = refuse_unless(
        tf.size(wav) == 1, "expected one file a request, got ", in_words(tf.size(wav)), "; send one after another"
    )
    with tf.control_dependencies([single]):
        content = tf.reshape(wav, [-1])[0]
    head = tf.strings.join([content, " " * _HEAD])  # so that there is something everywhere in it
    file, kind, part, layout, bits = (
        tf.strings.substr(head, first, size) for first, size in ((0, 4), (8, 4), (12, 4), (20, 2), (34, 2))
    )
    # Where something stands before the format, the decoder finds it, and complains in words of its own.
    is_pcm = (part != "fmt ") | ((layout == _two_bytes(1)) & (bits == _two_bytes(8 * _BYTES)))
    is_wav = refuse_unless(
        (file == "RIFF") & (kind == "WAVE"), "expected the bytes of a WAV file (RIFF), got something else"
    )
    with tf.control_dependencies([is_wav]):
        is_plain = refuse_unless(
            is_pcm, "expected a WAV file of 16-bit PCM, got another kind of samples; write it anew as 16-bit"
        )
    with tf.control_dependencies([is_plain]):
        sound, found = tf.audio.decode_wav(content)
    length, channels = tf.unstack(tf.shape(sound))
    fits = [
        refuse_unless(found == rate, f"expected sound at {rate:,} Hz, got ", in_words(found), " Hz; resample it"),
        refuse_unless(channels == 1, "expected one channel, got ", in_words(channels), "; mix them down to one"),
        refuse_unless(length > 0, "expected sound, got a file without a sample"),
    ]
    with tf.control_dependencies(fits):
        sound = tf.reshape(sound, [-1])
    whole = tf.maximum(1, length // samples) * samples
    return tf.reshape(tf.pad(sound, [[0, tf.maximum(0, whole - length)]])[:whole], [1, -1, samples])


def frames_of_pcm(pcm: tf.Tensor, rest: tf.Tensor, samples: int) -> tuple[tf.Tensor, tf.Tensor]:
    """The frames of samples that are sent as bytes.

    Args:
        pcm: string `[batch]`, 16-bit samples, little-endian, as many in each.
        rest: string `[batch]`, what was left over before; "" at the beginning.
        samples: of a frame.

    Returns:
        float32 `[batch, frames, samples]` in [-1, 1), one frame or more; and what is left over, string `[batch]`.
    """
    alike = refuse_unless(tf.size(rest) == tf.size(pcm), f"expected one {REST} for each chunk")
    with tf.control_dependencies([alike]):
        sent = tf.strings.join([tf.reshape(rest, [-1]), tf.reshape(pcm, [-1])])
    sizes = tf.strings.length(sent)
    size = tf.reduce_max(sizes)
    least = samples * _BYTES
    fits = [
        refuse_unless(tf.reduce_all(sizes == size), "expected as many samples in each element of the batch"),
        refuse_unless(size % _BYTES == 0, "expected 16-bit samples, got an odd number of bytes, ", in_words(size)),
        refuse_unless(
            size >= least,
            f"expected a frame, {samples} samples of 16 bits, or more; with what was left over, got ",
            in_words(size // _BYTES),
        ),
    ]
    with tf.control_dependencies(fits):
        used = size // least * least
    values = tf.io.decode_raw(tf.strings.substr(sent, 0, used), tf.int16)
    frames = tf.cast(tf.reshape(values, [tf.size(sent), -1, samples]), tf.float32) / FULL_SCALE
    return frames, tf.strings.substr(sent, used, size - used)


def example_sound(samples: int, rate: int) -> dict[str, bytes]:
    """A frame of silence, for warm-up requests.

    Args:
        samples: of a frame.
        rate: in Hz.

    Returns:
        By the name of an input: `wav`, `pcm`, and nothing left over.
    """
    silence = bytes(samples * _BYTES)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * _BYTES, _BYTES, 8 * _BYTES)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(silence)) + silence
    return {"wav": struct.pack("<4sI", b"RIFF", len(body)) + body, "pcm": silence, REST: b""}


def _two_bytes(value: int) -> bytes:
    return struct.pack("<H", value)
