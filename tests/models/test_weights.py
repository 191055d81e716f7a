"""Weights as arrays by name: names that are unique, and the same whatever else the process has built."""

import keras
import numpy as np
import pytest

from emobed_tf.errors import InputError
from tests.models.test_encoders import OWN, build

pytestmark = pytest.mark.usefixtures("stack")


class TestNames:
    def test_of_the_network_of_the_paper(self):
        from emobed_tf.models.weights import weight_arrays

        gru = ("kernel", "recurrent_kernel", "bias")
        assert list(weight_arrays(build("gru", {"audio": 4}))) == [
            "audio.standardise/mean",
            "audio.standardise/deviation",
            *(f"audio.gru_{k}/{name}" for k in (1, 2) for name in gru),
            *(f"shared.gru_1/{name}" for name in gru),
            "shared.output/kernel",
            "shared.output/bias",
        ]

    def test_of_inner_layers_do_not_depend_on_what_was_built_before(self):
        from emobed_tf.models.weights import weight_arrays

        first = list(weight_arrays(build(f"{OWN}:both_ways")))
        keras.layers.GRU(3)
        assert list(weight_arrays(build(f"{OWN}:both_ways"))) == first
        assert first[2:8] == [
            f"audio.both/{name}{k}" for k in ("", "_2") for name in ("kernel", "recurrent_kernel", "bias")
        ]

    @pytest.mark.parametrize("encoder", ["dense", "tcn", f"{OWN}:layered", f"{OWN}:both_ways"])
    def test_round_trip(self, encoder):
        from emobed_tf.models.weights import set_weight_arrays, weight_arrays

        model, other = build(encoder), build(encoder, seed=1)
        arrays = weight_arrays(model)
        assert len(arrays) == len(model.weights)
        set_weight_arrays(other, arrays)
        for one, two in zip(model.weights, other.weights, strict=True):
            np.testing.assert_array_equal(one, two)

    def test_of_another_encoder(self):
        from emobed_tf.models.weights import set_weight_arrays, weight_arrays

        with pytest.raises(InputError, match="weight audio.block_1/first_kernel is missing: the run was trained with"):
            set_weight_arrays(build("tcn"), weight_arrays(build("gru")))
