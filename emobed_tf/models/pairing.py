"""Which embeddings of a batch may be positives and negatives of which, and their distances, some rows at a time.

Mining and the losses on embeddings share this: the joined batch of all modalities as rows, the rules of who may be
whose partner, and how many rows are worked off at a time, so that memory grows with N.
"""

from typing import Literal, NamedTuple

import tensorflow as tf

_WHOLE = 1024  # up to so many embeddings are one block, and not worth the half second that compiling takes
_ROWS_COMPILED = 64  # of a block
_ROWS_PLAIN = 112  # an odd multiple of 16: whole vectors, and a stride in memory that makes use of all of the cache
TIE = 1e-13
"""What float64 can get wrong in a squared distance, relative to the squared norms about the mean."""

Mining = Literal["all", "inter", "intra"]


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


class Rules(NamedTuple):
    """Who may be whose partner.

    Attributes:
        mining: "all" pairs, "inter": only with other modalities, "intra": only within the modality.
        negative_seconds: least distance in time to a negative in the same recording.
    """

    mining: Mining = "all"
    negative_seconds: float = 0.0


class Rows(NamedTuple):
    """Embeddings of a batch, all of them or a block.

    Attributes:
        points: float `[N, E]`; of `centred` ones `[N, E + 2]`.
        squares: float `[N]`, squared norms; None before `centred`.
        labels: int `[N]`.
        index: int32 `[N]`, place in the batch.
        mask: bool `[N]`, or None where all take part.
        modality: see `Origin`; None without an origin, as the next two.
        recording: see `Origin`.
        time: see `Origin`.
        weight: how much each counts, float `[N]` >= 0; None: all alike.
    """

    points: tf.Tensor
    squares: tf.Tensor | None
    labels: tf.Tensor
    index: tf.Tensor
    mask: tf.Tensor | None
    modality: tf.Tensor = None  # these three are only there where an origin is given, and only read where one has to be
    recording: tf.Tensor = None
    time: tf.Tensor = None
    weight: tf.Tensor = None


class Blocks(NamedTuple):
    """How rows are worked off.

    Attributes:
        n: number of rows, an int where it is known.
        rows: of a block, likewise.
        compiled: whether XLA compiles it.
    """

    n: int | tf.Tensor
    rows: int | tf.Tensor
    compiled: bool


def check_origin(origin: Origin | None, rules: Rules) -> None:
    """Makes sure that there is what the rules read.

    Args:
        origin: of the embeddings.
        rules: who may be whose partner.

    Raises:
        ValueError: if there is no origin, and the rules need one.
    """
    if origin is None and rules != Rules():
        raise ValueError(
            f"Expected origin for mining={rules.mining!r}, negative_seconds={rules.negative_seconds}. Received: None"
        )


def blocks_of(embeddings: tf.Tensor, block: int | None, xla: bool) -> Blocks:
    """How many rows are worked off at a time.

    Args:
        embeddings: `[N, E]`.
        block: rows at a time. Default: all of up to 1,024, and then 64 or, where nothing is compiled, 112.
        xla: compile for more than 1,024, in a graph where N is known and no GPU in sight.

    Returns:
        The blocks.
    """
    known = embeddings.shape[0] is not None
    n = embeddings.shape[0] if known else tf.shape(embeddings)[0]
    compiled = xla and known and n > _WHOLE and not tf.executing_eagerly() and not tf.config.list_logical_devices("GPU")
    if block is None:
        rows, whole = _ROWS_COMPILED if compiled else _ROWS_PLAIN, n <= _WHOLE
        block = (n if whole else rows) if known else tf.where(whole, tf.maximum(n, 1), rows)
    return Blocks(n, block, compiled)


def mean_of_valid(embeddings: tf.Tensor, mask: tf.Tensor | None) -> tf.Tensor:
    """Their mean, in the precision of the embeddings, so that a difference from it is exact in float64.

    Args:
        embeddings: float `[N, E]`.
        mask: bool `[N]`; None: all are valid.

    Returns:
        Float `[E]`.
    """
    if mask is None:
        return tf.reduce_mean(embeddings, axis=0)
    count = tf.reduce_sum(tf.cast(mask, embeddings.dtype))
    return tf.reduce_sum(tf.where(mask[:, None], embeddings, 0), axis=0) / tf.maximum(count, 1)


def centred(rows: Rows, mean: tf.Tensor, dtype: tf.DType) -> Rows:
    """The rows about a mean: far from the origin, squares would swallow the distances.

    Args:
        rows: as they are.
        mean: float `[E]`.
        dtype: of the result.

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


def taken(rows: Rows, which: tf.Tensor) -> Rows:
    """Some of the rows.

    Args:
        rows: to take from.
        which: int32 `[M]`.

    Returns:
        M rows.
    """
    return Rows(*(None if part is None else tf.gather(part, which) for part in rows))


def allowed(rows: Rows, columns: Rows, rules: Rules) -> tuple[tf.Tensor, tf.Tensor]:
    """Which pairs can be positive, each with itself among them, and which negative.

    Args:
        rows: some embeddings.
        columns: others.
        rules: beyond class and mask.

    Returns:
        Positive ones and negative ones, bool `[columns, rows]`.
    """
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


def squared_distances(rows: Rows, columns: Rows) -> tf.Tensor:
    """Of `centred` ones, as one product: `[x, |x|^2, 1]` times `[-2 y, 1, |y|^2]` transposed.

    Down the columns, TensorFlow finds extremes several rows at a time.

    Args:
        rows: some embeddings.
        columns: others.

    Returns:
        Float `[columns, rows]`, about 0 where it is 0: rounding can make it negative.
    """
    points, squares, ones = tf.split(rows.points, [rows.points.shape[1] - 2, 1, 1], axis=1)
    return tf.matmul(columns.points, tf.concat([-2 * points, ones, squares], axis=1), transpose_b=True)
