"""The supervised contrastive loss against a plain loop in float64, and numbers by hand."""

import math

import numpy as np
import pytest

from tests.models.test_mining import batch
from tests.models.test_semi_hard import always

pytestmark = pytest.mark.usefixtures("stack")


def plain_loss(points, labels, temperature, mask=None, weight=None, allowed=always, reduction="mean"):
    """Khosla et al. (2020), Eq. 2, anchor by anchor in float64."""
    n = len(points)
    mask = np.ones(n, bool) if mask is None else mask
    weight = np.ones(n) if weight is None else weight.astype(np.float64)
    points, total, count = np.asarray(points, np.float64), 0.0, 0.0
    for i in np.flatnonzero(mask):
        others = [j for j in np.flatnonzero(mask) if j != i and allowed(i, j, labels[i] != labels[j])]
        positives = [j for j in others if labels[j] == labels[i]]
        if positives:
            below = math.log(sum(weight[j] * math.exp(points[i] @ points[j] / temperature) for j in others))
            logs = [points[i] @ points[j] / temperature - below for j in positives]
            total -= weight[i] * np.average(logs, weights=weight[positives])
            count += weight[i]
    return 0.0 if not count else total / (count if reduction == "mean" else 1)


def plain_gradient(points, loss, step=1e-5):
    """By central differences in float64."""
    found = np.zeros(points.shape)
    for k in np.ndindex(*points.shape):
        ends = []
        for sign in (1, -1):
            moved = points.astype(np.float64)
            moved[k] += sign * step
            ends.append(loss(moved))
        found[k] = (ends[0] - ends[1]) / (2 * step)
    return found


def found_loss(tf, embeddings, labels, mask=None, **settings):
    from emobed_tf.models.contrastive import supervised_contrastive_loss

    variable = tf.Variable(embeddings)
    with tf.GradientTape() as tape:
        found = supervised_contrastive_loss(variable, labels, mask, **settings)
    return found, tf.convert_to_tensor(tape.gradient(found.loss, variable)).numpy()


class TestLoss:
    def test_by_hand(self, stack):
        # Classes of two at right angles, each anchor with 1 to its positive and 0 to two negatives:
        # -log(e / (e + 2)) = log(e + 2) - 1. At a temperature of 1/2: log(e^2 + 2) - 2.
        points, labels = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32), np.array([0, 0, 1, 1])
        for temperature, expected in ((1.0, math.log(math.e + 2) - 1), (0.5, math.log(math.e**2 + 2) - 2)):
            assert float(found_loss(stack, points, labels, temperature=temperature)[0].loss) == pytest.approx(expected)
        # One without a partner is no anchor, but a negative of the others: log(e + 3) - 1 of the four.
        more = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0]], np.float32)
        found, _ = found_loss(stack, more, np.array([0, 0, 1, 1, 2]), temperature=1.0)
        assert float(found.loss) == pytest.approx(math.log(math.e + 3) - 1)
        assert found.valid.numpy().tolist() == [True] * 4 + [False]

    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    @pytest.mark.parametrize("block", [None, 7])
    @pytest.mark.parametrize("raw", [False, True])
    def test_every_anchor(self, stack, reduction, block, raw):
        embeddings, labels = batch(7, n=18, width=3)
        if not raw:
            embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        mask = np.arange(18) % 6 != 0
        weight = np.random.default_rng(0).uniform(0.1, 1, 18).astype(np.float32)
        settings = {"temperature": 0.3, "weight": weight, "reduction": reduction}

        def loss(points):
            return plain_loss(points, labels, mask=mask, **settings)

        found, gradient = found_loss(stack, embeddings, labels, mask, block=block, **settings)
        assert float(found.loss) == pytest.approx(loss(embeddings), rel=1e-5)
        np.testing.assert_allclose(gradient, plain_gradient(embeddings, loss), rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("mining", ["inter", "intra"])
    def test_rules(self, stack, mining):
        from emobed_tf.models.pairing import Origin

        embeddings, labels = batch(5)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        modality, recording = np.arange(40) % 2, np.arange(40) // 20
        time = (np.arange(40) % 20).astype(np.float32)

        def allowed(i, j, negative):
            near = recording[i] == recording[j] and abs(time[i] - time[j]) < 5
            return (modality[i] != modality[j]) == (mining == "inter") and not (negative and near)

        found, _ = found_loss(
            stack,
            embeddings,
            labels,
            origin=Origin(modality, recording, time),
            mining=mining,
            negative_seconds=5.0,
            block=9,
        )
        assert float(found.loss) == pytest.approx(plain_loss(embeddings, labels, 0.1, allowed=allowed), rel=1e-5)

    def test_many_blocks_compiled(self, stack):
        """More than 1,024 are compiled; in float64, without blocks, the same within 1e-5."""
        from emobed_tf.models.contrastive import supervised_contrastive_loss

        embeddings, labels = batch(9, n=1030)
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        mask = np.random.default_rng(9).random(1030) < 0.8

        def both(points):
            with stack.GradientTape() as tape:
                tape.watch(points)
                loss = supervised_contrastive_loss(points, labels, mask).loss
            return loss, tape.gradient(loss, points)

        graph = stack.function(both)
        loss, gradient = graph(stack.constant(embeddings))
        assert "_XlaMustCompile" in str(graph.get_concrete_function(stack.constant(embeddings)).graph.as_graph_def())
        points = stack.constant(embeddings, stack.float64)
        with stack.GradientTape() as tape:
            tape.watch(points)
            some = mask[None] & mask[:, None] & ~np.eye(1030, dtype=bool)
            same = some & (labels[:, None] == labels[None])
            exponents = stack.matmul(points, points, transpose_b=True) / 0.1
            below = stack.reduce_logsumexp(stack.where(some, exponents, -np.inf)[mask], axis=1)
            positives = stack.reduce_sum(stack.where(same, exponents, 0), axis=1)[mask] / same.sum(axis=1)[mask]
            expected = stack.reduce_mean(below - positives)
        assert float(loss) == pytest.approx(float(expected), rel=1e-5)
        np.testing.assert_allclose(gradient, tape.gradient(expected, points), atol=1e-7)

    @pytest.mark.parametrize("padding", [np.nan, np.inf, 1e30])
    def test_what_is_masked_may_be_anything(self, stack, padding):
        embeddings, labels = batch(8)
        mask = np.arange(40) % 4 > 0
        embeddings[~mask] = padding
        kept, slope = found_loss(stack, embeddings[mask], labels[mask])
        found, gradient = found_loss(stack, embeddings, labels, mask, block=9)
        assert float(found.loss) == pytest.approx(float(kept.loss), rel=1e-5)
        np.testing.assert_allclose(gradient[mask], slope, atol=1e-5)
        assert not gradient[~mask].any()

    @pytest.mark.parametrize("labels", [[0, 1, 2, 3], [0, 0, 1, 2]], ids=["single members", "one pair"])
    def test_large_exponents_are_finite(self, stack, labels):
        found, gradient = found_loss(stack, 100 * np.eye(4, dtype=np.float32), np.array(labels), temperature=1e-3)
        assert np.isfinite(found.loss) and np.isfinite(gradient).all()
        assert (float(found.loss) == 0) == (len(set(labels)) == 4)

    def test_wrong_settings(self):
        from emobed_tf.models.contrastive import supervised_contrastive_loss

        for wrong, named in (({"temperature": 0.0}, "`temperature`"), ({"reduction": "max"}, "`reduction`")):
            with pytest.raises(ValueError, match=named):
                supervised_contrastive_loss(*batch(0), **wrong)
        with pytest.raises(ValueError, match="Expected origin"):
            supervised_contrastive_loss(*batch(0), mining="intra")
