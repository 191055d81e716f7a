"""What a network makes of a batch: embeddings, outputs, and which embeddings lie far apart or close."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.models.contrastive import Contrast, supervised_contrastive_loss
from emobed_tf.models.design import HIDDEN, Head
from emobed_tf.models.frames import last_frame
from emobed_tf.models.losses import margin_of, pair_distances
from emobed_tf.models.mining import Pairs, batch_hard_pairs
from emobed_tf.models.pairing import Origin
from emobed_tf.models.semi_hard import SemiHard, semi_hard_triplet_loss

Batch = Mapping[str, Mapping[str, tf.Tensor]]
"""By modality what `streams.Sequences.arrays` names, features standardised."""


class Mined(NamedTuple):
    """Embeddings of all modalities that take part in the terms on embeddings.

    Attributes:
        embeddings: float32 `[N, units]`.
        classes: int32 `[N]`; -1 where there is none to mine.
    """

    embeddings: tf.Tensor
    classes: tf.Tensor


class Hardest(NamedTuple):
    """Distances of mined embeddings to their hardest positive and negative.

    Attributes:
        positive: d+, float32 `[N]`.
        negative: d-, float32 `[N]`.
        pairs: which those are, and where there are any.
    """

    positive: tf.Tensor
    negative: tf.Tensor
    pairs: Pairs


class Activations:
    """What the terms of an objective read. Each part is computed once, when it is first asked for.

    Args:
        model: a compiled `EmoBed`.
        batch: what it has read.

    Attributes:
        embeddings: by modality, float32 `[batch, frames, units]`.
    """

    def __init__(self, model: keras.Model, batch: Batch):
        self._model, self._batch = model, batch
        self._recognised: dict[str, tuple[tf.Tensor, tf.Tensor]] = {}
        self.embeddings = {name: model.embed(name, batch[name]["features"]) for name in model.modalities}

    def outputs(self, modality: str) -> tf.Tensor:
        """What the shared head says of a modality.

        Args:
            modality: one of the batch.

        Returns:
            float32 `[batch, frames, outputs]`.
        """
        return self._recognise(modality)[1]

    def outputs_of(self, head: Head) -> tf.Tensor:
        """What another head says of the target.

        Args:
            head: one of the model's.

        Returns:
            float32 `[batch, frames, width]`.
        """
        target = self._model.goal.target
        source = self.embeddings[target] if head.apart else self._recognise(target)[0]
        return self._model.get_layer(head.layer)(source, training=True)

    @property
    def trainable_weights(self) -> list[keras.Variable]:
        """All that training changes."""
        return self._model.trainable_weights

    @functools.cached_property
    def mined(self) -> Mined:
        """Every embedding of a class, or one each `Goal.strides` frames of a sequence."""
        names = self._model.modalities
        embeddings = tf.concat([self._mined(name) for name in names], axis=0)
        classes = tf.concat([tf.reshape(self._batch[name]["mined_classes"], [-1]) for name in names], axis=0)
        return Mined(embeddings, classes)

    def mined_by_modality(self) -> list[Mined]:
        """The same, modality by modality."""
        names = self._model.modalities
        return [Mined(self._mined(name), tf.reshape(self._batch[name]["mined_classes"], [-1])) for name in names]

    @functools.cached_property
    def mined_weights(self) -> tf.Tensor | None:
        """How much each mined embedding counts, float32 `[N]`; None: all alike."""
        if self._model.objective.disagreement == "ignored":
            return None
        names = self._model.modalities
        return tf.concat([tf.reshape(self._batch[name]["mined_weights"], [-1]) for name in names], axis=0)

    @functools.cached_property
    def hardest(self) -> Hardest:
        """Distances that the batch-hard triplet term is made of."""
        objective, (embeddings, classes) = self._model.objective, self._compared()
        pairs = batch_hard_pairs(
            embeddings,
            classes,
            classes >= 0,
            origin=self._origin(),
            mining=objective.mining,
            negative_seconds=objective.negative_seconds,
            xla=self._model.compile_mining,
        )
        return Hardest(*pair_distances(embeddings, pairs), pairs)

    @functools.cached_property
    def semi_hard(self) -> SemiHard:
        """The semi-hard triplet loss, and what it was made of."""
        objective = self._model.objective
        return semi_hard_triplet_loss(*self._compared(), margin=margin_of(objective), **self._rules())

    @functools.cached_property
    def contrast(self) -> Contrast:
        """The supervised contrastive loss, and its anchors."""
        temperature, xla = self._model.objective.temperature, self._model.compile_mining
        return supervised_contrastive_loss(*self._compared(), temperature=temperature, xla=xla, **self._rules())

    def _compared(self) -> Mined:
        """What is mined, of unit length where that is the setting."""
        embeddings, classes = self.mined
        if self._model.objective.normalise:
            embeddings = tf.math.l2_normalize(embeddings, axis=1)
        return Mined(embeddings, classes)

    def _rules(self) -> dict[str, Any]:
        objective = self._model.objective
        return {
            "mask": self.mined.classes >= 0,
            "reduction": objective.reduction,
            "weight": self.mined_weights,
            "origin": self._origin(),
            "mining": objective.mining,
            "negative_seconds": objective.negative_seconds,
        }

    def _recognise(self, modality: str) -> tuple[tf.Tensor, tf.Tensor]:
        """The shared head's last hidden layer, where another head stands on that, and its outputs."""
        if modality not in self._recognised:
            embedding = self.embeddings[modality]
            if all(head.apart for head in self._model.heads):
                self._recognised[modality] = embedding, self._model.head(embedding, training=True)
            else:
                self._recognised[modality] = tuple(self._model.get_layer(HIDDEN)(embedding, training=True))
        return self._recognised[modality]

    def _mined(self, modality: str) -> tf.Tensor:
        embeddings, goal = self.embeddings[modality], self._model.goal
        if goal.task == REGRESSION:
            stride = (goal.strides or {}).get(modality, 1)
            return tf.reshape(embeddings[:, ::stride], [-1, embeddings.shape[-1]])
        return last_frame(embeddings, self._batch[modality]["mask"])

    def _origin(self) -> Origin:
        modality, recording, time = [], [], []
        for k, name in enumerate(self._model.modalities):
            times = self._batch[name]["mined_times"]
            modality.append(tf.fill([tf.size(times)], k))
            of_each = tf.broadcast_to(self._batch[name]["recording"][:, None], tf.shape(times))
            recording.append(tf.reshape(of_each, [-1]))
            time.append(tf.reshape(times, [-1]))
        return Origin(*(tf.concat(values, axis=0) for values in (modality, recording, time)))
