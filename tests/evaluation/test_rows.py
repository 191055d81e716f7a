"""Predictions as rows: ids, times, labels and numbers where they belong."""

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Recording
from emobed_tf.evaluation.rows import classification_row, prediction_rows, regression_rows
from emobed_tf.evaluation.scores import evaluate
from emobed_tf.files import write_csv
from tests.evaluation.systems import evaluated_classes, facts


def recording(frames, start=0.0):
    labels = {"arousal": np.arange(frames) / 10}
    return Recording("r", "dev", "s", np.zeros((frames, 1), np.float32), labels, start=start)


class TestRegression:
    def test_a_row_for_each_frame(self):
        rows = regression_rows(recording(2, start=1.0), 0.04, np.array([0.1, 0.2]), np.array([0.3, 0.4]), [0.5, 0.6])
        assert rows == [
            {"id": "r", "time": 1.0, "gold_standard": 0.5, "raw": 0.1, "postprocessed": 0.3},
            {"id": "r", "time": 1.04, "gold_standard": 0.6, "raw": 0.2, "postprocessed": 0.4},
        ]

    def test_a_frame_without_a_gold_standard_has_an_empty_cell(self, tmp_path):
        gold = np.array([np.nan, 0.5], np.float32)
        rows = regression_rows(recording(2), 0.04, np.array([0.1, 0.2]), np.array([0.3, 0.4]), gold)
        write_csv(tmp_path / "r.csv", rows)
        assert (tmp_path / "r.csv").read_text().splitlines()[1:] == ["r,0.0,,0.1,0.3", "r,0.04,0.5,0.2,0.4"]

    def test_an_utterance_has_no_time_and_new_files_no_gold_standard(self):
        assert regression_rows(recording(1), None, np.array([0.1]), np.array([0.3])) == [
            {"id": "r", "raw": 0.1, "postprocessed": 0.3}
        ]

    @pytest.mark.parametrize(("step", "files"), [(0.04, ["r"]), (None, ["utterances"])])
    def test_a_file_for_each_recording_or_one_for_utterances(self, step, files):
        known = facts("regression", step=step)
        member = recording(2)
        found = prediction_rows(evaluate("dev", [member], [np.array([0.1, 0.2])], known, None), known)
        assert list(found) == files
        assert [row["gold_standard"] for row in found[files[0]]] == [0.0, 0.1]


class TestClassification:
    def test_the_largest_is_the_prediction(self):
        row = classification_row(recording(1), np.array([0.2, 0.7, 0.1]), ("anger", "joy", "calm"), 2)
        assert row == {"id": "r", "label": "calm", "prediction": "joy", "p_anger": 0.2, "p_joy": 0.7, "p_calm": 0.1}

    def test_all_utterances_in_one_file(self):
        found = prediction_rows(evaluated_classes(4), facts("classification", ("a", "b")))
        assert list(found) == ["utterances"]
        assert [row["label"] for row in found["utterances"]] == ["a", "b"] * 10
        assert all(row["label"] == row["prediction"] for row in found["utterances"])

    def test_no_more_digits_than_the_numbers_have(self):
        row = classification_row(recording(1), np.array([0.1, 0.9], np.float32), ("a", "b"))
        assert [repr(row["p_a"]), repr(row["p_b"])] == ["0.1", "0.9"]
