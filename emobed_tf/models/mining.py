"""The hardest pairs of a batch, exactly, in memory that grows with N.

Rows are worked off block by block. float32 first shows, for every anchor, which pairs can be hardest at all, given what
rounding can do to a distance. Almost always that is one. The other anchors are compared in float64.
"""

import functools
from collections.abc import Callable
from typing import Literal, NamedTuple

import tensorflow as tf

_WHOLE = 1024  # up to so many embeddings are one block, and not worth the half second that compiling takes
_ROWS_COMPILED = 64  # of a block
_ROWS_PLAIN = 112  # an odd multiple of 16: whole vectors, and a stride in memory that makes use of all of the cache
_OPEN = 64  # rows that are compared exactly at a time; most batches have fewer
_PART = 1024  # columns that are in float64 at a time
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
    modality: tf.Tensor = None  # these three are only there where an origin is given, and only read where one has to be
    recording: tf.Tensor = None
    time: tf.Tensor = None


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
    if origin is None and (mining != "all" or negative_seconds > 0):
        raise ValueError(f"Expected origin for mining={mining!r}, negative_seconds={negative_seconds}. Received: None")
    embeddings, labels = tf.stop_gradient(tf.convert_to_tensor(embeddings)), tf.convert_to_tensor(labels)
    if embeddings.shape[0] == 0:
        return Pairs(tf.zeros([0], tf.int32), tf.zeros([0], tf.int32), tf.zeros([0], tf.bool))
    known = embeddings.shape[0] is not None
    n = embeddings.shape[0] if known else tf.shape(embeddings)[0]
    compiled = xla and known and n > _WHOLE and not tf.executing_eagerly() and not tf.config.list_logical_devices("GPU")
    if block is None:
        rows, whole = _ROWS_COMPILED if compiled else _ROWS_PLAIN, n <= _WHOLE
        block = (n if whole else rows) if known else tf.where(whole, tf.maximum(n, 1), rows)
    rules = _Rules(mining, negative_seconds)
    mask = None if mask is None else tf.cast(mask, tf.bool)
    mean = _mean(embeddings, mask)
    everything = _Rows(embeddings, None, labels, tf.range(n), mask, *map(tf.convert_to_tensor, origin or ()))
    screen = _compiled(rules, block) if compiled else functools.partial(_screen, rules, block)
    *found, clear = screen(everything, mean)
    decide = functools.partial(_decide, rules, block, everything, mean, found, clear)
    return Pairs(*tf.cond(tf.reduce_all(clear), lambda: found, decide))


@functools.lru_cache(maxsize=64)
def _compiled(rules: _Rules, block: int) -> Callable[..., list[tf.Tensor]]:
    return tf.function(functools.partial(_screen, rules, block), jit_compile=True, autograph=False)


def _screen(rules: _Rules, block: int | tf.Tensor, everything: _Rows, mean: tf.Tensor) -> list[tf.Tensor]:
    """`_screened` for all rows, block by block."""
    static = everything.points.shape[0]  # XLA needs to know it; a plain graph does not
    n = tf.size(everything.index) if static is None else static
    everything = _centred(everything, mean, tf.float32)
    if static is not None and static <= block:
        return list(_screened(everything, everything, rules))
    found = [tf.zeros([n], dtype) for dtype in (tf.int32, tf.int32, tf.bool, tf.bool)]
    return _by_blocks(_screened, everything, tf.range(n), n, block, found, rules)


def _decide(
    rules: _Rules, block: int | tf.Tensor, everything: _Rows, mean: tf.Tensor, found: list[tf.Tensor], clear: tf.Tensor
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


def _mean(embeddings: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Of the valid ones. It has the precision of the embeddings, so that a difference is exact in float64."""
    if mask is None:
        return tf.reduce_mean(embeddings, axis=0)
    count = tf.reduce_sum(tf.cast(mask, embeddings.dtype))
    return tf.reduce_sum(tf.where(mask[:, None], embeddings, 0), axis=0) / tf.maximum(count, 1)


def _centred(rows: _Rows, mean: tf.Tensor, dtype: tf.DType) -> _Rows:
    """The rows about a mean: far from the origin, squares would swallow the distances.

    Returns:
        The same with points [x, |x|^2, 1], x = 0 where not valid.
    """
    wide = tf.float64 if tf.float64 in (dtype, rows.points.dtype) else tf.float32
    points = tf.cast(rows.points, wide) - tf.cast(mean, wide)
    if rows.mask is not None:
        points = tf.where(rows.mask[:, None], points, 0)
    points = tf.cast(points, dtype)
    squares = tf.reduce_sum(points * points, axis=1)
    points = tf.concat([points, squares[:, None], tf.ones_like(squares)[:, None]], axis=1)
    return rows._replace(points=points, squares=squares)


def _taken(rows: _Rows, which: tf.Tensor) -> _Rows:
    return _Rows(*(None if part is None else tf.gather(part, which) for part in rows))


def _by_blocks(
    compare: Callable[..., tuple[tf.Tensor, ...]],
    columns: _Rows,
    order: tf.Tensor,
    count: int | tf.Tensor,
    block: int | tf.Tensor,
    found: list[tf.Tensor],
    rules: _Rules,
) -> list[tf.Tensor]:
    """`found`, with what `compare` says of the first `count` rows of `order` put in, so many rows at a time."""
    n = tf.size(order)
    order = tf.pad(order, [[0, -n % block]])

    def step(k: tf.Tensor, *found: tf.Tensor) -> tuple[tf.Tensor, ...]:
        which = tf.slice(order, [k * block], [block])
        hardest = compare(_taken(columns, which), columns, rules)
        return k + 1, *(tf.tensor_scatter_nd_update(a, which[:, None], b) for a, b in zip(found, hardest, strict=True))

    return list(tf.while_loop(lambda k, *_: k * block < count, step, (0, *found), parallel_iterations=1)[1:])


def _allowed(rows: _Rows, columns: _Rows, rules: _Rules) -> tuple[tf.Tensor, tf.Tensor]:
    """Which pairs can be positive, each with itself among them, and which negative: bool `[columns, rows]`."""
    positives = columns.labels[:, None] == rows.labels[None, :]
    negatives = ~positives
    usable = None if rows.mask is None or columns.mask is None else columns.mask[:, None] & rows.mask[None, :]
    if rules.mining != "all":
        other = columns.modality[:, None] != rows.modality[None, :]
        partner = other if rules.mining == "inter" else ~other
        usable = partner if usable is None else usable & partner
    if usable is not None:
        positives, negatives = positives & usable, negatives & usable
    if rules.negative_seconds > 0:
        near = tf.abs(columns.time[:, None] - rows.time[None, :]) < rules.negative_seconds
        negatives &= ~(near & (columns.recording[:, None] == rows.recording[None, :]))
    return positives, negatives


def _squared_distances(rows: _Rows, columns: _Rows) -> tf.Tensor:
    """Of centred ones, as one product: [x, |x|^2, 1] [-2 y, 1, |y|^2]^T.

    Down the columns, TensorFlow finds extremes several rows at a time.

    Returns:
        `[columns, rows]`.
    """
    points, squares, ones = tf.split(rows.points, [rows.points.shape[1] - 2, 1, 1], axis=1)
    return tf.matmul(columns.points, tf.concat([-2 * points, ones, squares], axis=1), transpose_b=True)


def _largest(
    values: tf.Tensor, allowed: tf.Tensor, tolerance: tf.Tensor, columns: _Rows
) -> tuple[tf.Tensor, tf.Tensor]:
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


def _exact(rows: _Rows, columns: _Rows, rules: _Rules, *, mean: tf.Tensor) -> Pairs:
    rows = _centred(rows, mean, tf.float64)
    distances = _squared_distances_in_parts(rows, columns, mean)
    tolerance = _TIE * (rows.squares + tf.reduce_max(distances, axis=0))  # |y|^2 <= 2 (|x|^2 + |x - y|^2)
    positives, negatives = _allowed(rows, columns, rules)
    positives &= columns.index[:, None] != rows.index[None, :]
    positive, some = _largest(distances, positives, tolerance, columns)
    negative, others = _largest(-distances, negatives, tolerance, columns)
    return Pairs(positive, negative, some & others)


def _squared_distances_in_parts(rows: _Rows, columns: _Rows, mean: tf.Tensor) -> tf.Tensor:
    """In float64 `[columns, rows]`, some columns at a time, as float64 takes twice the memory of the embeddings."""

    def distances(part: _Rows) -> tf.Tensor:
        return _squared_distances(rows, _centred(part, mean, tf.float64))

    n = columns.points.shape[0]
    if n is not None and n <= _PART:
        return distances(columns)
    n = tf.size(columns.index) if n is None else n
    count = (n + _PART - 1) // _PART

    def step(k: tf.Tensor, found: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        which = tf.minimum(k * _PART + tf.range(_PART), n - 1)
        return k + 1, found.write(k, distances(_taken(columns, which)))

    found = tf.TensorArray(tf.float64, size=count)
    found = tf.while_loop(lambda k, _: k < count, step, (0, found), parallel_iterations=1)[1]
    return found.concat()[:n]


def _screened(rows: _Rows, columns: _Rows, rules: _Rules) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
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
    distances = _squared_distances(rows, columns)
    positives, negatives = _allowed(rows, columns, rules)
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
