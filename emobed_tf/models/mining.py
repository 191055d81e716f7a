"""The hardest pairs of a batch, exactly, in memory that grows with N.

Rows are worked off block by block. float32 first shows, for every anchor, which pairs can be hardest at all, given what
rounding can do to a distance. Almost always that is one. The other anchors are compared in float64.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from emobed_tf.models.pairing import (
    TIE,
    Mining,
    Origin,
    Rows,
    Rules,
    allowed,
    blocks_of,
    centred,
    check_origin,
    mean_of_valid,
    squared_distances,
    taken,
)

_OPEN = 64  # rows that are compared exactly at a time; most batches have fewer
_PART = 1024  # columns that are in float64 at a time
_FLOAT32 = 2.0**-24  # relative error of one operation


class Pairs(NamedTuple):
    """Hardest pairs of each embedding, int32 `[N]`, and which embeddings are anchors, bool `[N]`."""

    positive: tf.Tensor
    negative: tf.Tensor
    valid: tf.Tensor


def batch_hard_pairs(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    mask: tf.Tensor | None = None,
    *,
    origin: Origin | None = None,
    mining: Mining = "all",
    negative_seconds: float = 0.0,
    block: int | None = None,
    xla: bool = True,
) -> Pairs:
    """Index of the farthest embedding of the same class and of the nearest of another (section 3.2), exactly.

    Distances are Euclidean (Eq. 5), as float64 has them; of equal distances the lowest index is taken. No gradient
    flows.

    Args:
        embeddings: float `[N, E]`, all modalities joined.
        labels: int `[N]`, the class of each.
        mask: bool `[N]`, False where an embedding is no anchor, positive or negative. Default: all are.
        origin: needed for `mining` other than "all" and for `negative_seconds`.
        mining: "all" pairs, "inter": only with other modalities, "intra": only within the modality.
        negative_seconds: least distance in time to a negative in the same recording.
        block: rows at a time; the result doesn't depend on it. Default: all of up to 1,024, and then 64 or, where
            nothing is compiled, 112.
        xla: compile for more than 1,024, in a graph where N is known and no GPU in sight.

    Returns:
        Positive, negative and validity. An anchor without a positive or without a negative is not valid, and its
        indices mean nothing.

    Raises:
        ValueError: if `origin` is missing where it is needed.

    Example:
        >>> pairs = batch_hard_pairs([[0.0], [1.0], [5.0], [7.0]], [0, 0, 1, 1])
        >>> pairs.positive.numpy().tolist(), pairs.negative.numpy().tolist()
        ([1, 0, 3, 2], [2, 2, 1, 1])
    """
    rules = Rules(mining, negative_seconds)
    check_origin(origin, rules)
    embeddings, labels = tf.stop_gradient(tf.convert_to_tensor(embeddings)), tf.convert_to_tensor(labels)
    if embeddings.shape[0] == 0:
        return Pairs(tf.zeros([0], tf.int32), tf.zeros([0], tf.int32), tf.zeros([0], tf.bool))
    n, block, compiled = blocks_of(embeddings, block, xla)
    mask = None if mask is None else tf.cast(mask, tf.bool)
    mean = mean_of_valid(embeddings, mask)
    everything = Rows(embeddings, None, labels, tf.range(n), mask, *map(tf.convert_to_tensor, origin or ()))
    screen = _compiled(rules, block) if compiled else functools.partial(_screen, rules, block)
    *found, clear = screen(everything, mean)
    decide = functools.partial(_decide, rules, block, everything, mean, found, clear)
    return Pairs(*tf.cond(tf.reduce_all(clear), lambda: found, decide))


@functools.lru_cache(maxsize=64)
def _compiled(rules: Rules, block: int) -> Callable[..., list[tf.Tensor]]:
    return tf.function(functools.partial(_screen, rules, block), jit_compile=True, autograph=False)


def _screen(rules: Rules, block: int | tf.Tensor, everything: Rows, mean: tf.Tensor) -> list[tf.Tensor]:
    """`_screened` for all rows, block by block."""
    static = everything.points.shape[0]  # XLA needs to know it; a plain graph does not
    n = tf.size(everything.index) if static is None else static
    everything = centred(everything, mean, tf.float32)
    if static is not None and static <= block:
        return list(_screened(everything, everything, rules))
    found = [tf.zeros([n], dtype) for dtype in (tf.int32, tf.int32, tf.bool, tf.bool)]
    return _by_blocks(_screened, everything, tf.range(n), n, block, found, rules)


def _decide(
    rules: Rules, block: int | tf.Tensor, everything: Rows, mean: tf.Tensor, found: list[tf.Tensor], clear: tf.Tensor
) -> list[tf.Tensor]:
    """Compares the rows that are not clear in float64.

    Not part of the program of `_compiled`, which would need more memory for it than the few rows do.

    Returns:
        `found`, with what came out put in.
    """
    n = tf.size(clear) if clear.shape[0] is None else clear.shape[0]
    open_ones_first = tf.math.top_k(tf.cast(~clear, tf.float32), n).indices  # of equal ones the lowest comes first
    open_ones = tf.reduce_sum(tf.cast(~clear, tf.int32))
    few = min(_OPEN, block) if isinstance(block, int) else tf.minimum(_OPEN, block)
    compare = functools.partial(_exact, mean=mean)
    return _by_blocks(compare, everything, open_ones_first, open_ones, few, found, rules)


def _by_blocks(
    compare: Callable[..., tuple[tf.Tensor, ...]],
    columns: Rows,
    order: tf.Tensor,
    count: int | tf.Tensor,
    block: int | tf.Tensor,
    found: list[tf.Tensor],
    rules: Rules,
) -> list[tf.Tensor]:
    """`found`, with what `compare` says of the first `count` rows of `order` put in, so many rows at a time."""
    n = tf.size(order)
    order = tf.pad(order, [[0, -n % block]])

    def step(k: tf.Tensor, *found: tf.Tensor) -> tuple[tf.Tensor, ...]:
        which = tf.slice(order, [k * block], [block])
        hardest = compare(taken(columns, which), columns, rules)
        return k + 1, *(tf.tensor_scatter_nd_update(a, which[:, None], b) for a, b in zip(found, hardest, strict=True))

    return list(tf.while_loop(lambda k, *_: k * block < count, step, (0, *found), parallel_iterations=1)[1:])


def _largest(values: tf.Tensor, allowed: tf.Tensor, tolerance: tf.Tensor, columns: Rows) -> tuple[tf.Tensor, tf.Tensor]:
    """Of each row the first column whose value is allowed and within a tolerance of the largest, and if there is any.

    Args:
        values: `[columns, rows]`.
        allowed: bool `[columns, rows]`.
        tolerance: `[rows]`.
        columns: of the values.

    Returns:
        That column's index, int32 `[rows]`; bool `[rows]`.
    """
    never = tf.constant(float("-inf"), values.dtype)
    values = tf.where(allowed, values, never)
    best = tf.reduce_max(values, axis=0)
    close = values >= best - tolerance
    return tf.reduce_min(tf.where(close, columns.index[:, None], columns.index[-1]), axis=0), best > never


def _exact(rows: Rows, columns: Rows, rules: Rules, *, mean: tf.Tensor) -> Pairs:
    rows = centred(rows, mean, tf.float64)
    distances = _squared_distances_in_parts(rows, columns, mean)
    tolerance = TIE * (rows.squares + tf.reduce_max(distances, axis=0))  # |y|^2 <= 2 (|x|^2 + |x - y|^2)
    positives, negatives = allowed(rows, columns, rules)
    positives &= columns.index[:, None] != rows.index[None, :]
    positive, some = _largest(distances, positives, tolerance, columns)
    negative, others = _largest(-distances, negatives, tolerance, columns)
    return Pairs(positive, negative, some & others)


def _squared_distances_in_parts(rows: Rows, columns: Rows, mean: tf.Tensor) -> tf.Tensor:
    """In float64 `[columns, rows]`, some columns at a time, as float64 takes twice the memory of the embeddings."""

    def distances(part: Rows) -> tf.Tensor:
        return squared_distances(rows, centred(part, mean, tf.float64))

    n = columns.points.shape[0]
    if n is not None and n <= _PART:
        return distances(columns)
    n = tf.size(columns.index) if n is None else n
    count = (n + _PART - 1) // _PART

    def step(k: tf.Tensor, found: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        which = tf.minimum(k * _PART + tf.range(_PART), n - 1)
        return k + 1, found.write(k, distances(taken(columns, which)))

    found = tf.TensorArray(tf.float64, size=count)
    found = tf.while_loop(lambda k, _: k < count, step, (0, found), parallel_iterations=1)[1]
    return found.concat()[:n]


def _screened(rows: Rows, columns: Rows, rules: Rules) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Pairs by float32, and where rounding can't have changed them.

    Returns:
        As `Pairs`, and whether a row is clear, bool `[rows]`. An anchor that is not valid is clear, too; the pairs of
        one that is not clear mean nothing.
    """
    # Of K = E + 2 products, a sum errs by K roundings of their absolute values, which |x|^2 + |y|^2 bounds twice; the
    # squares err by E roundings, centring by 4; both of two distances may err: 2 (3 E + 8). The rest is for the
    # tolerance's own rounding.
    roundings = 6.0 * (columns.points.shape[1] + 2)
    tolerance = roundings * _FLOAT32 * (rows.squares + tf.reduce_max(columns.squares))
    distances = squared_distances(rows, columns)
    positives, negatives = allowed(rows, columns, rules)
    infinity = tf.constant(float("inf"))
    far, near = tf.where(positives, distances, -infinity), tf.where(negatives, distances, infinity)
    farthest, nearest = tf.reduce_max(far, axis=0), tf.reduce_min(near, axis=0)
    positive, only_positive = _only(far >= farthest - tolerance, columns.index)
    negative, only_negative = _only(near <= nearest + tolerance, columns.index)
    alone = only_positive & (positive == rows.index)  # 0 from itself; another one would be as far at least
    valid = (farthest > -infinity) & ~alone & (nearest < infinity)
    return positive, negative, valid, ~valid | (only_positive & only_negative)


def _only(close: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Of each row its close column, where there is just one.

    Args:
        close: bool `[columns, rows]`.
        index: int32 `[columns]`.

    Returns:
        The column's index, int32 `[rows]`, 0 if there are several; and whether there is just one, bool `[rows]`.
    """
    # One product for both. The index is exact below 2^24: where there is one, the sum has no other term.
    weights = tf.cast(tf.stack([tf.ones_like(index), index]), tf.float32)
    count, position = tf.unstack(tf.matmul(weights, tf.cast(close, tf.float32)))
    return tf.cast(tf.where(count == 1, position, 0), tf.int32), count == 1
