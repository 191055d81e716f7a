"""FusedGRU against keras.layers.GRU, a plain NumPy loop and finite differences."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from emobed_tf.models.fused_gru import FusedGRU

pytestmark = pytest.mark.usefixtures("stack")

SIZES = {  # batch, frames, features, units
    "odd": (3, 17, 5, 7),
    "one_recording": (1, 17, 4, 3),
    "one_frame": (5, 1, 6, 4),
    "all_ones": (1, 1, 1, 1),
    "two_frames": (2, 2, 3, 5),
    "paper_width": (4, 33, 88, 120),
}
TOLERANCE = {"float32": 1e-5, "float64": 1e-12}


def data(size: str, dtype: str) -> tuple[tf.Tensor, tf.Tensor]:
    batch, frames, features, units = SIZES[size]
    rng = np.random.default_rng(0)
    return (
        tf.constant(rng.normal(size=(batch, frames, features)), dtype),
        tf.constant(rng.uniform(-0.9, 0.9, size=(batch, units)), dtype),
    )


def layer_pair(features: int, units: int, dtype: str = "float32", **options):
    """keras.layers.GRU and FusedGRU with the same random weights, biases included."""
    options = {"return_sequences": True, "return_state": True, "dtype": dtype} | options
    pair = keras.layers.GRU(units, **options), FusedGRU(units, **options)
    rng = np.random.default_rng(1)
    for layer in pair:
        layer.build((None, None, features))
    # deviations that keep the pre-activations near one: wider ones make rounding errors grow from frame to frame
    weights = [rng.normal(scale=w.shape[0] ** -0.5, size=w.shape) for w in pair[0].weights]
    for layer in pair:
        layer.set_weights(weights)
    return pair


def values_and_gradients(layer, x, h0, *, jit: bool | None = False, training: bool = False) -> list[np.ndarray]:
    """States, last state, and gradients of a fixed random projection of both; `jit=None` runs eagerly."""
    rng = np.random.default_rng(2)
    projection = tf.constant(rng.normal(size=(*x.shape[:2], layer.units)), x.dtype)
    last_projection = tf.constant(rng.normal(size=(x.shape[0], layer.units)), x.dtype)

    def run(x, h0):
        sources = [x] if h0 is None else [x, h0]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            states, last = layer(x, initial_state=h0, training=training)
            loss = tf.reduce_sum(states * projection) + tf.reduce_sum(last * last_projection)
        return [states, last, *tape.gradient(loss, sources + [w.value for w in layer.trainable_weights])]

    run = run if jit is None else tf.function(run, jit_compile=jit)
    return [result.numpy() for result in run(x, h0)]


def assert_all_close(actual, desired, tolerance: float) -> None:
    """Largest error of each array relative to that array's largest value."""
    assert len(actual) == len(desired)
    for a, d in zip(actual, desired, strict=True):
        assert a.shape == d.shape
        assert np.abs(a - d).max() <= tolerance * np.abs(d).max()


def numpy_gru(x, h, kernel, recurrent_kernel, bias) -> np.ndarray:
    """The equations of Cho et al. (2014), reset gate after the product, one recording and one frame at a time."""
    units = len(recurrent_kernel)
    gates = [slice(g * units, (g + 1) * units) for g in range(3)]
    w_z, w_r, w_n = (kernel[:, g] for g in gates)
    u_z, u_r, u_n = (recurrent_kernel[:, g] for g in gates)
    (b_z, b_r, b_n), (c_z, c_r, c_n) = ([row[g] for g in gates] for row in bias)
    states = np.zeros((*x.shape[:2], units))
    for i in range(len(x)):
        state = h[i]
        for t, frame in enumerate(x[i]):
            z = 1 / (1 + np.exp(-(frame @ w_z + b_z + state @ u_z + c_z)))
            r = 1 / (1 + np.exp(-(frame @ w_r + b_r + state @ u_r + c_r)))
            n = np.tanh(frame @ w_n + b_n + r * (state @ u_n + c_n))
            state = states[i, t] = (1 - z) * n + z * state
    return states


class TestParity:
    @pytest.mark.parametrize(
        ("size", "with_state", "dtype"),
        [(size, True, "float64") for size in SIZES]
        + [(size, False, "float64") for size in ("odd", "one_frame")]
        + [(size, True, "float32") for size in ("odd", "one_frame", "paper_width")],
    )
    def test_values_and_all_gradients_equal_keras(self, size, with_state, dtype):
        x, h0 = data(size, dtype)
        h0 = h0 if with_state else None
        stock, fused = layer_pair(x.shape[-1], SIZES[size][-1], dtype)
        desired = values_and_gradients(stock, x, h0)
        for how in ({"jit": False}, {"jit": True}, {"jit": False, "training": True}):
            assert_all_close(values_and_gradients(fused, x, h0, **how), desired, TOLERANCE[dtype])
        assert fused.fallback_reason is None

    def test_eager_equals_keras(self):
        x, h0 = data("odd", "float64")
        stock, fused = layer_pair(5, 7, "float64")
        desired = values_and_gradients(stock, x, h0)
        assert_all_close(values_and_gradients(fused, x, h0, jit=None), desired, 1e-12)

    @pytest.mark.parametrize(
        "options",
        [{"use_bias": False}, {"return_sequences": False}, {"stateful": True}],
        ids=["no_bias", "last_state_only", "stateful"],
    )
    def test_covered_options_equal_keras(self, options):
        x, _ = data("odd", "float64")
        stock, fused = (type(layer).from_config(layer.get_config() | options) for layer in layer_pair(5, 7, "float64"))
        stock.build(x.shape), fused.build(x.shape)
        fused.set_weights(stock.get_weights())
        for _ in range(2):  # a second call goes on from the kept state when the layer is stateful
            assert_all_close([r.numpy() for r in fused(x)], [r.numpy() for r in stock(x)], 1e-12)
        assert fused.fallback_reason is None

    def test_large_activations_saturate_without_nan(self):
        x, h0 = data("odd", "float32")
        stock, fused = layer_pair(5, 7)
        desired = values_and_gradients(stock, x * 1e4, h0)
        for jit in (False, True):
            actual = values_and_gradients(fused, x * 1e4, h0, jit=jit)
            assert all(np.isfinite(a).all() for a in actual)
            assert_all_close(actual[:2], desired[:2], 1e-5)


class TestAgainstFirstPrinciples:
    @pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
    @pytest.mark.parametrize("size", ["odd", "one_recording", "one_frame"])
    def test_states_equal_a_plain_loop(self, size, jit):
        x, h0 = data(size, "float64")
        _, fused = layer_pair(x.shape[-1], SIZES[size][-1], "float64")
        states, last = tf.function(fused, jit_compile=jit)(x, initial_state=h0)
        desired = numpy_gru(x.numpy(), h0.numpy(), *fused.get_weights())
        np.testing.assert_allclose(states, desired, atol=1e-14)
        np.testing.assert_allclose(last, desired[:, -1], atol=1e-14)

    @pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
    def test_gradients_equal_finite_differences(self, jit):
        batch, frames, features, units = 2, 4, 3, 2
        rng = np.random.default_rng(3)
        _, fused = layer_pair(features, units, "float64")
        x, h0 = rng.normal(size=(batch, frames, features)), rng.uniform(-0.9, 0.9, size=(batch, units))
        arrays = [x, h0, *fused.get_weights()]
        actual = values_and_gradients(fused, tf.constant(x), tf.constant(h0), jit=jit)[2:]

        rng = np.random.default_rng(2)  # the projections of values_and_gradients
        projection, last_projection = rng.normal(size=(batch, frames, units)), rng.normal(size=(batch, units))

        def loss() -> float:
            states = numpy_gru(*arrays)
            return (states * projection).sum() + (states[:, -1] * last_projection).sum()

        for array, gradient in zip(arrays, actual, strict=True):
            for index in np.ndindex(array.shape):
                kept, step = array[index], 1e-5
                array[index] = kept + step
                above = loss()
                array[index] = kept - step
                below = loss()
                array[index] = kept
                assert gradient[index] == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=1e-8)

    def test_second_derivative_is_refused(self):
        x, h0 = data("odd", "float32")
        _, fused = layer_pair(5, 7)
        with pytest.raises(LookupError, match="no second derivative"):
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    loss = tf.reduce_sum(fused(x, initial_state=h0)[0] ** 2)
                gradient = inner.gradient(loss, x)
            outer.gradient(gradient, x)


class TestShapes:
    @pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
    def test_unknown_batch_and_time(self, jit):
        stock, fused = layer_pair(5, 7, "float64", return_state=False)
        signature = [tf.TensorSpec([None, None, 5], tf.float64)]

        def value_and_gradient(layer):
            def run(x):
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = layer(x)
                    loss = tf.reduce_sum(y**3)
                return y, tape.gradient(loss, x)

            return run

        actual = tf.function(value_and_gradient(fused), input_signature=signature, jit_compile=jit)
        desired = tf.function(value_and_gradient(stock), input_signature=signature)
        for size in ("odd", "one_frame", "two_frames"):
            x = tf.constant(np.random.default_rng(4).normal(size=(*SIZES[size][:2], 5)))
            assert_all_close([a.numpy() for a in actual(x)], [d.numpy() for d in desired(x)], 1e-12)

    def test_chunks_with_state_equal_the_whole(self):
        x, _ = data("odd", "float64")
        _, fused = layer_pair(5, 7, "float64")
        whole, last = fused(x)
        parts, state = [], None
        for start, stop in ((0, 6), (6, 7), (7, 17)):
            part, state = fused(x[:, start:stop], initial_state=state)
            parts.append(part)
        np.testing.assert_allclose(tf.concat(parts, 1), whole, atol=1e-14)
        np.testing.assert_allclose(state, last, atol=1e-14)

    @pytest.mark.parametrize("frames", [1, 3, 4, 9])
    def test_several_frames_a_turn_give_the_same_bits(self, frames):
        """Less than a turn of four, one, and two with a frame left over; the batch is unknown, as a server's is."""
        _, layer = layer_pair(5, 7)
        x = tf.constant(np.random.default_rng(0).normal(size=(3, frames, 5)), tf.float32)
        h0 = tf.fill([3, 7], 0.5)
        found = []
        for layer.frames_a_turn in (1, 4):
            traced = tf.function(
                lambda x, h0: layer(x, initial_state=h0),
                input_signature=[tf.TensorSpec([None, None, 5]), tf.TensorSpec([None, 7])],
            )
            found.append([part.numpy() for part in traced(x, h0)])
        for one, four in zip(*found, strict=True):
            np.testing.assert_array_equal(one, four)

    def test_one_frame_has_no_loop(self):
        _, fused = layer_pair(5, 7)

        @tf.function
        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(fused(x)[0])
            return tape.gradient(loss, x)

        kinds = {op.type for op in step.get_concrete_function(tf.TensorSpec([64, 1, 5])).graph.get_operations()}
        assert not {kind for kind in kinds if "While" in kind or "TensorList" in kind}


class TestCompiledLayers:
    """In a plain graph a training step compiles the layer's parts with XLA, and nothing else does."""

    @staticmethod
    def compiles(layer, *, training: bool, shape=(2, 3, 5)) -> bool:
        @tf.function
        def step(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                loss = tf.reduce_sum(layer(x, training=training)[0])
            return tape.gradient(loss, x)

        graph = step.get_concrete_function(tf.TensorSpec(shape)).graph
        calls = [op for op in graph.get_operations() if op.type.endswith("PartitionedCall")]
        return any(op.get_attr("_XlaMustCompile") for op in calls)

    def test_training(self):
        assert self.compiles(layer_pair(5, 7)[1], training=True)

    def test_not_inference(self):
        assert not self.compiles(layer_pair(5, 7)[1], training=False)

    def test_not_when_switched_off(self):
        _, fused = layer_pair(5, 7)
        fused.compile_training = False
        assert not self.compiles(fused, training=True)

    @pytest.mark.parametrize("shape", [(None, 3, 5), (2, None, 5), (2, 1, 5)])
    def test_not_unknown_sizes_or_one_frame(self, shape):
        assert not self.compiles(layer_pair(5, 7)[1], training=True, shape=shape)

    def test_many_shapes_give_no_retracing_warning(self, caplog):
        for units in range(2, 9):
            FusedGRU(units)(tf.zeros([1, units, 3]))
        assert "retracing" not in caplog.text


class TestConfigAndWeights:
    def test_config_round_trip(self):
        layer = FusedGRU(
            6, return_sequences=True, kernel_regularizer="l2", bias_initializer="ones", name="audio", dtype="float64"
        )
        config = layer.get_config()
        again = FusedGRU.from_config(config)
        assert again.get_config() == config
        assert config.keys() == keras.layers.GRU(6).get_config().keys()

    def test_serialises_by_registered_name(self):
        layer = FusedGRU(6, return_sequences=True)
        stored = keras.saving.serialize_keras_object(layer)
        assert stored["registered_name"] == "emobed_tf>FusedGRU"
        again = keras.saving.deserialize_keras_object(stored)
        assert isinstance(again, FusedGRU)
        assert again.get_config() == layer.get_config()

    def test_weights_are_exchanged_with_keras_both_ways(self):
        x, _ = data("odd", "float64")
        stock, fused = layer_pair(5, 7, "float64")
        assert [(w.name, w.shape) for w in fused.weights] == [(w.name, w.shape) for w in stock.weights]
        for source, target in ((stock, fused), (fused, stock)):
            source.set_weights([w + 0.1 for w in source.get_weights()])
            target.set_weights(source.get_weights())
            np.testing.assert_allclose(target(x)[0], source(x)[0], atol=1e-14)

    def test_a_model_loads_its_saved_weights(self, tmp_path):
        def model():
            inputs = keras.Input((None, 5))
            hidden = FusedGRU(7, return_sequences=True, name="lower")(inputs)
            return keras.Model(inputs, FusedGRU(3, return_sequences=True, name="upper")(hidden))

        x, _ = data("odd", "float32")
        first, second = model(), model()
        first.save_weights(tmp_path / "a.weights.h5")
        second.load_weights(tmp_path / "a.weights.h5")
        np.testing.assert_array_equal(second(x), first(x))
        first.save(tmp_path / "a.keras")
        np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "a.keras")(x), first(x))

    @pytest.mark.parametrize("jit", [False, True], ids=["graph", "xla"])
    def test_fit_equals_keras(self, jit):
        x, _ = data("odd", "float32")
        y = np.random.default_rng(5).normal(size=(3, 17, 7)).astype("float32")
        losses = []
        for layer in layer_pair(5, 7, return_state=False):
            model = keras.Sequential([layer])
            model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=jit)
            losses.append(model.fit(x, y, epochs=3, verbose=0).history["loss"])
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)

    def test_xla_is_offered_to_keras(self):
        assert FusedGRU(3).supports_jit

    def test_exported_model_serves_any_shape(self, tmp_path):
        inputs = keras.Input((None, 5))
        model = keras.Model(inputs, FusedGRU(7, return_sequences=True)(inputs))
        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serve", model.__call__, [tf.TensorSpec([None, None, 5], tf.float32)])
        archive.write_out(str(tmp_path / "exported"), verbose=False)
        loaded = tf.saved_model.load(str(tmp_path / "exported"))
        for batch, frames in ((1, 1), (3, 17)):
            x = tf.random.stateless_normal((batch, frames, 5), (1, 2))
            np.testing.assert_allclose(loaded.serve(x), model(x), atol=1e-6)


FALLBACKS = {
    "activation": ({"activation": "relu"}, "activation"),
    "recurrent_activation": ({"recurrent_activation": "hard_sigmoid"}, "recurrent_activation"),
    "reset_before": ({"reset_after": False}, "reset_after"),
    "go_backwards": ({"go_backwards": True}, "go_backwards"),
    "unroll": ({"unroll": True}, "unroll"),
    "dropout": ({"dropout": 0.3}, "dropout"),
    "recurrent_dropout": ({"recurrent_dropout": 0.3}, "recurrent_dropout"),
    "mixed_precision": ({"dtype": "mixed_bfloat16"}, "bfloat16"),
}


class TestFallback:
    @pytest.mark.parametrize(("options", "word"), FALLBACKS.values(), ids=FALLBACKS)
    def test_is_named_and_equals_keras(self, options, word):
        x, h0 = data("odd", "float32")
        stock, fused = layer_pair(5, 7, **options)
        assert word in fused.fallback_reason
        for a, d in zip(fused(x, initial_state=h0), stock(x, initial_state=h0), strict=True):
            np.testing.assert_array_equal(a, d)

    def test_dropout_drops_in_training(self):
        x, _ = data("odd", "float32")
        stock, fused = layer_pair(5, 7, dropout=0.5, seed=3)
        np.testing.assert_allclose(fused(x, training=True)[0], stock(x, training=True)[0], atol=1e-6)
        assert np.abs(fused(x, training=True)[0] - fused(x, training=False)[0]).max() > 1e-3

    def test_mask(self):
        x, h0 = data("odd", "float32")
        mask = tf.sequence_mask([17, 4, 9], 17)
        stock, fused = layer_pair(5, 7)
        assert fused.fallback_reason is None
        actual = fused(x, initial_state=h0, mask=mask)
        assert "mask" in fused.fallback_reason
        for a, d in zip(actual, stock(x, initial_state=h0, mask=mask), strict=True):
            np.testing.assert_array_equal(a, d)
        fused(x)
        assert fused.fallback_reason is None

    def test_gpu_in_sight(self, monkeypatch):
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["a GPU"] if kind == "GPU" else [])
        assert "GPU" in FusedGRU(3).fallback_reason
        assert FusedGRU(3, use_cudnn=False).fallback_reason is None
