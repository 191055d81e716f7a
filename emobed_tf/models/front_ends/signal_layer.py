"""Layers that read samples: what they see of the past, and how they go on from there."""

from typing import Any

import keras
import tensorflow as tf

_FRAMES_AT_ONCE = 512  # of a batch, in inference: what is in memory between layers doesn't grow with a recording
_LEAST_AT_ONCE = 8  # of each sequence


class SignalLayer(keras.layers.Layer):
    """Samples in frames to channels, causal: a frame's channels depend on its samples and on the `tail` before them.

    Before the first sample there is silence. Since the tail is all that is remembered, and silence is its first value,
    chunks of a recording give what the whole gives. Outside of training, frames are computed in pieces, so that a long
    recording takes no more memory than a short one.

    A subclass says what its `tail` is, and what it makes of samples, see `channels_of`.

    Input float32 `[batch, frames, samples]`, output float32 `[batch, frames, channels]`.
    """

    compile_training = False
    """Whether XLA compiles it in training, for which shapes have to be known."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._compiled = tf.function(self.channels_of, jit_compile=True, autograph=False)

    @property
    def tail(self) -> int:
        """Samples before a frame that its channels depend on; known once it is built."""
        raise NotImplementedError

    @property
    def channels(self) -> int:
        """Channels of a frame; known once it is built."""
        raise NotImplementedError

    def channels_of(self, signal: tf.Tensor) -> tf.Tensor:
        """What the layer computes.

        Args:
            signal: float32 `[batch, tail + frames * samples]`.

        Returns:
            float32 `[batch, frames, channels]`.
        """
        raise NotImplementedError

    @property
    def receptive_field(self) -> int:
        """Samples that a frame's channels depend on, its own the last."""
        return self.tail + self.samples

    def build(self, input_shape: tuple[int | None, int | None, int]) -> None:
        """Takes note of how many samples a frame has.

        Args:
            input_shape: of `[batch, frames, samples]`; the last size has to be known.
        """
        self.samples = int(input_shape[-1])

    def compute_output_shape(self, input_shape: tuple[int | None, int | None, int]) -> tuple[int | None, ...]:
        """Shape of the output.

        Args:
            input_shape: of `[batch, frames, samples]`.

        Returns:
            `(batch, frames, channels)`.
        """
        return (*input_shape[:-1], self.channels)

    @property
    def stream_state_shape(self) -> tuple[int] | None:
        """What is remembered of a sequence: the last samples; see `streaming`."""
        return (self.tail,) if self.tail else None

    def stream(self, inputs: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Goes on from a state.

        Args:
            inputs: float32 `[batch, frames, samples]`, the next frames, one or more.
            state: float32 `[batch, tail]`, zeros before the first frame.

        Returns:
            Outputs `[batch, frames, channels]`, and the state after the last frame.
        """
        signal = tf.concat([state, self._flat(inputs)], axis=1)
        return self._in_pieces(signal), signal[:, tf.shape(signal)[1] - self.tail :]

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Outputs of whole sequences.

        Args:
            inputs: float32 `[batch, frames, samples]`.
            training: whether all frames are computed at once, and the layer may compile itself.

        Returns:
            float32 `[batch, frames, channels]`.
        """
        signal = tf.pad(self._flat(inputs), [[0, 0], [self.tail, 0]])
        if not training:
            return self._in_pieces(signal)
        compiles = self.compile_training and signal.shape.is_fully_defined() and not tf.executing_eagerly()
        return self._compiled(signal) if compiles else self.channels_of(signal)

    def _flat(self, inputs: tf.Tensor) -> tf.Tensor:
        known = inputs.shape[1] is not None
        return tf.reshape(inputs, [tf.shape(inputs)[0], inputs.shape[1] * self.samples if known else -1])

    def _in_pieces(self, signal: tf.Tensor) -> tf.Tensor:
        batch, length = tf.unstack(tf.shape(signal))
        frames = (length - self.tail) // self.samples
        size = tf.maximum(_LEAST_AT_ONCE, _FRAMES_AT_ONCE // tf.maximum(batch, 1))
        pieces = tf.TensorArray(
            tf.float32, size=-(-frames // size), element_shape=[None, signal.shape[0], self.channels], infer_shape=False
        )

        def piece(k: tf.Tensor, done: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
            last = tf.minimum((k + 1) * size, frames)
            part = signal[:, k * size * self.samples : self.tail + last * self.samples]
            return k + 1, done.write(k, tf.transpose(self.channels_of(part), [1, 0, 2]))

        _, pieces = tf.while_loop(lambda k, _: k * size < frames, piece, [0, pieces], parallel_iterations=1)
        outputs = tf.transpose(pieces.concat(), [1, 0, 2])
        return tf.ensure_shape(outputs, [signal.shape[0], None, self.channels])


def windows(frames: tf.Tensor, width: int, step: int) -> tf.Tensor:
    """Windows over time, each as one row. They come from blocks side by side, which no gradient has to scatter.

    Args:
        frames: float32 `[batch, times, channels]`, of `(windows - 1) * step + width` times.
        width: times of a window.
        step: from one window to the next.

    Returns:
        float32 `[batch, windows, width * channels]`.
    """
    channels, blocks = frames.shape[-1], -(-width // step)
    padded = tf.pad(frames, [[0, 0], [0, blocks * step - width], [0, 0]]) if width % step else frames
    times = padded.shape[1]
    count = times // step if times is not None else tf.shape(padded)[1] // step
    padded = tf.reshape(padded, [tf.shape(padded)[0], count, step * channels])
    many = count - blocks + 1
    side_by_side = tf.concat([padded[:, k : k + many] for k in range(blocks)], axis=-1)
    return side_by_side[..., : width * channels]


def nearest_divisor(number: int, wanted: int) -> int:
    """The divisor that is nearest to a number.

    Args:
        number: that is to be divided without a remainder, >= 1.
        wanted: >= 1.

    Returns:
        The larger one of two that are as near.
    """
    divisors = [k for k in range(1, number + 1) if number % k == 0]
    return min(divisors, key=lambda k: (abs(k - wanted), -k))
