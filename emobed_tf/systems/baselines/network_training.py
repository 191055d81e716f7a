"""Trains a `SharedNetwork` in memory, as `training.loop.train` does EmoBed.

Order of batches, early stopping and choice of weights are the classic system's: a network without a further head, or
with one that weighs nothing, ends at that system's weights.
"""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from emobed_tf import config as settings
from emobed_tf.corpora.corpus import REGRESSION, Modality, Recording
from emobed_tf.corpora.time import shift
from emobed_tf.evaluation.scores import predict
from emobed_tf.models.cache import keep_for_the_next, left_over
from emobed_tf.models.emobed import Goal
from emobed_tf.models.weights import set_weight_arrays
from emobed_tf.runtime import import_tensorflow
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.network import (
    BIN,
    PRESENT,
    RECONSTRUCTION,
    Design,
    Head,
    SharedNetwork,
    build,
    layer_name,
)
from emobed_tf.training.callbacks import Keeper
from emobed_tf.training.setup import check_labels, compiled, start, steps_at_once
from emobed_tf.training.streams import (
    Sequences,
    evaluation_sequences,
    in_order,
    stream,
    training_labels,
    training_sequences,
    unpaired,
)

_NETWORKS_KEPT = 8


@dataclass(frozen=True)
class TrainedNetwork:
    """What a training leaves.

    Attributes:
        design: of the network.
        delay: frames by which predictions of a regression come early.
        weights: of the best epoch, by name.
        history: a row per epoch.
        score: the best development score, of the label with its delay undone.
        best_epoch: its epoch, from 1.
        seconds: that the epochs took.
        parameters: numbers that were trained (`training`), and those that predicting the label takes (`kept`).
    """

    design: Design
    delay: int
    weights: dict[str, np.ndarray]
    history: list[dict]
    score: float
    best_epoch: int
    seconds: float
    parameters: dict[str, int]

    def outputs(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """The label, see `scores.outputs`: `[frames]` in the gold standard's time, or probabilities `[classes]`."""
        found = predict(self._model().monomodal(self.design.target), recordings)
        return [shift(values, self.delay) for values in found] if self.design.outputs == 1 else found

    def head_outputs(self, name: str, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """What another head says, float32 `[frames, width]` per recording, in the features' time."""
        self._model()
        return predict(_inference(self.design)[1][name], recordings)

    def standardised(self, features: np.ndarray) -> np.ndarray:
        """Features `[frames, features]` as the network sees them; 0 where missing."""
        return self._model().standardise(self.design.target)(features).numpy()

    def _model(self) -> SharedNetwork:
        model, _ = _inference(self.design)
        set_weight_arrays(model, self.weights)
        return model


@functools.lru_cache(maxsize=_NETWORKS_KEPT)
def _inference(design: Design) -> tuple[SharedNetwork, dict[str, keras.Model]]:
    """A network whose weights are set before each use, and its heads' models by name."""
    model = build(design)
    heads = {}
    for head in design.heads:
        heads[head.name] = keras.Model(model.input[design.target], model.output[layer_name(head)])
        heads[head.name].compile(jit_compile=False)  # recordings have many lengths, and XLA compiles for each
    return model, heads


@dataclass(frozen=True)
class _Batched:
    """Sequences with further arrays: what `streams.stream` draws from."""

    sequences: Sequences
    more: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    def modality(self) -> str:
        return self.sequences.modality

    def arrays(self) -> dict[str, np.ndarray]:
        own = self.sequences.arrays()
        return {name: own[name] for name in ("features", "labels", "mask")} | dict(self.more)


def train_network(
    problem: Problem,
    *,
    heads: Sequence[Head] = (),
    weight: float = 0.0,
    parts: Sequence[tuple[str, int]] | None = None,
    bins: str | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainedNetwork:
    """Trains a network on the target alone, as `training.loop.train` does the classic system.

    Args:
        problem: its configuration's network, learning rate, lambda, loss, seed and patience are those of the training.
        heads: to train beside the label's.
        weight: of their losses.
        parts: encoders, (name, features) in the order of the target's columns. Default: one of all.
        bins: name of a label that holds the bin of every frame or utterance; see `SharedNetwork.bins_in`.
        callbacks: further Keras callbacks; they come after early stopping's.

    Raises:
        InputError: for data that nothing can be learnt from.
        DivergedError: for a loss or a weight that became NaN or infinite.
    """
    config = problem.config
    import_tensorflow(config.training.threads)
    modality, training = problem.modality, config.training
    labels = _series(problem, problem.label)
    if problem.task == REGRESSION:
        check_labels({problem.target: labels}, config.data.label_delay)
    sequences = _sequences(problem, modality, labels)
    heads = [_scaled(problem, head) for head in heads]
    more = {}
    for head in heads:
        if head.name == RECONSTRUCTION:
            more[PRESENT] = ~np.isnan(sequences.features)  # False in the padding, too
        else:
            more[head.name] = _padded(problem, head.name)
    if bins is not None:
        more[BIN] = _padded(problem, bins).astype(np.float32)
    development = evaluation_sequences(modality, "dev", problem.label)
    design = Design(
        target=problem.target,
        parts=tuple(parts or [(problem.target, len(modality.feature_names))]),
        outputs=len(problem.corpus.classes) or 1,
        network=config.network,
        clip=config.data.clip,
        heads=tuple(heads),
    )
    steps_per_epoch = -(-len(sequences) // min(training.batch_size, len(sequences)))
    goal = _goal(problem, labels)
    steps = steps_at_once({problem.target: sequences}, steps_per_epoch)
    shape = _shape(config, design, goal, steps, sequences, development, more)
    model = left_over(shape) or compiled(build(design, xla=training.xla), config, goal, steps)
    start(model, config, {problem.target: sequences}, development)
    model.weight.assign(weight)
    keeper = Keeper(problem.score, training.patience)
    batches = stream(_Batched(sequences, more), training.batch_size, training.seed, steps=steps)
    with keeper.stopping_at_a_step():
        model.fit(
            unpaired({problem.target: batches}),
            steps_per_epoch=steps_per_epoch // steps,
            epochs=training.epochs,
            validation_data=in_order(development, training.batch_size, stacked=steps > 1),
            callbacks=[keeper, *callbacks],
            shuffle=False,
            verbose=0,
        )
    keep_for_the_next(shape, model)
    return TrainedNetwork(
        design=design,
        delay=goal.delay,
        weights=keeper.best_weights,
        history=keeper.history,
        score=keeper.best,
        best_epoch=keeper.best_epoch,
        seconds=keeper.seconds,
        parameters={
            "training": model.count_params(),
            "kept": model.monomodal(problem.target).count_params(),
        },
    )


def _series(problem: Problem, name: str) -> list[np.ndarray]:
    """A label of the training recordings, delayed where it is one of frames."""
    if problem.task == REGRESSION:
        return training_labels(problem.modality, name, problem.config.data.label_delay)
    return [recording.labels[name] for recording in problem.modality.partition("train")]


def _sequences(problem: Problem, modality: Modality, labels: Sequence[np.ndarray]) -> Sequences:
    config = problem.config
    return training_sequences(
        modality,
        labels,
        task=problem.task,
        edges=np.zeros(0),
        hop=config.objective.hop,
        seconds=config.training.sequence_seconds,
    )


def _padded(problem: Problem, name: str) -> np.ndarray:
    """A further label of the training recordings, cut and padded as the features are."""
    recordings = (dataclasses.replace(r, features=r.features[:, :0]) for r in problem.modality.recordings)
    bare = dataclasses.replace(problem.modality, feature_names=(), recordings=tuple(recordings))
    return _sequences(problem, bare, _series(problem, name)).labels


def _deviation(problem: Problem, labels: Sequence[np.ndarray]) -> float:
    """What a mean squared error is scaled by. 1 for other losses: then no new data are a reason to compile again."""
    scaled = problem.task == REGRESSION and problem.config.objective.regression_loss == "mse"
    return float(np.concatenate(labels).std()) or 1.0 if scaled else 1.0


def _scaled(problem: Problem, head: Head) -> Head:
    if head.name == RECONSTRUCTION:
        return head
    return dataclasses.replace(head, deviation=_deviation(problem, _series(problem, head.name)))


def _goal(problem: Problem, labels: Sequence[np.ndarray]) -> Goal:
    return Goal(
        target=problem.target,
        task=problem.task,
        outputs=len(problem.corpus.classes) or 1,
        score=problem.score,
        deviation=_deviation(problem, labels),
        delay=problem.delay,
    )


def _shape(
    config: settings.Config, design: Design, goal: Goal, steps: int, sequences: Sequences, development: Sequences, more
) -> tuple:
    """All that is constant in a compiled step; the rest are variables."""
    sizes = [(len(values), *values.features.shape[1:]) for values in (sequences, development)]
    training = config.training
    constants = (training.xla, training.batch_size, config.objective.regression_loss, steps, *sizes, *more)
    return (design, repr((goal, constants)))
