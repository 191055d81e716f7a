"""Every form of samples at full precision, and every way in which a file of sound can be broken."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.soundfiles import open_sound
from tests.recordings.sounds import noise, sine, write


def read(path):
    notes = []
    rate, channels, blocks = open_sound(path, notes)
    return rate, channels, np.concatenate(list(blocks)), notes


@pytest.mark.parametrize(
    ("subtype", "step"),
    [("PCM_U8", 2**-7), ("PCM_16", 2**-15), ("PCM_24", 2**-23), ("PCM_32", 2**-24), ("FLOAT", 2**-24)],
)
def test_integers_are_divided_by_full_scale(tmp_path, subtype, step):
    samples = sine(440, 0.1, 8_000)
    rate, channels, found, _ = read(write(tmp_path / "a.wav", samples, 8_000, subtype))
    assert (rate, channels) == (8_000, 1)
    np.testing.assert_allclose(found[:, 0], samples, atol=step)


def test_known_integers(tmp_path):
    integers = np.array([-32_768, -16_384, 0, 1, 32_767], np.int16)
    _, _, found, _ = read(write(tmp_path / "a.wav", integers))
    # -2^15 / 2^15 and so on
    assert found[:, 0].tolist() == [-1.0, -0.5, 0.0, 2**-15, 1 - 2**-15]


@pytest.mark.parametrize(("suffix", "alike"), [("flac", 1 - 1e-6), ("ogg", 0.999), ("mp3", 0.95)])
def test_other_formats(tmp_path, suffix, alike):
    samples = sine(440, 2, 48_000)
    path = tmp_path / f"a.{suffix}"
    write(path, np.stack([samples, -samples], axis=1), 48_000, None)
    rate, channels, found, notes = read(path)
    assert (rate, channels, len(found), notes) == (48_000, 2, 96_000, [])
    inner = slice(4_000, -4_000)
    assert np.corrcoef(found[inner, 0], samples[inner])[0, 1] > alike
    assert np.corrcoef(found[inner, 1], -samples[inner])[0, 1] > alike


def test_many_blocks(tmp_path):
    samples = noise(20, 48_000).reshape(-1, 2)  # 960,000 values, several blocks
    _, _, found, _ = read(write(tmp_path / "a.wav", samples, 48_000, "FLOAT"))
    np.testing.assert_array_equal(found, samples.astype(np.float32))


class TestBroken:
    def test_text(self, tmp_path):
        path = tmp_path / "text.wav"
        path.write_text("no sound at all\n" * 100)
        with pytest.raises(
            InputError, match=r"text\.wav: no sound that can be read \(Format not recognised\); expected"
        ):
            open_sound(path, [])

    @pytest.mark.parametrize("suffix", ["wav", "flac"])
    def test_cut_short(self, tmp_path, suffix):
        path = write(tmp_path / f"a.{suffix}", noise(3), subtype=None)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        with pytest.raises(InputError, match=rf"a\.{suffix}: breaks off at \d\.\d\d s \(.+\); copy or make it again$"):
            read(path)

    def test_a_header_with_a_size_says_when(self, tmp_path):
        path = write(tmp_path / "a.wav", noise(3))
        path.write_bytes(path.read_bytes()[: 44 + 2 * 24_000])  # of 48,000 samples half
        with pytest.raises(InputError, match=r"breaks off at 1\.50 s \(its header announces more\)"):
            read(path)

    def test_a_recorder_that_did_not_know_the_size(self, tmp_path):
        path = write(tmp_path / "a.wav", noise(1))
        size = (32_000).to_bytes(4, "little")
        path.write_bytes(path.read_bytes().replace(size, b"\xff\xff\xff\xff"))
        assert len(read(path)[2]) == 16_000

    def test_an_mp3_file_is_only_said_to_be_cut_short(self, tmp_path):
        """Its length is an estimate unless it has a header of its own for it."""
        path = write(tmp_path / "a.mp3", noise(3), subtype=None)
        assert read(path)[3] == []
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        _, _, found, (note,) = read(path)
        seconds = len(found) / 16_000
        assert note == f"3.00 s were announced, so it may have been cut short, at {seconds:.2f} s"
        assert 1 < seconds < 2

    def test_an_ogg_stream_without_an_end_is_said(self, tmp_path):
        path = write(tmp_path / "a.ogg", noise(3), subtype=None)
        assert read(path)[3] == []
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        _, _, found, (note,) = read(path)
        assert note == f"its last page is missing, so it may have been cut short, at {len(found) / 16_000:.2f} s"
