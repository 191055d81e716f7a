"""A recurrent autoencoder of frames, and how badly it rebuilds them: the first network of MTL (RE), see `difficulty`.

The source names two recurrent networks in succession and was read as an abstract only. Here: the classic system's
encoder and a linear output for every feature; mean squared error over the features that exist, standardised and
clipped, plus lambda * R; the classic system's optimiser, batches, epochs and steps of an epoch. The weights of the
least error on development are kept. No label is read.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from emobed_tf.config import Config
from emobed_tf.corpora.budget import steps_per_epoch
from emobed_tf.corpora.corpus import REGRESSION, Modality, Recording
from emobed_tf.corpora.waveforms import check_no_waveform
from emobed_tf.errors import InputError
from emobed_tf.evaluation.scores import predict
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.reconstruction import error_of
from emobed_tf.training.session import default_session, digest

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from emobed_tf.training.streams import Sequences

_WANTED, _ERROR = "wanted", "error"


class Autoencoder:
    """Rebuilds the target's features.

    Attributes:
        model: float32 `[batch, frames, features]` -> the same, standardised; once fitted.
    """

    def fit(self, problem: Problem, settings: Mapping[str, Any], seed: int) -> None:
        """Trains it on the training partition, or takes the weights of an equal training from the session.

        Args:
            problem: without test recordings.
            settings: of a configuration, by name; the problem's own otherwise.
            seed: of initial weights and batches.

        Raises:
            InputError: if the development partition is empty, or the error is no number any more.
        """
        config, modality = problem.config.replace(**settings, seed=seed), problem.modality
        check_no_waveform([modality], "an autoencoder")
        self.name, self.model = modality.name, _built(config, modality)
        session = problem.session or default_session()
        key = ("autoencoder", config, digest(modality))
        self.model.set_weights(session.remembered(key, lambda: _trained(self.model, config, problem)))

    def difficulty(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """Reconstruction error of every frame, see `reconstruction.error_of`.

        Args:
            recordings: of the target modality.

        Returns:
            float32 `[frames]` per recording; NaN where every feature is missing.
        """
        standardise, rebuilt = _standardise(self.model, self.name), predict(self.model, recordings)
        pairs = zip(recordings, rebuilt, strict=True)
        return [error_of(r.features, np.asarray(standardise(r.features)), values) for r, values in pairs]

    @property
    def learnt(self) -> int:
        """Numbers that were trained, moments of the features among them."""
        return self.model.count_params()


def _built(config: Config, modality: Modality) -> "keras.Model":
    import keras

    from emobed_tf.models.network import encoder_network, trunk_layers

    width, network, xla = len(modality.feature_names), config.network, config.training.xla
    trunk = trunk_layers(network, xla)
    encoder = encoder_network(modality.name, width, network, config.data.clip, xla, trunk)
    output = keras.layers.Dense(width, name="reconstruction.output")(encoder.output)
    model = keras.Model(encoder.input, output, name="autoencoder")
    model.compile(jit_compile=False)
    return model


def _standardise(model: "keras.Model", modality: str) -> "keras.layers.Layer":
    return model.get_layer(f"{modality}.standardise")


def _trained(model: "keras.Model", config: Config, problem: Problem) -> list[np.ndarray]:
    """Weights of the epoch with the least error on development."""
    import keras

    from emobed_tf.models.initial import initialise_layer
    from emobed_tf.training.streams import stream

    modality, settings = problem.modality, config.training
    seconds = settings.sequence_seconds if problem.task == REGRESSION else None
    training, development = _sequences(modality, "train", seconds), _sequences(modality, "dev", None)
    for layer in model.layers:
        initialise_layer(layer, settings.seed)
    layer = _standardise(model, modality.name)
    layer.adapt(training.features[training.mask])
    given = dataclasses.replace(training, more={_WANTED: _wanted(training, layer)})
    batches = stream(given, settings.batch_size, settings.seed).map(lambda batch: (batch["features"], batch[_WANTED]))
    best = keras.callbacks.EarlyStopping(
        f"val_{_ERROR}", patience=settings.patience or settings.epochs, mode="min", restore_best_weights=True
    )
    _compile(model, config)
    history = model.fit(
        batches,
        steps_per_epoch=steps_per_epoch(config, problem.corpus),
        epochs=settings.epochs,
        validation_data=(development.features, _wanted(development, layer)),
        validation_batch_size=settings.batch_size,
        callbacks=[best, keras.callbacks.TerminateOnNaN()],
        shuffle=False,
        verbose=0,
    ).history
    if not np.isfinite([*history["loss"], *history[f"val_{_ERROR}"]]).all():
        raise InputError(f"the autoencoder of '{modality.name}' diverged; try a lower --learning-rate")
    return model.get_weights()


def _compile(model: "keras.Model", config: Config) -> None:
    import keras

    from emobed_tf.models.losses import reconstruction_loss, squared_kernels
    from emobed_tf.models.optimizer import FusedAdam

    def error(wanted: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        exists = ~keras.ops.isnan(wanted)
        return reconstruction_loss(keras.ops.where(exists, wanted, 0.0), outputs, exists)

    def loss(wanted: "tf.Tensor", outputs: "tf.Tensor") -> "tf.Tensor":
        return error(wanted, outputs) + config.objective.l2 * squared_kernels(model.trainable_weights)

    metric = keras.metrics.MeanMetricWrapper(error, name=_ERROR)
    model.compile(FusedAdam(config.training.learning_rate), loss=loss, metrics=[metric], jit_compile=False)


def _sequences(modality: Modality, partition: str, seconds: float | None) -> "Sequences":
    """Features of a partition, cut into pieces of so many seconds; labels are blank."""
    from emobed_tf.training.streams import training_sequences

    recordings = tuple(dataclasses.replace(r, partition="train") for r in modality.partition(partition))
    if not recordings:
        raise InputError(f"modality '{modality.name}': no recording in partition '{partition}'; expected some")
    chosen = dataclasses.replace(modality, recordings=recordings)
    blank = [np.zeros(recording.frames, np.float32) for recording in recordings]
    return training_sequences(chosen, blank, task=REGRESSION, edges=np.zeros(0), hop=0, seconds=seconds)


def _wanted(sequences: "Sequences", standardise: "keras.layers.Layer") -> np.ndarray:
    """What is to be rebuilt, float32 `[items, frames, features]`; NaN where there is nothing."""
    standardised = np.stack([np.asarray(standardise(item)) for item in sequences.features])
    return np.where(np.isnan(sequences.features), np.float32(np.nan), standardised)
