"""One channel at 16 kHz, whatever the file has; segments; silence and files that are no sound."""

import numpy as np
import pytest

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.recordings import audio
from emobed_tf.recordings.audio import SAMPLE_RATE, Sound, decode, put_together
from tests.recordings.sounds import noise, sine, write, write_video


class TestDecode:
    @pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
    @pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "FLOAT"])
    def test_rates_and_widths(self, tmp_path, rate, subtype):
        found = decode(write(tmp_path / "a.wav", sine(440, 1, rate), rate, subtype))
        assert found.dtype == np.float32
        inner = slice(200, -200)
        atol = 0.01 if subtype == "PCM_U8" else 0.002
        np.testing.assert_allclose(found[inner], sine(440, 1, SAMPLE_RATE)[inner], atol=atol)

    def test_channels_are_mixed_by_their_mean(self, tmp_path):
        channels = np.array([[0.5, 0.25], [0.5, -0.5], [-0.25, 0.75]])
        assert decode(write(tmp_path / "a.wav", channels)).tolist() == [0.375, 0.0, 0.25]

    def test_opposite_channels_cancel_and_are_said_to_be_heard(self, tmp_path):
        sound = Sound(write(tmp_path / "a.wav", np.stack([noise(1), noise(1)], axis=1)))
        list(sound.blocks())
        assert (sound.rate, sound.channels, sound.notes) == (16_000, 2, [])

    def test_a_video(self, tmp_path):
        path = write_video(tmp_path / "a.mkv", sine(440, 1, 48_000), 48_000, 1)
        np.testing.assert_allclose(decode(path)[200:-200], sine(440, 1, SAMPLE_RATE)[200:-200], atol=0.002)

    def test_a_segment_is_cut_from_the_whole(self, tmp_path):
        path = write(tmp_path / "a.wav", noise(2, 44_100), 44_100)
        whole = decode(path)
        np.testing.assert_array_equal(decode(path, 0.5, 1.25), whole[8_000:20_000])
        np.testing.assert_array_equal(decode(path, 1.5), whole[24_000:])
        np.testing.assert_array_equal(decode(path, 1.5, 9), whole[24_000:])

    def test_a_segment_behind_the_end(self, tmp_path):
        path = write(tmp_path / "a.wav", noise(2))
        with pytest.raises(InputError, match=r"a\.wav: nothing from 2\.5 s to 3 s; the recording is 2\.00 s long"):
            decode(path, 2.5, 3)


class TestBounds:
    @pytest.mark.parametrize("rate", [1, 999, 384_001, 2**31 - 1])
    def test_a_rate_that_nothing_has(self, tmp_path, rate):
        path = write(tmp_path / "a.wav", noise(1))
        header = bytearray(path.read_bytes())
        assert header[24:28] == (16_000).to_bytes(4, "little")
        header[24:28] = rate.to_bytes(4, "little")
        path.write_bytes(header)
        with pytest.raises(InputError, match=rf"a\.wav: a sampling rate of {rate} Hz; expected 1000 to 384000"):
            decode(path)

    @pytest.mark.parametrize("rate", [1_000, 384_000])
    def test_rates_at_the_edges(self, tmp_path, rate):
        assert len(decode(write(tmp_path / "a.wav", noise(0.1, rate), rate))) == 1_600

    @pytest.mark.parametrize(("longest", "least", "most"), [(100, 1e9, "0.0008333"), (4, 1, "0.001111")])
    def test_a_few_bytes_that_stand_for_hours(self, tmp_path, monkeypatch, longest, least, most):
        monkeypatch.setattr(audio, "_FREE", 3)
        monkeypatch.setattr(audio, "_LEAST_BYTES", least)
        monkeypatch.setattr(audio, "_LONGEST", longest)
        assert len(decode(write(tmp_path / "a.flac", np.zeros(48_000)))) == 48_000
        path = write(tmp_path / "b.flac", np.zeros(80_000))
        hours = f"more than {most} hours of sound in {path.stat().st_size} bytes"
        with pytest.raises(InputError, match=rf"b\.flac: {hours}; .* at most; cut it into pieces"):
            decode(path)


def test_blocks_are_put_together():
    blocks = [np.float32([1, 2]), np.float32([]), np.float32([3])]
    found = put_together(iter(blocks))
    assert (found.tolist(), found.dtype) == ([1, 2, 3], np.float32)
    assert len(put_together([])) == 0


class TestUgly:
    def test_missing(self, tmp_path):
        with pytest.raises(MissingInputError, match=r"a\.wav: no such file"):
            decode(tmp_path / "a.wav")

    def test_folder(self, tmp_path):
        with pytest.raises(InputError, match="expected a recording, got a folder"):
            decode(tmp_path)

    @pytest.mark.parametrize("name", ["a.wav", "a.mp4"])
    def test_empty(self, tmp_path, name):
        (tmp_path / name).touch()
        with pytest.raises(InputError, match="the file is empty"):
            decode(tmp_path / name)

    def test_no_samples(self, tmp_path):
        with pytest.raises(InputError, match="there is no sound in it, 0 samples"):
            decode(write(tmp_path / "a.wav", np.zeros(0)))

    def test_text_without_a_known_suffix(self, tmp_path):
        (tmp_path / "a.txt").write_text("hello")
        with pytest.raises(InputError, match=r"a\.txt: neither sound nor a video"):
            decode(tmp_path / "a.txt")

    def test_a_sample_that_is_no_number(self, tmp_path):
        samples = noise(1)
        samples[8_000] = np.nan
        with pytest.raises(InputError, match=r"a sample at 0\.50 s is no finite number"):
            decode(write(tmp_path / "a.wav", samples, subtype="FLOAT"))


def test_digital_silence_is_said(tmp_path):
    sound = Sound(write(tmp_path / "a.wav", np.zeros(24_000)))
    assert not np.concatenate(list(sound.blocks())).any()
    assert sound.notes == ["digital silence, 1.50 s of zeros, kept"]


@pytest.mark.parametrize("rate", [1, 999, 999_983, 2**31 - 1])
def test_a_rate_that_sound_does_not_have(tmp_path, rate):
    """Of 1 Hz, each sample would become 16,000; a filter for 2**31 - 1 Hz takes more memory than there is."""
    path = write(tmp_path / "a.wav", noise(1), rate)
    with pytest.raises(InputError, match=rf"a\.wav: a sampling rate of {rate} Hz; expected 1000 to 384000"):
        decode(path)


@pytest.mark.parametrize("rate", [1000, 11_127, 22_254, 44_099, 384_000])
def test_odd_rates_that_there_are(tmp_path, rate):
    samples = noise(0.1, rate)
    assert len(decode(write(tmp_path / "a.wav", samples, rate))) == -(-len(samples) * SAMPLE_RATE // rate)
