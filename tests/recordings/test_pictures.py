"""Which picture is shown when, in videos that the tests wrote."""

import math
import sys
from fractions import Fraction

import numpy as np
import pytest

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.recordings.pictures import Segment, look
from tests.recordings.films import grey, write_film
from tests.recordings.sounds import noise, write


def film(path, count, rate, **more):
    """Picture k is of the grey 4 k; there are 60 at most."""
    return write_film(path, [grey(4 * k) for k in range(count)], rate, **more)


def levels(path, step, start=0.0, end=None):
    """Index of the picture at each step, None without one; seconds; notes."""
    notes = []
    seen, seconds = look(Segment(path, start, end), lambda image, _: round(image.mean() / 4), notes, step)
    return seen, seconds, notes


def test_even_rate(tmp_path):
    times = []
    path = film(tmp_path / "a.mkv", 50, 25)
    seen, seconds = look(Segment(path), lambda image, time: times.append(time) or image.shape, [], 0.04)
    assert seen == [(48, 64, 3)] * 50
    assert seconds == pytest.approx(2)
    np.testing.assert_allclose(times, np.arange(50) / 25)


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize("rate", [Fraction(30_000, 1001), Fraction(24_000, 1001), 12, 50])
def test_any_rate(tmp_path, suffix, rate):
    """At each step the picture that has come last. Matroska keeps milliseconds, so one may be half of one too early."""
    path = film(tmp_path / f"a{suffix}", 60, rate)
    begins = [Fraction(k) / rate for k in range(60)]
    if suffix == ".mkv":
        begins = [Fraction(round(begin * 1000), 1000) for begin in begins]
    seconds = 60 / Fraction(rate)
    expected = [
        max(k for k, begin in enumerate(begins) if begin <= step * Fraction(1, 25) + Fraction(6, 10_000))
        for step in range(math.ceil(seconds * 25))
    ]
    found = levels(path, 0.04)
    assert found[0] == expected
    assert found[1] == pytest.approx(float(seconds), abs=2e-3)


def test_a_picture_that_is_shown_for_longer_is_seen_once(tmp_path):
    seen = []
    look(Segment(film(tmp_path / "a.mp4", 24, 12)), lambda image, time: seen.append(time), [], 0.04)
    # pictures begin at k / 12: the steps from which they are shown are 0, 0.12 (0.0833), 0.2 (0.1667), 0.28 (0.25) …
    np.testing.assert_allclose(seen[:5], [0, 0.12, 0.2, 0.28, 0.36])
    assert len(seen) == 24


def test_pictures_that_no_step_meets_are_not_seen(tmp_path):
    seen = []
    look(Segment(film(tmp_path / "a.mp4", 50, 25)), lambda image, time: seen.append(time), [], 0.5)
    np.testing.assert_allclose(seen, [0, 0.5, 1, 1.5])


def test_uneven_time_stamps(tmp_path):
    path = film(tmp_path / "a.mkv", 4, 100, times=(0, 0.1, 0.5, 0.52))
    seen, _, _ = levels(path, 0.1)
    assert seen[:5] == [0, 1, 1, 1, 1]
    assert levels(path, 0.1, 0.5, 0.54)[0] == [2]
    assert levels(path, 0.01, 0.5, 0.54)[0] == [2, 2, 3]  # the last one is over at 0.53: the usual rate is 100 a second


def test_a_picture_that_begins_later_than_the_sound(tmp_path):
    path = film(tmp_path / "a.mkv", 10, 10, times=[0.5 + k / 10 for k in range(10)], seconds_of_sound=1.5)
    seen, seconds, notes = levels(path, 0.1)
    assert seen == [None] * 5 + list(range(10))
    assert (seconds, notes) == (pytest.approx(1.5), [])


class TestSegments:
    def test_are_those_of_the_whole(self, tmp_path):
        path = film(tmp_path / "a.mp4", 60, 25)
        whole, _, _ = levels(path, 0.04)
        seen, seconds, notes = levels(path, 0.04, 1.2, 2)
        assert seen == whole[30:50]
        assert (seconds, notes) == (pytest.approx(0.8), [])

    def test_begin_between_pictures(self, tmp_path):
        path = film(tmp_path / "a.mp4", 40, 10)
        # at 2.55, 2.6, 2.65 …: the picture of 2.5 is shown until 2.6
        assert levels(path, 0.05, 2.55, 2.8)[0] == [25, 26, 26, 27, 27]

    def test_beyond_the_end(self, tmp_path):
        path = film(tmp_path / "a.mp4", 20, 10)
        seen, seconds, _ = levels(path, 0.1, 1.5, 5)
        assert seen == [15, 16, 17, 18, 19]
        assert seconds == pytest.approx(0.5)
        with pytest.raises(InputError, match=r"a\.mp4: nothing from 2\.5 s to 5 s; its picture is 2\.00 s long"):
            levels(path, 0.1, 2.5, 5)

    def test_shorter_than_a_step(self, tmp_path):
        assert levels(film(tmp_path / "a.mp4", 20, 10), 0.2, 1, 1.1)[0] == [10]


class TestUpright:
    def test_turned(self, tmp_path):
        picture = grey(0)
        picture[:, :32] = 200  # left; turned against the clock it is below
        path = write_film(tmp_path / "a.mp4", [picture] * 5, 10, turned=90)
        (image, *_), _ = look(Segment(path), lambda image, _: image, [], 0.1)
        assert image.shape == (64, 48, 3)
        assert image[40:].mean() > 150 > 50 > image[:24].mean()

    def test_narrow_pixels(self, tmp_path):
        """As on DVDs: 64 pixels that are twice as wide as high are 128."""
        path = write_film(tmp_path / "a.mp4", [grey(0)] * 5, 10, aspect=Fraction(2))
        (image, *_), _ = look(Segment(path), lambda image, _: image, [], 0.1)
        assert image.shape == (48, 128, 3)

    def test_red_is_red(self, tmp_path):
        picture = grey(0)
        picture[..., 0] = 255
        (image, *_), _ = look(Segment(write_film(tmp_path / "a.mkv", [picture] * 5, 10)), lambda i, _: i, [], 0.1)
        assert image[0, 0].tolist() == [255, 0, 0]


class TestWhatIsSaid:
    def test_a_picture_that_is_shorter_than_the_sound(self, tmp_path):
        path = film(tmp_path / "a.mkv", 10, 10, seconds_of_sound=2)
        seen, _, notes = levels(path, 0.1)
        assert len(seen) == 10
        assert notes == ["its picture ends at 1.00 s, and the file is said to last 2.00 s"]

    def test_a_file_that_was_cut_short(self, tmp_path):
        path = film(tmp_path / "a.mkv", 50, 10)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        (note,) = levels(path, 0.1)[2]
        assert note.startswith("its picture ends at 2")
        assert note.endswith("the file is said to last 5.00 s")

    def test_no_picture(self, tmp_path):
        with pytest.raises(InputError, match=r"a\.wav: there is no picture in it"):
            levels(write(tmp_path / "a.wav", noise(1)), 0.1)

    def test_text(self, tmp_path):
        path = tmp_path / "a.mp4"
        path.write_text("no video\n" * 50)
        with pytest.raises(InputError, match=r"a\.mp4: no video that can be read \(Invalid data"):
            levels(path, 0.1)

    def test_nothing_there(self, tmp_path):
        with pytest.raises(MissingInputError, match="no such file"):
            levels(tmp_path / "a.mp4", 0.1)

    def test_without_av(self, tmp_path, monkeypatch):
        path = film(tmp_path / "a.mp4", 10, 10)
        monkeypatch.setitem(sys.modules, "av", None)
        with pytest.raises(InputError, match=r"looking at a video needs av, which is not installed"):
            levels(path, 0.1)


def test_time_stamps_that_are_years_off(tmp_path):
    path = write_film(tmp_path / "a.mkv", [grey(0), grey(9)], 10, times=[0, 1e9])
    with pytest.raises(
        InputError, match=r"a\.mkv: by its time stamps a picture stands from 0\.00 s to 1000000000\.00 s"
    ):
        look(Segment(path), lambda picture, seconds: None, [], 0.04)
