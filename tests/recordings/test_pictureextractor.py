"""Functionals over pictures of which every grey is known, and an extractor of one's own."""

from contextlib import contextmanager

import numpy as np
import pytest

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.recordings import pictureextractor
from emobed_tf.recordings.extractors import find_extractor
from emobed_tf.recordings.faces import Face
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.pictureextractor import FaceExtractor, PictureExtractor
from emobed_tf.recordings.windows import Windows
from tests.recordings.films import grey, write_film

HERE = "tests.recordings.test_pictureextractor"


class Light(PictureExtractor):
    """Of pictures that are not black."""

    version = "1"
    names = ("level", "twice")
    subject = "light"

    @contextmanager
    def watching(self, segment, notes):
        yield lambda image, seconds: [image.mean(), 2 * image.mean()] if image.any() else None


class Whites(FaceExtractor):
    """Faces are columns of white pixels; what is seen of one is how bright its column is."""

    version = "1"
    names = ("place",)
    functionals = ("mean",)
    variable = "EMOBED_TEST_MODEL"
    wanted = "a file of any kind"

    @contextmanager
    def finding(self):
        yield lambda image, seconds: [
            Face((k, 0, k + int(image[0, k, 0]) / 50, 1), k) for k in range(64) if image[0, k].any()
        ]

    def numbers_of(self, face, image):
        return [face.found]


@pytest.fixture
def path(tmp_path):
    """2 s, ten pictures a second: 0, 10, 20, …, 190."""
    return write_film(tmp_path / "a.mkv", [grey(10 * k) for k in range(20)], 10)


def rows(extractor, path, start=0.0, end=None):
    return extractor.opened(path)(start, end)


class TestFunctionals:
    def test_of_a_recording(self, path):
        times, features, notes = rows(Light(None, Looking(0.1)), path)
        assert times is None
        level = np.arange(10, 200, 10)  # the first picture is black: missing
        np.testing.assert_allclose(features, [[100, level.std(), 200, 2 * level.std()]], rtol=1e-6)
        assert features.dtype == np.float32
        assert notes == []

    def test_of_a_segment(self, path):
        _, features, _ = rows(Light(None, Looking(0.1)), path, 0.5, 0.8)
        # 50, 60, 70: deviation sqrt(200 / 3)
        np.testing.assert_allclose(features[0, :2], [60, (200 / 3) ** 0.5], rtol=1e-6)

    def test_in_windows(self, path):
        times, features, _ = rows(Light(Windows(0.4, 0.2), Looking(0.1)), path)
        np.testing.assert_allclose(times, np.arange(10) * 0.2)
        # around 0.2 k: pictures at 0.2 k - 0.2 up to 0.2 k + 0.1
        assert features[1, 0] == pytest.approx((10 + 20 + 30) / 3)
        assert features[4, 0] == pytest.approx((60 + 70 + 80 + 90) / 4)
        assert features[9, 0] == pytest.approx((160 + 170 + 180 + 190) / 4)

    def test_causal_windows_see_nothing_that_comes_later(self, path):
        _, features, _ = rows(Light(Windows(0.4, 0.2, "causal"), Looking(0.1)), path)
        assert features[4, 0] == pytest.approx((60 + 70 + 80 + 90) / 4)  # of 0.8: until its step ends, at 1.0
        assert features[0, 0] == pytest.approx(10)

    def test_pictures_may_be_further_apart_than_rows(self, path):
        _, features, _ = rows(Light(Windows(0.4, 0.1, "causal"), Looking(0.2)), path)
        assert features.shape == (20, 4)
        assert features[10, 0] == pytest.approx((80 + 100) / 2)  # [0.7, 1.1)

    def test_a_window_in_which_all_is_missing(self, path):
        _, features, _ = rows(Light(Windows(0.1, 0.1, "causal"), Looking(0.1)), path)
        assert np.isnan(features[0]).all()
        np.testing.assert_allclose(features[1:, 1], 0)

    def test_nothing_at_all(self, tmp_path):
        _, features, notes = rows(Light(None, Looking(0.1)), write_film(tmp_path / "a.mkv", [grey(0)] * 10, 10))
        assert features.shape == (1, 4) and np.isnan(features).all()
        assert notes == ["no light in any of the 10 pictures"]

    def test_too_little_is_said(self, tmp_path):
        pictures = [grey(0)] * 6 + [grey(9)] * 4
        notes = rows(Light(None, Looking(0.1)), write_film(tmp_path / "a.mkv", pictures, 10), 0, 1.5)[2]
        assert notes == [
            "a segment is to end at 1.5 s, and its picture ends at 1.00 s",
            "no light in 6 of the 10 pictures",
        ]


class TestFind:
    def test_what_decides_over_the_numbers(self):
        found = find_extractor(f"{HERE}:Light", Windows(0.5, 0.25), Looking(0.1))
        assert found.columns == ("level_mean", "level_stddev", "twice_mean", "twice_stddev")
        assert found.settings == {"window": 0.5, "step": 0.25, "align": "centre", "picture_step": 0.1, "reader": 1}
        assert find_extractor(f"{HERE}:Light", None).settings["picture_step"] == 0.04

    def test_what_has_no_effect_is_refused(self):
        with pytest.raises(InputError, match="--face has no effect on --features .*:Light; leave it out"):
            find_extractor(f"{HERE}:Light", None, Looking(0.1, face="0"))
        with pytest.raises(InputError, match="--picture-step has no effect on --features logmel"):
            find_extractor("logmel", None, Looking(0.1))

    def test_a_window_that_no_picture_may_be_in(self):
        with pytest.raises(InputError, match=r"--window 0\.1: --features .*:Light needs 0\.2 s or more"):
            find_extractor(f"{HERE}:Light", Windows(0.1, 0.1), Looking(0.2))

    def test_the_example_in_the_docstring(self, path, tmp_path, monkeypatch):
        code = pictureextractor.__doc__.split("say:\n")[1].split("\n`python")[0]
        (tmp_path / "light.py").write_text("\n".join(line[4:] for line in code.splitlines()))
        monkeypatch.syspath_prepend(tmp_path)
        found = find_extractor("light:Light", None, Looking(0.1))
        assert found.columns == ("brightness_mean", "brightness_stddev")
        assert rows(found, path)[1][0, 0] == pytest.approx(95)


class TestFaces:
    @pytest.fixture
    def two(self, tmp_path):
        """A left face that is first missing and grows, and a right one that shrinks. It stands for a model, too."""
        pictures = [grey(0, 16) for _ in range(20)]
        for k, picture in enumerate(pictures):
            picture[:, 50] = 200 - 5 * k
            picture[:, 10] = 0 if k == 0 else 100 + 5 * k
        return write_film(tmp_path / "two.mkv", pictures, 10)

    def place(self, two, face):
        return rows(Whites(None, Looking(0.1, face, str(two))), two)

    def test_the_largest(self, two):
        # 100 + 5 k beside 200 - 5 k: alike at k = 10, where the first that was found is taken, the left one
        assert self.place(two, None)[1][0, 0] == pytest.approx((10 * 50 + 10 * 10) / 20)

    def test_followed_from_where_both_were_found(self, two):
        assert self.place(two, "0")[1][0, 0] == 10
        assert self.place(two, "1")[1][0, 0] == 50
        assert self.place(two, "tracked")[1][0, 0] == 50  # 195 beside 105

    def test_several_are_said_if_nobody_has_chosen(self, two):
        assert self.place(two, None)[2] == [
            "there are several faces, and the largest of each picture is taken; --face says which"
        ]
        assert self.place(two, "largest")[2] == []

    def test_settings(self, two):
        found = Whites(None, Looking(0.1, "1", str(two))).settings
        assert found["face"] == "1"
        assert len(found["model_sha256"]) == 64

    def test_the_model_is_found_by_its_variable(self, two, monkeypatch):
        monkeypatch.setenv("EMOBED_TEST_MODEL", str(two))
        assert Whites().model == two

    def test_no_model(self, two, monkeypatch):
        with pytest.raises(InputError, match="--model: expected the path of a file of any kind; or set EMOBED_TEST"):
            Whites()
        with pytest.raises(MissingInputError, match=r"--model: none\.h5: no such file; expected a file of any kind"):
            Whites(None, Looking(model="none.h5"))
        monkeypatch.setenv("EMOBED_TEST_MODEL", "gone.h5")
        with pytest.raises(MissingInputError, match=r"EMOBED_TEST_MODEL: gone\.h5: no such file"):
            Whites()
