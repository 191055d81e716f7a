"""How far apart modalities lie, class by class: what the alignment term of an objective is.

Joint training shares the head, so embeddings of one class end up on one side of it; nothing makes them alike. These
distances compare the distributions of two modalities' embeddings within each class. They need no pairs.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import tensorflow as tf

MOMENTS = 5  # of CMD, as in its source
LEAST = 2  # embeddings of a class in each modality: one has no covariance


class Distribution:
    """Embeddings of one modality, class by class.

    Args:
        embeddings: float `[N, E]`.
        classes: int `[N]`, from 0; below 0 takes no part.
        number: of classes.

    Attributes:
        count: float `[classes]`, how many there are.
        mean: float `[classes, E]`; 0 without any.
        centred: float `[classes, N, E]`, deviations from it; 0 where an embedding isn't of the class.
    """

    def __init__(self, embeddings: tf.Tensor, classes: tf.Tensor, number: int):
        of_class = tf.equal(classes[None, :], tf.range(number, dtype=classes.dtype)[:, None])[..., None]
        self.count = tf.reduce_sum(tf.cast(of_class, embeddings.dtype), axis=[1, 2])
        members = tf.where(of_class, embeddings[None], 0)
        self.mean = tf.reduce_sum(members, axis=1) / tf.maximum(self.count, 1)[:, None]
        self.centred = tf.where(of_class, members - self.mean[:, None], 0)


def coral(a: Distribution, b: Distribution) -> tf.Tensor:
    """Deep CORAL (Sun and Saenko, 2016, Eq. 1), class by class, with the means.

    |C_a - C_b|_F^2 / (4 E^2) + |m_a - m_b|^2 / (4 E), C being covariances with n - 1 below. The source compares whole
    domains, whose means a network's input layers have made equal; those of a class are not, so they are compared, too.
    A difference of means counts as one of covariances does: a quarter of the mean of its squared entries.

    Args:
        a: of a modality.
        b: of another.

    Returns:
        Float `[classes]` >= 0; anything finite where one of them has fewer than two embeddings.
    """
    width = a.mean.shape[1]
    covariances = (
        tf.matmul(one.centred, one.centred, transpose_a=True) / tf.maximum(one.count - 1, 1)[:, None, None]
        for one in (a, b)
    )
    first, second = covariances
    spread = tf.reduce_sum(tf.square(first - second), axis=[1, 2]) / (4 * width**2)
    return spread + tf.reduce_sum(tf.square(a.mean - b.mean), axis=1) / (4 * width)


def cmd(a: Distribution, b: Distribution) -> tf.Tensor:
    """Central moment discrepancy (Zellinger et al., 2017, Definition 2) of five moments, class by class.

    |m_a - m_b| / 2 + sum over k = 2..5 of |c_k(a) - c_k(b)| / 2^k, c_k being a dimension's k-th central moments and 2
    the length of [-1, 1], in which embeddings have to lie. The gradient of a norm is 0 where the norm is.

    Args:
        a: of a modality.
        b: of another.

    Returns:
        Float `[classes]` >= 0; anything finite where one of them has no embedding.
    """
    total = _norm(a.mean - b.mean) / 2
    for k in range(2, MOMENTS + 1):
        moments = (tf.reduce_sum(one.centred**k, axis=1) / tf.maximum(one.count, 1)[:, None] for one in (a, b))
        first, second = moments
        total += _norm(first - second) / 2**k
    return total


ALIGNMENTS: Mapping[str, Callable[[Distribution, Distribution], tf.Tensor]] = MappingProxyType(
    {"coral": coral, "cmd": cmd}
)
"""Distances of two modalities by name, class by class."""


def alignment_loss(
    embeddings: Sequence[tf.Tensor], classes: Sequence[tf.Tensor], *, kind: str, number: int
) -> tf.Tensor:
    """The mean distance over pairs of modalities and the classes of which both have two embeddings at least.

    Memory grows with the number of embeddings times that of classes.

    Args:
        embeddings: of each modality, float `[N, E]`; N may differ.
        classes: of each modality, int `[N]`; below 0 takes no part.
        kind: a key of `ALIGNMENTS`.
        number: of classes.

    Returns:
        A scalar >= 0; 0 where no class has enough.

    Example:
        >>> # One class, one dimension: 0 and 1 against 1 and 2. Variances are alike, means 1 apart: 1^2 / 4.
        >>> found = alignment_loss(
        ...     [tf.constant([[0.0], [1.0]]), tf.constant([[1.0], [2.0]])], [[0, 0], [0, 0]], kind="coral", number=1
        ... )
        >>> float(found)
        0.25
    """
    parts = [Distribution(e, tf.convert_to_tensor(c), number) for e, c in zip(embeddings, classes, strict=True)]
    total = pairs = tf.zeros([], parts[0].mean.dtype)
    for k, one in enumerate(parts):
        for other in parts[:k]:
            enough = (one.count >= LEAST) & (other.count >= LEAST)
            total += tf.reduce_sum(tf.where(enough, ALIGNMENTS[kind](one, other), 0))
            pairs += tf.reduce_sum(tf.cast(enough, total.dtype))
    return total / tf.maximum(pairs, 1)


def _norm(values: tf.Tensor) -> tf.Tensor:
    """Of each row."""
    squares = tf.reduce_sum(tf.square(values), axis=1)
    some = squares > 0
    return tf.where(some, tf.sqrt(tf.where(some, squares, 1)), 0)
