"""Who may be whose partner, and distances, beside loops; how much the losses that are made of them hold."""

import math

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("stack")


def rows(n=12, seed=0, mask=None):
    from emobed_tf.models.pairing import Rows

    rng = np.random.default_rng(seed)
    return Rows(
        points=rng.normal(50, 1, (n, 3)).astype(np.float32),
        squares=None,
        labels=rng.integers(0, 2, n),
        index=np.arange(n, dtype=np.int32),
        mask=mask,
        modality=rng.integers(0, 2, n),
        recording=rng.integers(0, 2, n),
        time=rng.integers(0, 9, n).astype(np.float32),
    )


class TestAllowed:
    @pytest.mark.parametrize("mining", ["all", "inter", "intra"])
    @pytest.mark.parametrize("seconds", [0.0, 3.0])
    def test_every_pair(self, mining, seconds):
        from emobed_tf.models.pairing import Rules, allowed

        mask = np.arange(12) % 5 > 0
        r = rows(mask=mask)
        positives, negatives = allowed(r, r, Rules(mining, seconds))
        for i in range(12):
            for j in range(12):
                usable = (
                    mask[i]
                    and mask[j]
                    and {"all": True, "inter": r.modality[i] != r.modality[j]}.get(
                        mining, r.modality[i] == r.modality[j]
                    )
                )
                near = r.recording[i] == r.recording[j] and abs(r.time[i] - r.time[j]) < seconds
                assert positives[j, i] == (usable and r.labels[i] == r.labels[j])
                assert negatives[j, i] == (usable and r.labels[i] != r.labels[j] and not near)


def test_squared_distances_far_from_the_origin(stack):
    from emobed_tf.models.pairing import centred, mean_of_valid, squared_distances

    r = rows(mask=np.ones(12, bool))
    about = centred(r, mean_of_valid(r.points, r.mask), stack.float64)
    found = squared_distances(about, about)
    points = r.points.astype(np.float64)
    expected = [[math.dist(a, b) ** 2 for a in points] for b in points]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_taken():
    from emobed_tf.models.pairing import taken

    found = taken(rows(), np.array([3, 1]))
    assert found.index.numpy().tolist() == [3, 1]
    assert found.mask is None


class TestBlocks:
    @pytest.mark.parametrize(("n", "block", "expected"), [(40, None, 40), (1024, None, 1024), (1025, None, 112)])
    def test_rows(self, n, block, expected):
        from emobed_tf.models.pairing import blocks_of

        assert blocks_of(np.zeros((n, 2)), block, True) == (n, expected, False)  # eagerly, nothing is compiled

    def test_compiled_in_a_graph(self, stack):
        from emobed_tf.models.pairing import blocks_of

        found = []
        stack.function(lambda x: found.append(blocks_of(x, None, True))).get_concrete_function(
            stack.TensorSpec([2000, 2])
        )
        assert found == [(2000, 64, True)]


def test_rules_need_an_origin():
    from emobed_tf.models.pairing import Rules, check_origin

    check_origin(None, Rules())
    for rules in (Rules("inter"), Rules("all", 2.0)):
        with pytest.raises(ValueError, match="Expected origin"):
            check_origin(None, rules)


N = 3000
BLOCK = 112  # rows at a time, at most


def graphs(graph, seen):
    """A graph and those of all functions that it calls: branches, conditions and bodies of loops, what XLA compiles."""
    yield graph
    for operation in graph.get_operations():
        for attribute in operation.node_def.attr.values():
            for function in (attribute.func, *attribute.list.func):
                if function.name and function.name not in seen:
                    seen.add(function.name)
                    yield from graphs(graph._get_function(function.name).graph, seen)


def numbers(tensor):
    """In a tensor; a size that the graph doesn't know counts as N, and a tensor of any shape as a whole matrix."""
    return N * N if tensor.shape.rank is None else math.prod(size or N for size in tensor.shape)


def held(tf, loss):
    """What a loss of N embeddings and its gradient hold, as (numbers, operation) for each tensor of their graphs.

    What a loop keeps of each turn for its gradient counts as often as there are blocks. What it puts together turn by
    turn comes out of it as a tensor.
    """

    @tf.function(autograph=False)
    def step(embeddings, labels):
        with tf.GradientTape() as tape:
            tape.watch(embeddings)
            found = loss(embeddings, labels)
        return found, tape.gradient(found, embeddings)

    traced = step.get_concrete_function(tf.TensorSpec([N, 5]), tf.TensorSpec([N], tf.int32))
    for graph in graphs(traced.graph, set()):
        for operation in graph.get_operations():
            if operation.type == "TensorListPushBack":
                yield numbers(operation.inputs[-1]) * (N // BLOCK), operation
            elif operation.type != "Placeholder":  # what a function is given stands where it comes from
                for tensor in operation.outputs:
                    if tensor.dtype != tf.variant:
                        yield numbers(tensor), operation


def whole(tf):
    """A loss over a matrix of all distances."""
    return lambda x, y: tf.reduce_sum(tf.norm(x[:, None] - x[None], axis=-1))


def kept_by_a_loop(tf):
    """A loss whose matrices are small, but kept turn by turn for the gradient."""

    def loss(x, y):
        def block(k, total):
            return k + 100, total + tf.reduce_sum(tf.exp(tf.matmul(x[k : k + 100], x, transpose_b=True)))

        return tf.while_loop(lambda k, total: k < N, block, (0, 0.0))[1]

    return loss


def losses():
    from emobed_tf.models.contrastive import supervised_contrastive_loss
    from emobed_tf.models.losses import batch_hard_triplet_loss
    from emobed_tf.models.semi_hard import semi_hard_triplet_loss

    return {
        "batch_hard": batch_hard_triplet_loss,
        "semi_hard": lambda x, y: semi_hard_triplet_loss(x, y).loss,
        "contrastive": lambda x, y: supervised_contrastive_loss(x, y).loss,
        "contrastive, not compiled": lambda x, y: supervised_contrastive_loss(x, y, xla=False).loss,
    }


class TestMemory:
    """A block of distances has 112 x 3,000 = 336,000 numbers, all of them 9,000,000."""

    @pytest.mark.parametrize("name", ["batch_hard", "semi_hard", "contrastive", "contrastive, not compiled"])
    def test_no_loss_holds_more_than_a_block(self, stack, name):
        found = list(held(stack, losses()[name]))
        assert max(size for size, _ in found) <= BLOCK * N
        # There is one, in the body of a loop: it was looked at.
        assert any(size >= 64 * N and operation.graph.outer_graph is not None for size, operation in found)

    @pytest.mark.parametrize("make", [whole, kept_by_a_loop])
    def test_what_would_be_found(self, stack, make):
        assert max(size for size, _ in held(stack, make(stack))) > 20 * BLOCK * N
