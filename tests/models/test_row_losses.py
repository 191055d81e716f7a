"""Sums over rows and their gradients, whole and in blocks, for a loss whose gradient is known."""

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("stack")


def products(part, everything):
    """Sum over all pairs of rows of x y / 2, with its gradient; the mask takes rows out, not columns."""
    import tensorflow as tf

    from emobed_tf.models.row_losses import RowSums

    own = tf.cast(part.mask, part.points.dtype)[:, None]
    matrix = own * tf.matmul(part.points, everything.points, transpose_b=True) / 2
    others = tf.matmul(own * tf.ones_like(matrix) / 2, part.points, transpose_a=True)
    mine = own * tf.reduce_sum(everything.points, axis=0) / 2
    return RowSums((tf.reduce_sum(matrix), tf.reduce_sum(own)), part.mask, mine, others)


@pytest.mark.parametrize("rows", [1, 4, 5, 11, 20])
@pytest.mark.parametrize("known", [True, False])
def test_every_row_counts_once(stack, rows, known):
    from emobed_tf.models.pairing import Blocks, Rows
    from emobed_tf.models.row_losses import summed

    points = np.random.default_rng(0).normal(size=(11, 3))
    mask = np.arange(11) != 6

    def run(points):
        n = 11 if known else stack.shape(points)[0]
        everything = Rows(points, None, stack.zeros([n]), stack.range(n), stack.constant(mask))
        return summed(products, everything, Blocks(n, rows, False), width=3, number=2)

    shape = [11, 3] if known else [None, 3]
    (total, count), counted, gradient = stack.function(run, input_signature=[stack.TensorSpec(shape, "float64")])(
        points
    )
    kept = points[mask]
    # S = (sum of kept) (sum of all) / 2, so a kept row's derivative is (sum of all + sum of kept) / 2.
    assert float(total) == pytest.approx(kept.sum(axis=0) @ points.sum(axis=0) / 2)
    assert float(count) == 10
    assert counted.numpy().tolist() == mask.tolist()
    expected = (kept.sum(axis=0) + mask[:, None] * points.sum(axis=0)) / 2
    np.testing.assert_allclose(gradient, expected, atol=1e-12)


def test_a_known_gradient_is_passed_on(stack):
    from emobed_tf.models.row_losses import with_gradient

    x = stack.Variable([[1.0], [np.nan]])
    with stack.GradientTape() as tape:
        loss = 3 * with_gradient(x, stack.constant(5.0), stack.constant([[2.0], [0.0]]))
    assert float(loss) == 15
    np.testing.assert_array_equal(tape.gradient(loss, x), [[6.0], [0.0]])
