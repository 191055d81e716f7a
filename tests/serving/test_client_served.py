"""The client over a real socket: what comes back is what the run itself says. See conftest for which server it is."""

import csv
import os
import shutil
import subprocess
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emobed_tf.corpora import load_features
from emobed_tf.runs.folder import Run
from serving.client.__main__ import main
from serving.client.client import Client, ServingError
from tests.commands import assert_one_line
from tests.serving.served import serving, wait_until

pytestmark = pytest.mark.slow  # two trainings and a server before the first test

FRAMES = 301  # 12 s, the recordings of the fixture `recola`


@pytest.fixture(scope="module")
def files(recola, tables):
    """Feature files by model."""
    folder = recola / "features_audio" / "arousal"
    return {"audio": [folder / f"{part}_1.arff" for part in ("dev", "test")], "speech": [tables / "audio.csv"]}


@pytest.fixture(scope="module")
def recordings(exported, files):
    """Recordings by model."""
    found = {}
    for name in ("audio", "speech"):
        facts = Run.open(exported / "runs" / f"{name}-0").facts()
        step = facts.frame_seconds["audio"]
        found[name] = load_features(
            files[name], modality="audio", feature_names=facts.features["audio"], frame_seconds=step
        )
    return found


@pytest.fixture(scope="module")
def truth(exported):
    """The runs' own models, by (name, version)."""
    from emobed_tf.runs.scoring import load_model

    runs = {("audio", 1): "audio-0", ("audio", 2): "audio-1", ("speech", 1): "speech-0"}
    return {key: load_model(Run.open(exported / "runs" / folder)) for key, folder in runs.items()}


@pytest.fixture
def client(server):
    with Client(server.url, "audio", version=1) as client:
        yield client


def command(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    return subprocess.CompletedProcess(arguments, code, *capsys.readouterr())


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


class TestAgainstTheRun:
    @pytest.mark.parametrize("version", [1, 2])
    def test_prediction(self, server, recordings, truth, version):
        batch = np.stack([recording.features for recording in recordings["audio"]])
        expected = truth["audio", version](batch).numpy()
        assert expected.shape == (2, FRAMES)
        client = Client(server.url, "audio", version=version)
        close(client.predict(batch), expected)
        close(client.predict(batch[1]), expected[1])

    def test_missing_values(self, client, recordings, truth):
        features = recordings["audio"][0].features.copy()
        features[::3, ::2] = np.nan
        features[5] = np.nan
        expected = truth["audio", 1](features[np.newaxis]).numpy()[0]
        assert np.abs(expected - client.predict(recordings["audio"][0].features)).max() > 1e-4
        close(client.predict(features), expected)

    def test_embedding(self, client, recordings, truth):
        features = recordings["audio"][0].features
        (encoder,) = [layer for layer in truth["audio", 1].layers if "encoder" in layer.name]
        close(client.embed(features), encoder(features[np.newaxis]).numpy()[0])

    def test_classification(self, server, recordings, truth):
        table = np.concatenate([recording.features for recording in recordings["speech"]])
        assert table.shape == (60, 5)
        expected = truth["speech", 1](table[:, np.newaxis]).numpy()
        found = Client(server.url, "speech").predict(table)
        close(found.probabilities, expected)
        assert found.classes == ("anger", "calm", "joy")
        assert found.labels == [found.classes[k] for k in expected.argmax(axis=1)]
        assert found.version == 1
        one = Client(server.url, "speech").predict(table[3])
        assert one.labels == found.labels[3]
        close(one.probabilities, expected[3])


class TestCommand:
    @pytest.mark.parametrize(("name", "version", "run"), [("audio", 1, 0), ("audio", 2, 1), ("speech", 1, 0)])
    def test_writes_what_predict_writes(self, server, exported, files, capsys, tmp_path, name, version, run):
        from emobed_tf.runs.scoring import predict_files

        predict_files(Run.open(exported / "runs" / f"{name}-{run}"), files[name], tmp_path / "expected.csv")
        found = tmp_path / "found.csv"
        flags = ("--features", *files[name], "--version", version, "--output", found)
        result = command(capsys, server.url, name, *flags)
        assert result.returncode == 0, result.stderr
        tables = []
        for path in (tmp_path / "expected.csv", found):
            with open(path, newline="") as file:
                tables.append(list(csv.reader(file)))
        expected, found = tables
        assert found[0] == expected[0]
        assert len(found) == len(expected) == {"audio": 2 * FRAMES + 1, "speech": 61}[name]
        first = 2  # before it: id and time, or id and prediction
        assert [row[:first] for row in found] == [row[:first] for row in expected]
        numbers = [np.array([row[first:] for row in rows[1:]], float) for rows in (found, expected)]
        close(*numbers)

    def test_features_of_another_model(self, server, files, capsys):
        assert_one_line(command(capsys, server.url, "speech", "--features", files["audio"][0]), "dev_1.arff")

    def test_model_of_another_exporter(self, server, files, capsys):
        result = command(capsys, server.url, "gru", "--features", files["audio"][0])
        assert_one_line(result, 'Serving signature name: "manifest" not found in signature def', "(HTTP 400)")


class TestStream:
    @settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(cuts=st.sets(st.integers(1, FRAMES - 1), max_size=8))
    def test_chunks_give_what_the_whole_gives(self, client, recordings, truth, cuts):
        features = recordings["audio"][0].features
        with client.stream() as stream:
            parts = [stream.send(chunk) for chunk in np.split(features, sorted(cuts))]
        close(np.concatenate(parts), truth["audio", 1](features[np.newaxis]).numpy()[0])

    @pytest.mark.skipif("EMOBED_SERVER" in os.environ, reason="needs a model that such a server doesn't have")
    def test_of_convolutions(self, recola, recordings, tmp_path):
        """States of two dimensions; chunks shorter and longer than the 13 frames that an embedding depends on."""
        from emobed_tf.saved_model.export import export_run
        from emobed_tf.training.loop import train_run
        from tests.training.test_loop import settings as tiny

        run = train_run(tiny(recola, encoder="tcn", encoder_layers=2, epochs=1), tmp_path / "run")
        export_run(run, tmp_path / "tcn")
        features = recordings["audio"][0].features
        with serving(model_dirs=[tmp_path / "tcn"]) as server, Client(server.url, "tcn") as client:
            whole = client.predict(features)
            with client.stream() as stream:
                parts = [stream.send(chunk) for chunk in np.split(features, [1, 2, 5, 100, 101])]
        close(np.concatenate(parts), whole)

    def test_frame_by_frame_in_real_time(self, client, recordings, truth):
        features, found, seconds = recordings["audio"][0].features[:50], [], []
        with client.stream() as stream:
            for frame in features:
                began = time.monotonic()
                found.append(stream.send([frame]))
                seconds.append(time.monotonic() - began)
        # Not all: others may use the machine, too. A delayed acknowledgement would cost each of them 40 ms.
        assert np.quantile(seconds, 0.25) < 0.04
        close(np.concatenate(found), truth["audio", 1](features[np.newaxis]).numpy()[0])

    @pytest.mark.skipif("EMOBED_SERVER" in os.environ, reason="takes versions away from a server of its own")
    def test_while_the_server_reloads(self, exported, recordings, tmp_path):
        features = recordings["audio"][0].features
        shutil.copytree(exported / "audio" / "1", tmp_path / "audio" / "1")
        with serving("--poll", "0.1", model_dirs=[tmp_path / "audio"]) as server:
            client = Client(server.url, "audio")
            whole = client.predict(features)
            stream = client.stream()
            first = stream.send(features[:100])
            shutil.copytree(exported / "audio" / "2", tmp_path / "new")
            (tmp_path / "new").rename(tmp_path / "audio" / "2")
            wait_until(lambda: client.current_version() == 2)
            close(np.concatenate([first, stream.send(features[100:200])]), whole[:200])
            assert np.abs(client.predict(features) - whole).max() > 1e-3
            shutil.rmtree(tmp_path / "audio" / "1")
            wait_until(lambda: [status.version for status in client.status() if status.state == "AVAILABLE"] == [2])
            with pytest.raises(ServingError, match="version 1 of audio, which the stream began with, is gone"):
                stream.send(features[200:])
            close(client.stream().send(features), client.predict(features))


class TestVersions:
    def test_newest_label_and_status(self, server):
        client = Client(server.url, "audio")
        assert client.current_version() == 2
        assert Client(server.url, "audio", label="stable").current_version() == 1
        assert [(status.version, status.state, status.error) for status in client.status()] == [
            (2, "AVAILABLE", ""),
            (1, "AVAILABLE", ""),
        ]
        assert set(client.metadata()["metadata"]["signature_def"]["signature_def"]) > set(
            client.manifest()["signatures"]
        )

    @pytest.mark.parametrize(
        ("name", "which", "status", "message"),
        [
            ("nope", {}, 404, "Servable not found for request: Latest(nope)"),
            ("audio", {"version": 9}, 404, "Servable not found for request: Specific(audio, 9)"),
            ("audio", {"label": "beta"}, 400, "Unrecognized servable version label: beta"),
        ],
    )
    def test_what_is_not_there(self, server, name, which, status, message):
        with pytest.raises(ServingError) as caught:
            Client(server.url, name, **which).predict(np.zeros((1, 88)))
        assert (caught.value.status, caught.value.message) == (status, message)
