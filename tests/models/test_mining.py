"""Hardest pairs against every pair in a plain loop, and where float32 can't tell them apart."""

import math

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("stack")


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


def as_list(pairs):
    return [(int(p), int(n)) if valid else None for p, n, valid in zip(*(x.numpy() for x in pairs), strict=True)]


def batch(seed, n=40, width=6, classes=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, width)).astype(np.float32), rng.integers(0, classes, n).astype(np.int32)


class TestBatchHardPairs:
    @pytest.mark.parametrize("block", [None, 8, 13, 40, 100])
    @pytest.mark.parametrize("jit", [False, True])
    def test_every_triplet(self, stack, block, jit):
        from emobed_tf.models.mining import batch_hard_pairs

        embeddings, labels = batch(0)
        mask = np.random.default_rng(1).random(40) < 0.8
        find = stack.function(lambda e: batch_hard_pairs(e, labels, mask, block=block), jit_compile=jit)
        assert as_list(find(embeddings)) == plain_pairs(embeddings, labels, mask)

    @pytest.mark.parametrize("block", [None, 16])
    def test_unknown_number_of_embeddings(self, stack, block):
        from emobed_tf.models.mining import batch_hard_pairs

        find = stack.function(
            lambda e, y: batch_hard_pairs(e, y, block=block),
            input_signature=[stack.TensorSpec([None, 6]), stack.TensorSpec([None], stack.int32)],
        )
        embeddings, labels = batch(2)
        assert as_list(find(embeddings, labels)) == plain_pairs(embeddings, labels)
        assert as_list(find(embeddings[:0], labels[:0])) == []
        embeddings, labels = batch(3, n=1030)  # more than are taken at once
        assert as_list(find(embeddings, labels)) == as_list(batch_hard_pairs(embeddings, labels, block=1030))

    def test_of_equal_distances_the_lowest_index(self):
        from emobed_tf.models.mining import batch_hard_pairs

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
        from emobed_tf.models.mining import batch_hard_pairs

        embeddings, labels = batch(3, n=11)
        embeddings, labels = np.tile(embeddings, (repeats, 1)), np.tile(labels, repeats)
        for block in (8, 16, 1000):
            assert as_list(batch_hard_pairs(embeddings, labels, block=block)) == plain_pairs(embeddings, labels)

    def test_far_from_the_origin(self):
        from emobed_tf.models.mining import batch_hard_pairs

        # In float32, squares of 100 leave steps of .0078 (half of 2^-6 at 2^14): wider than the spread of .01.
        rng = np.random.default_rng(4)
        embeddings = (100 + 0.01 * rng.normal(size=(60, 20))).astype(np.float32)
        labels = rng.integers(0, 2, 60).astype(np.int32)
        assert as_list(batch_hard_pairs(embeddings, labels)) == plain_pairs(embeddings, labels)

    @pytest.mark.parametrize("seed", range(10))
    def test_equal_distances_that_round_differently(self, seed):
        from emobed_tf.models.mining import batch_hard_pairs

        # From 0, v and -v are equally far, but not once all are shifted by their mean and squared. The last, alone in
        # its class, sees to it that the mean isn't 0.
        v, w, alone = np.random.default_rng(seed).normal(size=(3, 7)) * [[1], [3], [9]]
        embeddings = np.stack([0 * v, v, -v, w, -w, alone]).astype(np.float32)
        labels = np.array([0, 0, 0, 1, 1, 2], np.int32)
        assert as_list(batch_hard_pairs(embeddings, labels))[0] == (1, 3)

    def test_distances_that_only_float64_tells(self):
        from emobed_tf.models.mining import batch_hard_pairs

        # Squared distances from 0: 1 and 1 + 2^-34 to the positives, 4 + 2^-34 and 4 to the negatives.
        embeddings = np.array([[0, 0], [1, 0], [1, 2**-17], [2, 2**-17], [2, 0]], np.float32)
        assert as_list(batch_hard_pairs(embeddings, np.array([0, 0, 0, 1, 1], np.int32)))[0] == (2, 4)

    @pytest.mark.parametrize("padding", [np.nan, np.inf, 1e30])
    def test_what_is_masked_may_be_anything(self, padding):
        from emobed_tf.models.mining import batch_hard_pairs

        embeddings, labels = batch(8)
        mask = np.arange(40) % 4 > 0
        embeddings[~mask] = padding
        for block in (None, 9):
            found = batch_hard_pairs(embeddings, labels, mask, block=block)
            assert as_list(found) == plain_pairs(embeddings, labels, mask)

    @pytest.mark.parametrize("mining", ["inter", "intra"])
    def test_mining_rules(self, mining):
        from emobed_tf.models.mining import Origin, batch_hard_pairs

        embeddings, labels = batch(5)
        modality = np.arange(40, dtype=np.int32) % 2
        origin = Origin(modality, np.zeros(40, np.int32), np.zeros(40, np.float32))

        def allowed(i, j, negative):
            return (modality[i] != modality[j]) == (mining == "inter")

        for block in (None, 9):
            found = batch_hard_pairs(embeddings, labels, origin=origin, mining=mining, block=block)
            assert as_list(found) == plain_pairs(embeddings, labels, allowed=allowed)

    def test_negatives_of_the_same_recording_stay_away(self):
        from emobed_tf.models.mining import Origin, batch_hard_pairs

        embeddings, labels = batch(6)
        recording = np.arange(40, dtype=np.int32) // 20
        time = (np.arange(40) % 20).astype(np.float32)
        origin = Origin(np.zeros(40, np.int32), recording, time)

        def allowed(i, j, negative):
            return not negative or recording[i] != recording[j] or abs(time[i] - time[j]) >= 5

        found = batch_hard_pairs(embeddings, labels, origin=origin, negative_seconds=5.0)
        assert as_list(found) == plain_pairs(embeddings, labels, allowed=allowed)

    def test_rules_need_an_origin(self):
        from emobed_tf.models.mining import batch_hard_pairs

        with pytest.raises(ValueError, match="Expected origin"):
            batch_hard_pairs(*batch(0), mining="inter")

    @pytest.mark.parametrize("jit", [False, True])
    @pytest.mark.parametrize("data", ["lattice", "one point", "near ties", "alone"])
    def test_what_float32_cannot_tell(self, stack, data, jit):
        from emobed_tf.models.mining import batch_hard_pairs

        rng = np.random.default_rng(7)
        embeddings = {
            "lattice": lambda: rng.integers(-1, 2, (150, 5)) / 8,  # exact distances, ties everywhere
            "one point": lambda: np.full((150, 5), 0.3),
            # The farthest from 0 of a circle of radius 1: all, but for one part in 10^6. A square in float32 has 1e-7.
            "near ties": lambda: circle(rng, 150, 1e-6),
            "alone": lambda: rng.normal(size=(150, 5)),
        }[data]().astype(np.float32)
        labels = np.zeros(150, np.int32) if data == "alone" else rng.integers(0, 3, 150).astype(np.int32)
        find = stack.function(lambda e: batch_hard_pairs(e, labels, block=32), jit_compile=jit)
        assert as_list(find(embeddings)) == plain_pairs(embeddings, labels)

    @pytest.mark.parametrize("where", ["eager", "graph", "xla"])
    def test_a_batch_of_many_blocks(self, stack, where):
        from emobed_tf.models.mining import batch_hard_pairs

        # 2,500 rows are more than are taken at once; a third of them stand there three times.
        embeddings, labels = batch(8, n=2500)
        embeddings[1:800], embeddings[1600:2399] = embeddings[801:1600], embeddings[801:1600]
        labels[1:800], labels[1600:2399] = labels[801:1600], labels[801:1600]
        squared = ((embeddings[:, None].astype(np.float64) - embeddings[None]) ** 2).sum(axis=2)
        same = labels[:, None] == labels[None]
        positive = np.where(same & ~np.eye(2500, dtype=bool), squared, -1).argmax(axis=1)
        negative = np.where(same, np.inf, squared).argmin(axis=1)
        graph = stack.function(lambda e: batch_hard_pairs(e, labels, xla=where == "xla"))
        compiled = "_XlaMustCompile" in str(graph.get_concrete_function(embeddings).graph.as_graph_def())
        assert compiled == (where == "xla")
        found = batch_hard_pairs(embeddings, labels) if where == "eager" else graph(embeddings)
        np.testing.assert_array_equal(found.positive, positive)
        np.testing.assert_array_equal(found.negative, negative)
        assert found.valid.numpy().all()

    @pytest.mark.parametrize("mining", ["all", "inter", "intra"])
    def test_compiled_for_every_rule(self, stack, mining):
        from emobed_tf.models.mining import Origin, batch_hard_pairs

        rng = np.random.default_rng(9)
        n = 1030  # the least that is compiled is 1,025
        embeddings, labels = batch(9, n=n)
        mask = rng.random(n) < 0.8
        origin = Origin(rng.integers(0, 2, n), rng.integers(0, 3, n), rng.integers(0, 40, n).astype(np.float32))

        def find(embeddings):
            return batch_hard_pairs(embeddings, labels, mask, origin=origin, mining=mining, negative_seconds=3.0)

        plain, compiled = as_list(find(embeddings)), as_list(stack.function(find)(embeddings))
        assert compiled == plain
        assert sum(pair is not None for pair in plain) > 500


def circle(rng, n, spread):
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.c_[np.cos(angle), np.sin(angle), np.zeros((n, 3))] * (1 + spread * rng.normal(size=(n, 1)))


def test_the_only_one_of_its_class_is_no_anchor(stack):
    from emobed_tf.models.mining import batch_hard_pairs

    # On a line at 0, 1, 5, 7 and 20: each of the first four has its partner, the last has nobody of its class.
    line = stack.constant([[0.0], [1.0], [5.0], [7.0], [20.0]])
    pairs = batch_hard_pairs(line, stack.constant([0, 0, 1, 1, 2]))
    assert pairs.valid.numpy().tolist() == [True, True, True, True, False]
    assert pairs.positive.numpy()[:4].tolist() == [1, 0, 3, 2]
    assert pairs.negative.numpy()[:4].tolist() == [2, 2, 1, 1]
