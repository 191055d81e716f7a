"""Stacks of convolutions over samples: a fast one, and two of the field's references.

Sources of the references: P. Tzirakis, J. Zhang, and B. W. Schuller, "End-to-end speech emotion recognition using deep
neural networks", ICASSP 2018; J. Zhao, X. Mao, and L. Chen, "Speech emotion recognition using deep 1D & 2D CNN LSTM
networks", Biomedical Signal Processing and Control 47, 2019; widths, kernels, pools and activations as in the toolkit
end2you. Here each convolution is causal and sees samples across the borders of frames; there, frames are cut first.
Batch normalisation is left out, because it counts padding, and such a training doesn't repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from emobed_tf.models.front_ends.signal_layer import SignalLayer, nearest_divisor, windows
from emobed_tf.settings import Network


@dataclass(frozen=True)
class Stage:
    """A convolution and what follows it.

    Attributes:
        filters: channels of its output.
        kernel: times that it sees.
        stride: from one of its outputs to the next, in times of its input.
        pool: outputs of which the largest is kept.
    """

    filters: int
    kernel: int
    stride: int = 1
    pool: int = 1


_CONV = (Stage(32, 20, stride=10), Stage(64, 8, stride=8), Stage(128, 8, stride=8))
_EMO18 = (Stage(64, 8, pool=10), Stage(128, 6, pool=8), Stage(256, 6, pool=8))
_ZHAO19 = (Stage(64, 3, pool=4), Stage(64, 3, pool=4), Stage(128, 3, pool=4), Stage(128, 3, pool=4))


def conv(network: Network, modality: str, xla: bool) -> list[keras.layers.Layer]:
    """Three strided convolutions without pooling, each a single product: the fast one.

    Args:
        network: without effect.
        modality: whose front end it is.
        xla: without effect: strided convolutions are faster as they are.

    Returns:
        One layer, `ConvolutionStack`; of a frame of 40 ms it makes 128 channels.
    """
    return [ConvolutionStack(_CONV, "relu", name=f"{modality}.conv")]


def emo18(network: Network, modality: str, xla: bool) -> list[keras.layers.Layer]:
    """Three convolutions with pooling (Tzirakis et al., 2018).

    Args:
        network: without effect.
        modality: whose front end it is.
        xla: whether it may compile itself in training.

    Returns:
        One layer, `ConvolutionStack`; of a frame of 40 ms it makes 256 channels.
    """
    return [_compiling(ConvolutionStack(_EMO18, "leaky_relu", name=f"{modality}.emo18"), xla)]


def zhao19(network: Network, modality: str, xla: bool) -> list[keras.layers.Layer]:
    """Four convolutions with pooling (Zhao et al., 2019).

    Of a frame of 40 ms the last pool covers 5 steps instead of 4, so that two of them are the whole frame.

    Args:
        network: without effect.
        modality: whose front end it is.
        xla: whether it may compile itself in training.

    Returns:
        One layer, `ConvolutionStack`; of a frame of 40 ms it makes 2 times 128 channels.
    """
    return [_compiling(ConvolutionStack(_ZHAO19, "elu", name=f"{modality}.zhao19"), xla)]


def _compiling(layer: "ConvolutionStack", xla: bool) -> "ConvolutionStack":
    layer.compile_training = xla
    return layer


_ACTIVATIONS = {
    "relu": tf.nn.relu,
    "leaky_relu": lambda values: tf.nn.leaky_relu(values, 0.01),
    "elu": tf.nn.elu,
}


@keras.saving.register_keras_serializable(package="emobed_tf")
class ConvolutionStack(SignalLayer):
    """Causal convolutions over samples, each followed by pooling and an activation; the last one's steps side by side.

    The steps of a frame have to be a whole number at each stage. Where a stride or a pool doesn't divide them, the
    nearest number that does is taken, and a kernel is at least as long as its stride. So any number of samples a frame
    will do. Pooling comes before the activation, which is the same for one that never falls, and faster.

    Input float32 `[batch, frames, samples]`, output float32 `[batch, frames, steps * filters]`.

    Args:
        stages: one or more; each a `Stage`, or its values in their order.
        activation: `relu`, `leaky_relu` (slope 0.01) or `elu`.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, stages: Sequence[Stage | Sequence[int]], activation: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.stages = tuple(stage if isinstance(stage, Stage) else Stage(*stage) for stage in stages)
        self.activation = activation

    def build(self, input_shape: tuple[int | None, int | None, int]) -> None:
        """Fits the stages to the samples of a frame, and makes kernels and biases.

        Args:
            input_shape: of `[batch, frames, samples]`; the last size has to be known.
        """
        super().build(input_shape)
        self.fitted = fitted(self.stages, self.samples)
        self._weights_of_stages, width = [], 1
        for k, stage in enumerate(self.fitted, 1):
            kernel = self.add_weight(
                shape=(stage.kernel, width, stage.filters),
                initializer=keras.initializers.get("he_uniform"),
                name=f"stage_{k}_kernel",
            )
            bias = self.add_weight(
                shape=(stage.filters,), initializer=keras.initializers.get("zeros"), name=f"stage_{k}_bias"
            )
            self._weights_of_stages.append((kernel, bias))
            width = stage.filters

    @property
    def tail(self) -> int:
        """Samples before a frame that its channels depend on."""
        return tail_of(self.fitted)

    @property
    def channels(self) -> int:
        """Channels of a frame: steps that are left of it, times filters."""
        steps = self.samples
        for stage in self.fitted:
            steps //= stage.stride * stage.pool
        return steps * self.fitted[-1].filters

    def channels_of(self, signal: tf.Tensor) -> tf.Tensor:
        """What the stages make of samples.

        Args:
            signal: float32 `[batch, tail + frames * samples]`.

        Returns:
            float32 `[batch, frames, channels]`.
        """
        hidden = signal[..., tf.newaxis]
        for stage, (kernel, bias) in zip(self.fitted, self._weights_of_stages, strict=True):
            hidden = _ACTIVATIONS[self.activation](_pooled(_convolved(hidden, kernel, stage), stage.pool) + bias)
        frames = signal.shape[1]
        frames = -1 if frames is None else (frames - self.tail) // self.samples
        return tf.reshape(hidden, [tf.shape(signal)[0], frames, self.channels])

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        stages = [[stage.filters, stage.kernel, stage.stride, stage.pool] for stage in self.stages]
        return {**super().get_config(), "stages": stages, "activation": self.activation}


def fitted(stages: Sequence[Stage], samples: int) -> tuple[Stage, ...]:
    """Stages whose strides and pools divide a frame, see `ConvolutionStack`.

    Args:
        stages: as they were meant.
        samples: of a frame.

    Returns:
        As they are built.
    """
    found, steps = [], samples
    for stage in stages:
        stride = nearest_divisor(steps, stage.stride)
        pool = nearest_divisor(steps // stride, stage.pool)
        steps //= stride * pool
        found.append(Stage(stage.filters, max(stage.kernel, stride), stride, pool))
    return tuple(found)


def tail_of(stages: Sequence[Stage]) -> int:
    """Samples before a frame that the stages' last steps in it depend on.

    A step of a stage covers `pool * stride` times of its input, and `kernel - stride` more before them.

    Args:
        stages: whose steps end with the frame.

    Returns:
        0 or more.
    """
    tail = 0
    for stage in reversed(stages):
        tail = tail * stage.pool * stage.stride + stage.kernel - stage.stride
    return tail


def _convolved(hidden: tf.Tensor, kernel: keras.Variable, stage: Stage) -> tf.Tensor:
    if stage.stride == 1:
        return tf.nn.conv1d(hidden, tf.convert_to_tensor(kernel), 1, "VALID")
    return tf.tensordot(windows(hidden, stage.kernel, stage.stride), tf.reshape(kernel, [-1, stage.filters]), 1)


def _pooled(hidden: tf.Tensor, pool: int) -> tf.Tensor:
    if pool == 1:
        return hidden
    times = -1 if hidden.shape[1] is None else hidden.shape[1] // pool
    parts = tf.reshape(hidden, [tf.shape(hidden)[0], times, pool, hidden.shape[-1]])
    return tf.reduce_max(parts, axis=2)  # much faster than a pooling operation, gradients included
