"""VGG16 with random weights in both layouts, beside a forward pass of its own."""

import h5py
import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.vgg16 import network, read_weights
from tests.oracles import vgg16 as oracle
from tests.recordings.weights import as_keras, as_matconvnet

WEIGHTS = oracle.random_weights(channels=2, units=6)


def test_both_layouts_beside_another_forward_pass(stack, tmp_path):
    picture = np.random.default_rng(1).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    picture[..., 0] //= 2  # colours that were taken for one another would be seen
    expected = oracle.fc7(WEIGHTS, picture[..., ::-1] - np.array([93.5940, 104.7624, 129.1863]))
    assert (expected > 0).sum() > 1
    for path in (as_keras(tmp_path / "a.h5", WEIGHTS), as_matconvnet(tmp_path / "a.mat", WEIGHTS)):
        found = network(read_weights(path))(np.stack([picture, picture]))
        assert found.shape == (2, 6)
        np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-3 * expected.max())
        np.testing.assert_array_equal(found[0], found[1])


@pytest.mark.parametrize("inside", ["net", "file"])
@pytest.mark.parametrize("fields", ["weights", "filters"])
def test_every_form_of_matconvnet(tmp_path, inside, fields):
    found = read_weights(as_matconvnet(tmp_path / "a.mat", WEIGHTS, inside=inside, fields=fields))
    for name, parts in WEIGHTS.items():
        for one, expected in zip(found[name], parts, strict=True):
            np.testing.assert_allclose(one, expected, rtol=1e-6)


def test_a_whole_model_of_keras(tmp_path):
    path = as_keras(tmp_path / "a.h5", WEIGHTS)
    with h5py.File(path, "r+") as file:
        file.create_group("optimizer_weights")
        for name in [*WEIGHTS]:
            file.move(name, f"model_weights/{name}")
    np.testing.assert_allclose(read_weights(path)["fc7"][0], WEIGHTS["fc7"][0], rtol=1e-6)


class TestErrors:
    def test_without_its_top(self, tmp_path):
        weights = {name: parts for name, parts in WEIGHTS.items() if name.startswith("conv")}
        with pytest.raises(InputError, match=r"a\.h5: no layer fc6, fc7; expected VGG-Face's VGG16 with its top"):
            read_weights(as_keras(tmp_path / "a.h5", weights))

    def test_another_shape(self, tmp_path):
        weights = {**WEIGHTS, "conv2_1": (np.zeros((5, 5, 2, 2)), np.zeros(2))}
        with pytest.raises(
            InputError, match=r"layer conv2_1: expected a kernel \[3, 3, 2, 'any'\].*got \(5, 5, 2, 2\)"
        ):
            read_weights(as_keras(tmp_path / "a.h5", weights))

    def test_no_bias(self, tmp_path):
        path = as_keras(tmp_path / "a.h5", WEIGHTS)
        with h5py.File(path, "r+") as file:
            del file["fc6/fc6/bias:0"]
        with pytest.raises(InputError, match="layer fc6: expected a kernel and a bias, got 1 arrays"):
            read_weights(path)

    @pytest.mark.parametrize("suffix", [".h5", ".mat"])
    def test_text(self, tmp_path, suffix):
        path = tmp_path / f"a{suffix}"
        path.write_text("no weights\n" * 100)
        with pytest.raises(InputError, match="no weights that can be read"):
            read_weights(path)
