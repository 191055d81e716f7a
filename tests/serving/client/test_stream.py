"""Streams against a stand-in whose answers can be worked out by hand; see `fake_serving`."""

import json
import threading
import time

import numpy as np
import pytest

from emobed_tf.errors import InputError
from serving.client.client import Client, ServingError
from tests.serving.client.talk import FEATURES, PREDICTION
from tests.serving.fake_serving import FakeModel


class Window(FakeModel):
    """Loudness of the last three frames together; the state is the last two frames."""

    def __init__(self):
        super().__init__(format=2, states=[{"name": "encoder_state_1", "shape": [2, 2], "begins": 0.0}])

    def answer(self, signature, instance):
        if signature != "stream":
            return super().answer(signature, instance)
        assert np.shape(instance["encoder_state_1"]) == (2, 2)
        frames = [*instance["encoder_state_1"], *instance["features"]]
        sums = [sum(frame[0] for frame in frames[k - 2 : k + 1]) for k in range(2, len(frames))]
        return {"prediction": sums, "encoder_state_1": frames[-2:]}


class Forgetful(FakeModel):
    """Sees each frame by itself: its answer to a chunk is a plain list, as that of any signature with one output."""

    def answer(self, signature, instance):
        if signature != "stream":
            return super().answer(signature, instance)
        assert instance.keys() == {"features"}
        return [loudness + 10 * pitch for loudness, pitch in instance["features"]]


class TestStream:
    @pytest.mark.parametrize("seed", range(5))
    def test_chunks_give_what_the_whole_gives(self, client, seed):
        rng = np.random.default_rng(seed)
        features = rng.normal(size=(40, 2)).astype(np.float32)
        cuts = np.sort(rng.choice(np.arange(1, 40), size=6, replace=False))
        with client.stream() as stream:
            parts = [stream.send(chunk) for chunk in np.split(features, cuts)]
        np.testing.assert_allclose(np.concatenate(parts), client.predict(features), rtol=1e-6)

    def test_begins_anew(self, client):
        for _ in range(2):
            with client.stream() as stream:
                assert [stream.send(frame[np.newaxis]).tolist() for frame in FEATURES] == [[1], [32.5]]

    def test_states_begin_as_the_manifest_says(self, client, fake):
        fake.models["audio"] = {1: FakeModel(states=[{"name": "encoder_state_1", "units": 2, "begins": 4.0}])}
        assert client.stream().send([[1, 0]]) == [3]

    def test_two_at_a_time(self, client):
        with client.stream() as one, client.stream() as other:
            assert one.send([[1, 0]]) == [1]
            assert other.send([[100, 0]]) == [100]
            assert one.send([[0, 0]]) == [0.5]

    def test_classification_so_far(self, fake):
        fake.models["speech"] = {1: FakeModel("classification")}
        with Client(fake.url, "speech").stream() as stream:
            assert [stream.send([[value, 0]]).labels for value in (0, 1, 0, -3)] == ["low", "high", "high", "low"]

    def test_columns(self, client):
        with client.stream() as stream:
            assert stream.send(FEATURES[:, ::-1], columns=("pitch", "loudness")).tolist() == PREDICTION

    def test_stays_with_its_version(self, client, fake):
        with client.stream() as stream:
            stream.send([[1, 0]])
            fake.models["audio"][2] = FakeModel(features=("pitch", "loudness"))
            assert stream.send([[1, 0]]) == [1.5]
            assert stream.version == 1
        assert client.stream().version == 2

    def test_its_version_is_unloaded(self, client, fake):
        with client.stream() as stream:
            stream.send([[1, 0]])
            fake.models["audio"] = {2: FakeModel()}
            with pytest.raises(ServingError, match="version 1 of audio, which the stream .* begin another") as caught:
                stream.send([[1, 0]])
        assert caught.value.status == 404

    def test_goes_on_after_a_failure(self, client, fake):
        with client.stream() as stream:
            stream.send([[1, 0]])
            fake.instead = [(500, {}, '{"error": "no"}')]
            with pytest.raises(ServingError, match=r":predict: no \(HTTP 500\)"):
                stream.send([[1, 0]])
            for answer, wrong in (
                ({"prediction": [7], "encoder_state_1": [7]}, "encoder_state_1"),
                ({"prediction": [7, 7], "encoder_state_1": [7, 7]}, "prediction"),
            ):
                fake.instead = [(200, {}, json.dumps({"predictions": [answer]}))]
                with pytest.raises(ServingError, match=f"expected finite '{wrong}' of shape"):
                    stream.send([[1, 0]])
            with pytest.raises(InputError):
                stream.send([[1, 0, 0]])
            assert stream.send([[1, 0]]) == [1.5]

    @pytest.mark.parametrize("chunk", [np.zeros((1, 1, 2)), np.zeros((2, 3, 2))], ids=str)
    def test_one_recording_only(self, client, chunk):
        with client.stream() as stream, pytest.raises(InputError, match="a stream takes .frames, features."):
            stream.send(chunk)

    def test_states_of_any_shape(self, client, fake):
        """Of a model whose prediction is the loudness of the last three frames together: it remembers two frames."""
        fake.models["audio"] = {1: Window()}
        with client.stream() as stream:
            assert stream.send([[1, 0], [2, 0]]).tolist() == [1, 3]
            assert stream.send([[4, 0]]).tolist() == [7]
            assert stream.send([[8, 0], [16, 0], [32, 0]]).tolist() == [14, 28, 56]

    def test_a_network_that_can_not(self, client, fake):
        signatures = {name: {} for name in ("serving_default", "embed", "manifest")}
        fake.models["audio"] = {1: FakeModel(signatures=signatures, states=[])}
        with pytest.raises(InputError, match="audio, version 1: no signature 'stream'; it has serving_default, embed"):
            client.stream()
        assert client.predict(FEATURES).tolist() == PREDICTION

    def test_a_network_that_remembers_nothing(self, client, fake):
        fake.models["audio"] = {1: Forgetful(states=[])}
        with client.stream() as stream:
            assert stream.send(FEATURES).tolist() == [1, 32]
            with pytest.raises(InputError, match="a stream takes .frames, features."):
                stream.send([FEATURES, FEATURES])

    def test_utterances_have_none(self, fake):
        with pytest.raises(InputError, match="speech: the model takes utterances, which have no stream"):
            Client(fake.url, "speech").stream()

    def test_in_threads_of_their_own(self, client):
        streams, found = [client.stream() for _ in range(8)], {}

        def talk(k):
            with streams[k]:
                found[k] = [float(streams[k].send([[k, 0]])[0]) for _ in range(20)]

        threads = [threading.Thread(target=talk, args=(k,)) for k in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # k, 3k/2, 7k/4, …: 2k (1 - 2^-n)
        for k in range(8):
            np.testing.assert_allclose(found[k], 2 * k * (1 - 0.5 ** np.arange(1, 21)), rtol=1e-6)

    def test_frame_by_frame_in_real_time(self, client):
        seconds = []
        with client.stream() as stream:
            for _ in range(50):
                began = time.monotonic()
                stream.send([[0, 0]])
                seconds.append(time.monotonic() - began)
        assert np.quantile(seconds, 0.25) < 0.04  # not all: others may use the machine, too
