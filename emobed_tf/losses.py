"""The terms of Eq. 8 as pure functions: batch-hard crossmodal triplet loss, masked task losses, L2."""

from typing import Literal, NamedTuple

import tensorflow as tf

from emobed_tf.metrics import ccc_from_moments

_BLOCK_ELEMENTS = 2**21  # distances held at a time: 16 MB in float64, so that memory grows with N and not N^2
_TIE = 1e-13  # relative to the squared norms: what float64 can get wrong in a squared distance

Mining = Literal["all", "inter", "intra"]
Margin = float | Literal["soft"] | None


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

    Distances are Euclidean (Eq. 5), compared in float64; of equal distances the lowest index is taken. Rows are
    worked off block by block, so that memory grows with N. No gradient flows.

    Args:
        embeddings: float `[N, E]`, all modalities joined.
        labels: int `[N]`, the class of each.
        mask: bool `[N]`, False where an embedding is no anchor, positive or negative. Default: all are.
        origin: needed for `mining` other than "all" and for `negative_seconds`.
        mining: "all" pairs, "inter": only with other modalities, "intra": only within the modality.
        negative_seconds: least distance in time to a negative in the same recording.
        block: rows at a time. Default: as many as keep a block's distances in 16 MB. The result doesn't depend on it.

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
    mask = tf.ones([n], tf.bool) if mask is None else tf.cast(mask, tf.bool)
    points = _centred(embeddings, mask)
    squares = tf.reduce_sum(points * points, axis=1)
    columns = _Rows(points, squares, labels, mask, tf.range(n), *map(tf.convert_to_tensor, origin or ()))
    if block is None:
        block = tf.maximum(8, _BLOCK_ELEMENTS // (n + 1)) if static is None else max(8, _BLOCK_ELEMENTS // (n + 1))
    if static is not None and static <= block:
        return _hardest(columns, columns, mining, negative_seconds)
    return _by_blocks(columns, n, block, mining, negative_seconds)


class _Rows(NamedTuple):
    points: tf.Tensor
    squares: tf.Tensor
    labels: tf.Tensor
    mask: tf.Tensor
    index: tf.Tensor
    modality: tf.Tensor | None = None
    recording: tf.Tensor | None = None
    time: tf.Tensor | None = None


def _centred(embeddings: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """In float64 about the mean of the valid ones: far from the origin, squares would swallow the distances."""
    valid = tf.where(mask[:, None], embeddings, 0)
    count = tf.reduce_sum(tf.cast(mask, embeddings.dtype))
    mean = tf.reduce_sum(valid, axis=0) / tf.maximum(count, 1)
    # The mean has the precision of the embeddings, so that the difference in float64 is exact.
    return tf.where(mask[:, None], tf.cast(embeddings, tf.float64) - tf.cast(mean, tf.float64), 0)


def _by_blocks(columns: _Rows, n, block, mining: Mining, negative_seconds: float) -> Pairs:
    blocks = (n + block - 1) // block
    padding = blocks * block - n
    rows = _Rows(*(None if part is None else _pad(part, padding) for part in columns))
    dtypes = (tf.int32, tf.int32, tf.bool)
    found = Pairs(*(tf.zeros([n + padding], dtype) for dtype in dtypes))

    def step(k, found):
        some = _Rows(*(None if part is None else _slice(part, k * block, block) for part in rows))
        hardest = _hardest(some, columns, mining, negative_seconds)
        where = (k * block + tf.range(block))[:, None]
        return k + 1, Pairs(*(tf.tensor_scatter_nd_update(a, where, b) for a, b in zip(found, hardest, strict=True)))

    _, found = tf.while_loop(lambda k, _: k < blocks, step, (0, found), parallel_iterations=1)
    return Pairs(*(values[:n] for values in found))


def _pad(values: tf.Tensor, rows) -> tf.Tensor:
    return tf.pad(values, [[0, rows]] + [[0, 0]] * (values.shape.rank - 1))


def _slice(values: tf.Tensor, first, rows) -> tf.Tensor:
    """`rows` rows from `first` on; XLA takes a moving start, not a moving end."""
    rest = values.shape.rank - 1
    return tf.slice(values, [first] + [0] * rest, [rows] + [-1] * rest)


def _hardest(rows: _Rows, columns: _Rows, mining: Mining, negative_seconds: float) -> Pairs:
    cross = tf.matmul(rows.points, columns.points, transpose_b=True)
    distances = rows.squares[:, None] + columns.squares[None, :] - 2 * cross
    tolerance = _TIE * (rows.squares + tf.reduce_max(columns.squares))[:, None]
    same = rows.labels[:, None] == columns.labels[None, :]
    usable = rows.mask[:, None] & columns.mask[None, :]
    if mining != "all":
        other = rows.modality[:, None] != columns.modality[None, :]
        usable &= other if mining == "inter" else ~other
    positives = usable & same & (rows.index[:, None] != columns.index[None, :])
    negatives = usable & ~same
    if negative_seconds > 0:
        near = tf.abs(rows.time[:, None] - columns.time[None, :]) < negative_seconds
        negatives &= ~(near & (rows.recording[:, None] == columns.recording[None, :]))
    return Pairs(
        _first_largest(distances, positives, tolerance),
        _first_largest(-distances, negatives, tolerance),
        tf.reduce_any(positives, axis=1) & tf.reduce_any(negatives, axis=1),
    )


def _first_largest(values: tf.Tensor, allowed: tf.Tensor, tolerance: tf.Tensor) -> tf.Tensor:
    values = tf.where(allowed, values, tf.constant(float("-inf"), values.dtype))
    largest = tf.reduce_max(values, axis=1, keepdims=True)
    ties = allowed & (values >= largest - tolerance)
    return tf.argmax(tf.cast(ties, tf.int8), axis=1, output_type=tf.int32)


def pair_distances(embeddings: tf.Tensor, pairs: Pairs) -> tuple[tf.Tensor, tf.Tensor]:
    """Distance (Eq. 5) of every embedding to its hardest positive and negative, with gradient.

    Args:
        embeddings: float `[N, E]`.
        pairs: from `batch_hard_pairs`.

    Returns:
        d+ and d-, float `[N]` >= 0; 0 where an embedding is no valid anchor. The gradient of a zero distance is 0.
    """

    embeddings = tf.convert_to_tensor(embeddings)

    def distance(index):
        difference = embeddings - tf.gather(embeddings, tf.where(pairs.valid, index, 0))
        squared = tf.reduce_sum(difference * difference, axis=1)
        apart = pairs.valid & (squared > 0)
        return tf.where(apart, tf.sqrt(tf.where(apart, squared, 1)), 0)

    return distance(pairs.positive), distance(pairs.negative)


def triplet_loss(
    positive: tf.Tensor,
    negative: tf.Tensor,
    valid: tf.Tensor,
    *,
    margin: Margin = None,
    reduction: Literal["mean", "sum"] = "mean",
) -> tf.Tensor:
    """Eq. 6 from distances: d+ - d- over valid anchors, as printed, as a hinge, or as a softplus.

    Args:
        positive: d+, float `[N]`.
        negative: d-, float `[N]`.
        valid: bool `[N]`, the anchors that count.
        margin: None is Eq. 6, a number m is max(0, m + d+ - d-), "soft" is log(1 + exp(d+ - d-)).
        reduction: "mean" over valid anchors, or the "sum" of Eq. 6.

    Returns:
        A scalar; 0 where no anchor is valid.

    Raises:
        ValueError: for another margin or reduction.
    """
    difference = positive - negative
    if margin == "soft":
        difference = tf.math.softplus(difference)
    elif isinstance(margin, (int, float)) and not isinstance(margin, bool):
        difference = tf.nn.relu(margin + difference)
    elif margin is not None:
        raise ValueError(
            f"Invalid value for argument `margin`. Expected None, a number or 'soft'. Received: {margin!r}"
        )
    total = tf.reduce_sum(tf.where(valid, difference, 0))
    if reduction == "sum":
        return total
    if reduction != "mean":
        raise ValueError(f"Invalid value for argument `reduction`. Expected 'mean' or 'sum'. Received: {reduction!r}")
    return total / tf.maximum(tf.reduce_sum(tf.cast(valid, total.dtype)), 1)


def batch_hard_triplet_loss(
    embeddings: tf.Tensor,
    labels: tf.Tensor,
    mask: tf.Tensor | None = None,
    *,
    margin: Margin = None,
    reduction: Literal["mean", "sum"] = "mean",
) -> tf.Tensor:
    """Crossmodal triplet loss over the joined batch of all modalities (EmoBed, Eq. 5 and 6).

    Anchors without a positive or without a negative are left out.

    Args:
        embeddings: float `[N, E]`, every modality's, joined.
        labels: int `[N]`, classes.
        mask: bool `[N]`, False where an embedding takes no part.
        margin: None is Eq. 6 as printed (no margin, no hinge), a number the hinge, "soft" the softplus.
        reduction: "mean" over valid anchors, or "sum".

    Returns:
        A scalar of the embeddings' dtype; 0 where no anchor is valid.
    """
    pairs = batch_hard_pairs(embeddings, labels, mask)
    return triplet_loss(*pair_distances(embeddings, pairs), pairs.valid, margin=margin, reduction=reduction)


def ccc_loss(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """1 - concordance (Eq. 9) over all valid frames of a batch.

    Args:
        y_true: float `[batch, frames]`, labels; anything finite where masked.
        y_pred: float `[batch, frames]`.
        mask: bool `[batch, frames]`, True where a frame exists.

    Returns:
        A scalar in [0, 2].
    """
    return 1 - ccc_from_moments(*moments(y_true, y_pred, mask))


def moments(
    y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor, centre: float | None = None
) -> tuple[tf.Tensor, ...]:
    """Sufficient statistics of the concordance: n, sums, sums of squares, sum of products.

    Args:
        y_true: float `[batch, frames]`.
        y_pred: float `[batch, frames]`.
        mask: bool `[batch, frames]`, True where a frame exists.
        centre: what values are taken about. Default: the mean of `y_true`, which keeps float32 accurate.

    Returns:
        Six scalars of the dtype of `y_pred`.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    weight = tf.cast(mask, y_pred.dtype)
    y_true = tf.cast(y_true, y_pred.dtype)
    n = tf.reduce_sum(weight)
    if centre is None:
        centre = tf.reduce_sum(weight * y_true) / tf.maximum(n, 1)
    true, pred = weight * (y_true - centre), weight * (y_pred - centre)
    return (n, *(tf.reduce_sum(value) for value in (true, pred, true * true, pred * pred, true * pred)))


def mse_loss(y_true: tf.Tensor, y_pred: tf.Tensor, mask: tf.Tensor, deviation: float) -> tf.Tensor:
    """Mean squared error over valid frames, of labels scaled by their training deviation.

    Args:
        y_true: float `[batch, frames]`.
        y_pred: float `[batch, frames]`.
        mask: bool `[batch, frames]`.
        deviation: standard deviation of the training labels, so that the loss doesn't depend on their scale.

    Returns:
        A scalar >= 0.
    """
    y_pred = tf.convert_to_tensor(y_pred)
    weight = tf.cast(mask, y_pred.dtype)
    squared = tf.square((tf.cast(y_true, y_pred.dtype) - y_pred) / deviation)
    return tf.reduce_sum(weight * squared) / tf.maximum(tf.reduce_sum(weight), 1)


def cross_entropy_loss(classes: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Mean cross-entropy.

    Args:
        classes: int `[batch]`.
        logits: float `[batch, classes]`.

    Returns:
        A scalar >= 0.
    """
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(classes, logits))


def squared_kernels(variables: list) -> tf.Tensor:
    """R of Eq. 8: the sum of squares of all kernels (biases and statistics left out)."""
    # `l2_loss` is half the sum of squares in one pass; twice a sum is exact.
    return 2 * tf.add_n([tf.nn.l2_loss(variable) for variable in variables if variable.name.endswith("kernel")])
