"""VGG-Face: alignment worked out by hand, and a real clip through a network of random weights."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.blendshapes import Blendshapes
from emobed_tf.recordings.extractors import find_extractor
from emobed_tf.recordings.faces import Face
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.pictures import Segment, look
from emobed_tf.recordings.vggface import VGGFace, aligned
from emobed_tf.recordings.windows import Windows
from tests.oracles import vgg16 as oracle
from tests.recordings.films import landmarker, speech
from tests.recordings.weights import as_keras

WEIGHTS = oracle.random_weights(channels=2, units=6)
NOISE = np.random.default_rng(0).integers(0, 256, (100, 120, 3)).astype(np.uint8)
LEVEL = ((50, 40), (70, 40))


class Small(VGGFace):
    width = 6


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return as_keras(tmp_path_factory.mktemp("weights") / "small.h5", WEIGHTS)


@pytest.fixture(scope="module")
def faces(stack, weights):
    """Both of a picture, from left to right."""
    with Small(None, Looking(model=str(weights))).finding() as find:
        (found, *_), _ = look(Segment(speech(), 1.0, 1.1), find, [], 0.1)
    return sorted(found, key=lambda face: face.centre)


class TestAligned:
    """A box of 20 pixels makes a square of 1.3 * 20 = 26: at a size of 26 pixels stay pixels."""

    BOX = (50, 30, 70, 50)  # its centre is (60, 40), so the square is [47, 73) across and [27, 53) down

    def test_level(self):
        np.testing.assert_array_equal(aligned(NOISE, Face(self.BOX, LEVEL), 26), NOISE[27:53, 47:73])

    def test_the_longer_side_counts(self):
        face = Face((55, 30, 65, 50), LEVEL)
        np.testing.assert_array_equal(aligned(NOISE, face, 26), NOISE[27:53, 47:73])

    @pytest.mark.parametrize(("eyes", "turns"), [(((60, 30), (60, 50)), 1), (((60, 50), (60, 30)), 3)])
    def test_a_head_on_its_side(self, eyes, turns):
        """Eyes one above the other: by a quarter turn they are level, the picture's left one on the left."""
        np.testing.assert_array_equal(aligned(NOISE, Face(self.BOX, eyes), 26), np.rot90(NOISE[27:53, 47:73], turns))

    def test_eyes_are_level_afterwards(self):
        """White dots on a line of 20 degrees end on one row, as far from the middle as they were."""
        picture = np.zeros((200, 200, 3), np.uint8)
        across, down = 30 * np.cos(np.radians(20)), 30 * np.sin(np.radians(20))
        eyes = ((100 - across, 100 - down), (100 + across, 100 + down))
        for x, y in eyes:
            picture[round(y - 0.5) - 1 : round(y - 0.5) + 2, round(x - 0.5) - 1 : round(x - 0.5) + 2] = 255
        found = aligned(picture, Face((50, 50, 150, 150), eyes), 130)[..., 0].astype(float)
        for half, place in ((found[:, :65], 35), (found[:, 65:], 30)):  # 65 - 30, and 65 + 30 of the right half
            rows, columns = np.indices(half.shape)
            assert (half * (rows + 0.5)).sum() / half.sum() == pytest.approx(65, abs=0.7)
            assert (half * (columns + 0.5)).sum() / half.sum() == pytest.approx(place, abs=0.7)

    def test_a_large_face_is_averaged(self):
        """52 pixels onto 13: by 4 times 4."""
        found = aligned(NOISE, Face((40, 30, 80, 70), LEVEL), 13)
        cut = NOISE[24:76, 34:86].astype(float)
        assert np.abs(found - cut.reshape(13, 4, 13, 4, 3).mean(axis=(1, 3))).max() < 140
        assert found.std() < NOISE.std() / 2

    def test_beyond_the_picture(self):
        found = aligned(NOISE, Face((-10, -10, 10, 10), LEVEL), 26)
        np.testing.assert_array_equal(found[13:, 13:], NOISE[:13, :13])
        assert found[0, 0].tolist() == [129, 105, 94]


class TestClip:
    def test_mtcnn_sees_the_eyes_that_mediapipe_sees(self, faces):
        with Blendshapes(None, Looking(model=str(landmarker()))).finding() as find:
            (others, *_), _ = look(Segment(speech(), 1.0, 1.1), find, [], 0.1)
        others = sorted(others, key=lambda face: face.centre)
        assert len(faces) == len(others) == 2
        for one, other in zip(faces, others, strict=True):
            points = other.found.points
            expected = [points[[33, 133]].mean(axis=0), points[[362, 263]].mean(axis=0)]  # between corners of eyes
            np.testing.assert_allclose(one.found, expected, atol=5)

    def test_large_pictures_are_shrunk_and_places_are_not(self, weights, faces):
        with Small(None, Looking(model=str(weights))).finding() as find:
            (found, *_), _ = look(
                Segment(speech(), 1.0, 1.1), lambda image, s: find(image.repeat(3, 0).repeat(3, 1), s), [], 0.1
            )
        for one, other in zip(sorted(found, key=lambda face: face.centre), faces, strict=True):
            np.testing.assert_allclose(np.array(one.found) / 3, other.found, atol=1)

    def test_fc7(self, weights, faces):
        """Of one picture: that means are right is known of all extractors."""
        times, features, notes = Small(None, Looking(face="1", model=str(weights))).opened(speech())(1.0, 1.2)
        assert (times, features.shape, notes) == (None, (1, 6), [])
        (crop, *_), _ = look(Segment(speech(), 1.0, 1.1), lambda image, _: aligned(image, faces[1]), [], 0.1)
        expected = oracle.fc7(WEIGHTS, crop[..., ::-1] - np.array([93.5940, 104.7624, 129.1863]))
        np.testing.assert_allclose(features[0], expected, rtol=2e-3, atol=1e-3 * expected.max())


def test_says_what_it_is(weights):
    found = Small(Windows(1, 0.2), Looking(model=str(weights)))
    assert found.columns == tuple(f"fc7_000{k}_mean" for k in range(1, 7))
    assert found.version.startswith("1, mtcnn ")
    assert "non-commercial" in found.licence
    assert found.settings["picture_step"] == 0.2
    assert len(found.settings["model_sha256"]) == 64


def test_4096_columns(tmp_path, weights):
    found = find_extractor("vgg-face", None, Looking(model=str(weights)))
    assert len(found.columns) == 4096
    with pytest.raises(InputError, match=r"small\.h5: layer fc7: expected 4096 units, got 6"):
        found.prepare()


def test_another_suffix(tmp_path):
    path = tmp_path / "weights.npz"
    path.touch()
    with pytest.raises(InputError, match=r"weights\.npz: expected the suffix \.h5 or \.hdf5 or \.mat"):
        Small(None, Looking(model=str(path)))
