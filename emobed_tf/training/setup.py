"""What a training needs: a compiled model, old or new, and the streams of its data."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from emobed_tf.config import Config
from emobed_tf.corpora.budget import steps_per_epoch
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.moments import moments_of, moments_together
from emobed_tf.models.build import architecture, build
from emobed_tf.models.design import EMOBED, Architecture, Design
from emobed_tf.models.emobed import EmoBed
from emobed_tf.models.label_losses import check_loss
from emobed_tf.models.objective import WEIGHTS, Goal
from emobed_tf.models.optimizer import FusedAdam
from emobed_tf.models.padding import warn_of_padding
from emobed_tf.settings import DISTILLED, ENCODERS, FRONT_ENDS
from emobed_tf.training.examples import training_examples
from emobed_tf.training.session import Session, default_session
from emobed_tf.training.streams import Sequences, batch_maker, in_order, stream, unpaired
from emobed_tf.training.teacher import Lessons

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
        development: of the target's development partition, features standardised: all batches, stacked; of a waveform a
            data set of them.
        facts: what was found in the data.
        config: resolved.
        architecture: of the model.
        session: that the model comes from.
        shape: what the compiled step depends on; trainings with the same one can have the same model in turn.
        steps_per_epoch: optimiser steps from one development score to the next.
    """

    model: EmoBed
    sequences: dict[str, Sequences]
    development: dict[str, dict[str, tf.Tensor]] | tf.data.Dataset
    facts: Facts
    config: Config
    architecture: Architecture
    session: Session
    shape: tuple[Architecture, str]
    steps_per_epoch: int

    def batches(self, first: int = 0, steps: int = 1) -> tf.data.Dataset:
        """Training batches without end.

        Args:
            first: number of the first batch.
            steps: batches that come at a time. More than one are stacked, see `stream`.

        Returns:
            A data set of `{modality: batch}`.
        """
        training = self.config.training
        return unpaired(
            {n: stream(s, training.batch_size, training.seed, first, steps) for n, s in self.sequences.items()}
        )

    def batch(self, number: int) -> dict[str, dict[str, tf.Tensor]]:
        """One of the training batches; to make a data set for it would take a hundred times as long.

        Args:
            number: of the batch.

        Returns:
            `{modality: batch}`.
        """
        training, k = self.config.training, tf.constant(number, tf.int64)
        return {n: batch_maker(s, training.batch_size, training.seed)(k) for n, s in self.sequences.items()}

    def leave(self) -> None:
        """Leaves the model to the next training of its shape, once this one has ended well."""
        self.session.models.leave(self.shape, self.model)


def prepare(
    config: Config,
    corpus: Corpus,
    design: Design = EMOBED,
    *,
    session: Session | None = None,
    lessons: Lessons | None = None,
) -> Setup:
    """Model and streams for a resolved configuration.

    The model is one that an earlier training of the same shape has left, or a new one.

    Args:
        config: from `load_corpus`.
        corpus: from `load_corpus`.
        design: of the network.
        session: that knows earlier trainings. Default: that of this process.
        lessons: what a teacher says, see `loop.lessons_for`; for the framework `distilled`.

    Returns:
        The model, before its first step, and its data.

    Raises:
        InputError: for data that nothing can be learnt from, or an encoder or a loss that doesn't do.
        ValueError: if lessons are needed and there are none.

    Warns:
        EmoBedWarning: if an encoder of one's own sees padding.
    """
    session = session or default_session()
    if (config.objective.framework == DISTILLED) != (lessons is not None):
        raise ValueError(f"Expected lessons with the framework {DISTILLED}, and with no other. Received: {lessons}")
    examples = training_examples(config, corpus, design, lessons)
    sequences, development, facts = examples.sequences, examples.development, examples.facts
    per_epoch = steps_per_epoch(config, corpus)
    steps = steps_at_once(sequences, per_epoch)
    built = architecture(config, facts, design)
    goal = dataclasses.replace(examples.goal, warmup=config.objective.beta_warmup * per_epoch)
    shape = _shape(config, built, goal, steps, sequences, development)
    model = session.models.take(shape)
    if model is None:
        check_loss(config.objective, facts.task, facts.outputs)
        network = build(built, seed=config.training.seed, xla=config.training.xla)
        if config.network.encoder not in ENCODERS and _longest(sequences) > 1:
            warn_of_padding(network, f"--encoder {config.network.encoder}")
        elif network.waveforms and config.network.front_end not in FRONT_ENDS:
            warn_of_padding(network, f"--front-end {config.network.front_end}")
        model = _compiled(network, config, goal, steps)
    head_weights = {head.name: weight for head, weight in design.heads.items()}
    _start(model, config, sequences, development, head_weights)
    batches = in_order(development, config.training.batch_size)
    return Setup(model, sequences, batches, facts, config, built, session, shape, per_epoch)


def _compiled(model: EmoBed, config: Config, goal: Goal, steps: int) -> EmoBed:
    # A single step is not compiled as a whole: the layers compile themselves, and independent ones then run at the
    # same time.
    model.compile(
        FusedAdam(config.training.learning_rate),
        goal=goal,
        objective=config.objective,
        steps=steps,
        compile_steps=_compiles_steps(config, steps),
        jit_compile=False,
    )
    return model


def _compiles_steps(config: Config, steps: int) -> bool:
    """Whether XLA pays. It sorts far slower than TensorFlow, and semi-hard negatives are sorted."""
    worth_it = steps >= _STEPS_COMPILED and config.objective.embedding_loss != "semi_hard"
    return config.training.xla and worth_it and not tf.config.list_logical_devices("GPU")


def _start(
    model: EmoBed,
    config: Config,
    training: Mapping[str, Sequences],
    development: Sequences,
    head_weights: Mapping[str, float],
) -> None:
    """Puts a compiled model, new or used, before its first step, and standardises features, once, in place."""
    model.restart(
        config.training.seed,
        learning_rate=config.training.learning_rate,
        objective=config.objective,
        head_weights=head_weights,
    )
    for name, values in training.items():
        if values.is_waveform:
            _adapt_to_signal(model, values)
        else:
            model.standardise(name).adapt(values.features[values.mask])
    for values in (*training.values(), development):
        if values.is_waveform:
            continue  # samples stay on disk: what is fixed of a front end is computed in each step
        layer = model.standardise(values.modality)
        items = max(1, _STANDARDISED_AT_ONCE // values.features[0].size)
        for k in range(0, len(values), items):
            part = values.features[k : k + items]
            part[...] = layer(part)


def _adapt_to_signal(model: EmoBed, values: Sequences) -> None:
    """Mean and deviation of what a front end makes of all training samples, which are read in parts."""
    layer = model.standardise(values.modality)
    width = layer.weights[0].shape[0]
    found = moments_of(np.zeros((0, width)))
    fixed = tf.function(lambda samples: model.fixed(values.modality, samples), autograph=False)
    items = max(1, _STANDARDISED_AT_ONCE // math.prod(values.features.shape[1:]))
    for k in range(0, len(values), items):
        # Always as many, so that one graph does for all; those beyond the last are left out by the mask.
        index = np.arange(k, k + items)
        mask = np.zeros((items, values.mask.shape[1]), bool)
        mask[: len(values.mask[k : k + items])] = values.mask[k : k + items]
        channels = fixed(values.taken(tf.constant(index))).numpy()[mask]
        found = moments_together(found, moments_of(channels.reshape(-1, width)))
    layer.adapt_to(found)


def _shape(
    config: Config, built: Architecture, goal: Goal, steps: int, sequences: Mapping[str, Sequences], scored: Sequences
) -> tuple[Architecture, str]:
    """All that is constant in a compiled step: the rest are variables, see `EmoBed.restart`, or data."""
    weights: dict[str, Any] = dict.fromkeys(WEIGHTS, 0.0)
    objective = dataclasses.replace(config.objective, bins=2, hop=0.0, **weights)
    training = config.training
    # A step sees a batch, however many sequences there are; the score has a graph for each number of batches.
    sizes = {name: min(len(values), training.batch_size) for name, values in sequences.items()}
    batches = [(name, sizes[name], *_of_an_item(values)) for name, values in sequences.items()]
    return built, repr((training.xla, objective, goal, steps, batches, _of_an_item(scored)))


def _of_an_item(values: Sequences) -> tuple[Any, ...]:
    return (*values.features.shape[1:], *values.arrays())


def _longest(sequences: Mapping[str, Sequences]) -> int:
    return max(values.features.shape[1] for values in sequences.values())


def steps_at_once(sequences: dict[str, Sequences], steps_per_epoch: int) -> int:
    """Steps of a single call: a step of one frame takes less time than Python needs to ask for it.

    Args:
        sequences: training sequences by modality.
        steps_per_epoch: a call's steps divide it.

    Returns:
        1 where a sequence has several frames. Else the largest divisor up to 64 or, if that is below 32 and there is
        one, the smallest from 65 to 256.
    """
    if _longest(sequences) > 1:
        return 1
    divisors = [k for k in range(1, _STEPS_AT_MOST + 1) if steps_per_epoch % k == 0]
    most = max(k for k in divisors if k <= _STEPS_AT_ONCE)
    more = [k for k in divisors if k > _STEPS_AT_ONCE]
    return min(more) if more and most < _STEPS_COMPILED else most
