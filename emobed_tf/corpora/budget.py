"""How many optimiser steps an epoch has: as many batches as one pass over its largest stream takes. No TensorFlow."""

from collections.abc import Iterable
from typing import cast

from emobed_tf.config import Config
from emobed_tf.corpora.corpus import CLASSIFICATION, Corpus, Modality
from emobed_tf.corpora.time import frames_of
from emobed_tf.settings import Training


def training_items(modality: Modality, task: str, seconds: float | None) -> int:
    """Sequences that a modality has for training.

    Args:
        modality: whose training recordings.
        task: `regression` or `classification`, whose utterances are never cut.
        seconds: length of the pieces that recordings are cut into; None: whole recordings.

    Returns:
        0 or more.
    """
    recordings, step = modality.partition("train"), modality.frame_seconds
    if task == CLASSIFICATION or seconds is None or step is None:
        return len(recordings)
    length = max(1, frames_of(seconds, step))
    return sum(-(-recording.frames // length) for recording in recordings)


def largest_items(config: Config, corpus: Corpus, names: Iterable[str]) -> int:
    """Training sequences of the largest of some modalities.

    Args:
        config: whose sequences.
        corpus: that has the modalities.
        names: of the modalities, one at least.

    Returns:
        0 or more.
    """
    seconds = config.training.sequence_seconds
    return max(training_items(corpus.modality(name), corpus.task, seconds) for name in names)


def steps_of_epoch(training: Training, items: int) -> int:
    """Full batches that cover so many sequences, wrapping round.

    Args:
        training: which batches.
        items: sequences.

    Returns:
        1 or more.
    """
    return max(1, -(-items // training.batch_size))


def steps_per_epoch(config: Config, corpus: Corpus) -> int:
    """Optimiser steps between two development scores of a training.

    Args:
        config: resolved.
        corpus: its data.

    Returns:
        As told (`--steps-per-epoch`), or one pass over what `--epoch` names.
    """
    if config.training.steps_per_epoch is not None:
        return config.training.steps_per_epoch
    return steps_of_epoch(config.training, largest_items(config, corpus, _counted(config)))


def with_steps(config: Config, corpus: Corpus) -> Config:
    """The configuration with its steps of an epoch as a number, so that they stay when its modalities change.

    That is what makes systems comparable: classic leaves the auxiliaries out, and still is scored after as many steps.

    Args:
        config: with a target; its auxiliaries are counted.
        corpus: that has them.

    Returns:
        The same configuration with `--epoch target`, which counts the target of each training, and where there is
        nothing but a target.
    """
    training = config.training
    if training.steps_per_epoch is not None or len(_counted(config)) == 1:
        return config
    return config.replace(steps_per_epoch=steps_per_epoch(config, corpus))


def without_auxiliaries(config: Config, corpus: Corpus) -> Config:
    """The configuration without its auxiliaries, scored after as many steps as with them.

    Args:
        config: with a target.
        corpus: that has its modalities.

    Returns:
        With a number of steps where the target's own would be another one.
    """
    alone = config.replace(auxiliary=())
    number = steps_per_epoch(config, corpus)
    return alone if steps_per_epoch(alone, corpus) == number else alone.replace(steps_per_epoch=number)


def epoch_in_words(config: Config, corpus: Corpus) -> str:
    """How many steps an epoch has, and why.

    Args:
        config: resolved.
        corpus: its data.

    Returns:
        Such as `47 steps, one pass over face, the largest modality (3,000 sequences in batches of 64)`.
    """
    number, training = steps_per_epoch(config, corpus), config.training
    steps = f"{number:,} step{'s' if number > 1 else ''}"
    if training.steps_per_epoch is not None:
        classic = config.objective.framework == "classic"
        return f"{steps}, by --steps-per-epoch{' or the auxiliaries that classic leaves out' if classic else ''}"
    names, seconds = _counted(config), training.sequence_seconds
    sizes = {name: training_items(corpus.modality(name), corpus.task, seconds) for name in names}
    most = max(sizes, key=lambda name: sizes[name])  # the first of them, the target where all are alike
    largest = ", the largest modality" if len(set(sizes.values())) > 1 else ""
    sequences = f"{sizes[most]:,} sequence{'s' if sizes[most] > 1 else ''}"
    batches = "one batch" if sizes[most] <= training.batch_size else f"batches of {training.batch_size}"
    return f"{steps}, one pass over {most}{largest} ({sequences} in {batches})"


def _counted(config: Config) -> tuple[str, ...]:
    """Modalities that an epoch passes over, or more than once."""
    target, auxiliary = cast(str, config.data.target), config.data.auxiliary or ()
    return (target, *auxiliary) if config.training.epoch == "largest" else (target,)
