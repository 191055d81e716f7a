"""Encoders of one's own: some that work, and one for each rule that can be broken."""

import keras
import tensorflow as tf


def layered(network, modality, xla):
    """Dense layers with layer normalisation and dropout: each frame by itself, random in training."""
    return [
        keras.layers.Dense(network.encoder_units, name=f"{modality}.dense"),
        keras.layers.LayerNormalization(name=f"{modality}.norm"),
        keras.layers.Activation("tanh", name=f"{modality}.tanh"),
        keras.layers.Dropout(0.5, name=f"{modality}.dropout"),
    ]


def lstm(network, modality, xla):
    """Remembers, and doesn't say what."""
    return [keras.layers.LSTM(network.encoder_units, return_sequences=True, name=f"{modality}.lstm")]


def both_ways(network, modality, xla):
    """A layer that is made of two, whose weights have the same names."""
    inner = keras.layers.GRU(network.encoder_units // 2, return_sequences=True)
    return [keras.layers.Bidirectional(inner, name=f"{modality}.both")]


def unnamed(network, modality, xla):
    return [keras.layers.Dense(network.encoder_units, name="mine")]


def twice(network, modality, xla):
    return [keras.layers.Dense(network.encoder_units, name=f"{modality}.mine") for _ in range(2)]


def taken(network, modality, xla):
    return [keras.layers.Dense(network.encoder_units, name=f"{modality}.standardise")]


def too_wide(network, modality, xla):
    return [keras.layers.Dense(network.encoder_units + 1, name=f"{modality}.mine")]


def last_only(network, modality, xla):
    return [keras.layers.GRU(network.encoder_units, name=f"{modality}.mine")]


def with_state(network, modality, xla):
    return [
        keras.layers.GRU(network.encoder_units, return_sequences=True, return_state=True, name=f"{modality}.mine"),
    ]


def a_model(network, modality, xla):
    return [keras.Sequential([keras.layers.Dense(network.encoder_units)], name=f"{modality}.mine")]


def batch_statistics(network, modality, xla):
    return [
        keras.layers.Dense(network.encoder_units, name=f"{modality}.mine"),
        keras.layers.BatchNormalization(name=f"{modality}.norm"),
    ]


def no_list(network, modality, xla):
    return keras.layers.Dense(network.encoder_units, name=f"{modality}.mine")


class Scale(keras.layers.Layer):
    """Has a weight whose initialiser nobody can see."""

    stream_state_shape = None

    def build(self, input_shape):
        self.scale = keras.Variable(tf.ones([input_shape[-1]]), name="scale")

    def call(self, inputs):
        return inputs * self.scale


def unseen_initialiser(network, modality, xla):
    return [keras.layers.Dense(network.encoder_units, name=f"{modality}.mine"), Scale(name=f"{modality}.scale")]


class RunningMean(keras.layers.Layer):
    """Mean of all frames so far; says what it remembers: their sum and their number."""

    def build(self, input_shape):
        self.width = input_shape[-1]

    @property
    def stream_state_shape(self):
        return (self.width + 1,)

    def stream(self, inputs, state):
        count = state[:, None, -1:] + tf.cast(tf.range(1, tf.shape(inputs)[1] + 1), tf.float32)[None, :, None]
        sums = state[:, None, :-1] + tf.cumsum(inputs, axis=1)
        return sums / count, tf.concat([sums[:, -1], count[:, -1] + 0 * sums[:, -1, :1]], axis=-1)

    def call(self, inputs):
        return self.stream(inputs, tf.zeros([tf.shape(inputs)[0], self.width + 1]))[0]


class ForgetfulMean(RunningMean):
    """Says that it remembers nothing."""

    stream_state_shape = None


class WrongMean(RunningMean):
    """Comes back with another state than it says."""

    @property
    def stream_state_shape(self):
        return (self.width + 2,)

    def stream(self, inputs, state):
        return super().stream(inputs, state[:, : self.width + 1])


def _mean(kind):
    def encoder(network, modality, xla):
        return [keras.layers.Dense(network.encoder_units, name=f"{modality}.mine"), kind(name=f"{modality}.mean")]

    return encoder


running_mean, forgetful_mean, wrong_mean = _mean(RunningMean), _mean(ForgetfulMean), _mean(WrongMean)


def over_time(network, modality, xla):
    """A layer that Keras usually applies to each frame, and here doesn't."""
    return [
        keras.layers.Dense(network.encoder_units, name=f"{modality}.mine"),
        keras.layers.Softmax(axis=1, name=f"{modality}.share"),
    ]


def peeks(network, modality, xla):
    """A layer that is known as one for each frame, with a function that looks at all of them."""

    def without_mean(x):
        return x - tf.reduce_mean(x, axis=1, keepdims=True)

    return [
        keras.layers.Dense(network.encoder_units, name=f"{modality}.mine"),
        keras.layers.Activation(without_mean, name=f"{modality}.centred"),
    ]


def backwards(network, modality, xla):
    return [
        keras.layers.GRU(network.encoder_units, return_sequences=True, go_backwards=True, name=f"{modality}.backwards")
    ]


class Convolution(keras.layers.Layer):
    """A causal convolution by a weight of its own, and others that begin in other ways."""

    def build(self, input_shape):
        shape = (3, input_shape[-1], input_shape[-1])
        self.score = self.add_weight(shape=shape, name="score_kernel")
        self.mix = self.add_weight(shape[1:], keras.initializers.Orthogonal(), name="mix_kernel")
        self.gain = self.add_weight(shape=shape[2:], initializer="ones", name="gain")
        self.shift = self.add_weight(
            shape=shape[2:], initializer=lambda shape, dtype: tf.fill(shape, 0.5), name="shift"
        )

    def call(self, inputs):
        past = tf.pad(inputs, [[0, 0], [2, 0], [0, 0]])
        return tf.tanh(tf.nn.conv1d(past, self.score, 1, "VALID") @ self.mix * self.gain + self.shift)


class Within(keras.layers.Layer):
    """A layer in which such a layer is."""

    def build(self, input_shape):
        self.inner = Convolution()
        self.inner.build(input_shape)

    def call(self, inputs):
        return self.inner(inputs)


class Early(keras.layers.Layer):
    """Makes its weight before it is built."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.early = self.add_weight(shape=(6, 6), initializer="random_normal", name="early_kernel")

    def call(self, inputs):
        return inputs @ self.early


class Nameless(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],))

    def call(self, inputs):
        return inputs * self.scale


class Restless(keras.layers.Layer):
    """Begins with numbers that nobody can repeat."""

    def build(self, input_shape):
        self.scale = self.add_weight(
            shape=(input_shape[-1],), initializer=lambda shape, dtype: keras.random.uniform(shape), name="scale"
        )

    def call(self, inputs):
        return inputs * self.scale


def _behind_dense(kind):
    def encoder(network, modality, xla):
        return [keras.layers.Dense(network.encoder_units, name=f"{modality}.mine"), kind(name=f"{modality}.own")]

    return encoder


convolution, within, early = _behind_dense(Convolution), _behind_dense(Within), _behind_dense(Early)
nameless, restless = _behind_dense(Nameless), _behind_dense(Restless)


def same_padding(network, modality, xla):
    return [keras.layers.Conv1D(network.encoder_units, 3, padding="same", activation="tanh", name=f"{modality}.conv")]


def causal_padding(network, modality, xla):
    return [keras.layers.Conv1D(network.encoder_units, 3, padding="causal", activation="tanh", name=f"{modality}.conv")]
