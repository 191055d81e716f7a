"""Features in bytes: the same answer as of the same features in digits, and what is refused."""

import struct

import numpy as np
import pytest

from tests.saved_model.exported import features

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def packed(*recordings):
    """Bytes as the format says them, one number after another; as a tensor of strings."""
    return np.array([struct.pack(f"<{values.size}f", *values.ravel()) for values in recordings], object)


class TestAnswers:
    @pytest.mark.parametrize("shape", [(3, 40), (1, 1)])
    def test_a_regressions_in_both_times(self, arousal, shape):
        inputs = features(88, *shape)
        assert np.isnan(inputs).any()
        answer = arousal.server("packed", packed=packed(*inputs))
        assert answer.keys() == {"prediction", "postprocessed"}
        np.testing.assert_allclose(answer["prediction"], arousal.server(features=inputs)["prediction"], atol=1e-6)
        expected = arousal.server("postprocessed", features=inputs)["postprocessed"]
        np.testing.assert_allclose(answer["postprocessed"], expected, atol=1e-6)

    def test_classes_of_utterances(self, emotion):
        inputs = features(5, 4, 1)
        answer, expected = emotion.server("packed", packed=packed(*inputs)), emotion.server(features=inputs)
        assert answer.keys() == expected.keys() == {"probabilities", "label"}
        np.testing.assert_allclose(answer["probabilities"], expected["probabilities"], atol=1e-6)
        assert answer["label"].tolist() == expected["label"].tolist()


class TestRefuses:
    @pytest.mark.parametrize(
        ("sent", "message"),
        [
            ([bytes(351)], "expected 88 audio features of 4 bytes a frame, 352 bytes or a multiple, got 351"),
            ([bytes(700)], "or a multiple, got 700 bytes; see features in the manifest"),
            ([bytes(352), bytes(704)], "expected recordings of one length in a request; send the others in requests"),
            ([b""], "expected one frame or more of audio features, got none"),
            ([], "expected one recording or more, got none"),
        ],
        ids=["not a number", "other features", "unlike", "no frame", "no recording"],
    )
    def test_another_length(self, arousal, sent, message):
        self._assert_refused(arousal, np.array(sent, object), message)

    def test_what_is_infinite(self, arousal):
        values = np.zeros((1, 2, 88), np.float32)
        values[0, 1, 3] = np.inf
        self._assert_refused(arousal, packed(*values), r"got an infinite one at .* = \[0, 1, 3\]")

    def test_two_frames_of_an_utterance(self, emotion):
        self._assert_refused(emotion, np.array([bytes(2 * 5 * 4)], object), "expected one frame for each utterance")

    @staticmethod
    def _assert_refused(exported, sent, message):
        import tensorflow as tf

        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            exported.server("packed", packed=sent)
