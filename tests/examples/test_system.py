"""`examples/system.py`: numbers worked out by hand, and a row beside the package's own systems."""

import importlib
import sys

import numpy as np
import pytest

from emobed_tf import crossvalidate
from emobed_tf.corpora.corpus import CLASSIFICATION
from tests.conftest import ROOT
from tests.systems.baselines.constructed import problem, utterances


@pytest.fixture
def system(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    yield importlib.import_module("system").NearestMean()
    sys.modules.pop("system")


def given(train, labels, dev):
    partitions = {"train": (train, labels), "dev": (dev, np.zeros(len(dev), int))}
    return problem(
        {"face": utterances("face", partitions, task=CLASSIFICATION)}, CLASSIFICATION, classes=("low", "high", "other")
    )


class TestNearestMean:
    # Values 0, 2 (low) and 4, 6 (high): mean 3, deviation sqrt((9 + 1 + 1 + 9) / 4) = sqrt 5; class means 1 and 5.
    TRAIN, LABELS = np.array([[0.0], [2], [4], [6]], np.float32), np.array([0, 0, 1, 1])

    def test_distances(self, system):
        data = given(self.TRAIN, self.LABELS, np.array([[2.0], [4.5]], np.float32))
        system.fit(data, {"shrinkage": 0.0}, 0)
        scores = system.predict(data.recordings("dev"))
        # |2 - 1| and |2 - 5|, |4.5 - 1| and |4.5 - 5|, in deviations
        np.testing.assert_allclose([s[:2] for s in scores], -np.array([[1, 3], [3.5, 0.5]]) / np.sqrt(5), rtol=1e-5)
        assert [int(np.argmax(s)) for s in scores] == [0, 1]

    def test_shrinkage_draws_means_to_the_middle(self, system):
        data = given(self.TRAIN, self.LABELS, np.array([[3.0]], np.float32))
        system.fit(data, {"shrinkage": 0.5}, 0)  # class means 2 and 4
        (scores,) = system.predict(data.recordings("dev"))
        np.testing.assert_allclose(scores[:2], [-1 / np.sqrt(5)] * 2, rtol=1e-5)

    def test_a_class_that_training_lacks_never_wins(self, system):
        data = given(self.TRAIN, self.LABELS, np.array([[-1e3], [1e3]], np.float32))
        system.fit(data, {"shrinkage": 0.0}, 0)
        assert all(np.argmax(s) != 2 and np.isfinite(s).all() for s in system.predict(data.recordings("dev")))

    def test_missing_values_are_the_mean(self, system):
        data = given(self.TRAIN, self.LABELS, np.array([[np.nan]], np.float32))
        system.fit(data, {"shrinkage": 0.0}, 0)
        (scores,) = system.predict(data.recordings("dev"))
        np.testing.assert_allclose(scores[:2], [-2 / np.sqrt(5)] * 2, rtol=1e-5)


def test_is_a_row_of_a_comparison(system, tables, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = ["--dataset", "tables", "--data-dir", str(tables), "--targets", "audio", "--folds", "2", "--seeds", "1"]
    line += ["--configurations", "2", "--threads", "1", "--systems", "svm", "system:NearestMean", "--output", "out"]
    assert crossvalidate.main(line) == 0
    assert "nearest mean" in capsys.readouterr().out
