"""Keras metrics pool over batches: the value is that of all frames at once, not a mean of batches."""

import audmetric
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

pytestmark = pytest.mark.usefixtures("stack")


class TestPooledCCC:
    def test_batches_pool(self):
        from emobed_tf.models.keras_metrics import PooledCCC

        rng = np.random.default_rng(0)
        true = (rng.normal(size=(6, 50)) * 0.2 + rng.normal(size=(6, 1))).astype(np.float32)
        pred = (0.5 * true + 0.1 * rng.normal(size=true.shape)).astype(np.float32)
        mask = rng.random(true.shape) < 0.8
        metric = PooledCCC()
        for k in range(0, 6, 2):
            metric.update_state(true[k : k + 2], pred[k : k + 2], mask[k : k + 2])
        pooled = audmetric.concordance_cc(true[mask], pred[mask])
        per_batch = [audmetric.concordance_cc(true[k][mask[k]], pred[k][mask[k]]) for k in range(6)]
        assert float(metric.result()) == pytest.approx(pooled, abs=1e-6)
        assert abs(pooled - np.mean(per_batch)) > 0.05, "else this test proves nothing"

    def test_empty_and_reset(self):
        from emobed_tf.models.keras_metrics import PooledCCC

        metric = PooledCCC()
        assert float(metric.result()) == 0
        metric.update_state(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]))
        assert float(metric.result()) == pytest.approx(1)
        metric.reset_state()
        assert float(metric.result()) == 0


class TestPooledConfusion:
    @pytest.mark.parametrize("jit", [False, True])
    @pytest.mark.parametrize("score", ["f1_micro", "f1_macro", "uar", "f1_harmonic"])
    def test_scikit_learn(self, stack, score, jit):
        from emobed_tf.models.keras_metrics import PooledConfusion

        rng = np.random.default_rng(1)
        true, logits = rng.integers(0, 3, 40), rng.normal(size=(40, 3)).astype(np.float32)
        counted = np.arange(40) % 5 > 0
        metric = PooledConfusion(3, score)
        update = stack.function(metric.update_state, jit_compile=jit)
        for k in range(0, 40, 10):
            part = slice(k, k + 10)
            update(stack.constant(true[part]), stack.constant(logits[part]), stack.constant(counted[part]))
        true, pred = true[counted], logits[counted].argmax(axis=1)
        precision = np.mean([(true[pred == c] == c).mean() for c in range(3)])
        recall = balanced_accuracy_score(true, pred)
        expected = {
            "f1_micro": f1_score(true, pred, average="micro"),
            "f1_macro": f1_score(true, pred, average="macro"),
            "uar": recall,
            "f1_harmonic": 2 * precision * recall / (precision + recall),
        }
        assert float(metric.result()) == pytest.approx(expected[score], abs=1e-6)

    def test_config_round_trip(self):
        from emobed_tf.models.keras_metrics import PooledConfusion

        copy = PooledConfusion.from_config(PooledConfusion(4, "uar").get_config())
        assert (copy.classes, copy.score, copy.name) == (4, "uar", "uar")
