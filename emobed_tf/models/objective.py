"""The objective of a training: a sum of terms, each with a name, a function and a weight (EmoBed, Eq. 8).

    L = L_target + alpha * sum L_auxiliary + beta * L_triplet + lambda * R

Other losses on embeddings stand in the place of L_triplet, see `metric_terms`. The alignment of modalities is a term of
its own. Networks with more heads than the label's add `weight * L_head` for each, and a student `weight * distance` to
what its teacher says. A further term is one more entry of `terms`; a weight of its own, one more field of
`settings.Objective` and its name in `WEIGHTS`.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import tensorflow as tf

from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.models import losses
from emobed_tf.models.activations import Activations, Batch
from emobed_tf.models.alignment import alignment_loss
from emobed_tf.models.design import BIN, LABELLED, PRESENT, SOFT_TARGETS, TAUGHT, TEACHER_EMBEDDINGS, Head
from emobed_tf.models.frames import last_frame
from emobed_tf.models.label_losses import classification_loss, regression_loss
from emobed_tf.models.metric_terms import METRIC_LOSSES, MetricLoss
from emobed_tf.settings import DISTILLED, USES_ALPHA, USES_BETA, Objective

WEIGHTS = ("alpha", "beta", "alignment_weight", "l2", "teacher_weight", "teacher_embedding_weight")
"""Fields of `settings.Objective` that weigh a term. They are variables: other values need no new trace."""


@dataclass(frozen=True)
class Goal:
    """What a model is trained for.

    Attributes:
        target: modality to recognise emotion from.
        task: `regression` or `classification`.
        outputs: 1, or the number of classes.
        score: development score, `ccc` or a key of `metrics.CLASSIFICATION_SCORES`.
        deviation: standard deviation of the target's training labels, where the loss is scaled by it.
        delay: frames by which predictions come early; undone before the development score.
        strides: frames between two mined ones, by modality.
        head_deviations: as `deviation`, of the labels of further heads, by head.
        easy_first: whether the label's loss counts those frames or utterances alone whose bin is in, see `Design`.
        spread: whether the spread of embeddings is logged.
        warmup: steps over which beta grows to its value.
        classes: of mined embeddings, where modalities are aligned class by class.
    """

    target: str
    task: str
    outputs: int
    score: str
    deviation: float = 1.0
    delay: int = 0
    strides: Mapping[str, int] | None = None
    head_deviations: Mapping[str, float] = dataclasses.field(default_factory=dict)
    easy_first: bool = False
    spread: bool = True
    warmup: int = 0
    classes: int = 0


@dataclass(frozen=True)
class Term:
    """A part of the objective.

    Attributes:
        name: as it is logged.
        function: of a batch and its activations, a scalar.
        weight: what it is multiplied by: a variable, or a constant.
        share: of the weight that counts by now, a scalar in [0, 1]; None: all of it.
    """

    name: str
    function: Callable[[Batch, Activations], tf.Tensor]
    weight: tf.Variable | float = 1.0
    share: Callable[[], tf.Tensor] | None = None

    def weight_now(self) -> tf.Variable | tf.Tensor | float:
        """What it is multiplied by in the present step."""
        return self.weight if self.share is None else self.share() * self.weight


@dataclass(frozen=True)
class Monitor:
    """What is logged beside the terms, and not learnt from.

    Attributes:
        names: of the values.
        function: of a batch and its activations, scalars by name.
    """

    names: tuple[str, ...]
    function: Callable[[Batch, Activations], Mapping[str, tf.Tensor]]


def terms(
    goal: Goal,
    objective: Objective,
    *,
    auxiliaries: Sequence[str] = (),
    heads: Sequence[Head] = (),
    weights: Mapping[str, tf.Variable],
    bins_in: tf.Variable,
    step: tf.Variable | keras.Variable | None = None,
) -> tuple[Term, ...]:
    """All terms of an objective, `target` first, in the order in which they are added.

    Args:
        goal: of the training.
        objective: its framework and losses.
        auxiliaries: modalities beside the target.
        heads: beside the label's.
        weights: by name of `WEIGHTS` or of a head.
        bins_in: number of bins that have joined, see `Design.easy_first`.
        step: how many steps there have been; needed where a weight grows with them.

    Returns:
        The terms.
    """
    task = _Task(goal, objective, bins_in)
    found = [Term("target", task.of_target)]
    if objective.framework in USES_ALPHA:
        for name in auxiliaries:
            found.append(Term(f"auxiliary_{name}", functools.partial(task.of_auxiliary, name), weights["alpha"]))
    if objective.framework in USES_BETA:
        metric = METRIC_LOSSES[objective.embedding_loss]
        of_embeddings = functools.partial(_of_embeddings, metric, objective)
        share = None if goal.warmup == 0 else functools.partial(_warm, goal.warmup, step)
        found.append(Term(metric.term, of_embeddings, weights["beta"], share))
    if objective.alignment != "none":
        found.append(Term("alignment", functools.partial(_alignment, objective, goal), weights["alignment_weight"]))
    if objective.framework == DISTILLED:
        found.append(Term("soft_targets", task.of_teacher, weights["teacher_weight"]))
        if objective.teacher == "early":
            distance = functools.partial(_to_the_teachers_embeddings, goal.target)
            found.append(Term("embedding_distance", distance, weights["teacher_embedding_weight"]))
    found += [Term(head.name, functools.partial(task.of_head, head), weights[head.name]) for head in heads]
    found.append(Term("l2", _squared_kernels, weights["l2"]))
    return tuple(found)


def monitors(goal: Goal, objective: Objective) -> tuple[Monitor, ...]:
    """What is logged beside the terms: collapse is invisible in d+ - d-.

    Args:
        goal: of the training.
        objective: its framework.

    Returns:
        The monitors, in the order in which they are logged.
    """
    found = []
    if objective.framework in USES_BETA:
        metric = METRIC_LOSSES[objective.embedding_loss]
        found.append(Monitor(metric.watched, lambda batch, activations: metric.watch(activations)))
    if goal.spread:
        found.append(Monitor(("embedding_norm", "effective_rank"), _spread_of_mined))
    return tuple(found)


def weighted_sum(weights: Mapping[str, tf.Variable | tf.Tensor | float], values: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """The objective from the values of its terms, or the part of it that some of them make.

    Args:
        weights: `Term.weight_now` of all terms, by name.
        values: scalars by the name of the term.

    Returns:
        A scalar.

    Raises:
        ValueError: if a value belongs to no term.
    """
    if unknown := sorted(values.keys() - weights.keys()):
        raise ValueError(f"Expected values of the terms {', '.join(weights)}. Received others: {', '.join(unknown)}")
    return tf.add_n([weights[name] * value for name, value in values.items()])


@dataclass(frozen=True)
class _Task:
    """Losses of labels."""

    goal: Goal
    objective: Objective
    bins_in: tf.Variable

    def of_target(self, batch: Batch, activations: Activations) -> tf.Tensor:
        part, outputs = batch[self.goal.target], activations.outputs(self.goal.target)
        return self._easy(part, outputs) if self.goal.easy_first else self._loss(part, outputs)

    def of_auxiliary(self, modality: str, batch: Batch, activations: Activations) -> tf.Tensor:
        return self._loss(batch[modality], activations.outputs(modality))

    def of_head(self, head: Head, batch: Batch, activations: Activations) -> tf.Tensor:
        part, outputs = batch[self.goal.target], activations.outputs_of(head)
        if head.reconstructs:
            return losses.reconstruction_loss(part["features"], outputs, part[PRESENT])
        deviation = self.goal.head_deviations.get(head.name, 1.0)
        return self._regression(part[head.name], outputs, part["mask"], part.get(head.labelled), deviation)

    def of_teacher(self, batch: Batch, activations: Activations) -> tf.Tensor:
        """Of a regression the label's own loss, with the teacher's outputs in the place of labels."""
        part, outputs = batch[self.goal.target], activations.outputs(self.goal.target)
        if self.goal.task != REGRESSION:
            temperature = self.objective.teacher_temperature
            return losses.soft_target_loss(
                part[SOFT_TARGETS], last_frame(outputs, part["mask"]), part[TAUGHT], temperature
            )
        frames = part["mask"] & part[TAUGHT][:, tf.newaxis]
        return self._regression(part[SOFT_TARGETS], outputs, part["mask"], frames, self.goal.deviation)

    def _loss(self, part: Mapping[str, tf.Tensor], outputs: tf.Tensor) -> tf.Tensor:
        """Over labelled frames (regression), or after the last frame."""
        if self.goal.task != REGRESSION:
            loss = classification_loss(self.objective.classification_loss)
            return loss(part["labels"], last_frame(outputs, part["mask"]))
        return self._regression(part["labels"], outputs, part["mask"], part.get(LABELLED), self.goal.deviation)

    def _regression(
        self, labels: tf.Tensor, outputs: tf.Tensor, mask: tf.Tensor, labelled: tf.Tensor | None, deviation: float
    ) -> tf.Tensor:
        """Over frames that have a label, in the mask where all of them have; 0 where a batch has none."""
        loss = regression_loss(self.objective.regression_loss)
        if labelled is None:
            return loss(labels, outputs[..., 0], mask, deviation)
        return tf.where(tf.reduce_any(labelled), loss(labels, outputs[..., 0], labelled, deviation), 0.0)

    def _easy(self, part: Mapping[str, tf.Tensor], outputs: tf.Tensor) -> tf.Tensor:
        """The loss over the frames or utterances whose bin is in; 0 where a batch has none."""
        easy = part[BIN] < self.bins_in
        if self.goal.task == REGRESSION:
            easy &= part.get(LABELLED, part["mask"])
            loss = self._regression(part["labels"], outputs, easy, None, self.goal.deviation)
        else:
            chosen = easy | ~tf.reduce_any(easy)  # the mean of nothing, and its gradient, would be NaN
            kept = {name: tf.boolean_mask(part[name], chosen) for name in ("labels", "mask")}
            loss = self._loss(kept, tf.boolean_mask(outputs, chosen))
        return tf.where(tf.reduce_any(easy), loss, 0.0)


def _of_embeddings(metric: MetricLoss, objective: Objective, batch: Batch, activations: Activations) -> tf.Tensor:
    """What beta weighs."""
    return metric.loss(objective, activations)


def _warm(steps: int, step: tf.Variable | keras.Variable) -> tf.Tensor:
    """Rises from 0 in the first step to 1 after so many."""
    return tf.minimum(tf.cast(step, tf.float32) / steps, 1)


def _alignment(objective: Objective, goal: Goal, batch: Batch, activations: Activations) -> tf.Tensor:
    embeddings, classes = zip(*activations.mined_by_modality(), strict=True)
    return alignment_loss(embeddings, classes, kind=objective.alignment, number=goal.classes)


def _to_the_teachers_embeddings(target: str, batch: Batch, activations: Activations) -> tf.Tensor:
    """Over those embeddings that are mined, of items that the teacher has seen."""
    part, (embeddings, classes) = batch[target], activations.mined
    theirs = tf.reshape(part[TEACHER_EMBEDDINGS], tf.shape(embeddings))
    taught = tf.broadcast_to(part[TAUGHT][:, tf.newaxis], tf.shape(part["mined_classes"]))
    return losses.embedding_distance(theirs, embeddings, (classes >= 0) & tf.reshape(taught, [-1]))


def _squared_kernels(batch: Batch, activations: Activations) -> tf.Tensor:
    """R of Eq. 8."""
    return losses.squared_kernels(activations.trainable_weights)


def _spread_of_mined(batch: Batch, activations: Activations) -> dict[str, tf.Tensor]:
    embeddings, classes = activations.mined
    return spread(embeddings, classes >= 0)


def spread(embeddings: tf.Tensor, mask: tf.Tensor) -> dict[str, tf.Tensor]:
    """How far embeddings spread: what their collapse shows in. Without gradient.

    Args:
        embeddings: float `[N, E]`.
        mask: bool `[N]`, those that count.

    Returns:
        `embedding_norm`, their mean norm, and `effective_rank` of the covariance: (trace C)^2 / trace C^2, 1 on a line,
        E where all dimensions spread alike.
    """
    weight = tf.cast(mask, embeddings.dtype)[:, None]
    count = tf.maximum(tf.reduce_sum(weight), 1)
    embeddings = tf.stop_gradient(embeddings)
    norm = tf.reduce_sum(weight[:, 0] * tf.norm(embeddings, axis=1)) / count
    centred = weight * (embeddings - tf.reduce_sum(weight * embeddings, axis=0) / count)
    covariance = tf.matmul(centred, centred, transpose_a=True) / count
    trace = tf.linalg.trace(covariance)
    return {"embedding_norm": norm, "effective_rank": trace**2 / (tf.reduce_sum(covariance**2) + 1e-30)}
