"""The triplet term against every triplet in a plain loop, TensorFlow Addons, and properties; the task losses."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.models.test_mining import as_list, batch, plain_pairs

pytestmark = pytest.mark.usefixtures("stack")

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "tfa_triplet.json").read_text())


def plain_loss(embeddings, labels, mask=None, margin=None, reduction="mean"):
    points = np.asarray(embeddings, np.float64)
    values = []
    for i, pair in enumerate(plain_pairs(embeddings, labels, mask)):
        if pair is not None:
            difference = math.dist(points[i], points[pair[0]]) - math.dist(points[i], points[pair[1]])
            if margin == "soft":
                difference = math.log1p(math.exp(difference))
            elif margin is not None:
                difference = max(0.0, margin + difference)
            values.append(difference)
    return 0.0 if not values else sum(values) / (len(values) if reduction == "mean" else 1)


class TestWeights:
    def test_by_hand(self):
        from emobed_tf.models.losses import triplet_loss

        # Differences 1, -2 and 4, the last no valid anchor. Weighed: 1 * 1 + 0.25 * -2 = 0.5, by 1 + 0.25: 0.4.
        positive, negative = np.array([3.0, 1.0, 4.0], np.float32), np.array([2.0, 3.0, 0.0], np.float32)
        valid, weight = np.array([True, True, False]), np.array([1.0, 0.25, 1.0], np.float32)
        assert float(triplet_loss(positive, negative, valid, weight=weight)) == pytest.approx(0.4)
        assert float(triplet_loss(positive, negative, valid, weight=weight, reduction="sum")) == pytest.approx(0.5)
        assert float(triplet_loss(positive, negative, valid, weight=0 * weight)) == 0


class TestTripletLoss:
    @pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["name"])
    def test_tensorflow_addons(self, stack, case):
        from emobed_tf.models.losses import batch_hard_triplet_loss

        # Far from the origin TensorFlow Addons' expanded squares lose digits: its own error there is 1.7e-6.
        tolerance = 5e-6 if case["name"] == "far from the origin" else 1e-6
        for expected in case["outputs"]:
            embeddings = stack.Variable(np.array(case["embeddings"], np.float32))
            with stack.GradientTape() as tape:
                loss = batch_hard_triplet_loss(embeddings, np.array(case["labels"]), margin=expected["margin"])
            assert float(loss) == pytest.approx(expected["loss"], abs=tolerance)
            if "gradient" in expected:
                np.testing.assert_allclose(tape.gradient(loss, embeddings), expected["gradient"], atol=2e-6)

    @pytest.mark.parametrize("margin", [None, 0.2, "soft"])
    @pytest.mark.parametrize("reduction", ["mean", "sum"])
    def test_plain_loop(self, margin, reduction):
        from emobed_tf.models.losses import batch_hard_triplet_loss

        embeddings, labels = batch(7, n=25)
        mask = np.arange(25) % 6 != 0
        loss = batch_hard_triplet_loss(embeddings, labels, mask, margin=margin, reduction=reduction)
        assert float(loss) == pytest.approx(plain_loss(embeddings, labels, mask, margin, reduction), rel=1e-5)

    def test_equation_6_by_hand(self):
        from emobed_tf.models.losses import batch_hard_triplet_loss

        # Class 0 at 0 and 2, class 1 at 3 and 7. d+: 2, 2, 4, 4; d-: 3, 1, 1, 5; sum of differences -1 + 1 + 3 - 1 = 2.
        embeddings, labels = np.array([[0.0], [2.0], [3.0], [7.0]], np.float32), np.array([0, 0, 1, 1])
        assert float(batch_hard_triplet_loss(embeddings, labels, reduction="sum")) == 2.0
        assert float(batch_hard_triplet_loss(embeddings, labels)) == 0.5
        # With the hinge at 0.5: 0 + 1.5 + 3.5 + 0 = 5, over 4 anchors.
        assert float(batch_hard_triplet_loss(embeddings, labels, margin=0.5)) == 1.25

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 4), st.integers(8, 40))
    def test_properties(self, seed, n, classes, block):
        from emobed_tf.models.losses import batch_hard_triplet_loss
        from emobed_tf.models.mining import batch_hard_pairs

        rng = np.random.default_rng(seed)
        embeddings = rng.integers(-3, 4, (n, 3)).astype(np.float32)  # a coarse grid: many ties
        labels = rng.integers(0, classes, n).astype(np.int32)
        mask = rng.random(n) < 0.7
        loss = float(batch_hard_triplet_loss(embeddings, labels, mask))
        assert loss == pytest.approx(plain_loss(embeddings, labels, mask), abs=1e-5)
        order = rng.permutation(n)
        assert float(batch_hard_triplet_loss(embeddings[order], labels[order], mask[order])) == pytest.approx(
            loss, abs=1e-5
        )
        if mask.any():
            kept = float(batch_hard_triplet_loss(embeddings[mask], labels[mask]))
            assert kept == pytest.approx(loss, abs=1e-5), "masking is removing"
        assert as_list(batch_hard_pairs(embeddings, labels, mask, block=block)) == plain_pairs(embeddings, labels, mask)

    @pytest.mark.parametrize("margin", [None, 0.2, "soft"])
    @pytest.mark.parametrize(
        ("embeddings", "labels", "mask"),
        [
            (np.zeros((6, 3)), [0, 0, 1, 1, 2, 2], None),  # all equal
            (np.ones((4, 3)), [0, 0, 0, 0], None),  # one class: no negative
            (np.eye(3), [0, 1, 2], None),  # single members: no positive
            (np.eye(4), [0, 0, 1, 1], [False] * 4),  # nothing takes part
        ],
        ids=["equal embeddings", "one class", "single members", "all masked"],
    )
    def test_finite_gradients(self, stack, embeddings, labels, mask, margin):
        from emobed_tf.models.losses import batch_hard_triplet_loss

        embeddings = stack.Variable(np.asarray(embeddings, np.float32))
        with stack.GradientTape() as tape:
            loss = batch_hard_triplet_loss(
                embeddings, np.array(labels), None if mask is None else np.array(mask), margin=margin
            )
        assert np.isfinite(loss)
        assert np.isfinite(stack.convert_to_tensor(tape.gradient(loss, embeddings))).all()

    def test_of_nothing_is_zero(self):
        from emobed_tf.models.losses import batch_hard_triplet_loss

        assert float(batch_hard_triplet_loss(np.zeros((0, 3), np.float32), np.zeros(0, np.int32))) == 0

    def test_wrong_settings(self):
        from emobed_tf.models.losses import batch_hard_triplet_loss

        with pytest.raises(ValueError, match="`margin`"):
            batch_hard_triplet_loss(*batch(0), margin="hard")
        with pytest.raises(ValueError, match="`reduction`"):
            batch_hard_triplet_loss(*batch(0), reduction="max")


class TestTaskLosses:
    def test_ccc_over_valid_frames_of_the_batch(self):
        import audmetric

        from emobed_tf.models.losses import ccc_loss

        rng = np.random.default_rng(0)
        true, pred = rng.normal(size=(2, 4, 30)).astype(np.float32)
        mask = np.arange(30)[None, :] < np.array([30, 7, 19, 1])[:, None]
        expected = 1 - audmetric.concordance_cc(true[mask], pred[mask])
        assert float(ccc_loss(true, pred, mask)) == pytest.approx(expected, abs=1e-6)

    def test_ccc_gradient_where_nothing_varies(self, stack):
        from emobed_tf.models.losses import ccc_loss

        for mask in (np.ones((1, 5), bool), np.zeros((1, 5), bool)):
            pred = stack.Variable(np.full((1, 5), 0.3, np.float32))
            with stack.GradientTape() as tape:
                loss = ccc_loss(np.full((1, 5), 0.3, np.float32), pred, mask)
            assert float(loss) == 1.0
            assert np.isfinite(tape.gradient(loss, pred)).all()

    def test_mse_is_scaled_and_masked(self):
        from emobed_tf.models.losses import mse_loss

        # Errors 1 and 3 count, the third is padding: ((1/2)^2 + (3/2)^2) / 2 = 1.25.
        loss = mse_loss(np.array([[1.0, 3.0, 99.0]]), np.zeros((1, 3)), np.array([[True, True, False]]), 2.0)
        assert float(loss) == 1.25

    def test_cross_entropy_by_hand(self):
        from emobed_tf.models.losses import cross_entropy_loss

        # Uniform over two: log 2; logits (log 3, 0) and class 0: -log(3/4).
        logits = np.array([[0.0, 0.0], [math.log(3), 0.0]], np.float32)
        expected = (math.log(2) + math.log(4 / 3)) / 2
        assert float(cross_entropy_loss(np.array([1, 0]), logits)) == pytest.approx(expected, rel=1e-6)

    def test_reconstruction_by_hand(self):
        from emobed_tf.models.losses import reconstruction_loss

        inputs = np.array([[[1.0, 2.0], [0.0, -1.0], [3.0, 0.0]]], np.float32)
        outputs = np.array([[[0.0, 4.0], [9.0, -1.0], [1.0, 7.0]]], np.float32)
        present = np.array([[[True, True], [False, True], [True, False]]])
        # Of what exists: (1 - 0)^2 + (2 - 4)^2 + 0 + (3 - 1)^2 = 9 over 4 values.
        assert float(reconstruction_loss(inputs, outputs, present)) == pytest.approx(9 / 4)
        assert float(reconstruction_loss(inputs, outputs, np.zeros_like(present))) == 0


@pytest.mark.usefixtures("stack")
class TestTeacher:
    def test_soft_targets_by_hand(self):
        """Two classes, T = 2: logits (2 log 3, 0) are odds of 3 : 1, and (0, 0) of 1 : 1."""
        from emobed_tf.models.losses import soft_target_loss

        teacher, student = np.array([[2 * math.log(3), 0.0]], np.float32), np.zeros((1, 2), np.float32)
        # KL((3/4, 1/4) || (1/2, 1/2)) = 3/4 log(3/2) + 1/4 log(1/2), and T^2 = 4 times that.
        expected = 4 * (0.75 * math.log(1.5) + 0.25 * math.log(0.5))
        assert float(soft_target_loss(teacher, student, np.array([True]), 2.0)) == pytest.approx(expected, rel=1e-5)

    @pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
    def test_soft_targets_in_scipy(self, temperature):
        from scipy.special import softmax
        from scipy.stats import entropy

        from emobed_tf.models.losses import soft_target_loss

        rng = np.random.default_rng(0)
        teacher, student = rng.normal(0, 3, (2, 6, 4))
        taught = np.array([True, False, True, True, False, True])
        theirs, own = softmax(teacher / temperature, axis=1), softmax(student / temperature, axis=1)
        expected = temperature**2 * np.mean([entropy(p, q) for p, q in zip(theirs[taught], own[taught], strict=True)])
        found = soft_target_loss(np.float32(teacher), np.float32(student), taught, temperature)
        assert float(found) == pytest.approx(expected, rel=1e-5)

    def test_a_teachers_constant_says_nothing(self):
        """Classes are what is compared: logits may be shifted."""
        from emobed_tf.models.losses import soft_target_loss

        logits = np.random.default_rng(1).normal(size=(3, 4)).astype(np.float32)
        assert float(soft_target_loss(logits + 7, logits, np.ones(3, bool), 2.0)) == pytest.approx(0, abs=1e-5)

    def test_embeddings_by_hand(self):
        from emobed_tf.models.losses import embedding_distance

        own, theirs = np.array([[1, 2], [0, 0], [5, 5]], np.float32), np.array([[1, 4], [3, 1], [0, 9]], np.float32)
        # (0 + 4) / 2 and (9 + 1) / 2; the third doesn't count.
        assert float(embedding_distance(theirs, own, np.array([True, True, False]))) == pytest.approx(3.5)

    def test_nothing_taught(self):
        from emobed_tf.models.losses import embedding_distance, soft_target_loss

        values, nothing = np.ones((2, 3), np.float32), np.zeros(2, bool)
        assert float(soft_target_loss(values, 2 * values, nothing, 2.0)) == 0
        assert float(embedding_distance(values, 2 * values, nothing)) == 0
