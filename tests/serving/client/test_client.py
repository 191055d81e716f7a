"""The client against a stand-in whose answers can be worked out by hand; see `fake_serving`."""

import base64
import dataclasses
import json
import time

import numpy as np
import pandas as pd
import pytest

from emobed_tf.errors import InputError
from serving.client.client import Classification, Client, ServingError, VersionStatus
from tests.serving.client.talk import FEATURES, PREDICTION, predictions_asked, unavailable
from tests.serving.fake_serving import FakeModel


class TestPredict:
    def test_recording(self, client):
        found = client.predict(FEATURES)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, PREDICTION)

    def test_batch(self, client):
        found = client.predict([FEATURES, -FEATURES])
        np.testing.assert_array_equal(found, [[1, 32.5], [-1, -32.5]])

    def test_batch_of_one_stays_a_batch(self, client):
        assert client.predict(FEATURES[np.newaxis]).shape == (1, 2)

    def test_embedding(self, client):
        np.testing.assert_array_equal(client.embed(FEATURES), [[1, 2], [32.5, 65]])
        assert client.embed(FEATURES[np.newaxis]).shape == (1, 2, 2)

    def test_postprocessed(self, client):
        np.testing.assert_array_equal(client.postprocess(FEATURES), [1001, 1032.5])

    def test_missing_value_travels_as_nan(self, client, fake):
        np.testing.assert_array_equal(client.predict([[1, np.nan], [None, 3]]), [1, 30.5])
        (body,) = predictions_asked(fake)
        assert '"features":[[1.0,NaN],[NaN,3.0]]' in body

    def test_float32_arrives_unchanged(self, client, fake):
        values = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
        client.predict(values)
        (sent,) = json.loads(predictions_asked(fake)[0])["instances"]
        np.testing.assert_array_equal(np.array(sent["features"], np.float32), values)

    def test_classification_of_an_utterance(self, fake):
        client = Client(fake.url, "speech")
        for one in ([0, 1], np.float32([0, 1]), pd.Series({"pitch": 1, "loudness": 0})):
            found = client.predict(one)
            assert found == Classification("high", [0.25, 0.75], ("low", "high"), 1)
            assert json.dumps(dataclasses.asdict(found)), "plain values"

    @pytest.mark.parametrize("rows", [1, 3])
    def test_a_table_is_as_many_utterances(self, fake, rows):
        """Also one row: a table's answer has the same form however long the table is."""
        table = pd.DataFrame({"pitch": [1, -1, 0], "loudness": [0, 0, np.nan]}).iloc[:rows]
        labels = ["high", "low", "low"][:rows]
        probabilities = [[0.25, 0.75], [0.75, 0.25], [0.75, 0.25]][:rows]
        client = Client(fake.url, "speech")
        for given in (table, table[["loudness", "pitch"]].to_numpy(), table[["loudness", "pitch"]].to_numpy()[:, None]):
            found = client.predict(given)
            assert found == Classification(labels, probabilities, ("low", "high"), 1)
            assert json.loads(json.dumps(dataclasses.asdict(found)))["labels"] == labels
            assert {type(label) for label in found.labels} == {str}
        assert len(predictions_asked(fake)) == 3, "one request for all rows"

    def test_regression_of_utterances(self, fake):
        """One utterance is one frame: s = loudness + 10 pitch, the embedding (s, 2 s), post-processed s + 1000."""
        fake.models["age"] = {1: FakeModel(frame_seconds=None)}
        client, table = Client(fake.url, "age"), np.array([[1, 0], [0.5, 3]])
        one = client.predict(table[1])
        assert (one, type(one)) == (30.5, float)
        assert client.predict(table).tolist() == [1, 30.5]
        assert client.predict(table[:, None]).tolist() == [[1], [30.5]]
        assert client.postprocess(table[1]) == 1030.5
        assert client.postprocess(table).tolist() == [1001, 1030.5]
        assert client.embed(table[1]).tolist() == [30.5, 61]
        assert client.embed(table).tolist() == [[1, 2], [30.5, 61]]

    def test_floats_are_those_of_the_answer(self, fake):
        """Not what a float32 of 0.1 is in double precision, 0.10000000149."""
        client = Client(fake.url, "speech", version=1)
        client.manifest()
        fake.instead = [(200, {}, '{"predictions": [{"probabilities": [0.1, 0.9], "label": "high"}]}')]
        assert client.predict([0, 1]).probabilities == [0.1, 0.9]

    def test_the_version_that_answered(self, client, fake):
        assert client.last_version is None
        client.predict(FEATURES)
        assert client.last_version == 1
        fake.models["audio"][2] = FakeModel()
        client.embed(FEATURES)
        assert client.last_version == 2
        fake.models["speech"][7] = fake.models["speech"][1]
        assert Client(fake.url, "speech").predict([0, 1]).version == 7

    def test_signature_that_the_model_has_not(self, fake):
        client = Client(fake.url, "speech")
        with pytest.raises(InputError, match="speech, version 1: no signature 'postprocessed'; it has serving_default"):
            client.postprocess([[0, 1]])

    def test_odd_names_are_quoted(self, fake):
        fake.models["a b/c"] = {3: FakeModel()}
        fake.labels["x/y"] = 3
        with pytest.raises(ServingError):  # the stand-in doesn't unquote
            Client(fake.url, "a b/c", label="x/y").predict(FEATURES)
        assert fake.paths() == ["/v1/models/a%20b%2Fc/labels/x%2Fy/metadata"]

    def test_address_with_a_path_and_a_slash(self, fake):
        with pytest.raises(ServingError, match="Malformed request: /behind/proxy/v1/models/audio/metadata"):
            Client(f"{fake.url}/behind/proxy/", "audio").predict(FEATURES)


class TestPacked:
    """A model with the signature `packed` is sent bytes, and answers as ever."""

    @pytest.fixture
    def packed(self, fake):
        fake.models = {
            "audio": {1: FakeModel(packed=True)},
            "speech": {1: FakeModel("classification", frame_seconds=None, packed=True)},
        }
        return fake

    def test_regression(self, packed, client):
        np.testing.assert_array_equal(client.predict(FEATURES), PREDICTION)
        np.testing.assert_array_equal(client.postprocess([FEATURES, -FEATURES]), [[1001, 1032.5], [999, 967.5]])
        assert not predictions_asked(packed), "no digits"

    def test_bytes_are_float32_in_the_manifests_order(self, packed, client):
        """Loudness 2, pitch NaN: 00 00 00 40 and 00 00 c0 7f, little-endian."""
        client.predict([[np.nan, 2]], columns=["pitch", "loudness"])
        (sent,) = json.loads(packed.asked[-1][1])["instances"]
        assert base64.b64decode(sent["packed"]["b64"]) == bytes.fromhex("00000040 0000c07f")

    def test_classification(self, packed):
        found = Client(packed.url, "speech").predict([[0, 1], [0, -1]])
        assert found == Classification(["high", "low"], [[0.25, 0.75], [0.75, 0.25]], ("low", "high"), 1)
        assert not predictions_asked(packed), "no digits"

    def test_what_it_does_not_answer_goes_in_digits(self, packed, client):
        np.testing.assert_array_equal(client.embed(FEATURES), [[1, 2], [32.5, 65]])
        with client.stream() as live:
            np.testing.assert_array_equal(live.send(FEATURES), PREDICTION)
        assert len(predictions_asked(packed)) == 2


class TestVersions:
    def test_addressed_by_number(self, fake):
        fake.models["audio"][2] = FakeModel(features=("pitch", "loudness"))
        found = [Client(fake.url, "audio", version=version).predict([[1, 0]])[0] for version in (1, 2)]
        assert found == [1, 10]
        assert set(fake.paths()) == {f"/v1/models/audio/versions/{version}:predict" for version in (1, 2)}

    def test_addressed_by_label(self, fake):
        fake.models["audio"][2] = FakeModel(features=("pitch", "loudness"))
        fake.labels = {"stable": 1, "canary": 2}
        found = [Client(fake.url, "audio", label=label).predict([[1, 0]])[0] for label in ("stable", "canary")]
        assert found == [1, 10]

    def test_follows_the_newest_and_its_features(self, client, fake):
        assert client.predict([[1, 0]], columns=("loudness", "pitch")) == [1]
        fake.models["audio"][2] = FakeModel(features=("pitch", "loudness"))
        assert client.current_version() == 2
        assert client.manifest()["features"] == ["pitch", "loudness"]
        assert client.predict([[1, 0]], columns=("loudness", "pitch")) == [1]
        assert client.predict([[1, 0]]) == [10]

    def test_reload_between_the_question_and_the_features(self, client, fake):
        client.manifest()

        def reload(server):
            server.models["audio"] = {2: FakeModel(features=("pitch", "loudness"))}

        fake.instead = [None, reload]
        assert client.predict([[1, 0]], columns=("loudness", "pitch")) == [1]
        assert predictions_asked(fake)[-1].count("[[0.0,1.0]]") == 1

    def test_a_version_that_was_asked_for_and_is_gone(self, fake):
        client = Client(fake.url, "audio", version=1)
        client.predict(FEATURES)
        fake.models["audio"] = {2: FakeModel()}
        with pytest.raises(ServingError, match=r"Servable not found for request: Specific\(audio, 1\)") as caught:
            client.predict(FEATURES)
        assert caught.value.status == 404

    def test_pinned(self, client, fake):
        with client.pinned() as pinned:
            fake.models["audio"][2] = FakeModel()
            assert (pinned.current_version(), client.current_version()) == (1, 2)

    def test_pinned_keeps_the_settings(self, fake):
        pinned = Client(fake.url, "audio", timeout=1, retries=0).pinned()
        fake.instead = [unavailable()]
        with pytest.raises(ServingError, match="overloaded"):
            pinned.predict(FEATURES)
        fake.instead = [lambda server: time.sleep(1.5)]
        with pytest.raises(ServingError, match="no answer within 1 s"):
            pinned.predict(FEATURES)

    def test_unknown(self, fake):
        with pytest.raises(ServingError, match=r"Servable not found for request: Latest\(video\)") as caught:
            Client(fake.url, "video").predict(FEATURES)
        assert caught.value.status == 404
        with pytest.raises(ServingError, match="Unrecognized servable version label: beta") as caught:
            Client(fake.url, "audio", label="beta").predict(FEATURES)
        assert caught.value.status == 400
        assert caught.value.url == f"{fake.url}/v1/models/audio/labels/beta/metadata"


class TestDescriptions:
    def test_manifest_is_asked_for_once_per_version(self, client, fake):
        first = client.manifest()
        assert first["label_delay_seconds"] == 0.08
        first["features"].clear()
        client.predict(FEATURES)
        client.pinned().predict(FEATURES)
        assert sum('"manifest"' in body for _, body in fake.asked) == 1
        assert len(client.manifest()["features"]) == 2

    def test_manifest_of_a_later_format(self, client, fake):
        fake.models["audio"] = {1: FakeModel(format=3)}
        with pytest.raises(ServingError, match="has format 3, this client knows 2; update it"):
            client.predict(FEATURES)

    @pytest.mark.parametrize("text", ['"no json"', '"[]"', '"{}"', "5", "null"])
    def test_something_else_for_a_manifest(self, fake, text):
        fake.instead = [(200, {}, f'{{"predictions": [{text}]}}')]
        with pytest.raises(ServingError, match="expected a manifest, got"):
            Client(fake.url, "audio", version=1).manifest()

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"features": 5}, "manifest: features: expected list"),
            ({"features": []}, "expected one or more"),
            ({"model": {}}, "manifest: model: target"),
            ({"signatures": ["manifest"]}, "manifest: signatures"),
            ({"frame_seconds": "x"}, "manifest: frame_seconds"),
            ({"frame_seconds": -1.0}, "expected more than 0, found -1"),
            ({"classes": 5}, "manifest: classes"),
            ({"simulated": "no"}, "manifest: simulated"),
        ],
        ids=str,
    )
    def test_damaged_manifest(self, fake, change, words):
        fake.models["audio"] = {1: FakeModel(**{**FakeModel().manifest, **change})}
        with pytest.raises(ServingError, match=f"expected a manifest.*{words}"):
            Client(fake.url, "audio").predict(FEATURES)

    def test_deeply_nested_manifest(self, fake):
        fake.instead = [(200, {}, json.dumps({"predictions": ["[" * 200_000]}))]
        with pytest.raises(ServingError, match="expected a manifest, got"):
            Client(fake.url, "audio", version=1).manifest()

    def test_infinite_version(self, client, fake):
        fake.instead = [(200, {}, '{"model_spec": {"version": Infinity}}')]
        with pytest.raises(ServingError, match="expected a version, got"):
            client.current_version()

    def test_model_of_another_exporter(self, fake):
        fake.models["audio"] = {1: FakeModel(signatures={"serving_default": {}})}
        with pytest.raises(ServingError, match='signature name: "manifest" not found'):
            Client(fake.url, "audio").predict(FEATURES)

    def test_metadata(self, client):
        assert client.metadata()["model_spec"] == {"name": "audio", "version": "1"}

    def test_metadata_without_a_version(self, client, fake):
        fake.instead = [(200, {}, '{"hello": 1}')]
        with pytest.raises(ServingError, match="expected a version, got {'hello': 1}"):
            client.current_version()

    def test_status(self, client, fake):
        fake.models["audio"][10] = FakeModel()
        assert client.status() == (VersionStatus(10, "AVAILABLE", ""), VersionStatus(1, "AVAILABLE", ""))
        assert fake.paths() == ["/v1/models/audio"]

    def test_status_of_a_version_that_failed(self, fake):
        failed = {"version": "3", "state": "END", "status": {"error_code": "NOT_FOUND", "error_message": "no graph"}}
        fake.instead = [(200, {}, json.dumps({"model_version_status": [failed]}))]
        assert Client(fake.url, "audio", version=3).status() == (VersionStatus(3, "END", "no graph"),)
        assert fake.paths() == ["/v1/models/audio/versions/3"]

    def test_status_of_something_else(self, client, fake):
        fake.instead = [(200, {}, '{"model_version_status": [{"version": "?"}]}')]
        with pytest.raises(ServingError, match="expected a list of versions, got"):
            client.status()


class TestArguments:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"url": "localhost:8501"}, "expected the server's address, such as http://localhost:8501, got 'localhost"),
            ({"url": "ftp://localhost"}, "ftp"),
            ({"url": "http://"}, "address"),
            ({"url": "http://localhost:port"}, "address"),
            ({"url": "http://[::1"}, "address"),
            ({"model": ""}, "name of a model"),
            ({"version": 1, "label": "stable"}, "both: version 1 and label 'stable'"),
            ({"timeout": 0}, "more than 0 seconds"),
            ({"timeout": float("nan")}, "more than 0 seconds"),
            ({"timeout": float("inf")}, "at most a day"),
            ({"retries": -1}, "0 or more retries, got -1"),
        ],
        ids=str,
    )
    def test_refused(self, arguments, message):
        with pytest.raises(InputError, match=message):
            Client(**{"url": "http://localhost:8501", "model": "audio", **arguments})
