"""A temporal convolutional network as an encoder: causal dilated convolutions with residual connections.

Source: S. Bai, J. Z. Kolter, and V. Koltun, "An empirical evaluation of generic convolutional and recurrent networks
for sequence modeling", arXiv:1803.01271, 2018; here without weight normalisation and dropout, and with tanh instead of
rectifiers behind the last block, so that embeddings are bounded as a GRU's are.
"""

from typing import Any

import keras
import tensorflow as tf

from emobed_tf.errors import InputError
from emobed_tf.settings import Network

_MOST_FRAMES = 100_000  # more than an hour of 25 frames a second


def tcn(network: Network, modality: str, xla: bool) -> list[keras.layers.Layer]:
    """Residual blocks, the k-th with dilation 2^(k - 1). Embeddings lie in (-1, 1).

    An embedding sees `receptive_field(kernel_size, encoder_layers)` frames, its own the last: with a kernel of 3 frames
    13 in 2 blocks, 61 in 4, 253 in 6.

    Args:
        network: blocks (its encoder layers), units and kernel size.
        modality: whose encoder it is.
        xla: without effect.

    Returns:
        The blocks, in their order.

    Raises:
        InputError: if it would see more than 100,000.
    """
    frames = receptive_field(network.kernel_size, network.encoder_layers)
    if frames > _MOST_FRAMES:
        raise InputError(
            f"--encoder tcn: with --encoder-layers {network.encoder_layers} and --kernel-size {network.kernel_size} it "
            f"sees {frames:,} frames; expected {_MOST_FRAMES:,} at most"
        )
    return [
        TemporalBlock(
            network.encoder_units,
            network.kernel_size,
            dilation=2**k,
            bounded=k + 1 == network.encoder_layers,
            name=f"{modality}.block_{k + 1}",
        )
        for k in range(network.encoder_layers)
    ]


def receptive_field(kernel_size: int, blocks: int) -> int:
    """Frames that an embedding depends on: the present one and those before it.

    Each block has two convolutions, and each of them adds (kernel size - 1) times its dilation.

    Args:
        kernel_size: frames of a convolution, >= 1.
        blocks: with the dilations 1, 2, 4, ...

    Returns:
        Number of frames, >= 1.
    """
    return 1 + 2 * (kernel_size - 1) * (2**blocks - 1)


@keras.saving.register_keras_serializable(package="emobed_tf")
class TemporalBlock(keras.layers.Layer):
    """A residual block of two causal dilated convolutions (Bai et al., 2018, Fig. 1b).

        h = relu(conv(x))        y = relu(relu(conv(h)) + x), or bounded: y = tanh(conv(h) + x)

    With other units than inputs, x passes a linear layer of its own on its way to the sum. Before the first frame, the
    convolutions see zeros. The layer can be streamed: it remembers the last (kernel size - 1) * dilation frames of x
    and of h, side by side.

    Input float32 `[batch, frames, features]`, output `[batch, frames, units]`.

    Args:
        units: channels of both convolutions.
        kernel_size: frames of a convolution, >= 2.
        dilation: frames between two that a convolution sees, >= 1.
        bounded: whether outputs lie in (-1, 1); else they are not negative.
        **kwargs: of `keras.layers.Layer`.

    Raises:
        ValueError: for a smaller kernel or dilation.
    """

    def __init__(self, units: int, kernel_size: int = 3, dilation: int = 1, bounded: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        for name, value, least in (("kernel_size", kernel_size, 2), ("dilation", dilation, 1)):
            if value < least:
                raise ValueError(f"Invalid value for argument `{name}`. Expected {least} or more. Received: {value}")
        self.units, self.kernel_size, self.dilation, self.bounded = units, kernel_size, dilation, bounded
        glorot, zeros = keras.initializers.get("glorot_uniform"), keras.initializers.get("zeros")
        self.first_kernel_initializer = self.second_kernel_initializer = self.skip_kernel_initializer = glorot
        self.first_bias_initializer = self.second_bias_initializer = self.skip_bias_initializer = zeros

    def build(self, input_shape: tuple[int | None, int | None, int]) -> None:
        """Makes the kernels and biases.

        Args:
            input_shape: of `[batch, frames, features]`; the last size has to be known.
        """
        width = input_shape[-1]
        self._first = self._weights_of("first", (self.kernel_size, width, self.units))
        self._second = self._weights_of("second", (self.kernel_size, self.units, self.units))
        self._skip = None if width == self.units else self._weights_of("skip", (width, self.units))
        self._width = width

    def _weights_of(self, name: str, shape: tuple[int, ...]) -> tuple[keras.Variable, keras.Variable]:
        kernel_initializer = getattr(self, f"{name}_kernel_initializer")
        bias_initializer = getattr(self, f"{name}_bias_initializer")
        kernel = self.add_weight(shape=shape, initializer=kernel_initializer, name=f"{name}_kernel")
        return kernel, self.add_weight(shape=(self.units,), initializer=bias_initializer, name=f"{name}_bias")

    @property
    def stream_state_shape(self) -> tuple[int, int]:
        """What is remembered of a sequence: `[frames, features + units]`; see `streaming`."""
        return (self.kernel_size - 1) * self.dilation, self._width + self.units

    def stream(self, inputs: tf.Tensor, state: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Goes on from a state.

        Args:
            inputs: float32 `[batch, frames, features]`, the next frames, one or more.
            state: float32 `[batch, *stream_state_shape]`, zeros before the first frame.

        Returns:
            Outputs `[batch, frames, units]`, and the state after the last frame.
        """
        past, hidden_past = state[..., : self._width], state[..., self._width :]
        hidden, past = self._convolved(inputs, past, *self._first)
        outputs, hidden_past = self._convolved(tf.nn.relu(hidden), hidden_past, *self._second)
        if self._skip is not None:
            kernel, bias = self._skip
            inputs = tf.tensordot(inputs, kernel, 1) + bias
        outputs = tf.tanh(outputs + inputs) if self.bounded else tf.nn.relu(tf.nn.relu(outputs) + inputs)
        return outputs, tf.concat([past, hidden_past], axis=-1)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Outputs of whole sequences.

        Args:
            inputs: float32 `[batch, frames, features]`.

        Returns:
            float32 `[batch, frames, units]`.
        """
        return self.stream(inputs, tf.zeros([tf.shape(inputs)[0], *self.stream_state_shape], inputs.dtype))[0]

    def _convolved(
        self, inputs: tf.Tensor, past: tf.Tensor, kernel: keras.Variable, bias: keras.Variable
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """A convolution as one product, and the last frames that it saw."""
        frames, reach = tf.concat([past, inputs], axis=1), (self.kernel_size - 1) * self.dilation
        shifts = range(0, reach + 1, self.dilation)
        taps = tf.concat([frames[:, shift : shift - reach or None] for shift in shifts], axis=-1)
        product = tf.tensordot(taps, tf.reshape(kernel, [-1, self.units]), 1)
        return product + bias, frames[:, -reach:]

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_size": self.kernel_size,
            "dilation": self.dilation,
            "bounded": self.bounded,
        }
