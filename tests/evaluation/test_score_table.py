"""The table of scores: every score against scikit-learn or by hand, and its names against the settings."""

import typing

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from emobed_tf.evaluation.metrics import confusion_matrix
from emobed_tf.evaluation.score_table import SCORES, classification_scores, regression_scores, short_name
from emobed_tf.settings import Training


class TestNames:
    def test_selection_can_be_every_score_that_is_computed_from_sums(self):
        kinds = typing.get_args(typing.get_type_hints(Training)["selection"])
        (choices,) = (typing.get_args(kind) for kind in kinds if kind is not type(None))
        assert set(choices) == {name for name, score in SCORES.items() if score.has_interval}

    def test_names_are_their_own(self):
        assert all(score.name == name for name, score in SCORES.items())
        for kind in ("short_name", "long_name"):
            assert len({getattr(score, kind) for score in SCORES.values()}) == len(SCORES) == 8

    def test_all_scores_of_a_task_are_computed(self):
        tasks = {
            "regression": regression_scores([[0.0, 1.0]], [[0.0, 1.0]]),
            "classification": classification_scores(np.eye(2)),
        }
        for task, found in tasks.items():
            assert list(found) == [name for name, score in SCORES.items() if score.task == task]

    def test_another_word_stays_as_it_is(self):
        assert (short_name("uar"), short_name("accuracy")) == ("UAR", "accuracy")


class TestRegressionScores:
    def test_pooled_and_mean_differ(self):
        # Each recording alone is perfectly correlated, one with the mean 1 off.
        # First: 1. Second: deviations (-1, 1) both: 2 * 1 / (1 + 1 + 1) = 2/3. Mean 5/6.
        # Pooled: true -1 1 -1 1 (mean 0, variance 1), prediction -1 1 0 2 (mean 1/2, mean square 6/4, variance 5/4),
        # covariance (1 + 1 + 0 + 2) / 4 = 1: 2 / (1 + 5/4 + 1/4) = 4/5. Pearson: 1 / sqrt(5/4). RMSE: sqrt(2/4).
        scores = regression_scores([[-1, 1], [-1, 1]], [[-1, 1], [0, 2]])
        assert scores == pytest.approx(
            {"ccc": 4 / 5, "ccc_mean": 5 / 6, "pcc": 2 / np.sqrt(5), "rmse": np.sqrt(0.5)}, abs=1e-15
        )


class TestClassificationScores:
    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
    def test_equals_scikit_learn(self, pairs):
        true, pred = np.array(pairs).T
        scores = classification_scores(confusion_matrix(true, pred, 5))
        options = {"labels": range(5), "zero_division": 0}
        precision = sklearn_metrics.precision_score(true, pred, average="macro", **options)
        recall = sklearn_metrics.recall_score(true, pred, average="macro", **options)
        expected = {
            "f1_micro": sklearn_metrics.f1_score(true, pred, average="micro", **options),
            "f1_macro": sklearn_metrics.f1_score(true, pred, average="macro", **options),
            "f1_harmonic": 2 * precision * recall / (precision + recall) if precision + recall else 0.0,
            # balanced_accuracy_score warns of classes that are predicted and not true; it is this.
            "uar": sklearn_metrics.recall_score(true, pred, average="macro", labels=np.unique(true)),
        }
        assert scores == pytest.approx(expected, abs=1e-12)
