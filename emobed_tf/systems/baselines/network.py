"""The network of the model-level, multi-task, difficulty and curriculum systems: one input, several heads and losses.

It is `EmoBed` with one input and without a triplet term, and shares with the classic system's network whatever the two
have in common: layers, their names, their initial weights. `network_training` trains it.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import tensorflow as tf

from emobed_tf import config as settings
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.models import losses
from emobed_tf.models.emobed import EmoBed, Goal
from emobed_tf.models.encoders import compiles_itself, encoded, gru_layer
from emobed_tf.models.network import encoder_network, head_network, standardised_input

RECONSTRUCTION = "reconstruction"
BIN, PRESENT = "bin", "present"


@dataclass(frozen=True)
class Head:
    """What a network predicts beside the label.

    Attributes:
        name: of a label that every training recording has, a number per frame; or `RECONSTRUCTION`, the input itself.
        width: outputs per frame.
        apart: with GRU layers of its own behind the encoder; else an output layer behind the GRUs of the label's head.
        deviation: that a mean squared error is scaled by; the input is standardised already.
    """

    name: str
    width: int = 1
    apart: bool = False
    deviation: float = 1.0


@dataclass(frozen=True)
class Design:
    """All that a network's weights depend on but the data.

    Attributes:
        target: name of the input.
        parts: features of each encoder, in the order of the input's columns: one, or one for each modality.
        outputs: 1, or the number of classes.
        network: layers and units.
        clip: see `Standardise`.
        heads: beside the label's.
    """

    target: str
    parts: tuple[tuple[str, int], ...]
    outputs: int
    network: settings.Network
    clip: float
    heads: tuple[Head, ...] = ()


def build(design: Design, *, seed: int = 0, xla: bool = True) -> "SharedNetwork":
    """An untrained network.

    Args:
        design: what it is.
        seed: of the initial weights, which are those of `build_emobed` where that has the layer.
        xla: whether fused layers compile themselves in training.

    Returns:
        The model: `{target: float32 [batch, frames, features]}` -> `{target: [batch, frames, outputs]}` and, by the
        names of the other heads, `[batch, frames, width]`.
    """
    inputs = keras.Input((None, sum(width for _, width in design.parts)), name=design.target)
    embedding = _front_end(design, xla)(inputs)
    wide = dataclasses.replace(design.network, encoder_units=design.network.encoder_units * len(design.parts))
    head = head_network(design.outputs, wide, xla)
    outputs = {design.target: head(embedding)}
    hidden = _hidden(head, embedding)
    for other in design.heads:
        source = embedding if other.apart else hidden
        outputs[layer_name(other)] = _other_head(other, source.shape[-1], design.network, xla)(source)
    model = SharedNetwork(inputs={design.target: inputs}, outputs=outputs)
    model.parts, model.heads = design.parts, design.heads
    model.initialise(seed)
    return model


def layer_name(head: Head) -> str:
    return f"{head.name}.head"


def _front_end(design: Design, xla: bool) -> keras.Model:
    """The encoder, or one for each part of the input behind a common standardisation, embeddings concatenated."""
    if len(design.parts) == 1:
        return encoder_network(design.target, design.parts[0][1], design.network, design.clip, xla)
    features, standardised = standardised_input(design.target, sum(width for _, width in design.parts), design.clip)
    embeddings, first = [], 0
    for name, width in design.parts:
        embeddings.append(encoded(standardised[..., first : first + width], name, design.network, xla))
        first += width
    return keras.Model(features, keras.layers.Concatenate()(embeddings), name=f"{design.target}.encoder")


def _other_head(head: Head, width: int, network: settings.Network, xla: bool) -> keras.Model:
    start = hidden = keras.Input((None, width), name=f"{head.name}.input")
    for k in range(network.head_layers if head.apart else 0):
        hidden = gru_layer(network.head_units, f"{head.name}.gru_{k + 1}", network.fused, xla)(hidden)
    return keras.Model(start, keras.layers.Dense(head.width, name=f"{head.name}.output")(hidden), name=layer_name(head))


def _hidden(head: keras.Model, embedding, training: bool = False):
    """Output of the last GRU of the label's head, or the embedding where it has none."""
    for layer in head.layers[1:-1]:
        embedding = layer(embedding, training=training)
    return embedding


@keras.saving.register_keras_serializable(package="emobed_tf")
class SharedNetwork(EmoBed):
    """`EmoBed` of one input with further heads: loss_y + weight * sum of theirs + lambda * R. Made by `build`.

    Attributes:
        parts: features of each encoder, in the order of the input's columns.
        heads: beside the label's.
        weight: variable, of their losses.
        bins_in: variable; where batches have bins, the label's loss counts those below it alone.
    """

    parts: tuple[tuple[str, int], ...] = ()
    heads: tuple[Head, ...] = ()

    def embed(self, modality: str, standardised: tf.Tensor, training: bool = True) -> tf.Tensor:
        """See `EmoBed.embed`; the embeddings of several encoders stand side by side."""
        if len(self.parts) == 1:
            return super().embed(modality, standardised, training)
        columns = tf.split(standardised, [width for _, width in self.parts], axis=-1)
        layers = self.encoder(modality).layers
        layers = layers[layers.index(self.standardise(modality)) + 1 :]
        embeddings = []
        for (name, _), hidden in zip(self.parts, columns, strict=True):
            for layer in layers:
                if layer.name.startswith(f"{name}."):
                    hidden = layer(hidden, training=training or compiles_itself(layer))
            embeddings.append(hidden)
        return tf.concat(embeddings, axis=-1)

    def compile(self, optimizer="adam", *, goal: Goal, objective: settings.Objective, **kwargs) -> None:
        """See `EmoBed.compile`."""
        self.weight = tf.Variable(0.0, trainable=False, name="weight")
        self.bins_in = tf.Variable(0.0, trainable=False, name="bins_in")
        super().compile(optimizer, goal=goal, objective=objective, **kwargs)

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the terms of the loss: `target`, the other heads', `l2`."""
        return ("target", *(head.name for head in self.heads), "l2")

    @property
    def monitors(self) -> tuple[str, ...]:
        """Nothing is logged beside the terms."""
        return ()

    def weigh(self, terms: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """loss_y + weight * sum of the other heads' losses + lambda * R."""
        weights = {"target": 1.0, "l2": self.l2}
        return tf.add_n([weights.get(name, self.weight) * value for name, value in terms.items()])

    def forward(self, batch: Mapping[str, Mapping[str, tf.Tensor]]) -> tuple[dict, dict, tf.Tensor]:
        """Every term of a batch, unweighted; nothing to monitor; the label's outputs.

        Args:
            batch: by modality what `streams.Sequences.arrays` names, features standardised; the labels of the other
                heads by their names; for a reconstruction which features exist (`PRESENT`); maybe a `BIN` for all.
        """
        batch = batch[self.goal.target]
        embedding = self.embed(self.goal.target, batch["features"])
        hidden = _hidden(self.head, embedding, training=True)
        outputs = self.head.layers[-1](hidden)
        terms = {"target": self._easy_loss(batch, outputs) if BIN in batch else self.task_loss(batch, outputs)}
        for head in self.heads:
            values = self.get_layer(layer_name(head))(embedding if head.apart else hidden, training=True)
            terms[head.name] = self._head_loss(head, batch, values)
        terms["l2"] = losses.squared_kernels(self.trainable_weights)
        return terms, {}, outputs

    def _head_loss(self, head: Head, batch: Mapping[str, tf.Tensor], values: tf.Tensor) -> tf.Tensor:
        if head.name == RECONSTRUCTION:
            return reconstruction_loss(batch["features"], values, batch[PRESENT])
        series = batch[head.name], values[..., 0], batch["mask"]
        if self.objective.regression_loss == "mse":
            return losses.mse_loss(*series, head.deviation)
        return losses.ccc_loss(*series)

    def _easy_loss(self, batch: Mapping[str, tf.Tensor], outputs: tf.Tensor) -> tf.Tensor:
        """The label's loss over the frames or utterances whose bin is in; 0 where a batch has none."""
        easy = batch[BIN] < self.bins_in
        if self.goal.task == REGRESSION:
            easy &= batch["mask"]
            loss = self.task_loss({**batch, "mask": easy}, outputs)
        else:
            chosen = easy | ~tf.reduce_any(easy)  # the mean of nothing, and its gradient, would be NaN
            parts = {name: tf.boolean_mask(batch[name], chosen) for name in ("labels", "mask")}
            loss = self.task_loss(parts, tf.boolean_mask(outputs, chosen))
        return tf.where(tf.reduce_any(easy), loss, 0.0)


def reconstruction_loss(inputs: tf.Tensor, outputs: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
    """Mean squared error of a reconstruction over what exists.

    Args:
        inputs: float `[batch, frames, features]`, standardised; anything finite where there is nothing.
        outputs: float, the same shape.
        present: bool, the same shape.

    Returns:
        A scalar >= 0; 0 where nothing exists.
    """
    squared = tf.where(present, tf.square(outputs - inputs), 0)
    return tf.reduce_sum(squared) / tf.maximum(tf.reduce_sum(tf.cast(present, squared.dtype)), 1)
