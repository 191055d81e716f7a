"""Examples to train on: a corpus as sequences by modality, with all that the terms of an objective read."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from emobed_tf.config import Config
from emobed_tf.corpora.configured import fingerprints
from emobed_tf.corpora.corpus import REGRESSION, Corpus, Modality
from emobed_tf.corpora.extraction import extractions
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.labels import known, pooled
from emobed_tf.corpora.time import frames_of
from emobed_tf.corpora.waveforms import check_no_waveform
from emobed_tf.errors import InputError
from emobed_tf.models.design import BIN, PRESENT, Design
from emobed_tf.models.label_losses import regression_loss
from emobed_tf.models.objective import Goal
from emobed_tf.settings import ONE_BRANCH, USES_BETA
from emobed_tf.training.streams import (
    Sequences,
    agreement,
    class_edges,
    evaluation_sequences,
    mean_bins,
    training_labels,
    training_sequences,
)
from emobed_tf.training.teacher import Lessons

LARGEST = 1e15
"""Of a feature and of a weight: its square still fits float32, and beyond it the next step's R of Eq. 8 is infinite."""


@dataclass(frozen=True)
class Examples:
    """What a training reads.

    Attributes:
        sequences: training sequences by modality, target first.
        development: of the target.
        facts: what was found in the data.
        goal: what is learnt from them.
    """

    sequences: dict[str, Sequences]
    development: Sequences
    facts: Facts
    goal: Goal


def training_examples(config: Config, corpus: Corpus, design: Design, lessons: Lessons | None = None) -> Examples:
    """What a training reads, features as they are.

    Args:
        config: resolved, from `load_corpus`.
        corpus: from `load_corpus`.
        design: heads beside the label's, and whether the label's loss is easy-first.
        lessons: what a teacher says of the target's training sequences.

    Returns:
        Sequences, facts and goal.

    Raises:
        InputError: for data that nothing can be learnt from.
    """
    data, objective, target = config.data, config.objective, _target(config)
    auxiliary = cast(tuple[str, ...], data.auxiliary)  # resolved, as the target is
    branches = (target,) if objective.framework in ONE_BRANCH else (target, *auxiliary)
    labels = {name: training_labels(corpus.modality(name), corpus.label, data.label_delay) for name in branches}
    regression = corpus.task == REGRESSION
    if regression:
        check_labels(
            labels,
            data.label_delay,
            {name: training_labels(corpus.modality(name), corpus.label, 0.0) for name in branches},
        )
    mined = regression and (objective.framework in USES_BETA or objective.alignment != "none")
    balanced = config.training.batches == "balanced"
    binned = mined or (regression and balanced)
    edges = class_edges(labels[target], objective.bins) if binned else np.zeros(0)
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
    for name, given in sequences.items():
        if not given.is_waveform:
            check_sizes(corpus.modality(name), given.features)
    if objective.disagreement == "weighed" and objective.framework in USES_BETA:
        sequences = {name: _weighed(values, corpus, config) for name, values in sequences.items()}
    if balanced:
        sequences = {name: _balanced(values, corpus, edges) for name, values in sequences.items()}
    others = {head: _further_labels(corpus, config, head.name) for head in design.heads if not head.reconstructs}
    more: dict[str, np.ndarray] = {}
    for head, values in others.items():
        padded = _padded(corpus.modality(target), values, corpus, config)
        more[head.name] = padded.labels
        if padded.labelled is not None:
            more[head.labelled] = padded.labelled
    if any(head.reconstructs for head in design.heads):
        check_no_waveform([corpus.modality(target)], "a head that reconstructs its input")
        more[PRESENT] = ~np.isnan(np.asarray(sequences[target].features))  # False in the padding, too
    if design.easy_first is not None:
        bins = _further_labels(corpus, config, design.easy_first)
        more[BIN] = _padded(corpus.modality(target), bins, corpus, config).labels.astype(np.float32)
    if lessons is not None:
        if len(lessons.taught) != len(sequences[target].features):
            raise InputError(
                f"the teacher's lessons are of {len(lessons.taught)} sequences, but there are "
                f"{len(sequences[target].features)}; start a new run"
            )
        more |= lessons.arrays()
    sequences[target] = dataclasses.replace(sequences[target], more=more)
    development = evaluation_sequences(corpus.modality(target), "dev", corpus.label)
    facts = _facts(config, corpus, labels, edges if mined else np.zeros(0))
    goal = _goal(config, facts, design, {head.name: values for head, values in others.items()})
    goal = dataclasses.replace(goal, strides={name: values.stride for name, values in sequences.items()})
    return Examples(sequences, development, facts, goal)


def check_sizes(modality: Modality, features: np.ndarray) -> None:
    """Refuses features that are too large to be standardised in float32.

    Args:
        modality: whose features they are.
        features: of training, float32 `[items, frames, features]`, NaN where there is none.

    Raises:
        InputError: if one is; the message names its column.
    """
    rows = features.reshape(-1, features.shape[-1])
    largest = np.fmax(np.fmax.reduce(rows), -np.fmin.reduce(rows))
    for column in np.flatnonzero(largest > LARGEST):
        raise InputError(
            f"{modality.name}: {modality.feature_names[column]} reaches {largest[column]:.3g} in training, expected "
            f"{LARGEST:g} at most, whose square still fits float32; give it in another unit, or leave it out with "
            f"--ignore {modality.feature_names[column]}"
        )


def check_labels(
    labels: dict[str, list[np.ndarray]], delay: float, given: Mapping[str, list[np.ndarray]] | None = None
) -> None:
    """Refuses training labels that say nothing.

    Args:
        labels: from `training_labels`, by modality.
        delay: that they were shifted by, in seconds.
        given: the same before they were shifted. Default: labels that never changed within a recording.

    Raises:
        InputError: if a modality has no label, all of them are equal, or the delay has left none of their changes.
    """
    for name, values in labels.items():
        if not pooled(values).size:
            raise InputError(
                f"modality '{name}': no training label is left after the label delay of {delay:g} s; expected labels "
                "later in the recordings, or a smaller --label-delay"
            )
        if delay and not _changes(values) and _changes((given or {}).get(name, [])):
            raise InputError(
                f"modality '{name}': all training labels are equal within each recording after the label delay of "
                f"{delay:g} s; recordings must be longer than --label-delay"
            )
        if np.ptp(pooled(values)) == 0:
            raise InputError(
                f"modality '{name}': all training labels are {pooled(values)[0]:g}, so there is nothing to learn; "
                "expected different ones: is it the right column?"
            )


def _changes(labels: Sequence[np.ndarray]) -> bool:
    """Whether a label changes within a recording."""
    return any(np.ptp(value[known(value)]) > 0 for value in labels if known(value).sum() > 1)


def _target(config: Config) -> str:
    return cast(str, config.data.target)  # a resolved configuration names one


def _weighed(values: Sequences, corpus: Corpus, config: Config) -> Sequences:
    """The same with weights of what is mined, cut and padded as the labels are."""
    modality = corpus.modality(values.modality)
    if corpus.task != REGRESSION:
        raise InputError("--disagreement weighed needs a regression: a class has no ratings of single raters")
    agreed = _padded(modality, agreement(modality, corpus.label, config.data.label_delay), corpus, config).labels
    return dataclasses.replace(values, mined_weights=agreed[:, :: values.stride])


def _balanced(values: Sequences, corpus: Corpus, edges: np.ndarray) -> Sequences:
    """The same with the class that batches are balanced by; sequences without a label are one more class."""
    classes = mean_bins(values, edges) if corpus.task == REGRESSION else values.labels
    return dataclasses.replace(values, drawn_by=classes)


def _further_labels(corpus: Corpus, config: Config, name: str) -> list[np.ndarray]:
    """Another label of the target's training recordings, delayed where it is one of frames."""
    modality = corpus.modality(_target(config))
    if corpus.task == REGRESSION:
        return training_labels(modality, name, config.data.label_delay)
    return [recording.labels[name] for recording in modality.partition("train")]


def _padded(modality: Modality, labels: Sequence[np.ndarray], corpus: Corpus, config: Config) -> Sequences:
    """Labels of training recordings, cut and padded as their features are, which are left out."""
    nothing = {r.id: np.zeros((r.frames, 0), np.float32) for r in modality.recordings}
    recordings = tuple(dataclasses.replace(r, features=nothing[r.id]) for r in modality.recordings)
    bare = dataclasses.replace(modality, feature_names=(), recordings=recordings, sample_rate=None)
    seconds = config.training.sequence_seconds
    return training_sequences(bare, labels, task=corpus.task, edges=np.zeros(0), hop=0, seconds=seconds)


def _facts(config: Config, corpus: Corpus, labels: Mapping[str, list[np.ndarray]], edges: np.ndarray) -> Facts:
    target, regression = corpus.modality(_target(config)), corpus.task == REGRESSION
    step = target.frame_seconds
    return Facts(
        corpus=corpus.name,
        simulated=corpus.simulated,
        task=corpus.task,
        label=corpus.label,
        classes=corpus.classes,
        target=target.name,
        features={name: corpus.modality(name).feature_names for name in labels},
        frame_seconds={name: corpus.modality(name).frame_seconds for name in labels},
        delay=frames_of(config.data.label_delay, step) if step and regression else 0,
        deviation=_deviation(labels[target.name]) if regression else 1.0,
        edges=tuple(edges.tolist()),
        fingerprints=fingerprints(config, corpus),
        left_out={name: tuple(corpus.modality(name).left_out) for name in labels},
        zeros_missing=tuple(name for name in labels if corpus.modality(name).zeros_missing),
        speaker_prior=target.speaker_prior,
        extraction={name: made for name, made in extractions(config.data.table).items() if name in labels},
        sample_rates={name: rate for name in labels if (rate := corpus.modality(name).sample_rate) is not None},
    )


def _deviation(labels: Sequence[np.ndarray]) -> float:
    """Standard deviation of the labels that there are; 0 without any."""
    every = pooled(labels)
    return float(every.std()) if every.size else 0.0


def _goal(config: Config, facts: Facts, design: Design, others: Mapping[str, Sequence[np.ndarray]]) -> Goal:
    # Deviations are constants of a compiled step: where no loss is scaled, other data are no reason to compile again.
    scaled = facts.task == REGRESSION and regression_loss(config.objective.regression_loss).scaled
    deviations = {name: _deviation(values) or 1.0 for name, values in others.items()} if scaled else {}
    return Goal(
        target=facts.target,
        task=facts.task,
        outputs=facts.outputs,
        score="ccc" if facts.task == REGRESSION else config.classification_score,
        deviation=facts.deviation if scaled else 1.0,
        delay=facts.delay,
        head_deviations=deviations,
        easy_first=design.easy_first is not None,
        spread=design.spread,
        classes=_classes(config, facts) if config.objective.alignment != "none" else 0,
    )


def _classes(config: Config, facts: Facts) -> int:
    """Of mined embeddings."""
    return config.objective.bins if facts.task == REGRESSION else len(facts.classes)
