"""Curriculum learning: first what raters agree on, then what they don't.

Source: R. Lotfian and C. Busso, "Curriculum learning for speech emotion recognition from crowdsourced labels", 2018
(arXiv:1805.10339): what evaluators disagree on comes later. They order sentences; EmoBed, which has it in its tables,
doesn't say how recordings of five minutes are ordered, nor how fast the curriculum goes.

Here: the classic system with five bins. A frame's bin is its fifth by the raters' standard deviation, delayed as the
label is; for classes it is an utterance's fifth by the entropy of its votes (`Recording.ratings` under `emotion`: the
class index of each rater, NaN where one didn't vote). The easiest bin begins alone, and one more joins each
`epochs_per_bin` epochs. The network always reads whole sequences: the loss leaves out what hasn't joined. Equal values
share the easiest of their bins, so a bin may be empty, but never the first. Any epoch's weights may be the best on
development, but training doesn't stop early before all bins have had `patience` epochs.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from emobed_tf.corpora.corpus import REGRESSION, Recording
from emobed_tf.corpora.labels import pooled
from emobed_tf.errors import InputError
from emobed_tf.models.design import Design
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.multitask import with_training_label
from emobed_tf.systems.baselines.perception import check_ratings, uncertainty
from emobed_tf.systems.frameworks import ClassicSystem, of_network
from emobed_tf.systems.spread import Choice, Space, spread

if TYPE_CHECKING:
    import keras

BINS = 5
_BIN_LABEL = "disagreement_bin"


class CurriculumLearning(ClassicSystem):
    """The classic system, easiest moments first."""

    title = "curriculum learning"
    halving = False  # a short training ends before the harder bins have joined

    def configurations(self, problem: Problem, number: int) -> list[dict[str, Any]]:
        """Settings `epochs_per_bin` and `learning_rate`; see `System.configurations`."""
        own = self.network_space(problem)
        rate = {"learning_rate": self.axes["learning_rate"]}
        default = {**own.default, "learning_rate": problem.config.training.learning_rate}
        return spread({**own.axes, **rate}, default, number)

    def network_space(self, problem: Problem) -> Space:
        """The setting `epochs_per_bin`; see `System.network_space`."""
        epochs = problem.config.training.epochs
        choices = Choice(tuple(range(1, _most_epochs_per_bin(epochs) + 1)))
        return Space({"epochs_per_bin": choices}, {"epochs_per_bin": max(1, epochs // 12)})

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains with bins that join one after another.

        Args:
            problem: without test recordings; training recordings have ratings.
            settings: one of `configurations`.
            seed: of all that is random.

        Raises:
            InputError: if there are fewer epochs than bins, or training recordings without ratings.
        """
        _most_epochs_per_bin(problem.config.training.epochs)
        check_ratings(problem, self.title)
        bins = difficulty_bins([_disagreement(problem, recording) for recording in problem.modality.partition("train")])
        by_id = dict(zip((r.id for r in problem.modality.partition("train")), bins, strict=True))
        binned = with_training_label(problem, _BIN_LABEL, lambda recording: by_id[recording.id])
        config = self.config(problem, of_network(settings), seed)
        stages = _stages(settings["epochs_per_bin"], config.training.patience)
        self.train(binned, config, design=Design(easy_first=_BIN_LABEL), callbacks=[stages])


def difficulty_bins(disagreement: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Which fifth of all training frames or utterances each one belongs to by the raters' disagreement.

    Args:
        disagreement: per recording `[frames]` or a scalar; NaN where it isn't known.

    Returns:
        float32, the same shapes: 0 (the easiest) to 4; equal values share the easiest of their bins, and what isn't
        known is in the last one.
    """
    every = pooled([np.ravel(values) for values in disagreement])
    edges = np.quantile(every, np.arange(1, BINS) / BINS) if every.size else np.zeros(BINS - 1)
    return [np.searchsorted(edges, values, side="left").astype(np.float32) for values in disagreement]


def vote_entropy(votes: np.ndarray) -> float:
    """Entropy in nats of what raters voted: 0 where all agree.

    Args:
        votes: class index of each rater, any shape; NaN where one didn't vote.

    Returns:
        0 to the logarithm of the number of classes.
    """
    given = votes[~np.isnan(votes)]
    _, counts = np.unique(given, return_counts=True)
    share = counts / max(given.size, 1)
    return float(-(share * np.log(share)).sum())


def bins_in(epoch: int, epochs_per_bin: int) -> int:
    """How many bins have joined in an epoch.

    Args:
        epoch: counted from 0.
        epochs_per_bin: epochs from one bin to the next, >= 1.

    Returns:
        1 to `BINS`.
    """
    return min(BINS, 1 + epoch // epochs_per_bin)


def _disagreement(problem: Problem, recording: Recording) -> np.ndarray:
    if problem.task == REGRESSION:
        return uncertainty(recording, problem.label)
    return np.array(vote_entropy(recording.ratings[problem.label]))


def _most_epochs_per_bin(epochs: int) -> int:
    if epochs < BINS:
        raise InputError(f"curriculum learning adds its {BINS} bins one an epoch at most, but --epochs is {epochs}")
    return (epochs - 1) // (BINS - 1)


def _stages(epochs_per_bin: int, patience: int) -> "keras.callbacks.Callback":
    """A callback that lets bins join, and keeps training from stopping before they all have had their time."""
    import keras

    class Stages(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            self.model.bins_in.assign(bins_in(epoch, epochs_per_bin))

        def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
            if epoch + 1 < (BINS - 1) * epochs_per_bin + patience:
                self.model.stop_training = False

    return Stages()
