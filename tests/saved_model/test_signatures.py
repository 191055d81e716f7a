"""What an exported model answers, and what it refuses."""

import json

import numpy as np
import pytest

from emobed_tf.corpora import load
from emobed_tf.corpora.moments import STATISTICS, moments_of
from emobed_tf.corpora.time import shift
from emobed_tf.saved_model.manifest import OF_SPEAKER
from tests.models.test_emobed import numpy_gru
from tests.models.test_tcn import plain_block
from tests.oracles import speakers
from tests.oracles.network import in_numpy
from tests.saved_model.exported import CHAIN, HEAD_UNITS, STATES, UNITS, features

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


class TestRegression:
    @pytest.mark.parametrize(("batch", "frames"), [(3, 40), (1, 1)])
    def test_prediction_and_embedding_are_the_networks(self, arousal, batch, frames):
        inputs = features(88, batch, frames)
        embedding, outputs = in_numpy(arousal.run, "audio", inputs, 2, 1)
        prediction = arousal.server(features=inputs)["prediction"]
        assert prediction.dtype == np.float32
        np.testing.assert_allclose(prediction, outputs[..., 0], atol=2e-6)
        np.testing.assert_allclose(arousal.server("embed", features=inputs)["embedding"], embedding, atol=2e-6)

    def test_is_the_model_that_was_scored(self, arousal):
        from emobed_tf.runs.scoring import load_model

        inputs = features(88, 2, 60)
        expected = load_model(arousal.run)(inputs).numpy()
        np.testing.assert_allclose(arousal.server(features=inputs)["prediction"], expected, atol=1e-6)

    @pytest.mark.parametrize("frames", [1, 2, 61, 200])
    def test_postprocessed_is_what_predict_writes(self, arousal, frames):
        """The delay of 2.4 s (60 frames) undone, then the chain, on each recording."""
        inputs = features(88, 2, frames)
        raw = arousal.server(features=inputs)["prediction"]
        expected = [CHAIN.apply(shift(recording, 60)) for recording in raw]
        found = arousal.server("postprocessed", features=inputs)["postprocessed"]
        np.testing.assert_allclose(found, expected, atol=1e-6)

    @pytest.mark.parametrize("chunks", [(1,) * 12, (12,), (5, 1, 6), (1, 11)])
    def test_a_stream_in_chunks_is_the_whole(self, arousal, chunks):
        inputs = features(88, 2, sum(chunks))
        states = {"encoder_state_1": UNITS, "encoder_state_2": UNITS, "head_state_1": HEAD_UNITS}
        states = {name: np.zeros((2, units), np.float32) for name, units in states.items()}
        parts = []
        for chunk in np.split(inputs, np.cumsum(chunks)[:-1], axis=1):
            answer = arousal.server("stream", features=chunk, **states)
            parts.append(answer.pop("prediction"))
            assert answer.keys() == states.keys(), "an answer's states are the next request's"
            states = answer
        embedding, outputs = in_numpy(arousal.run, "audio", inputs, 2, 1)
        np.testing.assert_allclose(np.concatenate(parts, axis=1), outputs[..., 0], atol=2e-6)
        np.testing.assert_allclose(states["encoder_state_2"], embedding[:, -1], atol=2e-6)
        whole = arousal.server(features=inputs)["prediction"]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)

    def test_missing_is_the_mean(self, arousal):
        mean = arousal.run.read_arrays("best")["audio.standardise/mean"]
        given, missing = np.tile(mean, (1, 9, 1)), np.full((1, 9, 88), np.nan, np.float32)
        answers = [arousal.server(features=inputs)["prediction"] for inputs in (given, missing)]
        np.testing.assert_allclose(*answers, atol=1e-6)


def embeddings_in_numpy(run, kind, inputs):
    """Embeddings of the run's weights in double precision."""
    weights = {name: values.astype(np.float64) for name, values in run.read_arrays("best").items()}
    hidden = (inputs - weights["audio.standardise/mean"]) / weights["audio.standardise/deviation"]
    hidden = np.clip(np.where(np.isnan(inputs), 0, hidden), -10, 10)
    if kind == "dense":
        return np.tanh(hidden @ weights["audio.dense_1/kernel"] + weights["audio.dense_1/bias"])
    if kind == "trunk":
        hidden = hidden @ weights["audio.projection/kernel"] + weights["audio.projection/bias"]
        return numpy_gru(hidden, *(weights[f"shared.trunk.gru_1/{n}"] for n in ("kernel", "recurrent_kernel", "bias")))
    for k, bounded in ((1, False), (2, True)):
        prefix = f"audio.block_{k}/"
        block = {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}
        hidden = plain_block(hidden, block, k, bounded)
    return hidden


class TestOtherEncoders:
    def test_embeddings_are_those_of_numpy(self, another, kind):
        inputs = features(88, 3, 40)
        found = another.server("embed", features=inputs)["embedding"]
        assert found.shape == (3, 40, UNITS)
        np.testing.assert_allclose(found, embeddings_in_numpy(another.run, kind, inputs), atol=5e-6)

    def test_is_the_model_that_was_scored(self, another):
        from emobed_tf.runs.scoring import load_model

        inputs = features(88, 2, 40)
        expected = load_model(another.run)(inputs).numpy()
        np.testing.assert_allclose(another.server(features=inputs)["prediction"], expected, atol=1e-6)

    @pytest.mark.parametrize("chunks", [(1,) * 40, (40,), (1, 2, 30, 7)], ids=["frames", "whole", "chunks"])
    def test_a_stream_in_chunks_is_the_whole(self, another, kind, chunks):
        inputs = features(88, 2, 40)
        states = {name: np.zeros((2, *shape), np.float32) for name, shape in STATES[kind].items()}
        parts = []
        for chunk in np.split(inputs, np.cumsum(chunks)[:-1], axis=1):
            answer = another.server("stream", features=chunk, **states)
            parts.append(answer.pop("prediction"))
            assert {name: state.shape[1:] for name, state in answer.items()} == STATES[kind]
            states = answer
        whole = another.server(features=inputs)["prediction"]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=2e-6)

    @pytest.mark.parametrize("kind", ["tcn"], indirect=True)
    def test_a_state_of_another_shape(self, another, kind):
        import tensorflow as tf

        states = {name: np.zeros((2, *shape), np.float32) for name, shape in STATES[kind].items()}
        states["encoder_state_2"] = np.zeros((2, 2, 11), np.float32)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"encoder_state_2 of shape \[2, 2, 12\], got"):
            another.server("stream", features=features(88, 2, 1), **states)


class TestClassification:
    def test_probabilities_and_labels(self, emotion):
        inputs = features(5, 6, 1)
        _, outputs = in_numpy(emotion.run, "audio", inputs, 1, 0)
        exponentials = np.exp(outputs[:, -1])
        answer = emotion.server(features=inputs)
        expected = exponentials / exponentials.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=2e-6)
        names = np.array([b"anger", b"calm", b"joy"])
        np.testing.assert_array_equal(answer["label"], names[expected.argmax(axis=-1)])
        assert len(set(answer["label"])) > 1

    def test_every_class_can_win(self, emotion):
        labels = emotion.server(features=features(5, 200, 1))["label"]
        assert set(labels) == {b"anger", b"calm", b"joy"}

    def test_an_utterance_has_nothing_to_postprocess_and_no_stream(self, emotion):
        signatures = set(emotion.server.meta_graph.signature_def) - {"__saved_model_init_op"}
        assert signatures == {"serving_default", "embed", "packed", "manifest"}


class TestClassificationOfSequences:
    def test_the_last_frame_decides(self, spoken):
        inputs = features(3, 4, 9)
        _, outputs = in_numpy(spoken.run, "audio", inputs, 1, 0)
        exponentials = np.exp(outputs[:, -1])
        expected = exponentials / exponentials.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(spoken.server(features=inputs)["probabilities"], expected, atol=2e-6)

    def test_a_stream_ends_where_the_whole_does(self, spoken):
        inputs = features(3, 3, 7)
        state = np.zeros((3, UNITS), np.float32)
        for chunk in np.split(inputs, [1, 2, 6], axis=1):
            answer = spoken.server("stream", features=chunk, encoder_state_1=state)
            state = answer["encoder_state_1"]
        whole = spoken.server(features=inputs)
        np.testing.assert_allclose(answer["probabilities"], whole["probabilities"], atol=1e-6)
        np.testing.assert_array_equal(answer["label"], whole["label"])

    def test_there_is_nothing_to_postprocess(self, spoken):
        signatures = set(spoken.server.meta_graph.signature_def) - {"__saved_model_init_op"}
        assert signatures == {"serving_default", "embed", "packed", "stream", "manifest"}


class TestRefuses:
    """What a server doesn't check by itself, in a sentence."""

    @staticmethod
    def _assert_refused(server, message, signature, **inputs):
        import tensorflow as tf

        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            server(signature, **inputs)
        assert f"assertion failed: [{message}]" in str(caught.value)

    @pytest.mark.parametrize("signature", ["serving_default", "embed", "postprocessed", "stream"])
    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            ((2, 3, 87), "expected 88 audio features a frame, got 87; see features in the manifest"),
            ((2, 3, 1), "expected 88 audio features a frame, got 1; see features in the manifest"),
            ((2, 0, 88), "expected one frame or more of audio features, got none"),
            ((3, 88), "expected features of shape [batch, frames, 88], got [3, 88]"),
            ((1, 2, 3, 88), "expected features of shape [batch, frames, 88], got [1, 2, 3, 88]"),
        ],
    )
    def test_features(self, arousal, signature, shape, message):
        names = {"encoder_state_1": UNITS, "encoder_state_2": UNITS, "head_state_1": HEAD_UNITS}
        states = {name: np.zeros((2, units), np.float32) for name, units in names.items()}
        given = states if signature == "stream" else {}
        self._assert_refused(arousal.server, message, signature, features=np.zeros(shape, np.float32), **given)

    @pytest.mark.parametrize("signature", ["serving_default", "embed", "postprocessed", "stream"])
    @pytest.mark.parametrize("value", [np.inf, -np.inf])
    def test_an_infinite_value(self, arousal, signature, value):
        """The first one is named, in the order of a batch, its frames and their features."""
        inputs = np.full((2, 3, 88), np.nan, np.float32)
        inputs[1, 0, 87] = inputs[1, 2, 5] = value
        names = {"encoder_state_1": UNITS, "encoder_state_2": UNITS, "head_state_1": HEAD_UNITS}
        states = {name: np.zeros((2, units), np.float32) for name, units in names.items()}
        message = (
            "expected finite audio features, or NaN where a value is missing, got an infinite one at "
            "[batch, frame, feature] = [1, 0, 87]"
        )
        given = states if signature == "stream" else {}
        self._assert_refused(arousal.server, message, signature, features=inputs, **given)

    @pytest.mark.parametrize("signature", ["serving_default", "embed"])
    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            (
                (2, 3, 5),
                "expected one frame for each utterance, [batch, 1, 5], got 3 frames; send each utterance as an element "
                "of the batch",
            ),
            ((2, 0, 5), "expected one frame or more of audio features, got none"),
            ((2, 1, 4), "expected 5 audio features a frame, got 4; see features in the manifest"),
            ((3, 5), "expected features of shape [batch, 1, 5], got [3, 5]"),
        ],
    )
    def test_more_or_less_than_an_utterance(self, emotion, signature, shape, message):
        self._assert_refused(emotion.server, message, signature, features=np.zeros(shape, np.float32))

    def test_the_largest_numbers_are_finite(self, emotion):
        inputs = np.full((1, 1, 5), np.finfo(np.float32).max)
        assert np.isfinite(emotion.server(features=inputs)["probabilities"]).all()

    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            ((1, UNITS), "expected encoder_state_2 of shape [2, 6], got [1, 6]"),
            ((2, UNITS - 1), "expected encoder_state_2 of shape [2, 6], got [2, 5]"),
            ((UNITS,), "expected encoder_state_2 of shape [2, 6], got [6]"),
        ],
    )
    def test_states(self, arousal, shape, message):
        names = {"encoder_state_1": (2, UNITS), "encoder_state_2": shape, "head_state_1": (2, HEAD_UNITS)}
        states = {name: np.zeros(size, np.float32) for name, size in names.items()}
        self._assert_refused(arousal.server, message, "stream", features=np.zeros((2, 3, 88), np.float32), **states)

    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
    def test_states_that_are_no_numbers(self, arousal, value):
        sizes = {"encoder_state_1": UNITS, "encoder_state_2": UNITS, "head_state_1": HEAD_UNITS}
        states = {name: np.zeros((2, size), np.float32) for name, size in sizes.items()}
        states["head_state_1"][1, 2] = value
        message = "expected head_state_1 to be finite numbers"
        self._assert_refused(arousal.server, message, "stream", features=np.zeros((2, 3, 88), np.float32), **states)


class TestSignatures:
    def test_as_a_server_tells_them(self, arousal):
        frames = {"features": ("float32", [-1, -1, 88])}
        states = {"encoder_state_1": ("float32", [-1, 6]), "encoder_state_2": ("float32", [-1, 6])}
        states["head_state_1"] = ("float32", [-1, 5])
        prediction = {"prediction": ("float32", [-1, -1])}
        assert self._told(arousal) == {
            "serving_default": (frames, prediction),
            "embed": (frames, {"embedding": ("float32", [-1, -1, 6])}),
            "postprocessed": (frames, {"postprocessed": ("float32", [-1, -1])}),
            "packed": ({"packed": ("string", [-1])}, {**prediction, "postprocessed": ("float32", [-1, -1])}),
            "stream": ({**frames, **states}, {**prediction, **states}),
            "manifest": ({"request": ("string", [-1])}, {"manifest": ("string", [-1])}),
        }

    def test_of_a_classification(self, emotion, spoken):
        """An utterance is one frame, and a sequence any number of them."""
        answer = {"probabilities": ("float32", [-1, 3]), "label": ("string", [-1])}
        assert self._told(emotion)["serving_default"] == ({"features": ("float32", [-1, 1, 5])}, answer)
        answer["probabilities"] = ("float32", [-1, 2])
        assert self._told(spoken)["serving_default"] == ({"features": ("float32", [-1, -1, 3])}, answer)
        assert self._told(spoken)["stream"][1] == {**answer, "encoder_state_1": ("float32", [-1, 6])}

    @pytest.mark.parametrize("name", ["arousal", "emotion"])
    def test_the_manifest_says_the_same(self, name, request):
        exported = request.getfixturevalue(name)
        written = json.loads((exported.version / "manifest.json").read_text())["signatures"]
        sides = {
            signature: tuple(
                {
                    name: (spec["dtype"], [-1 if size is None else size for size in spec["shape"]])
                    for name, spec in described[side].items()
                }
                for side in ("inputs", "outputs")
            )
            for signature, described in written.items()
        }
        assert sides == self._told(exported)

    @staticmethod
    def _told(exported):
        import tensorflow as tf

        def side(tensors):
            return {
                name: (tf.as_dtype(tensor.dtype).name, [dim.size for dim in tensor.tensor_shape.dim])
                for name, tensor in tensors.items()
            }

        return {
            name: (side(described.inputs), side(described.outputs))
            for name, described in exported.server.meta_graph.signature_def.items()
            if not name.startswith("__")
        }


def known(sequences):
    """What a client sends of the speaker of each sequence."""
    each = [moments_of(sequence) for sequence in sequences]
    values = zip(*((m.count, m.mean, m.deviation) for m in each), strict=True)
    return {name: np.stack(value).astype(np.float32) for name, value in zip(STATISTICS, values, strict=True)}


def nobody(batch):
    return {name: np.zeros((batch, 88), np.float32) for name in STATISTICS}


class TestBySpeaker:
    """The corpus counts as 2 s, which are 50 frames."""

    def test_features_are_brought_to_the_corpus_before_the_network(self, by_speaker, recola):
        said = by_speaker_features(2, 70)
        training = np.concatenate(
            [r.features for r in load("recola", recola).modality("audio").recordings if r.partition == "train"]
        )
        expected = np.stack([speakers.brought(one, one, training, 50) for one in said])
        embedding, outputs = in_numpy(by_speaker.run, "audio", expected, 1, 1)
        answer = by_speaker.server("prediction_of_speaker", features=said, **known(said))
        np.testing.assert_allclose(answer["prediction"], outputs[..., 0], atol=5e-5)
        answer = by_speaker.server("embed_of_speaker", features=said, **known(said))
        np.testing.assert_allclose(answer["embedding"], embedding, atol=5e-5)

    def test_is_the_model_that_was_scored(self, by_speaker):
        from emobed_tf.runs.scoring import load_model

        said, prior = by_speaker_features(2, 70), by_speaker.run.facts().speaker_prior
        expected = load_model(by_speaker.run)(np.stack([prior.apply(one, moments_of(one)) for one in said])).numpy()
        statistics = known(said)
        found = by_speaker.server("prediction_of_speaker", features=said, **statistics)["prediction"]
        np.testing.assert_allclose(found, expected, atol=2e-5)
        processed = by_speaker.server("postprocessed_of_speaker", features=said, **statistics)["postprocessed"]
        np.testing.assert_allclose(processed, [CHAIN.apply(shift(one, 60)) for one in found], atol=2e-6)

    def test_who_says_nothing_of_the_speaker_gets_the_corpus(self, by_speaker):
        said = by_speaker_features(2, 70)
        plain = by_speaker.server(features=said)["prediction"]
        _, outputs = in_numpy(by_speaker.run, "audio", said, 1, 1)
        np.testing.assert_allclose(plain, outputs[..., 0], atol=5e-6)
        found = by_speaker.server("prediction_of_speaker", features=said, **nobody(2))["prediction"]
        np.testing.assert_allclose(found, plain, atol=5e-6)

    @pytest.mark.parametrize("chunks", [(24,), (1,) * 24, (5, 1, 18)], ids=["whole", "frames", "chunks"])
    def test_a_stream_learns_its_speaker(self, by_speaker, chunks):
        """Each frame is what all frames so far make of it; in the end, statistics are those of the batch."""
        said, prior = by_speaker_features(2, 24), by_speaker.run.facts().speaker_prior
        states = {
            "encoder_state_1": np.zeros((2, UNITS), np.float32),
            "head_state_1": np.zeros((2, HEAD_UNITS), np.float32),
        }
        rests = {f"{name}_rest": np.zeros((2, 88), np.float32) for name in STATISTICS}
        states, parts = {**states, **nobody(2), **rests}, []
        for chunk in np.split(said, np.cumsum(chunks)[:-1], axis=1):
            answer = by_speaker.server("stream", features=chunk, **states)
            parts.append(answer.pop("prediction"))
            assert answer.keys() == states.keys()
            states = answer
        so_far = [[prior.apply(one[t : t + 1], moments_of(one[: t + 1]))[0] for t in range(24)] for one in said]
        _, outputs = in_numpy(by_speaker.run, "audio", np.array(so_far), 1, 1)
        np.testing.assert_allclose(np.concatenate(parts, axis=1), outputs[..., 0], atol=5e-5)
        for name, expected in known(said).items():
            np.testing.assert_allclose(states[name], expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize(
        ("name", "change", "message"),
        [
            ("speaker_count", lambda v: v - 1, "expected speaker_count to be finite numbers of 0 or more"),
            ("speaker_mean", lambda v: v + np.nan, "expected speaker_mean to be finite numbers"),
            ("speaker_deviation", lambda v: v[:, :3], r"speaker_deviation of shape \[2, 88\], got \[2, 3\]"),
            ("speaker_mean", lambda v: v[:1], r"speaker_mean of shape \[2, 88\], got \[1, 88\]"),
        ],
    )
    def test_refuses(self, by_speaker, name, change, message):
        import tensorflow as tf

        said = by_speaker_features(2, 5)
        statistics = nobody(2)
        statistics[name] = change(statistics[name])
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            by_speaker.server("prediction_of_speaker", features=said, **statistics)

    def test_signatures(self, by_speaker):
        told = TestSignatures()._told(by_speaker)
        width = ("float32", [-1, 88])
        speaker = {"features": ("float32", [-1, -1, 88]), **dict.fromkeys(STATISTICS, width)}
        assert told.keys() == {*OF_SPEAKER, *OF_SPEAKER.values(), "packed", "stream", "manifest"}
        assert told["prediction_of_speaker"] == (speaker, told["serving_default"][1])
        assert told["embed_of_speaker"] == (speaker, told["embed"][1])
        assert {name: told["stream"][1][name] for name in STATISTICS} == dict.fromkeys(STATISTICS, width)


def by_speaker_features(*shape):
    """Features of speakers who are not like the corpus, on its scale, with gaps."""
    rng = np.random.default_rng(3)
    values = 2 * rng.normal(size=(shape[0], 1, 88)) + rng.normal(size=(*shape, 88))
    values[rng.random(values.shape) < 0.1] = np.nan
    return values.astype(np.float32)
