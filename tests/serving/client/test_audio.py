"""Recordings as a served model takes them: bytes that it hears, or the features that it was trained on."""

import io
import wave

import numpy as np
import pytest
import soundfile

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.recordings.logmel import LogMel
from serving.client import audio
from tests.recordings.films import grey, write_film
from tests.recordings.sounds import noise, sine, write

WAVEFORM = {"waveform": {"sample_rate": 16_000, "samples_per_frame": 640}}
LOGMEL = {"extractor": "logmel", "version": LogMel().version, "settings": {}, "licence": ""}
OWN = """
from emobed_tf.recordings.extractors import Extractor


class Length(Extractor):
    version = "1"
    columns = ("seconds", "loudest", "pitch")

    def of(self, samples):
        return [len(samples) / 16_000, abs(samples).max(), 0]
"""
LIGHT = """
from contextlib import contextmanager

from emobed_tf.recordings.pictureextractor import PictureExtractor


class Light(PictureExtractor):
    version = "1"
    names = ("brightness",)
    functionals = ("mean",)

    @contextmanager
    def watching(self, segment, notes):
        yield lambda image, seconds: [image.mean()]
"""


def manifest(**extraction):
    features = ["logmel_b", "logmel_a"]
    return {"features": features, "frame_seconds": None, "extraction": {**LOGMEL, **extraction}}


def parsed(content):
    with wave.open(io.BytesIO(content)) as file:
        form = file.getframerate(), file.getnchannels(), file.getsampwidth()
        return form, np.frombuffer(file.readframes(file.getnframes()), "<i2")


class TestWav:
    def test_a_file_that_is_right_keeps_its_samples(self, tmp_path):
        path = write(tmp_path / "a.wav", noise(0.5))
        form, samples = parsed(audio.wav_of(path, WAVEFORM))
        assert form == (16_000, 1, 2)
        np.testing.assert_array_equal(samples, soundfile.read(path, dtype="int16")[0])

    def test_another_rate_and_two_channels(self, tmp_path):
        """The mean of a tone and silence is half the tone, at whatever rate."""
        tone = sine(440, 1, 44_100)
        path = write(tmp_path / "a.flac", np.stack([tone, 0 * tone], 1), 44_100)
        form, samples = parsed(audio.wav_of(path, WAVEFORM))
        assert form == (16_000, 1, 2)
        assert len(samples) == 16_000
        np.testing.assert_allclose(samples[100:-100] / 32_768, sine(440, 1, 16_000)[100:-100] / 2, atol=1e-3)

    def test_where_nothing_reads_sound_a_wav_goes_as_it_is(self, tmp_path, monkeypatch):
        path = write(tmp_path / "a.wav", noise(0.1), 8_000)
        monkeypatch.setattr(audio.importlib.util, "find_spec", lambda name: None)
        assert audio.wav_of(path, WAVEFORM) == path.read_bytes()
        with pytest.raises(MissingInputError, match="no such file"):
            audio.wav_of(tmp_path / "b.wav", WAVEFORM)

    def test_a_model_of_another_rate(self, tmp_path):
        with pytest.raises(InputError, match=r"the model takes sound at 8,000 Hz; this client .* to 16,000 Hz"):
            audio.wav_of(tmp_path / "a.wav", {"waveform": {"sample_rate": 8_000}})


class TestExtraction:
    def test_is_what_the_manifest_says(self):
        made = audio.extraction_in(manifest(), None)
        assert (made.extractor, made.version, made.settings) == ("logmel", LOGMEL["version"], {})

    def test_windows_of_a_model_of_frames(self):
        settings = {"window": 0.5, "step": 0.04, "align": "causal"}
        said = {**manifest(settings={**LogMel().settings, **settings}), "frame_seconds": 0.04}
        assert audio.extraction_in(said, None).settings["window"] == 0.5

    @pytest.mark.parametrize(
        ("said", "message"),
        [
            ({"features": ["a"]}, "its manifest doesn't say what made them; .* send them with --features"),
            (manifest(version="0"), "come from logmel, version 0; here is version .*; install that version, or train"),
            (manifest(settings={"bands": 3}), r"with the settings \{'bands': 3\}; here it has \{"),
            ({**manifest(), "frame_seconds": 0.04}, "the model takes a row every 0.04 s, .* one row for a recording"),
            (manifest(extractor="os:path"), "come from os:path, .* if it is yours, allow it with --extractor os:path"),
        ],
    )
    def test_anything_else_is_refused(self, said, message):
        with pytest.raises(InputError, match=message):
            audio.extraction_in(said, None)

    def test_code_of_ones_own_runs_only_where_it_is_allowed(self, tmp_path, monkeypatch):
        (tmp_path / "own_length.py").write_text(OWN)
        monkeypatch.syspath_prepend(tmp_path)
        said = manifest(extractor="own_length:Length", version="1")
        with pytest.raises(InputError, match="allow it with --extractor own_length:Length"):
            audio.extraction_in(said, "another:Length")
        assert audio.extraction_in(said, "own_length:Length").version == "1"


class TestFeatures:
    @pytest.fixture
    def said(self, tmp_path, monkeypatch):
        (tmp_path / "own_seconds.py").write_text(OWN)
        monkeypatch.syspath_prepend(tmp_path)
        extraction = {"extractor": "own_seconds:Length", "version": "1", "settings": {}, "licence": ""}
        return {"features": ["loudest", "seconds"], "frame_seconds": None, "extraction": extraction}

    def test_in_the_manifests_order(self, said, tmp_path):
        paths = [write(tmp_path / f"{name}.wav", sine(300, seconds, 16_000)) for name, seconds in (("a", 1), ("b", 2))]
        made = audio.extraction_in(said, "own_seconds:Length")
        found = audio.features_of(paths, said, made)
        assert [recording.id for recording in found] == ["a", "b"]
        np.testing.assert_allclose([r.features[0] for r in found], [[0.5, 1], [0.5, 2]], atol=1e-3)

    def test_another_feature(self, said, tmp_path):
        made = audio.extraction_in(said, "own_seconds:Length")
        with pytest.raises(InputError, match="own_seconds:Length doesn't give the model's features jitter"):
            audio.features_of([tmp_path / "a.wav"], {**said, "features": ["jitter"]}, made)

    def test_one_name_twice(self, said, tmp_path):
        paths = [tmp_path / "a.wav", tmp_path / "b" / "a.wav"]
        with pytest.raises(InputError, match="recording 'a' a second time"):
            audio.features_of(paths, said, audio.extraction_in(said, "own_seconds:Length"))

    def test_what_is_no_sound(self, said, tmp_path):
        path = tmp_path / "a.wav"
        path.write_text("nothing of the kind")
        with pytest.raises(InputError, match=r"a\.wav"):
            audio.features_of([path], said, audio.extraction_in(said, "own_seconds:Length"))

    def test_pictures_are_looked_at_as_often_as_for_the_model(self, tmp_path, monkeypatch):
        """Once a second, so the first and the third of four in two seconds: their mean is 20, that of all four 25."""
        (tmp_path / "own_light.py").write_text(LIGHT)
        monkeypatch.syspath_prepend(tmp_path)
        film = write_film(tmp_path / "a.mkv", [grey(level) for level in (10, 20, 30, 40)], 2)
        settings = {"picture_step": 1.0, "reader": 1}
        extraction = {"extractor": "own_light:Light", "version": "1", "settings": settings, "licence": ""}
        said = {"features": ["brightness_mean"], "frame_seconds": None, "extraction": extraction}
        (found,) = audio.features_of([film], said, audio.extraction_in(said, "own_light:Light"))
        assert found.features == pytest.approx(np.array([[20]]), abs=0.01)
