"""The example of a loss: sums by hand, SciPy and Keras, and trainings with both."""

import numpy as np
import pytest
from scipy.special import huber

from tests.conftest import ROOT
from tests.training.test_loop import settings

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_is_short():
    assert len((ROOT / "examples" / "loss.py").read_text().splitlines()) < 60


class TestHuber:
    def test_by_hand(self):
        from examples import loss

        # Errors 0.05 (squared: 0.00125) and 0.3 (straight: 0.1 (0.3 - 0.05) = 0.025); the third is padding.
        values = np.float32([[0.05, 0.3, 9]]), np.zeros((1, 3), np.float32), np.array([[True, True, False]])
        assert float(loss.huber(*values)) == pytest.approx((0.00125 + 0.025) / 2, rel=1e-5)
        assert float(loss.huber(*values[:2], np.zeros((1, 3), bool))) == 0

    def test_is_that_of_scipy(self):
        from examples import loss

        rng = np.random.default_rng(0)
        labels, outputs = rng.normal(0, 0.1, (2, 4, 30)).astype(np.float32)
        mask = np.arange(30) < [[30], [20], [1], [7]]
        expected = huber(loss.DELTA, labels - outputs)[mask].mean()
        assert float(loss.huber(labels, outputs, mask)) == pytest.approx(expected, rel=1e-5)


def test_focal_is_that_of_keras():
    import keras

    from examples import loss

    rng = np.random.default_rng(0)
    classes, logits = rng.integers(0, 5, 20), rng.normal(0, 2, (20, 5)).astype(np.float32)
    theirs = keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=2.0, from_logits=True)
    expected = float(theirs(np.eye(5, dtype=np.float32)[classes], logits))
    assert float(loss.focal(classes, logits)) == pytest.approx(expected, rel=1e-4)


def test_trainings(recola, tables, tmp_path):
    """A run knows what it was trained with, and repeats bit for bit."""
    from emobed_tf.training.loop import train_run
    from tests.training.test_loop import assert_equal_weights, weights

    runs = {}
    for name in ("huber", "again", "ccc"):
        loss = "ccc" if name == "ccc" else "examples.loss:huber"
        runs[name] = train_run(settings(recola, epochs=1, regression_loss=loss), tmp_path / name)
    assert runs["huber"].config().objective.regression_loss == "examples.loss:huber"
    assert_equal_weights(weights(runs["huber"]), weights(runs["again"]))
    kernel = "shared.output/kernel"
    assert (weights(runs["huber"])[kernel] != weights(runs["ccc"])[kernel]).any()
    config = settings(tables, "tables", epochs=1, classification_loss="examples.loss:focal")
    assert np.isfinite(weights(train_run(config, tmp_path / "focal"))[kernel]).all()
