"""What is known of a speaker, on its way to a model: against a stand-in that works it out by hand."""

import json

import numpy as np
import pytest

from emobed_tf.corpora.moments import STATISTICS
from emobed_tf.errors import InputError
from serving.client.client import Client
from tests.serving.client.talk import FEATURES
from tests.serving.fake_serving import FakeModel

BY_SPEAKER = ("prediction_of_speaker", "embed_of_speaker", "postprocessed_of_speaker")


class Relative(FakeModel):
    """Loudness above the speaker's mean; of a speaker of whom nothing is known, loudness itself.

    A stream counts frames and sums up loudness: its statistics are those of all frames so far.
    """

    def __init__(self, **manifest):
        names = ("serving_default", "embed", "postprocessed", "stream", "manifest", *BY_SPEAKER)
        signatures = {name: {} for name in names}
        states = [{"name": name, "units": 2, "begins": 0.0} for name in STATISTICS]
        super().__init__(standardise="speaker", signatures=signatures, states=states, **manifest)

    def answer(self, signature, instance):
        if signature == "manifest":
            return super().answer(signature, instance)
        loudness = np.array(instance["features"])[:, 0]
        count, mean = (instance.get(name, [0.0])[0] for name in STATISTICS[:2])
        if signature != "stream":
            assert (signature in BY_SPEAKER) == ("speaker_count" in instance)
            values = loudness - (mean if count else 0)
            if signature.startswith("embed"):
                return [[value] for value in values]
            return (values + (1000 if signature.startswith("post") else 0)).tolist()
        said = []
        for value in loudness:
            count, mean = count + 1, (count * mean + value) / (count + 1)
            said.append(value - mean)
        return {"prediction": said, **{n: [v, 0.0] for n, v in zip(STATISTICS, (count, mean, 0.0), strict=True)}}


@pytest.fixture
def client(fake):
    fake.models["voice"] = {1: Relative()}
    with Client(fake.url, "voice") as client:
        yield client


class TestSpeaker:
    def test_statistics_are_those_of_the_frames(self, client):
        found = client.speaker([[1, 10], [3, np.nan], [np.nan, 20]])
        assert found.count.tolist() == [2, 2]
        assert found.mean.tolist() == [2, 15]
        assert found.deviation.tolist() == [1, 5]

    def test_several_recordings_and_columns_in_another_order(self, client):
        found = client.speaker([[[10, 1], [10, 3]], [[30, 5], [30, 7]]], columns=("pitch", "loudness"))
        assert (found.count.tolist(), found.mean.tolist()) == ([4, 4], [4, 20])

    def test_a_model_that_knows_no_speakers(self, fake):
        with Client(fake.url, "audio") as client, pytest.raises(InputError, match="standardises by its corpus"):
            client.speaker(FEATURES)


class TestAsked:
    def test_with_a_speaker(self, client):
        speaker = client.speaker([[2, 0], [4, 0]])
        assert client.predict(FEATURES, speaker=speaker).tolist() == [-2, -1]
        assert client.postprocess(FEATURES, speaker=speaker).tolist() == [998, 999]
        assert client.embed(FEATURES, speaker=speaker).tolist() == [[-2], [-1]]

    def test_without_one_it_is_the_corpus(self, client):
        assert client.predict(FEATURES).tolist() == [1, 2]

    def test_each_recording_has_its_speaker(self, client):
        speakers = [client.speaker([[mean, 0]]) for mean in (1, 10)]
        batch = np.stack([FEATURES, FEATURES])
        assert client.predict(batch, speaker=speakers).tolist() == [[0, 1], [-9, -8]]
        assert client.predict(batch, speaker=speakers[1]).tolist() == [[-9, -8], [-9, -8]]

    def test_each_utterance_has_its_speaker(self, fake):
        fake.models["age"] = {1: Relative(frame_seconds=None)}
        client = Client(fake.url, "age")
        speakers = [client.speaker([[mean, 0]]) for mean in (1, 10)]
        assert client.predict([[5, 0], [5, 0]], speaker=speakers).tolist() == [4, -5]
        assert client.predict([5, 0], speaker=speakers[0]) == 4

    def test_as_many_as_recordings(self, client):
        speaker = client.speaker(FEATURES)
        with pytest.raises(InputError, match="speaker: expected one, or 1, one for each recording; got 2"):
            client.predict(FEATURES, speaker=[speaker, speaker])

    @pytest.mark.parametrize("speaker", [5, [None, None], "anna"])
    def test_what_is_no_speaker(self, client, speaker):
        with pytest.raises(InputError, match="speaker: expected"):
            client.predict([FEATURES, FEATURES], speaker=speaker)

    def test_of_other_features(self, client, fake):
        fake.models["wide"] = {1: Relative(features=("loudness", "pitch", "jitter"))}
        speaker = Client(fake.url, "wide").speaker([[1, 2, 3]])
        with pytest.raises(InputError, match="expected statistics of the model's 2 features, got 3"):
            client.predict(FEATURES, speaker=speaker)

    def test_a_model_that_takes_none(self, client, fake):
        speaker = client.speaker(FEATURES)
        with Client(fake.url, "audio") as other:
            for ask in (lambda: other.predict(FEATURES, speaker=speaker), lambda: other.stream(speaker)):
                with pytest.raises(InputError, match="leave speaker out"):
                    ask()


class TestStream:
    def test_learns_as_it_goes(self, client):
        """Means so far: 1, then 2, then 3."""
        with client.stream() as stream:
            assert stream.send([[1, 0], [3, 0]]).tolist() == [0, 1]
            assert stream.send([[5, 0]]).tolist() == [2]

    def test_goes_on_from_what_is_known(self, client):
        """Known: 1 and 3, mean 2; then 5, mean 3."""
        with client.stream(client.speaker([[1, 0], [3, 0]])) as stream:
            assert stream.send([[5, 0]]).tolist() == [2]


class TestCommand:
    def test_statistics_are_those_of_all_rows_of_a_speaker(self, client, fake, tmp_path, capsys):
        """Anna's mean is 2, Bert's 7."""
        from serving.client.__main__ import main

        fake.models["age"] = {1: Relative(frame_seconds=None, label_delay_frames=0)}
        path = tmp_path / "table.csv"
        path.write_text("id,speaker,pitch,loudness\nu1,anna,0,1\nu2,bert,0,7\nu3,anna,0,3\n")
        assert main([fake.url, "age", "--features", str(path), "--signature", "prediction"]) == 0
        assert capsys.readouterr().out == "id,raw\nu1,-1.0\nu2,0.0\nu3,1.0\n"
        sent = json.loads(next(body for _, body in reversed(fake.asked) if '"features"' in body))
        assert sent["signature_name"] == "prediction_of_speaker"
        assert [one["speaker_mean"] for one in sent["instances"]] == [[2, 0], [7, 0], [2, 0]]
