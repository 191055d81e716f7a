"""Who may be whose partner, and distances, beside loops."""

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
