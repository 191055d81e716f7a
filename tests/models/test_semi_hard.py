"""Semi-hard triplets against every triplet in a plain loop, TensorFlow Addons, and numbers by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.models.test_mining import batch

pytestmark = pytest.mark.usefixtures("stack")


ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "tfa_semi_hard.json").read_text())


def always(i, j, negative):
    return True


def plain_triplets(embeddings, labels, mask=None, allowed=always):
    """(anchor, positive, negative) in a loop over all triplets, distances in float64."""
    points = np.asarray(embeddings, np.float64)
    n = len(points)
    mask = np.ones(n, bool) if mask is None else mask
    there = [(i, j) for i in range(n) for j in range(n) if i != j and mask[i] and mask[j]]
    there = [(i, j) for i, j in there if allowed(i, j, labels[i] != labels[j])]
    found = []
    for a, p in there:
        if labels[a] != labels[p]:
            continue
        farther = farthest = None
        for i, k in there:
            if i != a or labels[k] == labels[a]:
                continue
            distance = math.dist(points[a], points[k])
            if farthest is None or distance > math.dist(points[a], points[farthest]):
                farthest = k
            if distance > math.dist(points[a], points[p]) and (
                farther is None or distance < math.dist(points[a], points[farther])
            ):
                farther = k
        if farthest is not None:
            found.append((a, p, farthest if farther is None else farther))
    return found


def plain_loss(tf, embeddings, triplets, margin=None, reduction="mean", weight=None):
    """Loss and gradient from given triplets in float64, by TensorFlow's own differentiation."""
    points = tf.Variable(np.asarray(embeddings, np.float64))
    weight = np.ones(len(embeddings)) if weight is None else weight.astype(np.float64)
    with tf.GradientTape() as tape:
        a, p, n = (tf.gather(points, [t[k] for t in triplets]) for k in range(3))
        difference = tf.norm(a - p, axis=1) - tf.norm(a - n, axis=1)
        if margin == "soft":
            difference = tf.math.log(1 + tf.exp(difference))
        elif margin is not None:
            difference = tf.maximum(margin + difference, 0)
        weights = np.array([weight[list(t)].prod() for t in triplets])
        loss = tf.reduce_sum(weights * difference) / (weights.sum() if reduction == "mean" else 1)
    return float(loss), tf.convert_to_tensor(tape.gradient(loss, points)).numpy()


def found_loss(tf, embeddings, labels, mask=None, **settings):
    from emobed_tf.models.semi_hard import semi_hard_triplet_loss

    variable = tf.Variable(embeddings)
    with tf.GradientTape() as tape:
        found = semi_hard_triplet_loss(variable, labels, mask, **settings)
    return found, tf.convert_to_tensor(tape.gradient(found.loss, variable)).numpy()


class TestLoss:
    def test_by_hand(self, stack):
        # Class 0 at 0 and 2, class 1 at 3 and 7. From 0 the positive is 2 away, negatives 3 and 7: 3 is farther.
        # From 2: 2, and 1 and 5: 5. From 3: 4, and 3 and 1: none is farther, the farthest is 3. From 7: 4, and 7 and 5:
        # 5. Differences -1, -3, 1, -1; their mean -1. With a margin of 2: 1 + 0 + 3 + 1, over 4.
        line, labels = np.array([[0.0], [2.0], [3.0], [7.0]], np.float32), np.array([0, 0, 1, 1])
        found, gradient = found_loss(stack, line, labels, reduction="sum")
        assert float(found.loss) == -4
        assert (float(found.positive), float(found.negative)) == (3.0, 4.0)
        assert float(found_loss(stack, line, labels)[0].loss) == -1
        assert float(found_loss(stack, line, labels, margin=2.0)[0].loss) == 1.25
        # (2 - 0) - (3 - 0) and (2 - 0) - (7 - 2) and (7 - 3) - (3 - 0) and (7 - 3) - (7 - 2), summed:
        # -3 x1 ... in x = (0, 2, 3, 7): x2 - x3; 2 x2 - x1 - x4; x4 - 2 x3 + x1; x2 - x3.
        np.testing.assert_allclose(gradient[:, 0], [0, 4, -4, 0], atol=1e-6)

    @pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["name"])
    def test_tensorflow_addons(self, stack, case):
        for expected in case["outputs"]:
            embeddings = np.array(case["embeddings"], np.float32)
            found, gradient = found_loss(stack, embeddings, np.array(case["labels"]), margin=expected["margin"])
            assert float(found.loss) == pytest.approx(expected["loss"], rel=1e-5, abs=5e-6)
            np.testing.assert_allclose(gradient, expected["gradient"], atol=1e-5)

    @pytest.mark.parametrize("margin", [None, 0.2, "soft"])
    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    @pytest.mark.parametrize("block", [None, 7])
    def test_every_triplet(self, stack, margin, reduction, block):
        embeddings, labels = batch(7, n=25)
        mask = np.arange(25) % 6 != 0
        weight = np.random.default_rng(0).uniform(0.1, 1, 25).astype(np.float32)
        triplets = plain_triplets(embeddings, labels, mask)
        expected, slope = plain_loss(stack, embeddings, triplets, margin, reduction, weight)
        found, gradient = found_loss(
            stack, embeddings, labels, mask, margin=margin, reduction=reduction, weight=weight, block=block
        )
        assert float(found.loss) == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6)
        assert np.flatnonzero(found.valid).tolist() == sorted({a for a, _, _ in triplets})

    @pytest.mark.parametrize("mining", ["inter", "intra"])
    def test_rules(self, stack, mining):
        from emobed_tf.models.pairing import Origin

        embeddings, labels = batch(5)
        modality, recording = np.arange(40) % 2, np.arange(40) // 20
        time = (np.arange(40) % 20).astype(np.float32)

        def allowed(i, j, negative):
            near = recording[i] == recording[j] and abs(time[i] - time[j]) < 5
            return (modality[i] != modality[j]) == (mining == "inter") and not (negative and near)

        expected, slope = plain_loss(stack, embeddings, plain_triplets(embeddings, labels, allowed=allowed))
        found, gradient = found_loss(
            stack,
            embeddings,
            labels,
            origin=Origin(modality, recording, time),
            mining=mining,
            negative_seconds=5.0,
            block=9,
        )
        assert float(found.loss) == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(gradient, slope, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("data", ["lattice", "duplicates", "far from the origin"])
    def test_ties_and_what_float32_cannot_tell(self, stack, data):
        rng = np.random.default_rng(3)
        embeddings = {
            "lattice": lambda: rng.integers(-1, 2, (36, 3)) / 8,
            "duplicates": lambda: np.tile(rng.normal(size=(12, 4)), (3, 1)),
            "far from the origin": lambda: 100 + 0.01 * rng.normal(size=(36, 5)),
        }[data]().astype(np.float32)
        labels = rng.integers(0, 2, 36)
        triplets = plain_triplets(embeddings, labels)
        apart = [t for t in triplets if len({tuple(embeddings[k]) for k in t}) == 3]  # norms have no gradient at 0
        expected = sum(
            math.dist(embeddings[a], embeddings[p]) - math.dist(embeddings[a], embeddings[n]) for a, p, n in triplets
        )
        found, gradient = found_loss(stack, embeddings, labels, reduction="sum")
        assert float(found.loss) == pytest.approx(expected, rel=1e-5)
        if len(apart) == len(triplets):
            np.testing.assert_allclose(gradient, plain_loss(stack, embeddings, triplets, None, "sum")[1], atol=1e-3)

    def test_of_equal_negatives_the_lowest_index(self, stack):
        # From 0 the positive is 1 away, the negatives at 2 and -2 as far as each other: the first pays.
        for first in (2.0, -2.0):
            line = np.array([[0.0], [1.0], [first], [-first]], np.float32)
            mask = np.array([True, True, True, True])
            weight = np.array([1.0, 0.0, 1.0, 1.0], np.float32)
            _, gradient = found_loss(stack, line, np.array([0, 0, 1, 1]), mask, weight=weight + [0, 1e-3, 0, 0])
            assert gradient[2, 0] != 0

    @pytest.mark.parametrize("seed", range(5))
    def test_equal_distances_that_round_differently(self, stack, seed):
        # From 0, v and -v are equally far, but not once all are shifted by their mean and squared. The anchor's
        # positive is nearer; the weight of the chosen one tells which it was.
        v, w, alone = np.random.default_rng(seed).normal(size=(3, 7)) * [[2], [0.1], [9]]
        embeddings = np.stack([0 * v, w, v, -v, alone]).astype(np.float32)
        labels, weight = np.array([0, 0, 1, 2, 3]), np.array([1.0, 1.0, 0.5, 0.25, 1.0], np.float32)
        from emobed_tf.models.semi_hard import semi_hard_triplet_loss

        found = semi_hard_triplet_loss(embeddings, labels, weight=weight, reduction="sum", mask=np.arange(5) != 9)
        expected = plain_triplets(embeddings.astype(np.float64), labels)
        assert (0, 1, 2) in expected
        points = embeddings.astype(np.float64)
        total = sum(
            weight[n] * (math.dist(points[a], points[p]) - math.dist(points[a], points[n])) for a, p, n in expected
        )
        assert float(found.loss) == pytest.approx(total, rel=1e-6)

    @pytest.mark.parametrize("padding", [np.nan, np.inf, 1e30])
    def test_what_is_masked_may_be_anything(self, stack, padding):
        embeddings, labels = batch(8)
        mask = np.arange(40) % 4 > 0
        embeddings[~mask] = padding
        kept, slope = found_loss(stack, embeddings[mask], labels[mask])
        found, gradient = found_loss(stack, embeddings, labels, mask, block=9)
        assert float(found.loss) == pytest.approx(float(kept.loss), rel=1e-6)
        np.testing.assert_allclose(gradient[mask], slope, atol=1e-6)
        assert not gradient[~mask].any()

    @pytest.mark.parametrize(
        ("embeddings", "labels"),
        [(np.zeros((6, 3)), [0, 0, 1, 1, 2, 2]), (np.ones((4, 3)), [0] * 4), (np.eye(3), [0, 1, 2]), (np.eye(1), [0])],
        ids=["equal embeddings", "one class", "single members", "one alone"],
    )
    def test_nothing_to_learn_from(self, stack, embeddings, labels):
        found, gradient = found_loss(stack, embeddings.astype(np.float32), np.array(labels))
        assert float(found.loss) == 0
        assert not gradient.any()

    @pytest.mark.parametrize("jit", [False, True])
    def test_in_a_graph(self, stack, jit):
        from emobed_tf.models.semi_hard import semi_hard_triplet_loss

        embeddings, labels = batch(2)
        expected = float(semi_hard_triplet_loss(embeddings, labels).loss)
        graph = stack.function(lambda e: semi_hard_triplet_loss(e, labels, block=16).loss, jit_compile=jit)
        assert float(graph(embeddings)) == pytest.approx(expected, rel=1e-6)

    def test_wrong_settings(self):
        from emobed_tf.models.semi_hard import semi_hard_triplet_loss

        for wrong, named in (({"margin": "hard"}, "`margin`"), ({"reduction": "max"}, "`reduction`")):
            with pytest.raises(ValueError, match=named):
                semi_hard_triplet_loss(*batch(0), **wrong)
        with pytest.raises(ValueError, match="Expected origin"):
            semi_hard_triplet_loss(*batch(0), mining="inter")
