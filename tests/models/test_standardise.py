"""Standardisation by hand, and its moments among the weights of a network."""

import numpy as np
import pytest

from tests.models.test_emobed import batch, build

pytestmark = pytest.mark.usefixtures("stack")


def test_moments_skip_what_is_missing():
    from emobed_tf.models.standardise import Standardise

    layer = Standardise()
    layer.build((None, None, 3))
    # Column 0: 1, 3 -> mean 2, deviation 1; column 1 constant 5: only centred; column 2 missing everywhere.
    layer.adapt(np.array([[1, 5, np.nan], [np.nan, 5, np.nan], [3, 5, np.nan]], np.float32))
    out = layer(np.array([[[4, 6, 1], [np.nan, 5, np.nan], [1e9, -1e9, 0]]], np.float32)).numpy()[0]
    assert out.tolist() == [[2, 1, 1], [0, 0, 0], [10, -10, 0]]


def test_large_offsets_keep_their_deviation():
    from emobed_tf.models.standardise import Standardise

    layer = Standardise()
    layer.build((None, None, 1))
    values = np.array([[20000.0], [20002.0]], np.float32)
    layer.adapt(values)
    assert layer(values[None]).numpy().ravel().tolist() == [-1, 1]


def test_statistics_are_saved_weights(tmp_path):
    model, copy = build(), build(seed=3)
    copy.standardise("audio").adapt(np.zeros((2, 4), np.float32))
    model.save_weights(tmp_path / "m.weights.h5")
    copy.load_weights(tmp_path / "m.weights.h5")
    features = batch()["audio"]["features"]
    np.testing.assert_array_equal(model.encoder("audio")(features), copy.encoder("audio")(features))
