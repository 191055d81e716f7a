"""The hardest pairs of a batch, exactly, in memory that grows with N.

Rows are worked off block by block. float32 first shows, for every anchor, which pairs can be hardest at all, given what
rounding can do to a distance. Almost always that is one. The other anchors are compared in float64.
"""

from typing import Literal, NamedTuple

import tensorflow as tf

_BLOCK_ELEMENTS = 2**21  # distances held at a time: 8 MB in float32
_OPEN = 16  # rows that are compared exactly at a time; most batches have fewer
_TIE = 1e-13  # relative to the squared norms: what float64 can get wrong in a squared distance
_FLOAT32 = 2.0**-24  # relative error of one operation

Mining = Literal["all", "inter", "intra"]


class Pairs(NamedTuple):
    """Hardest pairs of each embedding, int32 `[N]`, and which embeddings are anchors, bool `[N]`."""

    positive: tf.Tensor
    negative: tf.Tensor
    valid: tf.Tensor


class Origin(NamedTuple):
    """Where embeddings come from; what rules of mining beyond the class need.

    Attributes:
        modality: int32 `[N]`, index of the modality.
        recording: int32 `[N]`, the same number for the same recording in every modality.
        time: float32 `[N]`, seconds within the recording.
    """

    modality: tf.Tensor
    recording: tf.Tensor
    time: tf.Tensor


class _Rules(NamedTuple):
    mining: Mining
    negative_seconds: float


class _Rows(NamedTuple):
    points: tf.Tensor
    squares: tf.Tensor
    labels: tf.Tensor
    index: tf.Tensor
    mask: tf.Tensor | None
    modality: tf.Tensor | None = None
    recording: tf.Tensor | None = None
    time: tf.Tensor | None = None


def batch_hard_pairs(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    mask: tf.Tensor | None = None,
    *,
    origin: Origin | None = None,
    mining: Mining = "all",
    negative_seconds: float = 0.0,
    block: int | None = None,
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
        block: rows at a time. Default: as many as keep a block's distances in 8 MB. The result doesn't depend on it.

    Returns:
        Positive, negative and validity. An anchor without a positive or without a negative is not valid, and its
        indices mean nothing.

    Raises:
        ValueError: if `origin` is missing where it is needed.
    """
    if origin is None and (mining != "all" or negative_seconds > 0):
        raise ValueError(f"Expected origin for mining={mining!r}, negative_seconds={negative_seconds}. Received: None")
    embeddings, labels = tf.stop_gradient(tf.convert_to_tensor(embeddings)), tf.convert_to_tensor(labels)
    static = embeddings.shape[0]  # XLA needs to know it; a plain graph does not
    if static == 0:
        return Pairs(tf.zeros([0], tf.int32), tf.zeros([0], tf.int32), tf.zeros([0], tf.bool))
    n = tf.shape(embeddings)[0] if static is None else static
    mask = None if mask is None else tf.cast(mask, tf.bool)
    points = _centred(embeddings, mask)
    squares = tf.reduce_sum(points * points, axis=1)
    everything = _Rows(points, squares, labels, tf.range(n), mask, *map(tf.convert_to_tensor, origin or ()))
    rules = _Rules(mining, negative_seconds)
    if block is None:
        block = tf.maximum(8, _BLOCK_ELEMENTS // (n + 1)) if static is None else max(8, _BLOCK_ELEMENTS // (n + 1))
    single = everything._replace(points=tf.cast(points, tf.float32), squares=tf.cast(squares, tf.float32))
    found = Pairs(*(tf.zeros([n], dtype) for dtype in (tf.int32, tf.int32, tf.bool)))
    if static is not None and static <= block:
        *found, clear = _screened(single, single, rules)
    else:
        found = (*found, tf.zeros([n], tf.bool))
        *found, clear = _by_blocks(_screened, single, tf.range(n), n, block, found, rules)
    open_ones_first = tf.argsort(tf.cast(clear, tf.int8), stable=True)
    open_ones = tf.reduce_sum(tf.cast(~clear, tf.int32))
    few = min(_OPEN, block) if isinstance(block, int) else tf.minimum(_OPEN, block)
    return Pairs(*_by_blocks(_exact, everything, open_ones_first, open_ones, few, found, rules))


def _centred(embeddings: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """In float64 about the mean of the valid ones: far from the origin, squares would swallow the distances."""
    if mask is None:
        mask = tf.ones(tf.shape(embeddings)[:1], tf.bool)
    valid = tf.where(mask[:, None], embeddings, 0)
    count = tf.reduce_sum(tf.cast(mask, embeddings.dtype))
    mean = tf.reduce_sum(valid, axis=0) / tf.maximum(count, 1)
    # The mean has the precision of the embeddings, so that the difference in float64 is exact.
    return tf.where(mask[:, None], tf.cast(embeddings, tf.float64) - tf.cast(mean, tf.float64), 0)


def _by_blocks(compare, columns: _Rows, order: tf.Tensor, count, block, found, rules: _Rules):
    """`found`, with what `compare` says of the first `count` rows of `order` put in, so many rows at a time."""
    n = tf.size(order)
    order = tf.pad(order, [[0, -n % block]])

    def step(k, *found):
        which = tf.slice(order, [k * block], [block])
        rows = _Rows(*(None if part is None else tf.gather(part, which) for part in columns))
        hardest = compare(rows, columns, rules)
        return k + 1, *(tf.tensor_scatter_nd_update(a, which[:, None], b) for a, b in zip(found, hardest, strict=True))

    return tf.while_loop(lambda k, *_: k * block < count, step, (0, *found), parallel_iterations=1)[1:]


def _allowed(rows: _Rows, columns: _Rows, rules: _Rules) -> tuple[tf.Tensor, tf.Tensor]:
    """Which pairs can be positive, and which negative: bool `[rows, columns]`."""
    same = rows.labels[:, None] == columns.labels[None, :]
    positives = same & (rows.index[:, None] != columns.index[None, :])
    negatives = ~same
    usable = None if rows.mask is None else rows.mask[:, None] & columns.mask[None, :]
    if rules.mining != "all":
        other = rows.modality[:, None] != columns.modality[None, :]
        partner = other if rules.mining == "inter" else ~other
        usable = partner if usable is None else usable & partner
    if usable is not None:
        positives, negatives = positives & usable, negatives & usable
    if rules.negative_seconds > 0:
        near = tf.abs(rows.time[:, None] - columns.time[None, :]) < rules.negative_seconds
        negatives &= ~(near & (rows.recording[:, None] == columns.recording[None, :]))
    return positives, negatives


def _squared_distances(rows: _Rows, columns: _Rows) -> tf.Tensor:
    """`[rows, columns]`, as one product: [x, |x|^2, 1] [-2 y, 1, |y|^2]^T."""
    one = tf.ones_like
    left = tf.concat([rows.points, rows.squares[:, None], one(rows.squares)[:, None]], axis=1)
    right = tf.concat([-2 * columns.points, one(columns.squares)[:, None], columns.squares[:, None]], axis=1)
    return tf.matmul(left, right, transpose_b=True)


def _candidates(rows: _Rows, columns: _Rows, rules: _Rules) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What is to be largest, squared distances to positives and negative ones to negatives, `[2, rows, columns]`.

    Also the largest, `[2, rows, 1]`, -inf where no pair is allowed, and which rows have both, `[rows]`.
    """
    distances = _squared_distances(rows, columns)
    positives, negatives = _allowed(rows, columns, rules)
    never = tf.constant(float("-inf"), distances.dtype)
    # Both at once: in a small batch an operation costs more than its numbers.
    values = tf.stack([tf.where(positives, distances, never), tf.where(negatives, -distances, never)])
    best = tf.reduce_max(values, axis=2, keepdims=True)
    return values, best, tf.reduce_all(best > never, axis=[0, 2])


def _first(chosen: tf.Tensor) -> tf.Tensor:
    """Index of the first True of each row, `[2, rows]`; as `argmax` finds it, but faster."""
    return tf.math.top_k(tf.cast(chosen, tf.float32), 1).indices[:, :, 0]


def _exact(rows: _Rows, columns: _Rows, rules: _Rules) -> Pairs:
    values, best, valid = _candidates(rows, columns, rules)
    tolerance = _TIE * (rows.squares + tf.reduce_max(columns.squares))[:, None]
    return Pairs(*tf.unstack(_first(values >= best - tolerance)), valid)


def _screened(rows: _Rows, columns: _Rows, rules: _Rules) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Pairs by float32, and whether rounding can't have changed them; an anchor that is not valid is clear, too."""
    values, best, valid = _candidates(rows, columns, rules)
    # A sum of K products errs by K roundings of the products' absolute values, which |x|^2 + |y|^2 bounds twice; both
    # of two distances may err.
    roundings = 4.0 * (columns.points.shape[1] + 8)
    tolerance = roundings * _FLOAT32 * (rows.squares + tf.reduce_max(columns.squares))[:, None]
    rivals = tf.cast(values >= best - tolerance, tf.float32)
    clear = tf.reduce_all(tf.reduce_sum(rivals, axis=2) == 1, axis=0)
    # A clear row has a single rival, the largest itself.
    return *tf.unstack(_first(rivals > 0)), valid, ~valid | clear
