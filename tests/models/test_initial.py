"""Initial weights: the values that runs began with before, each layer's own initialiser, seeds by name."""

import zlib

import keras
import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.settings import Network
from tests.models.test_encoders import OWN, build

pytestmark = pytest.mark.usefixtures("stack")

# Written down from networks of {"audio": 4, "video": 3} features, encoders 2 x 6, head 1 x 5: CRC-32 of the arrays'
# bytes where these come from a counter, and the first numbers where they come from a decomposition.
KERNELS = {
    0: {
        "audio.gru_1/kernel": 0xBE19043F,
        "audio.gru_2/kernel": 0xDEC88BF7,
        "video.gru_1/kernel": 0x5F7EA620,
        "video.gru_2/kernel": 0xC57273CF,
        "shared.gru_1/kernel": 0x3945D88F,
        "shared.output/kernel": 0xD42DBE9D,
    },
    7: {
        "audio.gru_1/kernel": 0x91D89280,
        "audio.gru_2/kernel": 0xBFCDF5E6,
        "video.gru_1/kernel": 0x8067891E,
        "video.gru_2/kernel": 0xF9A57232,
        "shared.gru_1/kernel": 0x374A2067,
        "shared.output/kernel": 0xACBF1271,
    },
}
RECURRENT_KERNELS = {
    0: {
        "audio.gru_1/recurrent_kernel": [0.002115, 0.095142, -0.028554],
        "audio.gru_2/recurrent_kernel": [0.093917, 0.343412, 0.252173],
        "video.gru_1/recurrent_kernel": [0.359849, 0.174204, -0.234492],
        "video.gru_2/recurrent_kernel": [0.554059, -0.375871, -0.036691],
        "shared.gru_1/recurrent_kernel": [-0.085976, 0.241867, -0.009871],
    },
    7: {
        "audio.gru_1/recurrent_kernel": [-0.190278, -0.058746, 0.323581],
        "audio.gru_2/recurrent_kernel": [0.091384, -0.407458, -0.040484],
        "video.gru_1/recurrent_kernel": [0.250594, 0.103513, -0.268546],
        "video.gru_2/recurrent_kernel": [0.38311, -0.021293, 0.244995],
        "shared.gru_1/recurrent_kernel": [0.011704, 0.211713, 0.320866],
    },
}


def arrays(model):
    from emobed_tf.models.weights import weight_arrays

    return weight_arrays(model)


class TestGRU:
    @pytest.mark.parametrize("fused", [True, False])
    @pytest.mark.parametrize("seed", [0, 7])
    def test_begins_as_it_always_did(self, seed, fused):
        found = arrays(build("gru", seed=seed, fused=fused))
        for name, expected in KERNELS[seed].items():
            assert zlib.crc32(found.pop(name).tobytes()) == expected, name
        for name, expected in RECURRENT_KERNELS[seed].items():
            np.testing.assert_allclose(found.pop(name).ravel()[:3], expected, atol=2e-6, err_msg=name)
        biases = {name for name in found if name.endswith("/bias")}
        moments = ("mean", "deviation")
        assert found.keys() - biases == {f"{name}.standardise/{x}" for name in ("audio", "video") for x in moments}
        assert not any(found[name].any() for name in biases)


class TestLayersOwn:
    def test_scales_of_a_normalisation_are_one(self):
        found = arrays(build(f"{OWN}:layered", head_layers=0))
        assert (found["audio.norm/gamma"] == 1).all()
        assert not found["audio.norm/beta"].any()

    def test_an_lstm_begins_by_not_forgetting(self):
        """Gates i, f, c, o: the bias of the second is 1, as Keras' `unit_forget_bias` has it."""
        found = arrays(build(f"{OWN}:lstm"))
        assert found["audio.lstm/bias"].tolist() == [0] * 6 + [1] * 6 + [0] * 12
        recurrent = found["audio.lstm/recurrent_kernel"]
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(6), atol=1e-5)

    def test_what_the_layer_was_told(self):
        from emobed_tf.models.initial import initialise_layer

        layer = keras.layers.Dense(
            40, name="mine", kernel_initializer=keras.initializers.RandomNormal(3, 0.01), bias_initializer="ones"
        )
        layer.build((None, 50))
        initialise_layer(layer, 0)
        kernel, bias = (weight.numpy() for weight in layer.weights)
        assert (kernel.mean(), kernel.std()) == (pytest.approx(3, abs=1e-3), pytest.approx(0.01, abs=1e-3))
        assert (bias == 1).all()
        initialise_layer(layer, 1)
        assert (layer.kernel.numpy() != kernel).all()
        initialise_layer(layer, 0)
        np.testing.assert_array_equal(layer.kernel, kernel)

    def test_names_decide_the_seed(self):
        """That of layer 'mine' and weight 'kernel' for seed 5 is the CRC-32 of "5/mine/kernel"."""
        from emobed_tf.models.initial import initialise_layer

        layer = keras.layers.Dense(4, name="mine")
        layer.build((None, 3))
        initialise_layer(layer, 5)
        np.testing.assert_array_equal(layer.kernel, keras.initializers.GlorotUniform(0x107A2E26)((3, 4)))

    def test_frozen_weights_stay(self):
        from emobed_tf.models.initial import initialise_layer

        layer = keras.layers.Dense(2, name="mine", trainable=False, kernel_initializer="ones")
        layer.build((None, 2))
        layer.kernel.assign([[1, 2], [3, 4]])
        initialise_layer(layer, 0)
        assert layer.kernel.numpy().tolist() == [[1, 2], [3, 4]]

    def test_inner_layers_have_seeds_of_their_own(self):
        found = arrays(build(f"{OWN}:both_ways"))
        forward, backward = found["audio.both/kernel"], found["audio.both/kernel_2"]
        assert forward.shape == backward.shape == (4, 9)
        assert (forward != backward).all()
        recurrent = found["audio.both/recurrent_kernel_2"]
        np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(3), atol=1e-5)

    def test_an_initialiser_that_nobody_sees(self):
        message = (
            "layer 'audio.scale': weight 'scale' has no initialiser that can be found; make it with self.add_weight"
        )
        with pytest.raises(InputError, match=f"{message}.*give the Scale an attribute scale_initializer, such as"):
            build(f"{OWN}:unseen_initialiser")


class TestAddWeight:
    """What a layer of one's own hands to `add_weight`, which Keras keeps nowhere."""

    # Seeds are CRC-32s, from Python's zlib: of "5/audio.own/score_kernel" and so on.
    def seed(self, name, layer="audio.own"):
        return zlib.crc32(f"5/{layer}/{name}".encode())

    @pytest.mark.parametrize("encoder", ["convolution", "within"])
    def test_is_what_the_weight_begins_with(self, encoder):
        found = arrays(build(f"{OWN}:{encoder}", seed=5))
        glorot = keras.initializers.GlorotUniform(self.seed("score_kernel"))((3, 6, 6))  # what Keras does untold
        np.testing.assert_array_equal(found["audio.own/score_kernel"], glorot)
        mix = found["audio.own/mix_kernel"]
        np.testing.assert_allclose(mix @ mix.T, np.eye(6), atol=1e-5)
        assert (found["audio.own/gain"] == 1).all()
        assert (found["audio.own/shift"] == 0.5).all()

    def test_a_weight_that_is_made_before_the_layer_is_built(self):
        found = arrays(build(f"{OWN}:early", seed=5))["audio.own/early_kernel"]
        normal = keras.initializers.RandomNormal(seed=self.seed("early_kernel"))((6, 6))
        np.testing.assert_array_equal(found, normal)

    def test_repeats_whatever_was_built_and_drawn_before(self):
        first = arrays(build(f"{OWN}:convolution", seed=5))
        keras.random.uniform((3,))
        build(f"{OWN}:within")
        again, other = arrays(build(f"{OWN}:convolution", seed=5)), arrays(build(f"{OWN}:convolution", seed=6))
        for name, values in first.items():
            np.testing.assert_array_equal(again[name], values, name)
        assert (other["audio.own/score_kernel"] != first["audio.own/score_kernel"]).any()

    def test_a_used_model_begins_again(self):
        model = build(f"{OWN}:convolution", seed=5)
        first = arrays(model)
        for weight in model.trainable_weights:
            weight.assign(weight + 1)
        model.initialise(5)
        for name, values in arrays(model).items():
            np.testing.assert_array_equal(values, first[name], name)

    def test_keras_is_as_it_was_afterwards(self):
        before = keras.layers.Layer.add_weight
        build(f"{OWN}:convolution")
        with pytest.raises(InputError):
            build(f"{OWN}:too_wide")
        assert keras.layers.Layer.add_weight is before

    def test_a_weight_without_a_name(self):
        with pytest.raises(InputError, match="layer 'audio.own' has a weight without a name; expected self.add_weight"):
            build(f"{OWN}:nameless")

    def test_numbers_that_do_not_come_from_the_seed(self):
        with pytest.raises(InputError, match="weight 'scale': its initialiser gives other numbers each time"):
            build(f"{OWN}:restless")


class TestRandomNumbers:
    def test_none_without_dropout(self):
        from emobed_tf.models.fused_gru import FusedGRU
        from emobed_tf.models.initial import seed_states

        assert seed_states(keras.layers.Dense(3)) == []
        assert seed_states(keras.layers.GRU(3)) == seed_states(FusedGRU(3)) == []
        assert len(seed_states(FusedGRU(3, dropout=0.1))) == len(seed_states(keras.layers.Dropout(0.1))) == 1

    def test_a_step_draws_the_same_whatever_was_drawn_before(self, stack):
        from emobed_tf.models.initial import begin_step, initialise_layer

        layer = keras.layers.Dropout(0.5, name="audio.dropout")
        ones = np.ones((1, 200), np.float32)

        @stack.function
        def drawn(step):
            begin_step(layer, step)
            return layer(ones, training=True)

        found = []
        for seed, steps in ((0, (0, 1, 2)), (0, (2,)), (1, (2,))):
            initialise_layer(layer, seed)
            layer(ones, training=True)
            found.append([drawn(stack.constant(step, stack.int64)).numpy() for step in steps])
        np.testing.assert_array_equal(found[0][2], found[1][0])
        assert (found[0][1] != found[0][2]).any()
        assert (found[1][0] != found[2][0]).any()
        assert 0.3 < np.mean(found[0][0] == 0) < 0.7


def test_sizes_are_those_that_the_values_were_written_down_for():
    assert build("gru").head.input_shape == (None, None, 6)
    assert Network() == Network(2, 120, 2, 120, True, "gru", 3)
