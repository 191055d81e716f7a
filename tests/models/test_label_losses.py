"""Losses of labels by name: sums by hand, Keras' own, and one's own with every rule that can be broken."""

import math

import numpy as np
import pytest

from emobed_tf import settings
from emobed_tf.errors import InputError

pytestmark = pytest.mark.usefixtures("stack")

OWN = "tests.models.own_losses"


def check(task, name, outputs=3):
    from emobed_tf.models.label_losses import check_loss

    setting = {"regression": "regression_loss", "classification": "classification_loss"}[task]
    check_loss(settings.Objective(**{setting: f"{OWN}:{name}"}), task, outputs)


def test_settings_and_tables_name_the_same():
    from emobed_tf.models.label_losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES

    assert tuple(REGRESSION_LOSSES) == settings.REGRESSION_LOSSES
    assert tuple(CLASSIFICATION_LOSSES) == settings.CLASSIFICATION_LOSSES


class TestSmoothed:
    def test_by_hand(self):
        """Of p = (3/4, 1/4) and class 0, a label of (0.95, 0.05): -0.95 log(3/4) - 0.05 log(1/4)."""
        from emobed_tf.models.label_losses import classification_loss

        found = classification_loss("smoothed")(np.array([0]), np.array([[math.log(3), 0.0]], np.float32))
        assert float(found) == pytest.approx(-0.95 * math.log(3 / 4) - 0.05 * math.log(1 / 4), rel=1e-6)

    def test_is_that_of_keras(self):
        import keras

        from emobed_tf.models.label_losses import classification_loss

        rng = np.random.default_rng(0)
        classes, logits = rng.integers(0, 7, 20), rng.normal(0, 5, (20, 7)).astype(np.float32)
        theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
        expected = float(theirs(np.eye(7, dtype=np.float32)[classes], logits))
        assert float(classification_loss("smoothed")(classes, logits)) == pytest.approx(expected, rel=1e-5)


class TestOwn:
    def test_a_function_and_one_that_is_scaled(self):
        from emobed_tf.models.label_losses import regression_loss

        # Errors 1 and 3 count, the third is padding: (1 + 3) / 2, and by a deviation of 4 it is 0.5.
        values = np.float32([[1, 3, 99]]), np.zeros((1, 3), np.float32), np.array([[True, True, False]])
        assert float(regression_loss(f"{OWN}:absolute")(*values, 4.0)) == 2
        assert float(regression_loss(f"{OWN}:scaled")(*values, 4.0)) == 0.5

    @pytest.mark.parametrize(("task", "name"), [("regression", "absolute"), ("classification", "brier")])
    def test_is_what_a_network_learns(self, stack, task, name):
        """The target's term of a whole model, worked out in NumPy from the model's outputs."""
        from emobed_tf.models.network import HEAD
        from tests.models.test_emobed import WIDTHS, batch, compiled, tensors
        from tests.models.test_encoders import build, utterances

        outputs = 1 if task == "regression" else 3
        setting = {"regression_loss" if task == "regression" else "classification_loss": f"{OWN}:{name}"}
        model = compiled(build("dense", WIDTHS, outputs), task, outputs, framework="classic", **setting)
        assert model.head.name == HEAD
        parts = batch() if task == "regression" else utterances()
        found = model.forward(tensors(model, parts))[0]["target"]
        part = parts["audio"]
        said = model({n: p["features"] for n, p in parts.items()})["audio"].numpy()
        if task == "regression":
            expected = np.abs(said[..., 0] - part["labels"])[part["mask"]].mean()
        else:
            powers = np.exp(said[:, 0])
            expected = ((powers / powers.sum(1, keepdims=True) - np.eye(3)[part["labels"]]) ** 2).sum(1).mean()
        assert float(found) == pytest.approx(float(expected), rel=1e-5)

    @pytest.mark.parametrize("name", ["absolute", "scaled"])
    def test_a_regressions_that_does(self, name):
        check("regression", name)

    def test_a_classifications_that_does(self):
        check("classification", "brier")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("two_arguments", r"expected a function of y_true, y_pred, mask, found two_arguments\(y_true, y_pred\)"),
            ("of_each", r"small batch with padding: expected a float32 scalar, got float32 \[2\]; take the mean"),
            ("sees_padded_labels", "other numbers where `mask` is False change it from .* multiply by the mask"),
            ("sees_padded_predictions", "other numbers where `mask` is False change it"),
            ("nothing_of_nothing", "of a batch in which no frame has a label: expected a finite number, got nan"),
            ("infinite", "padding: expected a finite number, got -inf"),
            ("without_gradient", "no gradient reaches the predictions"),
            ("steep", "its gradient isn't finite"),
            ("gone", "no attribute 'gone'; expected a function of y_true, y_pred, mask as package.module:NAME"),
            ("__doc__", "expected a function of y_true, y_pred, mask, found a str"),
        ],
    )
    def test_a_regressions_that_does_not(self, name, message):
        with pytest.raises(InputError, match=f"--regression-loss {OWN}:{name}.*{message}"):
            check("regression", name)

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("absolute", r"expected a function of classes, logits, found absolute\(y_true, y_pred, mask\)"),
            ("of_each_utterance", r"of a small batch: expected a float32 scalar, got float32 \[4\]; take the mean"),
            ("nothing", "of a small batch: expected a float32 scalar, got a ValueError: "),
            ("error_rate", "no gradient reaches the predictions"),
        ],
    )
    def test_a_classifications_that_does_not(self, name, message):
        with pytest.raises(InputError, match=f"--classification-loss {OWN}:{name}.*{message}"):
            check("classification", name)

    def test_only_that_of_the_task_is_looked_at(self):
        from emobed_tf.models.label_losses import check_loss

        check_loss(settings.Objective(regression_loss=f"{OWN}:gone"), "classification", 3)
        check_loss(settings.Objective(classification_loss=f"{OWN}:gone"), "regression", 1)
