"""`python -m serving.client` against the stand-in: what it prints and leaves, and one line for every mistake."""

import csv
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest

from emobed_tf.corpora.simulate import simulate_recola
from serving.client.__main__ import main
from tests.commands import assert_one_line
from tests.conftest import ROOT
from tests.recordings.sounds import write
from tests.serving.client.talk import predictions_asked
from tests.serving.fake_serving import FakeModel

# One recording of three frames that begins at 2 s: s = 1, 32.5, 16.25
FRAMES = "id,time,loudness,pitch\na,2,1,0\na,2.04,2,3\na,2.08,,0\n"
UTTERANCES = "id,pitch,loudness\nu1,1,0\nu2,-1,0\n"


@pytest.fixture
def files(tmp_path):
    """Paths of two feature files: frames and utterances."""
    for name, text in (("frames", FRAMES), ("utterances", UTTERANCES)):
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path / "frames.csv", tmp_path / "utterances.csv"


@pytest.fixture
def client(capsys, monkeypatch):
    """The command in this process: what it returned and wrote."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # the command sets it for good

    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())

    return run


def process(*arguments, python=(), **more):
    line = [sys.executable, *python, "-m", "serving.client", *map(str, arguments)]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=60, **more)


class TestOutput:
    def test_regression(self, fake, files, client, tmp_path):
        output = tmp_path / "new" / "p.csv"
        result = client(fake.url, "audio", "--features", files[0], "--output", output)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == f"{output}: 3 rows from audio, version 1 (trained on SIMULATED data)\n"
        # The label delay of two frames is undone in `raw`: the first value again and again.
        assert output.read_text() == (
            "id,time,raw,postprocessed\na,2.0,1.0,1001.0\na,2.04,1.0,1032.5\na,2.08,1.0,1016.25\n"
        )

    def test_classification(self, fake, files, client):
        result = client(fake.url, "speech", "--features", files[1])
        assert result.stdout == "id,prediction,p_low,p_high\nu1,high,0.25,0.75\nu2,low,0.75,0.25\n"
        assert result.stderr == "2 rows from speech, version 1 (trained on SIMULATED data)\n"

    def test_regression_of_utterances_has_no_time(self, fake, files, client):
        fake.models["age"] = {1: FakeModel(frame_seconds=None, label_delay_frames=0)}
        result = client(fake.url, "age", "--features", files[1])
        assert result.stdout == "id,raw,postprocessed\nu1,10.0,1010.0\nu2,-10.0,990.0\n"

    def test_utterances_are_sent_together(self, fake, files, client, monkeypatch):
        rows = "".join(f"u{k},{k % 2},0\n" for k in range(7))
        files[1].write_text("id,pitch,loudness\n" + rows)
        whole = client(fake.url, "speech", "--features", files[1]).stdout
        assert len(predictions_asked(fake)) == 1
        monkeypatch.setattr("serving.client.__main__._NUMBERS_AT_ONCE", 6)  # 3 utterances of 2 features
        fake.asked.clear()
        assert client(fake.url, "speech", "--features", files[1]).stdout == whole
        assert len(predictions_asked(fake)) == 3
        assert [line.split(",")[:2] for line in whole.splitlines()[1:]] == [
            [f"u{k}", ("low", "high")[k % 2]] for k in range(7)
        ]

    def test_classification_of_sequences(self, fake, files, client):
        """The last state decides: 16.25 is more than 0."""
        fake.models["speech"] = {1: FakeModel("classification")}
        result = client(fake.url, "speech", "--features", files[0])
        assert result.stdout == "id,prediction,p_low,p_high\na,high,0.25,0.75\n"

    def test_real_data_are_not_called_simulated(self, fake, files, client):
        fake.models["audio"] = {1: FakeModel(simulated=False)}
        result = client(fake.url, "audio", "--features", files[0])
        assert result.stderr == "3 rows from audio, version 1\n"

    @pytest.mark.parametrize(
        ("signature", "expected"),
        [
            ("prediction", "id,time,raw\na,2.0,1.0\na,2.04,1.0\na,2.08,1.0\n"),
            ("postprocessed", "id,time,postprocessed\na,2.0,1001.0\na,2.04,1032.5\na,2.08,1016.25\n"),
            ("embed", "id,time,embedding_1,embedding_2\na,2.0,1.0,2.0\na,2.04,32.5,65.0\na,2.08,16.25,32.5\n"),
        ],
    )
    def test_one_signature(self, fake, files, client, signature, expected):
        assert client(fake.url, "audio", "--features", files[0], "--signature", signature).stdout == expected

    def test_one_signature_of_a_classifier(self, fake, files, client):
        embedded = client(fake.url, "speech", "--features", files[1], "--signature", "embed")
        assert embedded.stdout == "id,embedding_1,embedding_2\nu1,10.0,20.0\nu2,-10.0,-20.0\n"
        whole = client(fake.url, "speech", "--features", files[1])
        assert client(fake.url, "speech", "--features", files[1], "--signature", "prediction").stdout == whole.stdout

    def test_version_and_label(self, fake, files, client):
        fake.models["audio"][2] = FakeModel(features=("pitch", "loudness"))
        fake.labels["stable"] = 1
        for flags, version in (((), 2), (("--version", 1), 1), (("--label", "stable"), 1)):
            result = client(fake.url, "audio", "--features", files[0], *flags)
            assert f"from audio, version {version} " in result.stderr

    def test_one_version_for_all_files(self, fake, files, client, tmp_path):
        (tmp_path / "more.csv").write_text(FRAMES.replace("a,", "b,"))

        def reload(server):
            server.models["audio"][2] = FakeModel(features=("pitch", "loudness"))

        fake.instead = [None, None, reload]
        result = client(fake.url, "audio", "--features", files[0], tmp_path / "more.csv")
        rows = list(csv.reader(result.stdout.splitlines()))
        assert [row[2:] for row in rows[1:4]] == [row[2:] for row in rows[4:]]
        assert "version 1" in result.stderr

    def test_arff_of_recola(self, fake, client, tmp_path):
        simulate_recola(tmp_path, seconds=12, recordings=1)
        file = tmp_path / "features_audio" / "arousal" / "test_1.arff"
        lines = file.read_text().splitlines()
        names = [line.split()[1] for line in lines if line.lower().startswith("@attribute")][1:]
        fake.models["audio"] = {1: FakeModel(features=names)}
        result = client(fake.url, "audio", "--features", file, "--signature", "embed")
        rows = list(csv.DictReader(result.stdout.splitlines()))
        assert [row["time"] for row in rows[:3]] == ["0.0", "0.04", "0.08"]
        assert {row["id"] for row in rows} == {"test_1"}


WAVEFORM = {"sample_rate": 16_000, "samples_per_frame": 640}


class TestAudio:
    """A sound of three frames, whose first samples are 1/4, 1/2 and 0: s = 1/4, 5/8, 5/16."""

    @pytest.fixture
    def sound(self, tmp_path):
        samples = np.zeros(3 * 640)
        samples[[0, 640]] = 0.25, 0.5
        return write(tmp_path / "a.wav", samples)

    @pytest.fixture
    def hearing(self, fake):
        fake.models["hears"] = {1: FakeModel(waveform=WAVEFORM, label_delay_frames=1)}
        fake.models["says"] = {1: FakeModel("classification", waveform=WAVEFORM)}
        return fake

    def test_a_regression_that_hears(self, hearing, sound, client):
        result = client(hearing.url, "hears", "--audio", sound)
        assert result.stdout == (
            "id,time,raw,postprocessed\na,0.0,0.25,1000.25\na,0.04,0.25,1000.625\na,0.08,0.625,1000.3125\n"
        )
        assert result.stderr.startswith("3 rows from hears, version 1")
        result = client(hearing.url, "hears", "--audio", sound, "--signature", "postprocessed")
        assert result.stdout.splitlines()[:2] == ["id,time,postprocessed", "a,0.0,1000.25"]

    def test_a_classification_that_hears(self, hearing, sound, client):
        result = client(hearing.url, "says", "--audio", sound)
        assert result.stdout == "id,prediction,p_low,p_high\na,high,0.25,0.75\n"

    def test_features_are_extracted_here(self, fake, sound, client, tmp_path, monkeypatch):
        """Loudness 1/2, pitch 3 frames: s = 30.5."""
        (tmp_path / "own_pitch.py").write_text(
            "from emobed_tf.recordings.extractors import Extractor\n\n\n"
            "class Own(Extractor):\n    version, columns, licence = '1', ('pitch', 'loudness'), 'for nobody'\n\n"
            "    def of(self, samples):\n        return [len(samples) / 640, samples.max()]\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        made = {"extractor": "own_pitch:Own", "version": "1", "settings": {}, "licence": "for nobody"}
        fake.models["age"] = {1: FakeModel(frame_seconds=None, label_delay_frames=0, extraction=made)}
        result = client(fake.url, "age", "--audio", sound, "--extractor", "own_pitch:Own")
        assert result.stdout == "id,raw,postprocessed\na,30.5,1030.5\n"
        assert result.stderr.startswith("note: for nobody\n")

    @pytest.mark.parametrize(
        ("model", "more", "words"),
        [
            ("audio", (), "--audio: the model takes features, and its manifest doesn't say what made them"),
            ("hears", ("--signature", "embed"), "--signature embed: name the recordings as --features"),
            ("hears", ("--extractor", "a:B"), "--extractor a:B: the model takes sound, nothing is extracted here"),
            ("hears", ("--features", "a.csv"), "name one file or more, either of --features or of --audio"),
        ],
    )
    def test_what_can_not_be(self, hearing, sound, client, model, more, words):
        assert_one_line(client(hearing.url, model, "--audio", sound, *more), words)


class TestProcess:
    def test_predicts_without_tensorflow(self, fake, files):
        found = process(fake.url, "audio", "--features", files[0], python=("-X", "importtime"))
        assert found.returncode == 0, found.stderr
        assert found.stdout.startswith("id,time,raw,postprocessed\n")
        loaded = {line.rsplit("|", 1)[-1].strip() for line in found.stderr.splitlines()}
        assert "requests" in loaded
        assert not loaded & {"tensorflow", "keras", "sklearn", "scipy.stats", "matplotlib"}

    def test_explains_itself_without_tensorflow(self):
        found = process("--help", python=("-X", "importtime"))
        assert found.returncode == 0
        assert "usage" in found.stdout.lower()
        assert " tensorflow\n" not in found.stderr

    def test_reader_went_away(self, fake, files):
        line = f"{sys.executable} -m serving.client {fake.url} audio --features {files[0]} | true"
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        found = subprocess.run(line, cwd=ROOT, env=environment, shell=True, capture_output=True, text=True, timeout=60)
        assert found.stderr == ""


class TestMistakes:
    @pytest.mark.parametrize(
        ("flags", "words"),
        [
            (["--signature", "manifest"], ["--signature", "manifest"]),
            (["--version", "one"], ["--version", "one"]),
            (["--version", 1, "--label", "stable"], ["version 1", "label 'stable'"]),
            (["--version", 9], ["Servable not found for request: Specific(audio, 9)", "(HTTP 404)"]),
            (["--label", "beta"], ["Unrecognized servable version label: beta", "(HTTP 400)"]),
            (["--timeout", 0], ["time-out", "more than 0"]),
            (["--output", ROOT], [str(ROOT), "is a folder"]),
            (["--features"], ["--features", "one file or more"]),
            (["--features", "/nowhere.csv"], ["/nowhere.csv"]),
            (["--ouptut", "x"], ["--ouptut", "--output"]),
        ],
        ids=str,
    )
    def test_flags(self, fake, files, client, flags, words):
        assert_one_line(client(fake.url, "audio", "--features", files[0], *flags), *words)

    def test_unknown_model(self, fake, files, client):
        assert_one_line(client(fake.url, "video", "--features", files[0]), "Latest(video)", "(HTTP 404)")

    def test_nobody_there(self, files, client):
        result = client("http://127.0.0.1:9", "audio", "--features", files[0])
        assert_one_line(result, "http://127.0.0.1:9/", "Connection refused", "REST port")

    def test_no_address(self, files, client):
        assert_one_line(client("audio", "speech", "--features", files[0]), "http://localhost:8501", "'audio'")

    def test_other_features(self, fake, files, client, tmp_path):
        files[0].write_text(FRAMES.replace("pitch", "tempo"))
        result = client(fake.url, "audio", "--features", files[0], "--output", tmp_path / "p.csv")
        assert_one_line(result, "frames.csv", "1 missing: pitch", "1 unexpected: tempo")
        assert not (tmp_path / "p.csv").exists()

    def test_postprocessed_of_a_classifier(self, fake, files, client):
        result = client(fake.url, "speech", "--features", files[1], "--signature", "postprocessed")
        assert_one_line(result, "speech, version 1", "no signature 'postprocessed'")

    def test_server_fails_half_way(self, fake, files, client, tmp_path):
        fake.instead = [None, None, None, (500, {}, '{"error": "out of\\nmemory"}')]
        result = client(fake.url, "audio", "--features", files[0], "--output", tmp_path / "p.csv")
        assert_one_line(result, "out of memory (HTTP 500)")
        assert not (tmp_path / "p.csv").exists()
