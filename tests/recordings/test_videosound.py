"""The sound of videos that the tests wrote: where it begins, how long it is, and what is said of broken ones."""

import sys

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.videosound import open_sound
from tests.recordings.sounds import noise, sine, write_video


def read(path):
    notes = []
    rate, channels, blocks = open_sound(path, notes)
    return rate, channels, np.concatenate(list(blocks)), notes


def test_sound_is_that_of_the_video(tmp_path):
    samples = noise(2, 48_000)
    rate, channels, found, notes = read(write_video(tmp_path / "a.mkv", samples, 48_000, 2))
    assert (rate, channels, notes) == (48_000, 1, [])
    np.testing.assert_allclose(found[:, 0], samples, atol=2**-14)


def test_aac_in_mp4_is_not_late(tmp_path):
    samples = sine(300, 2, 48_000) * (np.arange(96_000) > 48_000)  # begins after a second
    _, _, found, _ = read(write_video(tmp_path / "a.mp4", samples, 48_000, 2))
    begin = np.flatnonzero(np.abs(found[:, 0]) > 0.05)[0] / 48_000
    assert abs(begin - 1) < 0.02


def test_sound_that_begins_later_than_the_picture(tmp_path):
    samples = noise(1, 16_000)
    _, _, found, _ = read(write_video(tmp_path / "a.mkv", samples, 16_000, 2, silent_start=0.5))
    assert not found[:8_000].any()
    np.testing.assert_allclose(found[8_000:, 0], samples, atol=2**-14)


def test_a_gap_is_zeros_in_blocks(tmp_path):
    path = write_video(tmp_path / "a.mkv", noise(1, 16_000), 16_000, 1, silent_start=60)
    sizes = [len(block) for block in open_sound(path, [])[2]]
    assert sum(sizes) == 61 * 16_000
    assert max(sizes) == 131_072


def test_a_time_stamp_that_lies_beyond_an_hour_of_nothing(tmp_path):
    path = write_video(tmp_path / "a.mkv", noise(0.1, 16_000), 16_000, 1, silent_start=10**6)
    with pytest.raises(InputError, match=r"a\.mkv: nothing from 0\.00 s to 1000000\.00 s by its time stamps; exp"):
        read(path)


def test_sound_that_is_shorter_than_the_picture_is_said(tmp_path):
    notes = read(write_video(tmp_path / "a.mp4", noise(1.5, 48_000), 48_000, 4))[3]
    (note,) = notes
    assert note.startswith("its sound is 1.5")
    assert note.endswith("shorter than its picture (4.00 s)")


def test_no_sound(tmp_path):
    path = write_video(tmp_path / "a.mp4", None, 0, 1)
    with pytest.raises(InputError, match=r"a\.mp4: there is no sound in it"):
        open_sound(path, [])


def test_text(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_text("no video\n" * 50)
    with pytest.raises(InputError, match=r"a\.mp4: neither sound nor a video that can be read \(Invalid data"):
        open_sound(path, [])


def test_cut_short(tmp_path):
    path = write_video(tmp_path / "a.mp4", noise(3, 48_000), 48_000, 3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match=r"a\.mp4: "):
        read(path)


def test_without_av(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(InputError, match=r"as a video, needs av, which is not installed; pip install 'emobed-tf\[vid"):
        open_sound(tmp_path / "a.mp4", [])


def test_a_long_gap_is_silence_in_pieces(tmp_path):
    path = write_video(tmp_path / "a.mkv", noise(0.1, 8_000), 8_000, 1, silent_start=60)
    _, _, blocks = open_sound(path, [])
    blocks = list(blocks)
    assert max(map(len, blocks)) <= 1 << 17
    found = np.concatenate(blocks)
    assert len(found) == 60 * 8_000 + 800
    assert not found[: 60 * 8_000].any() and found[60 * 8_000 :].any()


def test_time_stamps_that_are_hours_off(tmp_path):
    """Silence for a million seconds would take 30 GB."""
    path = write_video(tmp_path / "a.mkv", noise(0.1, 8_000), 8_000, 1, silent_start=1e6)
    with pytest.raises(InputError, match=r"a\.mkv: nothing from 0\.00 s to 1000000\.00 s by its time stamps"):
        read(path)


def test_sound_that_nothing_here_decodes(tmp_path):
    path = write_video(tmp_path / "a.mkv", noise(0.1, 16_000), 16_000, 0.2)
    path.write_bytes(path.read_bytes().replace(b"A_PCM/INT/LIT", b"A_PCM/INT/???"))
    with pytest.raises(InputError, match=r"a\.mkv: its sound is damaged, or in a form that FFmpeg doesn't know"):
        open_sound(path, [])
