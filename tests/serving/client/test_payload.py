"""Features that are checked before they are sent, and answers that are checked before they are believed."""

import json

import numpy as np
import pandas as pd
import pytest

from emobed_tf.errors import InputError
from serving.client.client import Client
from serving.client.connection import ServingError
from serving.client.payload import Answer, Classification
from tests.serving.client.talk import FEATURES, PREDICTION, predictions_asked


class TestFeatures:
    def test_named_columns_in_any_order(self, client):
        np.testing.assert_array_equal(client.predict(FEATURES[:, ::-1], columns=("pitch", "loudness")), PREDICTION)
        np.testing.assert_array_equal(client.predict(FEATURES, columns=("loudness", "pitch")), PREDICTION)

    def test_named_columns_of_a_batch(self, client):
        found = client.predict(FEATURES[np.newaxis, :, ::-1], columns=("pitch", "loudness"))
        np.testing.assert_array_equal(found, [PREDICTION])

    def test_data_frame_in_any_order(self, client):
        table = pd.DataFrame({"pitch": [0, 3], "loudness": [1, 2]})
        np.testing.assert_array_equal(client.predict(table), PREDICTION)

    def test_data_frame_with_missing_values(self, client):
        table = pd.DataFrame({"pitch": [0.0, np.nan], "loudness": pd.array([1, pd.NA], dtype="Int64")})
        np.testing.assert_array_equal(client.predict(table), [1, 0.5])

    @pytest.mark.parametrize(
        ("columns", "message"),
        [
            (
                ("loudness", "volume"),
                r"model's 2 features, got 2 \(1 missing: pitch; 1 unexpected: volume",
            ),
            (("loudness",), "got 1 .1 missing: pitch"),
            (("id", "loudness", "pitch"), "got 3 .1 unexpected: id"),
            (("loudness", "pitch", "pitch"), "1 twice: pitch"),
        ],
    )
    @pytest.mark.parametrize("kind", ["columns", "DataFrame"])
    def test_other_names(self, client, fake, columns, message, kind):
        values = np.zeros((4, len(columns)))
        with pytest.raises(InputError, match=message):
            if kind == "columns":
                client.predict(values, columns=columns)
            else:
                client.predict(pd.DataFrame(values, columns=list(columns)))
        assert not predictions_asked(fake)

    def test_data_frame_with_columns(self, client):
        with pytest.raises(InputError, match="leave columns out"):
            client.predict(pd.DataFrame({"loudness": [1], "pitch": [1]}), columns=("loudness", "pitch"))

    def test_columns_that_are_not_the_arrays(self, client):
        with pytest.raises(InputError, match=r"expected \[frames, 2\].* got \[4, 3\]"):
            client.predict(np.zeros((4, 3)), columns=("loudness", "pitch"))

    @pytest.mark.parametrize(
        ("features", "message"),
        [
            (np.zeros((4, 3)), r"expected \[frames, 2\] or \[batch, frames, 2\], got \[4, 3\]"),
            (np.zeros(2), r"got \[2\]"),
            (np.zeros((1, 1, 4, 2)), r"got \[1, 1, 4, 2\]"),
            (np.zeros((0, 2)), r"got \[0, 2\]"),
            (np.zeros((0, 4, 2)), r"got \[0, 4, 2\]"),
            ([[1, 2], [1, 2, 3]], "expected numbers"),
            ([["a", "b"]], "expected numbers, got something else .*'a'"),
            (pd.DataFrame({"loudness": ["a"], "pitch": [1]}), "expected numbers, got something else .*'a'"),
            ([[0, 0], [0, np.inf]], "recording 0, frame 1: column 'pitch' is infinite"),
            ([[[0, 0], [0, 0]], [[-np.inf, 0], [0, 0]]], "recording 1, frame 0: column 'loudness' is infinite"),
            ([[1e39, 0]], "recording 0, frame 0: column 'loudness' is infinite or too large for float32"),
        ],
        ids=str,
    )
    def test_wrong_values_are_not_sent(self, client, fake, features, message):
        for ask in (client.predict, client.embed, client.postprocess):
            with pytest.raises(InputError, match=message):
                ask(features)
        assert not predictions_asked(fake)

    def test_a_table_of_utterances_is_not_one_utterance(self, fake):
        client = Client(fake.url, "speech")
        with pytest.raises(InputError, match=r"utterances of one row.* \[batch, 1, 2\] for several, got \[3, 2\]"):
            client.predict(np.zeros((3, 2)))
        with pytest.raises(InputError, match=r"got \[3, 4, 2\]"):
            client.predict(np.zeros((3, 4, 2)))
        assert not predictions_asked(fake)


class TestAnswer:
    @pytest.mark.parametrize(
        "answer",
        [
            {"predictions": [[1, 2, 3]]},
            {"predictions": [list(range(1000))]},
            {"predictions": [[[1], [2]]]},
            {"predictions": [[1, "x"]]},
            {"predictions": [[1, None]]},
            {"predictions": [[1, float("nan")]]},
            {"predictions": [{"embedding": [1, 2]}]},
            {"predictions": [[1, 2], [1, 2]]},
            {"predictions": 5},
            {"predictions": []},
            {"outputs": [[1, 2]]},
        ],
        ids=lambda answer: str(answer)[:40],
    )
    def test_answer_of_another_form(self, fake, answer):
        client = Client(fake.url, "audio", version=1)
        client.manifest()
        fake.instead = [(200, {}, json.dumps(answer))]
        with pytest.raises(ServingError, match="expected ") as caught:
            client.predict(FEATURES)
        assert len(str(caught.value)) < 250

    @pytest.mark.parametrize("single", [True, False])
    def test_classification(self, single):
        rows = [{"probabilities": [0.25, 0.75], "label": "high"}]
        found = Answer(rows, 4, single, {"classes": ["low", "high"]}, "http://x").prediction()
        assert isinstance(found, Classification) and found.classes == ("low", "high")
        expected = [0.25, 0.75] if single else [[0.25, 0.75]]
        assert found.probabilities.tolist() == expected
        assert found.labels.tolist() == ("high" if single else ["high"])

    def test_an_output_of_any_number_of_frames(self):
        answer = Answer([[[1, 2], [3, 4], [5, 6]]], 3, True, {}, "http://x")
        assert answer.numbers("embedding", None, 2).tolist() == [[1, 2], [3, 4], [5, 6]]
        with pytest.raises(ServingError, match=r"expected finite 'embedding' of shape \[any x 3\]"):
            answer.numbers("embedding", None, 3)
