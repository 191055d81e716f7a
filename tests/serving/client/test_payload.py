"""Features that are checked before they are sent, and answers that are checked before they are believed."""

import json

import numpy as np
import pandas as pd
import pytest

from emobed_tf.errors import InputError
from serving.client.client import Client
from serving.client.connection import ServingError
from serving.client.payload import Answer, Batch, Classification
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
            (np.zeros((1, 2), "datetime64[s]"), r"expected numbers, got something else \(datetime64\[s\]\)"),
            (np.zeros((1, 2), complex), "expected numbers, got something else .*complex128"),
            (pd.DataFrame({"loudness": [pd.Timestamp(0)], "pitch": [pd.Timestamp(0)]}), "expected numbers"),
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

    def test_what_is_masked_is_missing(self, client):
        """The stand-in takes NaN for 0: 1, then 1/2 + 2 without the 10 * 3 of the pitch."""
        masked = np.ma.masked_array([[1.0, 0.0], [2.0, 3.0]], [[False, False], [False, True]])
        assert client.predict(masked).tolist() == [1, 2.5]

    @pytest.mark.parametrize(
        ("features", "message"),
        [
            (np.zeros(3), r"expected \[2\] of one utterance, or \[utterances, 2\], got \[3\]"),
            (np.zeros((3, 4)), r"got \[3, 4\]"),
            (np.zeros((0, 2)), r"got \[0, 2\]"),
            (np.zeros((3, 4, 2)), r"utterances of one row; expected \[utterances, 2\].*, got \[3, 4, 2\]"),
            (np.zeros((1, 1, 1, 2)), r"got \[1, 1, 1, 2\]"),
            ([[0, 0], [0, np.inf]], "utterance 1: column 'pitch' is infinite"),
            (pd.Series({"pitch": 1, "volume": 0}), "1 missing: loudness; 1 unexpected: volume"),
        ],
        ids=str,
    )
    def test_no_utterances(self, fake, features, message):
        with pytest.raises(InputError, match=message):
            Client(fake.url, "speech").predict(features)
        assert not predictions_asked(fake)

    def test_a_series_with_columns(self, fake):
        with pytest.raises(InputError, match="the Series has names of its own; leave columns out"):
            Client(fake.url, "speech").predict(pd.Series({"pitch": 1, "loudness": 0}), columns=("pitch", "loudness"))

    def test_a_series_is_no_recording(self, client):
        with pytest.raises(InputError, match=r"expected \[frames, 2\] or \[batch, frames, 2\], got \[2\]"):
            client.predict(pd.Series({"pitch": 1, "loudness": 0}))


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

    @pytest.mark.parametrize("one", [True, False])
    def test_classification(self, one):
        rows = [{"probabilities": [0.25, 0.75], "label": "high"}]
        batch = Batch(np.zeros((1, 4, 2), np.float32), one, flat=False)
        found = Answer(rows, batch, {"classes": ["low", "high"]}, 3, "http://x").prediction()
        expected = ("high", [0.25, 0.75]) if one else (["high"], [[0.25, 0.75]])
        assert found == Classification(*expected, ("low", "high"), 3)

    def test_a_label_that_is_no_text(self):
        batch = Batch(np.zeros((1, 4, 2), np.float32), one=True, flat=False)
        answer = Answer([{"probabilities": [1], "label": 0}], batch, {"classes": ["low"]}, 1, "http://x")
        with pytest.raises(ServingError, match="expected 'label' of type string, got"):
            answer.prediction()

    def test_an_output_of_any_number_of_frames(self):
        batch = Batch(np.zeros((1, 3, 2), np.float32), one=True, flat=False)
        answer = Answer([[[1, 2], [3, 4], [5, 6]]], batch, {}, 1, "http://x")
        assert answer.numbers("embedding", None, 2).tolist() == [[1, 2], [3, 4], [5, 6]]
        with pytest.raises(ServingError, match=r"expected finite 'embedding' of shape \[any x 3\]"):
            answer.numbers("embedding", None, 3)
