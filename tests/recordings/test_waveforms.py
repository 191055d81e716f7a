"""Sound that is kept on disk: the same samples, decoded once, never stale, and made again where it is damaged."""

import numpy as np
import pytest

from emobed_tf.errors import EmoBedWarning, InputError, MissingInputError
from emobed_tf.recordings import waveforms
from emobed_tf.recordings.waveforms import FULL_SCALE, Waveform, as_integers
from tests.recordings.sounds import noise, write


@pytest.fixture
def integers():
    return np.rint(noise(2) * FULL_SCALE).astype(np.int16)


@pytest.fixture
def path(tmp_path, integers):
    return write(tmp_path / "a.wav", integers)


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "kept"


def files(kept):
    return sorted(file for file in kept.rglob("*") if file.is_file())


class TestSamples:
    def test_are_those_of_the_file(self, path, kept, integers):
        wave = Waveform(path, folder=kept)
        assert isinstance(wave.samples, np.memmap)
        assert wave.samples.dtype == np.int16
        assert not wave.samples.flags.writeable
        np.testing.assert_array_equal(wave.samples, integers)
        assert (len(wave), wave.seconds, wave.rate, wave.channels, wave.notes) == (32_000, 2.0, 16_000, 1, ())

    def test_of_a_segment(self, path, kept, integers):
        wave = Waveform(path, 0.5, 1.25, folder=kept)
        assert len(wave) == 12_000
        np.testing.assert_array_equal(wave.samples, integers[8_000:20_000])
        with pytest.raises(InputError, match="nothing from 3 s to the end"):
            Waveform(path, 3, folder=kept)

    def test_many_blocks_of_another_rate(self, tmp_path, kept):
        path = write(tmp_path / "b.wav", noise(40, 48_000), 48_000)
        wave = Waveform(path, folder=kept)
        assert len(wave) == 640_000
        again = Waveform(path, folder=kept)
        assert (again.rate, again.channels) == (48_000, 1)
        np.testing.assert_array_equal(again.samples, wave.samples)

    def test_notes_are_kept(self, tmp_path, kept):
        path = write(tmp_path / "silent.wav", np.zeros(8_000))
        assert Waveform(path, folder=kept).notes == Waveform(path, folder=kept).notes
        assert Waveform(path, folder=kept).notes == ("digital silence, 0.50 s of zeros, kept",)


def test_rounding_and_clipping():
    # 0.5 * 32768 = 16384; one and a half steps are rounded to the even two; full scale and more is clipped
    given = np.array([0.5, 1.5 / 32_768, 1.0, 2.0, -1.0, -3.0], np.float32)
    assert as_integers(given).tolist() == [16_384, 2, 32_767, 32_767, -32_768, -32_768]


class TestCache:
    def test_is_decoded_once(self, path, kept, monkeypatch):
        Waveform(path, folder=kept)
        monkeypatch.setattr(waveforms, "Sound", None)  # would fail if it were asked
        assert len(Waveform(path, folder=kept)) == 32_000
        renamed = path.rename(path.with_name("b.wav"))
        assert len(Waveform(renamed, folder=kept)) == 32_000

    def test_another_content_is_another_file(self, path, kept, integers):
        Waveform(path, folder=kept)
        write(path, integers[::-1])
        np.testing.assert_array_equal(Waveform(path, folder=kept).samples, integers[::-1])

    @pytest.mark.parametrize("size", [0, 20, 1_000, -1])
    def test_what_is_damaged_is_made_again(self, path, kept, integers, size):
        Waveform(path, folder=kept)
        (file,) = files(kept)
        file.write_bytes(file.read_bytes()[:size])
        np.testing.assert_array_equal(Waveform(path, folder=kept).samples, integers)

    def test_nothing_is_left_of_a_file_that_breaks_off(self, path, kept):
        path.write_bytes(path.read_bytes()[:30_000])
        with pytest.raises(InputError, match="breaks off"):
            Waveform(path, folder=kept)
        with pytest.raises(MissingInputError):
            Waveform(path.with_name("none.wav"), folder=kept)
        assert not files(kept)

    def test_a_folder_that_can_t_be_written(self, path, tmp_path, integers):
        (tmp_path / "file").touch()
        with pytest.warns(EmoBedWarning, match="can't be kept here"):
            wave = Waveform(path, folder=tmp_path / "file")
        np.testing.assert_array_equal(wave.samples, integers)
        assert not wave.samples.flags.writeable
