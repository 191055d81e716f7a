"""The term that beta weighs, by name: a loss on the embeddings of all modalities, and what is logged beside it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import tensorflow as tf

from emobed_tf.models import losses
from emobed_tf.models.activations import Activations
from emobed_tf.settings import Objective


@dataclass(frozen=True)
class MetricLoss:
    """A loss on embeddings.

    Attributes:
        term: its name in logs.
        loss: of activations, a scalar.
        watched: names of what is logged beside it: `valid_anchors`, how many anchors count, and their mean distances
            to positives and negatives, where there are pairs.
        watch: of activations, scalars by these names.
    """

    term: str
    loss: Callable[[Objective, Activations], tf.Tensor]
    watched: tuple[str, ...]
    watch: Callable[[Activations], dict[str, tf.Tensor]]


def _batch_hard(objective: Objective, activations: Activations) -> tf.Tensor:
    """Eq. 6 over all modalities' mined embeddings."""
    positive, negative, pairs = activations.hardest
    weight = None if objective.disagreement == "ignored" else _weight_of_anchors(activations)
    return losses.triplet_loss(
        positive,
        negative,
        pairs.valid,
        margin=losses.margin_of(objective),
        reduction=objective.reduction,
        weight=weight,
    )


def _weight_of_anchors(activations: Activations) -> tf.Tensor:
    """Of each anchor's term: the product of its own, its positive's and its negative's weight."""
    pairs, own = activations.hardest.pairs, activations.mined_weights
    positive, negative = (tf.gather(own, tf.where(pairs.valid, k, 0)) for k in (pairs.positive, pairs.negative))
    return own * positive * negative


def _hardest_distances(activations: Activations) -> dict[str, tf.Tensor]:
    positive, negative, pairs = activations.hardest
    anchors = tf.reduce_sum(tf.cast(pairs.valid, tf.float32))
    count = tf.maximum(anchors, 1)
    means = {"d_positive": tf.reduce_sum(positive) / count, "d_negative": tf.reduce_sum(negative) / count}
    return {"valid_anchors": anchors, **means}


def _semi_hard(objective: Objective, activations: Activations) -> tf.Tensor:
    return activations.semi_hard.loss


def _semi_hard_distances(activations: Activations) -> dict[str, tf.Tensor]:
    found = activations.semi_hard
    anchors = tf.reduce_sum(tf.cast(found.valid, tf.float32))
    return {"valid_anchors": anchors, "d_positive": found.positive, "d_negative": found.negative}


def _contrastive(objective: Objective, activations: Activations) -> tf.Tensor:
    return activations.contrast.loss


def _contrasted(activations: Activations) -> dict[str, tf.Tensor]:
    return {"valid_anchors": tf.reduce_sum(tf.cast(activations.contrast.valid, tf.float32))}


_DISTANCES = ("valid_anchors", "d_positive", "d_negative")
METRIC_LOSSES: Mapping[str, MetricLoss] = MappingProxyType(
    {
        "batch_hard": MetricLoss("triplet", _batch_hard, _DISTANCES, _hardest_distances),
        "semi_hard": MetricLoss("triplet", _semi_hard, _DISTANCES, _semi_hard_distances),
        "contrastive": MetricLoss("contrastive", _contrastive, ("valid_anchors",), _contrasted),
    }
)
"""Losses by the name of the setting `metric_loss`."""
