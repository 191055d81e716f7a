"""The triplet term against every triplet in a plain loop, TensorFlow Addons, and properties; the task losses."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.usefixtures("stack")

ORACLE = json.loads((Path(__file__).parent / "oracles" / "tfa_triplet.json").read_text())


def plain_pairs(embeddings, labels, mask=None, allowed=lambda i, j, negative: True):
    """Every pair in a loop, distances in float64: (positive, negative) of each anchor, None without one."""
    points = np.asarray(embeddings, np.float64)
    n = len(points)
    mask = np.ones(n, bool) if mask is None else mask
    found = []
    for i in range(n):
        positive = negative = None
        for j in range(n):
            if i == j or not mask[i] or not mask[j] or not allowed(i, j, labels[i] != labels[j]):
                continue
            distance = math.dist(points[i], points[j])
            if labels[i] == labels[j]:
                if positive is None or distance > math.dist(points[i], points[positive]):
                    positive = j
            elif negative is None or distance < math.dist(points[i], points[negative]):
                negative = j
        found.append(None if positive is None or negative is None else (positive, negative))
    return found


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


def as_list(pairs):
    return [(int(p), int(n)) if valid else None for p, n, valid in zip(*(x.numpy() for x in pairs), strict=True)]


def batch(seed, n=40, width=6, classes=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)).astype(np.float32), rng.integers(0, classes, n).astype(np.int32)


class TestBatchHardPairs:
    @pytest.mark.parametrize("block", [None, 8, 13, 40, 100])
    @pytest.mark.parametrize("jit", [False, True])
    def test_every_triplet(self, stack, block, jit):
        from emobed_tf.losses import batch_hard_pairs

        embeddings, labels = batch(0)
        mask = np.random.default_rng(1).random(40) < 0.8
        find = stack.function(lambda e: batch_hard_pairs(e, labels, mask, block=block), jit_compile=jit)
        assert as_list(find(embeddings)) == plain_pairs(embeddings, labels, mask)

    def test_unknown_number_of_embeddings(self, stack):
        from emobed_tf.losses import batch_hard_pairs

        embeddings, labels = batch(2)
        find = stack.function(
            lambda e, y: batch_hard_pairs(e, y, block=16),
            input_signature=[stack.TensorSpec([None, 6]), stack.TensorSpec([None], stack.int32)],
        )
        assert as_list(find(embeddings, labels)) == plain_pairs(embeddings, labels)

    def test_of_equal_distances_the_lowest_index(self):
        from emobed_tf.losses import batch_hard_pairs

        # On a line: class 0 at 0, 1, 1, -1; class 1 at 3, 3, -3. Anchor 0: farthest positives are 1, 2, 3 (distance 1),
        # nearest negatives 4, 5, 6 (distance 3): the first of each.
        embeddings = np.array([[0], [1], [1], [-1], [3], [3], [-3]], np.float32)
        labels = np.array([0, 0, 0, 0, 1, 1, 1], np.int32)
        for block in (None, 8):
            pairs = as_list(batch_hard_pairs(embeddings, labels, block=block))
            assert pairs[0] == (1, 4)
            assert pairs == plain_pairs(embeddings, labels)

    @pytest.mark.parametrize("repeats", [2, 7])
    def test_duplicates_are_ties(self, repeats):
        from emobed_tf.losses import batch_hard_pairs

        embeddings, labels = batch(3, n=11)
        embeddings, labels = np.tile(embeddings, (repeats, 1)), np.tile(labels, repeats)
        for block in (8, 16, 1000):
            assert as_list(batch_hard_pairs(embeddings, labels, block=block)) == plain_pairs(embeddings, labels)

    def test_far_from_the_origin(self):
        from emobed_tf.losses import batch_hard_pairs

        # In float32, squares of 100 leave steps of .0078 (half of 2^-6 at 2^14): wider than the spread of .01.
        rng = np.random.default_rng(4)
        embeddings = (100 + 0.01 * rng.normal(size=(60, 20))).astype(np.float32)
        labels = rng.integers(0, 2, 60).astype(np.int32)
        assert as_list(batch_hard_pairs(embeddings, labels)) == plain_pairs(embeddings, labels)

    @pytest.mark.parametrize("mining", ["inter", "intra"])
    def test_mining_rules(self, mining):
        from emobed_tf.losses import Origin, batch_hard_pairs

        embeddings, labels = batch(5)
        modality = np.arange(40, dtype=np.int32) % 2
        origin = Origin(modality, np.zeros(40, np.int32), np.zeros(40, np.float32))

        def allowed(i, j, negative):
            return (modality[i] != modality[j]) == (mining == "inter")

        for block in (None, 9):
            found = batch_hard_pairs(embeddings, labels, origin=origin, mining=mining, block=block)
            assert as_list(found) == plain_pairs(embeddings, labels, allowed=allowed)

    def test_negatives_of_the_same_recording_stay_away(self):
        from emobed_tf.losses import Origin, batch_hard_pairs

        embeddings, labels = batch(6)
        recording = np.arange(40, dtype=np.int32) // 20
        time = (np.arange(40) % 20).astype(np.float32)
        origin = Origin(np.zeros(40, np.int32), recording, time)

        def allowed(i, j, negative):
            return not negative or recording[i] != recording[j] or abs(time[i] - time[j]) >= 5

        found = batch_hard_pairs(embeddings, labels, origin=origin, negative_seconds=5.0)
        assert as_list(found) == plain_pairs(embeddings, labels, allowed=allowed)

    def test_rules_need_an_origin(self):
        from emobed_tf.losses import batch_hard_pairs

        with pytest.raises(ValueError, match="Expected origin"):
            batch_hard_pairs(*batch(0), mining="inter")


class TestTripletLoss:
    @pytest.mark.parametrize("case", ORACLE["cases"], ids=lambda case: case["name"])
    def test_tensorflow_addons(self, stack, case):
        from emobed_tf.losses import batch_hard_triplet_loss

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
        from emobed_tf.losses import batch_hard_triplet_loss

        embeddings, labels = batch(7, n=25)
        mask = np.arange(25) % 6 != 0
        loss = batch_hard_triplet_loss(embeddings, labels, mask, margin=margin, reduction=reduction)
        assert float(loss) == pytest.approx(plain_loss(embeddings, labels, mask, margin, reduction), rel=1e-5)

    def test_equation_6_by_hand(self):
        from emobed_tf.losses import batch_hard_triplet_loss

        # Class 0 at 0 and 2, class 1 at 3 and 7. d+: 2, 2, 4, 4; d-: 3, 1, 1, 5; sum of differences -1 + 1 + 3 - 1 = 2.
        embeddings, labels = np.array([[0.0], [2.0], [3.0], [7.0]], np.float32), np.array([0, 0, 1, 1])
        assert float(batch_hard_triplet_loss(embeddings, labels, reduction="sum")) == 2.0
        assert float(batch_hard_triplet_loss(embeddings, labels)) == 0.5
        # With the hinge at 0.5: 0 + 1.5 + 3.5 + 0 = 5, over 4 anchors.
        assert float(batch_hard_triplet_loss(embeddings, labels, margin=0.5)) == 1.25

    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 4), st.integers(8, 40))
    def test_properties(self, seed, n, classes, block):
        from emobed_tf.losses import batch_hard_pairs, batch_hard_triplet_loss

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
        from emobed_tf.losses import batch_hard_triplet_loss

        embeddings = stack.Variable(np.asarray(embeddings, np.float32))
        with stack.GradientTape() as tape:
            loss = batch_hard_triplet_loss(
                embeddings, np.array(labels), None if mask is None else np.array(mask), margin=margin
            )
        assert np.isfinite(loss)
        assert np.isfinite(stack.convert_to_tensor(tape.gradient(loss, embeddings))).all()

    def test_of_nothing_is_zero(self):
        from emobed_tf.losses import batch_hard_triplet_loss

        assert float(batch_hard_triplet_loss(np.zeros((0, 3), np.float32), np.zeros(0, np.int32))) == 0

    def test_wrong_settings(self):
        from emobed_tf.losses import batch_hard_triplet_loss

        with pytest.raises(ValueError, match="`margin`"):
            batch_hard_triplet_loss(*batch(0), margin="hard")
        with pytest.raises(ValueError, match="`reduction`"):
            batch_hard_triplet_loss(*batch(0), reduction="max")


class TestTaskLosses:
    def test_ccc_over_valid_frames_of_the_batch(self):
        import audmetric

        from emobed_tf.losses import ccc_loss

        rng = np.random.default_rng(0)
        true, pred = rng.normal(size=(2, 4, 30)).astype(np.float32)
        mask = np.arange(30)[None, :] < np.array([30, 7, 19, 1])[:, None]
        expected = 1 - audmetric.concordance_cc(true[mask], pred[mask])
        assert float(ccc_loss(true, pred, mask)) == pytest.approx(expected, abs=1e-6)

    def test_ccc_gradient_where_nothing_varies(self, stack):
        from emobed_tf.losses import ccc_loss

        for mask in (np.ones((1, 5), bool), np.zeros((1, 5), bool)):
            pred = stack.Variable(np.full((1, 5), 0.3, np.float32))
            with stack.GradientTape() as tape:
                loss = ccc_loss(np.full((1, 5), 0.3, np.float32), pred, mask)
            assert float(loss) == 1.0
            assert np.isfinite(tape.gradient(loss, pred)).all()

    def test_mse_is_scaled_and_masked(self):
        from emobed_tf.losses import mse_loss

        # Errors 1 and 3 count, the third is padding: ((1/2)^2 + (3/2)^2) / 2 = 1.25.
        loss = mse_loss(np.array([[1.0, 3.0, 99.0]]), np.zeros((1, 3)), np.array([[True, True, False]]), 2.0)
        assert float(loss) == 1.25

    def test_cross_entropy_by_hand(self):
        from emobed_tf.losses import cross_entropy_loss

        # Uniform over two: log 2; logits (log 3, 0) and class 0: -log(3/4).
        logits = np.array([[0.0, 0.0], [math.log(3), 0.0]], np.float32)
        expected = (math.log(2) + math.log(4 / 3)) / 2
        assert float(cross_entropy_loss(np.array([1, 0]), logits)) == pytest.approx(expected, rel=1e-6)
