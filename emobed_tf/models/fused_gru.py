"""FusedGRU: `keras.layers.GRU` with the same weights and numbers, several times as fast on a CPU.

One frame of a GRU (gates z, r and candidate n; reset gate after the recurrent product; W, R and b as Keras keeps them):

    x_t = inputs_t W + b[0]        a_t = h_{t-1} R + b[1]
    z = sigmoid(x_z + a_z)         r = sigmoid(x_r + a_r)        n = tanh(x_n + r a_n)
    h_t = n + z (h_{t-1} - n)

Only a_t has to wait for the frame before, so x comes from one product over all frames and the loop keeps nothing
but h. With dh_t the gradient of h_t from everything after it, the chain rule gives, per frame,

    d(x_z + a_z) = dh (h_{t-1} - n) z (1 - z)              =: dh c_z
    dx_n         = dh (1 - z) (1 - n^2)                    =: dh q
    d(x_r + a_r) = dx_n a_n r (1 - r)                      =: dh c_r
    da_n         = dx_n r                                  =: dh c_n
    dh_{t-1}     = dy_{t-1} + dh z + [dh c_z, dh c_r, dh c_n] R^T

where dy is the gradient that reaches the outputs. The factors z, q and c depend on nothing in the future: they are
computed for all frames at once, the loop backwards carries only dh, and the gradients of the inputs and the weights
are single products over all frames of dx = dh [c_z, c_r, q] and da = dh [c_z, c_r, c_n].
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

_TANH = (keras.activations.tanh, keras.ops.tanh, tf.tanh)
_SIGMOID = (keras.activations.sigmoid, keras.ops.sigmoid, tf.sigmoid)


def _by_frame(x: tf.Tensor, frames: int | tf.Tensor) -> tf.TensorArray:
    return tf.TensorArray(x.dtype, size=frames, element_shape=x.shape[1:], clear_after_read=False).unstack(x)


def _frames(x: tf.Tensor) -> int | tf.Tensor:
    return tf.shape(x)[0] if x.shape[0] is None else x.shape[0]


def _next_state(gates: Sequence[tf.Tensor], a: tf.Tensor, h: tf.Tensor, candidate_bias: tf.Tensor) -> tf.Tensor:
    x_z, x_r, x_n = gates
    a_z, a_r, a_n = tf.split(a, 3, axis=-1)
    n = tf.tanh(x_n + tf.sigmoid(x_r + a_r) * (a_n + candidate_bias))
    return n + tf.sigmoid(x_z + a_z) * (h - n)


def _forward_loop(
    gates: Sequence[tf.Tensor], h: tf.Tensor, recurrent_kernel: tf.Tensor, candidate_bias: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """All states, and all products of a state with the recurrent kernel, which the gradient needs again."""
    if gates[0].shape[0] == 1:
        a = tf.matmul(h, recurrent_kernel)
        return _next_state([gate[0] for gate in gates], a, h, candidate_bias)[tf.newaxis], a[tf.newaxis]
    frames = _frames(gates[0])
    # One array per gate: XLA vectorises the step only if each slice at a variable position has a single reader.
    gates = [_by_frame(gate, frames) for gate in gates]
    states = tf.TensorArray(h.dtype, size=frames, element_shape=h.shape)
    products = tf.TensorArray(h.dtype, size=frames, element_shape=[h.shape[0], recurrent_kernel.shape[1]])

    def body(
        t: tf.Tensor, h: tf.Tensor, states: tf.TensorArray, products: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray, tf.TensorArray]:
        a = tf.matmul(h, recurrent_kernel)
        h = _next_state([gate.read(t) for gate in gates], a, h, candidate_bias)
        return t + 1, h, states.write(t, h), products.write(t, a)

    _, _, states, products = tf.while_loop(
        lambda t, *_: t < frames, body, (0, h, states, products), maximum_iterations=frames, parallel_iterations=1
    )
    return states.stack(), products.stack()


def _backward_loop(
    dy: tf.Tensor, z: tf.Tensor, c: tf.Tensor, recurrent_kernel: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Gradients of all states and of the initial state from `c`, [frames, batch, 3, units]: c_z, c_r, c_n."""
    width = recurrent_kernel.shape[1]
    transposed = tf.transpose(recurrent_kernel)  # once here rather than in every step

    def by_gate(dh: tf.Tensor, c: tf.Tensor) -> tf.Tensor:
        return dh[:, tf.newaxis, :] * c

    def before(dh: tf.Tensor, da: tf.Tensor, z: tf.Tensor) -> tf.Tensor:
        return dh * z + tf.matmul(tf.reshape(da, [-1, width]), transposed)

    if dy.shape[0] == 1:
        return dy, before(dy[0], by_gate(dy[0], c[0]), z[0])[tf.newaxis]
    frames = _frames(dy)
    zs, cs, dhs = (_by_frame(x, frames) for x in (z, c, dy))  # dhs: dy, overwritten frame by frame

    # `da` is carried, not computed where it is used: as a loop variable it keeps the three axes that XLA vectorises.
    def body(
        i: tf.Tensor, dh: tf.Tensor, da: tf.Tensor, dhs: tf.TensorArray
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.TensorArray]:
        t = frames - 2 - i
        dh = dhs.read(t) + before(dh, da, zs.read(t + 1))
        return i + 1, dh, by_gate(dh, cs.read(t)), dhs.write(t, dh)

    _, dh, da, dhs = tf.while_loop(
        lambda i, *_: i < frames - 1,
        body,
        (0, dy[-1], by_gate(dy[-1], c[-1]), dhs),
        maximum_iterations=frames - 1,
        parallel_iterations=1,
    )
    return dhs.stack(), before(dh, da, z[0])[tf.newaxis]


def _biased(x: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """What gates take from the inputs, `[frames, batch, 3 units]`, and the candidate's recurrent bias."""
    units = bias.shape[1] // 3
    # Both biases of a gate are added at once; the candidate's recurrent one is multiplied by r first.
    return x + (bias[0] + tf.pad(bias[1, : 2 * units], [[0, units]])), bias[1, 2 * units :]


def _forward(x: tf.Tensor, h0: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """(states, products, x_z, x_r, x_n): the first is the result, the rest is kept for the gradient."""
    x, candidate_bias = _biased(x, bias)
    gates = tf.split(x, 3, axis=-1)
    return *_forward_loop(gates, h0[0], recurrent_kernel, candidate_bias), *gates


def _states_in_turns(x: tf.Tensor, h0: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor, size: int) -> tf.Tensor:
    """States alone, in a plain graph. A turn of its loop costs as much as a frame, so a turn has `size` frames."""
    x, candidate_bias = _biased(x, bias)
    whole = tf.shape(x)[0] // size * size

    def after(x: tf.Tensor, h: tf.Tensor) -> tf.Tensor:
        return _next_state(tf.split(x, 3, axis=-1), tf.matmul(h, recurrent_kernel), h, candidate_bias)

    first, h = _loop_in_turns(x[:whole], h0[0], after, size)
    rest, _ = _loop_in_turns(x[whole:], h, after, 1)
    return tf.ensure_shape(tf.concat([first, rest], axis=0), [x.shape[0], *h0.shape[1:]])


def _loop_in_turns(
    x: tf.Tensor, h: tf.Tensor, after: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], size: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """All states and the last one, of frames that are a multiple of `size`, or none."""
    turns = tf.shape(x)[0] // size
    blocks = tf.reshape(x, tf.concat([[turns, size], tf.shape(x)[1:]], axis=0))
    blocks = _by_frame(tf.ensure_shape(blocks, [None, size, *x.shape[1:]]), turns)
    # One element more than is needed: a list of none can't be stacked where the batch may have any size.
    states = tf.TensorArray(h.dtype, size=turns + 1, element_shape=[size, *h.shape]).write(turns, tf.stack([h] * size))

    def body(t: tf.Tensor, h: tf.Tensor, states: tf.TensorArray) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
        found = []
        for frame in tf.unstack(blocks.read(t), num=size):
            h = after(frame, h)
            found.append(h)
        return t + 1, h, states.write(t, tf.stack(found))

    _, last, states = tf.while_loop(
        lambda t, *_: t < turns, body, (0, h, states), maximum_iterations=turns, parallel_iterations=1
    )
    shape = tf.concat([[turns * size], tf.shape(h)], axis=0)
    return tf.reshape(states.stack()[:turns], shape), last


def _backward(
    dy: tf.Tensor,
    states: tf.Tensor,
    products: tf.Tensor,
    x_z: tf.Tensor,
    x_r: tf.Tensor,
    x_n: tf.Tensor,
    h0: tf.Tensor,
    recurrent_kernel: tf.Tensor,
    bias: tf.Tensor,
) -> tuple[tf.Tensor, ...]:
    """Gradients of the arguments of `_forward`."""
    units = recurrent_kernel.shape[0]
    previous = tf.concat([h0, states[:-1]], axis=0)
    a_z, a_r, a_n = tf.split(products, 3, axis=-1)
    a_n += bias[1, 2 * units :]
    z, r = tf.sigmoid(x_z + a_z), tf.sigmoid(x_r + a_r)
    n = tf.tanh(x_n + r * a_n)
    q = (1 - z) * (1 - n * n)
    c_z = (previous - n) * z * (1 - z)
    c_r = q * a_n * r * (1 - r)
    c = tf.stack([c_z, c_r, q * r], axis=-2)
    dh, dh0 = _backward_loop(dy, z, c, recurrent_kernel)

    def flat(x: tf.Tensor, width: int) -> tf.Tensor:
        return tf.reshape(x, [-1, width])

    dx = tf.concat([dh * c_z, dh * c_r, dh * q], axis=-1)
    da = flat(dh[:, :, tf.newaxis, :] * c, 3 * units)
    drecurrent = tf.matmul(flat(previous, units), da, transpose_a=True)
    return dx, dh0, drecurrent, tf.stack([tf.reduce_sum(dx, [0, 1]), tf.reduce_sum(da, 0)])


_Stage = Callable[..., tuple[tf.Tensor, ...]]


@functools.lru_cache(maxsize=256)
def _function(stage: _Stage, signature: tuple[tf.TensorSpec, ...], jit_compile: bool) -> _Stage:
    # Layers of equal shape share what is compiled, hence the scope: nothing of the graph that asks first gets in.
    # Calling the concrete function keeps TensorFlow from warning of retracing when a model has layers of many shapes.
    with tf.init_scope():
        return tf.function(
            stage, input_signature=signature, jit_compile=jit_compile, autograph=False
        ).get_concrete_function()


_Compiled = set[tuple[_Stage, tuple[tf.TensorSpec, ...]]]


def _run(stage: _Stage, compiled: _Compiled | None, *arguments: tf.Tensor) -> tuple[tf.Tensor, ...]:
    """A part of the layer. `compiled`: those that its graphs have compiled; None: no part is to be compiled."""
    exact = tuple(tf.TensorSpec(a.shape, a.dtype) for a in arguments)
    eager = tf.executing_eagerly()
    if compiled is not None:
        if not eager:
            compiled.add((stage, exact))
        # Eagerly, what a graph has compiled is used, but nothing is compiled: the next call may have another shape.
        if (stage, exact) in compiled:
            return _function(stage, exact, True)(*arguments)
    if not eager:
        return stage(*arguments)
    # An eager tf.while_loop would run in Python.
    shapes = ([None, None, a.shape[2]] if a.shape.rank == 3 else a.shape for a in arguments)
    signature = tuple(tf.TensorSpec(shape, a.dtype) for shape, a in zip(shapes, arguments, strict=True))
    return _function(stage, signature, False)(*arguments)


def _gru(compiled: _Compiled | None, *arguments: tf.Tensor) -> tf.Tensor:
    """The states of all frames.

    Args:
        compiled: see `_run`.
        *arguments: inputs' products with the kernel [frames, batch, 3 units], initial state [1, batch, units],
            recurrent kernel [units, 3 units], bias [2, 3 units].

    Returns:
        [frames, batch, units].
    """

    @tf.custom_gradient
    def states_of(*arguments: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor]]]:
        # Stopped: an eager tape would have the loop itself recorded, which compiled it can't be.
        states, *kept = _run(_forward, compiled, *map(tf.stop_gradient, arguments))

        def grad(dy: tf.Tensor) -> list[tf.Tensor]:
            gradients = _run(_backward, compiled, dy, states, *kept, *arguments[1:])
            # What the backward loop computes is right once. Differentiating it would silently treat `kept` as constant.
            message = "FusedGRU has no second derivative. Use keras.layers.GRU where one is needed."
            return [tf.raw_ops.PreventGradient(input=gradient, message=message) for gradient in gradients]

        return states, grad

    return states_of(*arguments)


@tf.custom_gradient
def _single_frame(
    x: tf.Tensor, recurrent_kernel: tf.Tensor, bias: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple[tf.Tensor, ...]]]:
    """State [batch, units] after one frame from h_0 = 0, where a is but the bias; `x`: product with the kernel."""
    both, recurrent_bias = tf.unstack(bias)
    *_, candidate_bias = tf.split(recurrent_bias, 3)
    gates = both + tf.concat([recurrent_bias[: -candidate_bias.shape[0]], tf.zeros_like(candidate_bias)], axis=0)
    x_z, x_r, x_n = tf.split(x + gates, 3, axis=-1)
    z, r = tf.sigmoid(x_z), tf.sigmoid(x_r)
    n = tf.tanh(x_n + r * candidate_bias)

    def grad(dh: tf.Tensor) -> tuple[tf.Tensor, ...]:
        q = (1 - z) * (1 - n * n)
        dx_n = dh * q
        dx_z, dx_r = -dh * n * z * (1 - z), dx_n * candidate_bias * r * (1 - r)
        dx = tf.concat([dx_z, dx_r, dx_n], axis=-1)
        dboth = tf.reduce_sum(dx, 0)
        dcandidate = tf.reduce_sum(dx_n * r, 0)
        drecurrent_bias = tf.concat([dboth[: -candidate_bias.shape[0]], dcandidate], axis=0)
        return dx, tf.zeros_like(recurrent_kernel), tf.stack([dboth, drecurrent_bias])

    return n - z * n, grad


@keras.saving.register_keras_serializable(package="emobed_tf")
class FusedGRU(keras.layers.GRU):
    """`keras.layers.GRU` with a hand-derived gradient: same arguments, weights, config and numbers, less time.

    Input [batch, frames, features], float32 or float64; initial state [batch, units], zeros if absent. Output
    [batch, frames, units], or [batch, units] without `return_sequences`; with `return_state` also the last state
    [batch, units]. Values and gradients equal those of `keras.layers.GRU` up to rounding.

    Weights are exchanged with `keras.layers.GRU` by `get_weights` and `set_weights`. A weights file of a model is only
    read by a model of the same layer classes.

    Inside a function compiled by XLA the layer is compiled with it. In a plain graph, a training step of known batch
    size and number of frames compiles the layer's own two parts, so that layers that don't depend on each other run
    at the same time; inference stays plain TensorFlow operations, which any server loads. Set `compile_training` to
    False on the class or a layer to have plain operations in training, too.

    A graph that is for inference alone takes less time with `frames_a_turn` set: its loop then goes through so many
    frames in a turn, with the same numbers. It keeps nothing for a gradient.

    Where the fast path doesn't apply the layer is `keras.layers.GRU`, and `fallback_reason` says why.

    Args:
        units: width of the state and of the output.
        **kwargs: of `keras.layers.GRU`.

    Raises:
        LookupError: where a second derivative is asked for.
    """

    compile_training: bool = True
    frames_a_turn: int = 1
    _masked = False
    _from_zero = False

    def __init__(self, units: int, **kwargs: Any):
        super().__init__(units, **kwargs)
        self._compiled: _Compiled = set()

    @property
    def fallback_reason(self) -> str | None:
        """Why Keras' own path is taken, or None. A mask is known from the latest call."""
        covered = (
            (self.activation in _TANH, "activation is not tanh"),
            (self.recurrent_activation in _SIGMOID, "recurrent_activation is not sigmoid"),
            (self.reset_after, "reset_after=False"),
            (not self.dropout, "dropout"),
            (not self.recurrent_dropout, "recurrent_dropout"),
            (not self.go_backwards, "go_backwards=True"),
            (not self.unroll, "unroll=True"),
            (self.use_cudnn is not True, "use_cudnn=True"),
            (self.compute_dtype in ("float32", "float64"), f"compute dtype is {self.compute_dtype}"),
            (self.use_cudnn is False or not tf.config.list_logical_devices("GPU"), "a GPU is in sight"),
            (not self._masked, "a mask is given"),
        )
        return next((reason for is_covered, reason in covered if not is_covered), None)

    def call(
        self,
        sequences: tf.Tensor,
        initial_state: tf.Tensor | list[tf.Tensor] | None = None,
        mask: tf.Tensor | None = None,
        training: bool = False,
    ) -> tf.Tensor | list[tf.Tensor]:
        """The layer's output.

        Args:
            sequences: float32 or float64 `[batch, frames, features]`.
            initial_state: `[batch, units]`. Default: zeros, or in a stateful layer where the last batch ended.
            mask: bool `[batch, frames]`; with one, Keras' own path is taken. Default: all frames count.
            training: whether the layer may compile itself, see the class.

        Returns:
            As the class says: all states or the last one and, with `return_state`, the last one once more.
        """
        self._from_zero = initial_state is None and not self.stateful
        return super().call(sequences, initial_state=initial_state, mask=mask, training=training)

    def inner_loop(
        self,
        sequences: tf.Tensor,
        initial_state: tf.Tensor | list[tf.Tensor],
        mask: tf.Tensor | list[tf.Tensor] | None,
        training: bool = False,
    ) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
        """The states of a batch; called by `keras.layers.RNN.call`.

        Args:
            sequences: float32 or float64 `[batch, frames, features]`.
            initial_state: `[batch, units]`, maybe in a list.
            mask: bool `[batch, frames]`, maybe in a list; None: all frames count.
            training: whether the layer may compile itself, see the class.

        Returns:
            The last output `[batch, units]`, all outputs `[batch, frames, units]`, and the list of last states.
        """
        self._masked = any(m is not None for m in keras.tree.flatten(mask))
        if self.fallback_reason is not None:
            return super().inner_loop(sequences, initial_state, mask, training=training)
        inputs = tf.transpose(sequences, [1, 0, 2])
        h0 = tf.convert_to_tensor(keras.tree.flatten(initial_state)[0])
        kernel, recurrent_kernel = (tf.convert_to_tensor(w) for w in (self.cell.kernel, self.cell.recurrent_kernel))
        bias = tf.zeros([2, 3 * self.units], h0.dtype) if self.cell.bias is None else self.cell.bias
        bias = tf.convert_to_tensor(bias)
        if self._from_zero and inputs.shape[0] == 1:
            x = tf.matmul(tf.squeeze(inputs, 0), kernel)
            last = _single_frame(x, recurrent_kernel, bias)
            return last, tf.expand_dims(last, 1), [last]
        jit_compile = bool(
            training
            and self.compile_training
            and inputs.shape.is_fully_defined()
            and inputs.shape[0] > 1  # one frame has no loop to gain from
        )
        h0 = tf.ensure_shape(h0, [inputs.shape[1], self.units])[tf.newaxis]
        compiled = self._compiled if jit_compile else None
        x = tf.tensordot(inputs, kernel, 1)
        if self.frames_a_turn > 1 and not tf.executing_eagerly():
            states = _states_in_turns(x, h0, recurrent_kernel, bias, self.frames_a_turn)
        else:
            states = _gru(compiled, x, h0, recurrent_kernel, bias)
        last = states[-1]
        return last, tf.transpose(states, [1, 0, 2]), [last]
