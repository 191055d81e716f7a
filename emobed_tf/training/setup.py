"""What a training needs: a compiled model, old or new, and the streams of its data."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from emobed_tf.config import USES_BETA, Config
from emobed_tf.corpora.configured import fingerprints
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.time import frames_of
from emobed_tf.errors import InputError
from emobed_tf.models.build import build_model
from emobed_tf.models.cache import left_over
from emobed_tf.models.emobed import EmoBed, Goal
from emobed_tf.models.optimizer import FusedAdam
from emobed_tf.training.streams import (
    Sequences,
    agreement,
    class_edges,
    evaluation_sequences,
    in_order,
    stream,
    training_labels,
    training_sequences,
    unpaired,
)

# Steps of one frame that are a call. 64 take a tenth of a second, so that Ctrl-C and NaN are noticed soon.
_STEPS_AT_ONCE = 64
_STEPS_COMPILED = 32  # from here on; a smaller training would end before it has made up for compiling
_STEPS_AT_MOST = 256  # where an epoch can't be divided into calls of 32 to 64
_STANDARDISED_AT_ONCE = 2**20  # numbers, each of which takes some 20 bytes for as long


@dataclass(frozen=True)
class Setup:
    """A compiled model and the data that it trains on.

    Attributes:
        model: compiled, with the seed's initial weights.
        sequences: training sequences by modality, target first, features standardised.
        development: batches of the target's development partition, features standardised; stacked where the model
            takes several steps at once.
        facts: what was found in the data.
        config: resolved.
        shape: what the compiled step depends on; trainings with the same one can have the same model in turn.
    """

    model: EmoBed
    sequences: dict[str, Sequences]
    development: tf.data.Dataset
    facts: Facts
    config: Config
    shape: str

    @property
    def steps_per_epoch(self) -> int:
        """Full batches, wrapping round: ceil(target sequences / batch)."""
        return _steps_per_epoch(self.sequences[self.facts.target], self.config)

    def batches(self, first: int = 0, steps: int = 1) -> tf.data.Dataset:
        """Training batches without end, from batch number `first` on, `steps` of them at a time; see `stream`."""
        training = self.config.training
        return unpaired(
            {n: stream(s, training.batch_size, training.seed, first, steps) for n, s in self.sequences.items()}
        )


def prepare(config: Config, corpus: Corpus) -> Setup:
    """Model and streams for a resolved configuration.

    The model is one that an earlier training of the same shape has left, or a new one.

    Args:
        config: from `load_corpus`.
        corpus: from `load_corpus`.
    """
    data, objective = config.data, config.objective
    target = corpus.modality(data.target)
    branches = (data.target,) if objective.framework == "classic" else (data.target, *data.auxiliary)
    labels = {name: training_labels(corpus.modality(name), corpus.label, data.label_delay) for name in branches}
    regression = corpus.task == REGRESSION
    if regression:
        check_labels(labels, data.label_delay)
    mined = regression and objective.framework in USES_BETA
    edges = class_edges(labels[data.target], objective.bins) if mined else np.zeros(0)
    sequences = {
        name: training_sequences(
            corpus.modality(name),
            labels[name],
            task=corpus.task,
            edges=edges,
            hop=objective.hop,
            seconds=config.training.sequence_seconds,
        )
        for name in branches
    }
    if objective.disagreement == "weighed" and objective.framework in USES_BETA:
        sequences = {name: _weighed(values, corpus, config) for name, values in sequences.items()}
    facts = Facts(
        corpus=corpus.name,
        simulated=corpus.simulated,
        task=corpus.task,
        label=corpus.label,
        classes=corpus.classes,
        target=data.target,
        features={name: corpus.modality(name).feature_names for name in branches},
        frame_seconds={name: corpus.modality(name).frame_seconds for name in branches},
        delay=frames_of(data.label_delay, target.frame_seconds) if target.frame_seconds and regression else 0,
        deviation=float(np.concatenate(labels[data.target]).std()) if regression else 1.0,
        edges=tuple(edges.tolist()),
        fingerprints=fingerprints(config, corpus),
    )
    development = evaluation_sequences(target, "dev", corpus.label)
    goal = _goal(config, facts, {name: values.stride for name, values in sequences.items()})
    steps = steps_at_once(sequences, _steps_per_epoch(sequences[data.target], config))
    shape = _shape(config, goal, steps, (*sequences.values(), development))
    model = left_over(shape) or compiled(build_model(config, facts), config, goal, steps)
    start(model, config, sequences, development)
    development = in_order(development, config.training.batch_size, stacked=steps > 1)
    return Setup(model, sequences, development, facts, config, shape)


def compiled(model: EmoBed, config: Config, goal: Goal, steps: int) -> EmoBed:
    """A new model, ready for training.

    Args:
        model: from `build_model`, or another kind of `EmoBed`.
        config: of the training.
        goal: target, task, score.
        steps: of a single call, see `steps_at_once`.
    """
    # A single step is not compiled as a whole: the layers compile themselves, and independent ones then run at the
    # same time.
    model.compile(
        FusedAdam(config.training.learning_rate),
        goal=goal,
        objective=config.objective,
        steps=steps,
        compile_steps=config.training.xla and steps >= _STEPS_COMPILED and not tf.config.list_logical_devices("GPU"),
        jit_compile=False,
    )
    return model


def start(model: EmoBed, config: Config, training: Mapping[str, Sequences], development: Sequences) -> None:
    """Puts a compiled model, new or used, before its first step, and standardises features, once, in place.

    Args:
        model: its weights become the initial ones of the seed.
        config: of the training.
        training: sequences by modality; mean and deviation are theirs.
        development: of the target.
    """
    model.restart(config.training.seed, learning_rate=config.training.learning_rate, objective=config.objective)
    for name, values in training.items():
        model.standardise(name).adapt(values.features[values.mask])
    for values in (*training.values(), development):
        layer = model.standardise(values.modality)
        items = max(1, _STANDARDISED_AT_ONCE // values.features[0].size)
        for k in range(0, len(values), items):
            part = values.features[k : k + items]
            part[...] = layer(part)


def _weighed(values: Sequences, corpus: Corpus, config: Config) -> Sequences:
    """The same with weights of what is mined, cut and padded as the labels are."""
    modality = corpus.modality(values.modality)
    if corpus.task != REGRESSION:
        raise InputError("--disagreement weighed needs a regression: a class has no ratings of single raters")
    agreed = agreement(modality, corpus.label, config.data.label_delay)
    seconds = config.training.sequence_seconds
    padded = training_sequences(modality, agreed, task=REGRESSION, edges=np.zeros(0), hop=0, seconds=seconds)
    return dataclasses.replace(values, mined_weights=padded.labels[:, :: values.stride])


def _goal(config: Config, facts: Facts, strides: dict[str, int]) -> Goal:
    return Goal(
        target=facts.target,
        task=facts.task,
        outputs=facts.outputs,
        score="ccc" if facts.task == REGRESSION else config.classification_score,
        deviation=facts.deviation,
        delay=facts.delay,
        strides=strides,
    )


def _shape(config: Config, goal: Goal, steps: int, sequences: tuple[Sequences, ...]) -> str:
    """All that is constant in a compiled step: the rest are variables, see `EmoBed.restart`, or data."""
    objective = dataclasses.replace(config.objective, alpha=0.0, beta=0.0, l2=0.0, bins=2, hop=0.0)
    sizes = [(values.modality, len(values), *values.features.shape[1:]) for values in sequences]
    training = config.training
    return repr((config.network, config.data.clip, training.xla, training.batch_size, objective, goal, steps, sizes))


def _steps_per_epoch(target: Sequences, config: Config) -> int:
    return -(-len(target) // min(config.training.batch_size, len(target)))


def steps_at_once(sequences: dict[str, Sequences], steps_per_epoch: int) -> int:
    """Steps of a single call: a step of one frame takes less time than Python needs to ask for it.

    Args:
        sequences: training sequences by modality.
        steps_per_epoch: a call's steps divide it.

    Returns:
        1 where a sequence has several frames. Else the largest divisor up to 64 or, if that is below 32 and there is
        one, the smallest from 65 to 256.
    """
    if max(values.features.shape[1] for values in sequences.values()) > 1:
        return 1
    divisors = [k for k in range(1, _STEPS_AT_MOST + 1) if steps_per_epoch % k == 0]
    most = max(k for k in divisors if k <= _STEPS_AT_ONCE)
    more = [k for k in divisors if k > _STEPS_AT_ONCE]
    return min(more) if more and most < _STEPS_COMPILED else most


def check_labels(labels: dict[str, list[np.ndarray]], delay: float) -> None:
    """Refuses training labels that say nothing.

    Args:
        labels: from `training_labels`, by modality.
        delay: that they were shifted by, in seconds.

    Raises:
        InputError: if all labels of a modality are equal.
    """
    for name, values in labels.items():
        framewise = [value for value in values if len(value) > 1]
        within = max(map(np.ptp, framewise)) if framewise else np.ptp(np.concatenate(values))
        if within == 0:
            raise InputError(
                f"modality '{name}': all training labels are equal (after the label delay of {delay:g} s), so there is "
                "nothing to learn; recordings must be longer than --label-delay"
            )
