"""FusedGRU: `keras.layers.GRU` with the same weights and numbers, several times as fast on a CPU."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

_TANH = (keras.activations.tanh, keras.ops.tanh, tf.tanh)
_SIGMOID = (keras.activations.sigmoid, keras.ops.sigmoid, tf.sigmoid)


def _length(x: tf.Tensor) -> int | tf.Tensor:
    return tf.shape(x)[0] if x.shape[0] is None else x.shape[0]


def _step(x: tf.Tensor, h: tf.Tensor, recurrent_kernel: tf.Tensor, candidate_bias: tf.Tensor) -> tf.Tensor:
    xz, xr, xn = tf.split(x, 3, axis=-1)
    az, ar, an = tf.split(tf.matmul(h, recurrent_kernel), 3, axis=-1)
    n = tf.tanh(xn + tf.sigmoid(xr + ar) * (an + candidate_bias))
    return n + tf.sigmoid(xz + az) * (h - n)


def _forward_loop(x: tf.Tensor, h0: tf.Tensor, recurrent_kernel: tf.Tensor, candidate_bias: tf.Tensor) -> tf.Tensor:
    if x.shape[0] == 1:
        return _step(x[0], h0, recurrent_kernel, candidate_bias)[tf.newaxis]
    frames = _length(x)
    inputs = tf.TensorArray(x.dtype, size=frames, element_shape=x.shape[1:]).unstack(x)
    states = tf.TensorArray(x.dtype, size=frames, element_shape=h0.shape)

    def body(t, h, states):
        h = _step(inputs.read(t), h, recurrent_kernel, candidate_bias)
        return t + 1, h, states.write(t, h)

    states = tf.while_loop(
        lambda t, *_: t < frames, body, (0, h0, states), maximum_iterations=frames, parallel_iterations=1
    )[-1]
    return states.stack()


def _backward_loop(dy: tf.Tensor, keep: tf.Tensor, coefficients: tf.Tensor, recurrent_kernel: tf.Tensor):
    """Returns the gradient of every state [frames, batch, units] and of the initial state [batch, units]."""

    def before(dh, t_keep, t_coefficients):
        return dh * t_keep + tf.matmul(tf.tile(dh, [1, 3]) * t_coefficients, recurrent_kernel, transpose_b=True)

    if dy.shape[0] == 1:
        return dy, before(dy[0], keep[0], coefficients[0])
    frames = _length(dy)
    dys, keeps, cs = (
        tf.TensorArray(a.dtype, size=frames, element_shape=a.shape[1:]).unstack(a) for a in (dy, keep, coefficients)
    )
    dhs = tf.TensorArray(dy.dtype, size=frames, element_shape=dy.shape[1:])

    def body(i, carried, dhs):
        t = frames - 1 - i
        dh = dys.read(t) + carried
        return i + 1, before(dh, keeps.read(t), cs.read(t)), dhs.write(t, dh)

    _, dh0, dhs = tf.while_loop(
        lambda i, *_: i < frames,
        body,
        (0, tf.zeros_like(dy[0]), dhs),
        maximum_iterations=frames,
        parallel_iterations=1,
    )
    return dhs.stack(), dh0


def _first_order(gradient: tf.Tensor) -> tf.Tensor:
    message = "FusedGRU has no second derivative. Use keras.layers.GRU where one is needed."
    return tf.raw_ops.PreventGradient(input=gradient, message=message)


def _backward(units, dy, states, inputs, h0, kernel, recurrent_kernel, bias):
    previous = tf.concat([h0[tf.newaxis], states[:-1]], axis=0)
    x = tf.tensordot(inputs, kernel, 1) + bias[0]
    a = tf.tensordot(previous, recurrent_kernel, 1) + bias[1]
    zr = tf.sigmoid(x[..., : 2 * units] + a[..., : 2 * units])
    z, r = tf.split(zr, 2, axis=-1)
    an = a[..., 2 * units :]
    n = tf.tanh(x[..., 2 * units :] + r * an)
    to_candidate = (1 - z) * (1 - n * n)
    to_update = (previous - n) * z * (1 - z)
    to_reset = to_candidate * an * r * (1 - r)
    coefficients = tf.concat([to_update, to_reset, to_candidate * r], axis=-1)
    dh, dh0 = _backward_loop(dy, z, coefficients, recurrent_kernel)
    da = tf.tile(dh, [1, 1, 3]) * coefficients
    dx = tf.concat([da[..., : 2 * units], dh * to_candidate], axis=-1)
    frames_first = [[0, 1], [0, 1]]
    dinputs = tf.tensordot(dx, kernel, [[2], [1]])
    dkernel = tf.tensordot(inputs, dx, frames_first)
    drecurrent = tf.tensordot(previous, da, frames_first)
    dbias = tf.stack([tf.reduce_sum(dx, [0, 1]), tf.reduce_sum(da, [0, 1])])
    return dinputs, dh0, dkernel, drecurrent, dbias


def _forward(units, inputs, h0, kernel, recurrent_kernel, bias):
    x = tf.tensordot(inputs, kernel, 1) + bias[0] + tf.pad(bias[1][: 2 * units], [[0, units]])
    return _forward_loop(x, h0, recurrent_kernel, bias[1][2 * units :])


_compiled_forward = tf.function(_forward, reduce_retracing=True)
_compiled_backward = tf.function(_backward, reduce_retracing=True)


@tf.custom_gradient
def _gru(inputs, h0, kernel, recurrent_kernel, bias):
    """All states [frames, batch, units] of a GRU over inputs [frames, batch, features]."""
    arguments = (inputs, h0, kernel, recurrent_kernel, bias)
    forward = _compiled_forward if tf.executing_eagerly() else _forward
    units = recurrent_kernel.shape[0]
    states = forward(units, *arguments)

    def grad(dy):
        backward = _compiled_backward if tf.executing_eagerly() else _backward
        return [_first_order(gradient) for gradient in backward(units, dy, states, *arguments)]

    return states, grad


@keras.saving.register_keras_serializable(package="emobed_tf")
class FusedGRU(keras.layers.GRU):
    """`keras.layers.GRU`."""

    def __init__(self, units: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(units, *args, **kwargs)
        self._masked = False
        if self.fallback_reason is None:
            self.supports_jit = True

    @property
    def fallback_reason(self) -> str | None:
        wanted = (
            (self.activation in _TANH, "activation is not tanh"),
            (self.recurrent_activation in _SIGMOID, "recurrent_activation is not sigmoid"),
            (self.reset_after, "reset_after=False"),
            (not self.dropout, "dropout"),
            (not self.recurrent_dropout, "recurrent_dropout"),
            (not self.go_backwards, "go_backwards=True"),
            (not self.unroll, "unroll=True"),
            (self.use_cudnn is not True, "use_cudnn=True"),
            (self.compute_dtype in ("float32", "float64"), f"compute dtype {self.compute_dtype}"),
            (not self._masked, "a mask was given"),
            (self.use_cudnn is False or not tf.config.list_logical_devices("GPU"), "a GPU is in sight"),
        )
        return next((reason for covered, reason in wanted if not covered), None)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        self._masked = any(m is not None for m in keras.tree.flatten(mask))
        if self.fallback_reason is not None:
            return super().inner_loop(sequences, initial_state, mask, training=training)
        h0 = keras.tree.flatten(initial_state)[0]
        cell = self.cell
        kernel, recurrent_kernel = (tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel))
        bias = tf.zeros([2, 3 * self.units], kernel.dtype) if cell.bias is None else tf.convert_to_tensor(cell.bias)
        states = _gru(tf.transpose(sequences, [1, 0, 2]), h0, kernel, recurrent_kernel, bias)
        last = states[-1]
        return last, tf.transpose(states, [1, 0, 2]), [last]
