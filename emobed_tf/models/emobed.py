"""EmoBed as a Keras model: a branch for each modality, a head that they share, and a step on the objective.

`build` makes one; `objective.terms` says what it learns.
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

import keras
import tensorflow as tf

from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.models import losses
from emobed_tf.models.activations import Activations, Batch
from emobed_tf.models.design import LABELLED, Head
from emobed_tf.models.encoders import compiles_itself
from emobed_tf.models.frames import delayed, last_frame
from emobed_tf.models.initial import begin_step, initialise_layer
from emobed_tf.models.keras_metrics import Means, PooledCCC, PooledConfusion
from emobed_tf.models.network import HEAD
from emobed_tf.models.objective import WEIGHTS, Goal, monitors, terms, weighted_sum
from emobed_tf.models.standardise import Standardise
from emobed_tf.models.weights import leaf_layers
from emobed_tf.settings import Objective

Stacked = TypeVar("Stacked", bound=Mapping[str, Any])


class _Views:
    """Models of parts of a network. Not a dict: Keras would take its values for more layers of the network."""

    def __init__(self) -> None:
        self.made: dict[str, keras.Model] = {}


@keras.saving.register_keras_serializable(package="emobed_tf")
class EmoBed(keras.Model):
    """Crossmodal emotion embeddings: a functional model whose `train_step` is a step on Eq. 8. Made by `build`.

    Attributes:
        compile_mining: whether mining compiles itself in training.
        heads: beside the label's.
        waveforms: modalities whose features are samples.
        terms: of the objective by name; once compiled.
        weights_of_terms: variables by the name of a weight, see `objective.WEIGHTS`, or of a head; once compiled.
        bins_in: variable, see `Design.easy_first`; once compiled.
    """

    compile_mining: bool = True
    heads: tuple[Head, ...] = ()
    waveforms: tuple[str, ...] = ()
    _views: _Views | None = None

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that have a branch."""
        return tuple(self.input)

    @property
    def head(self) -> keras.Model:
        """The shared recognition network, f in Eq. 2."""
        return self.get_layer(HEAD)

    def encoder(self, modality: str) -> keras.Model:
        """A modality's embedding function, f_A or f_V in Eq. 1.

        Args:
            modality: one that has a branch.

        Returns:
            float32 `[batch, frames, features]` -> `[batch, frames, units]`.
        """
        return self.get_layer(f"{modality}.encoder")

    def standardise(self, modality: str) -> Standardise:
        """The first layer of a modality's encoder; of a waveform, the one behind what is fixed of its front end.

        Args:
            modality: one that has a branch.

        Returns:
            The layer.
        """
        return self.encoder(modality).get_layer(f"{modality}.standardise")

    def embed(self, modality: str, standardised: tf.Tensor, training: bool = True) -> tf.Tensor:
        """The encoder without its first layer: training has features standardised once, not in each step.

        Of a waveform, all layers are applied: training has its samples as they are.

        Args:
            modality: whose encoder.
            standardised: float32 `[batch, frames, features]`, what `standardise(modality)` makes of features; or the
                samples of a waveform.
            training: whether layers that draw random numbers in training do so, such as dropout.

        Returns:
            Embeddings, float32 `[batch, frames, units]`.
        """
        layers = self.encoder(modality).layers
        after = 1 if modality in self.waveforms else layers.index(self.standardise(modality)) + 1
        for layer in layers[after:]:
            standardised = layer(standardised, training=training or compiles_itself(layer))
        return standardised

    def fixed(self, modality: str, samples: tf.Tensor) -> tf.Tensor:
        """What of a waveform is standardised: what those layers of its front end make of it that learn nothing.

        Args:
            modality: a waveform.
            samples: float32 `[batch, frames, samples]`.

        Returns:
            float32 `[batch, frames, channels]`; the samples themselves where there is no such layer.
        """
        layers = self.encoder(modality).layers
        for layer in layers[1 : layers.index(self.standardise(modality))]:
            samples = layer(samples, training=False)
        return samples

    def initialise(self, seed: int) -> None:
        """Sets all trainable weights to their initial values, a function of seed and weight name alone.

        Args:
            seed: of the training.

        Raises:
            InputError: see `initial.initialise_layer`.
        """
        for layer in leaf_layers(self):
            initialise_layer(layer, seed)

    def monomodal(self, modality: str) -> keras.Model:
        """One modality's encoder and the head, and nothing else: what is kept after training. Made once.

        Args:
            modality: the one that is left.

        Returns:
            float32 `[batch, frames, features]` -> predictions `[batch, frames]` of a regression (one output), or
            class probabilities `[batch, classes]` after the last frame.
        """

        def made() -> tuple[tf.Tensor, tf.Tensor]:
            outputs = self.output[modality]
            kept = keras.ops.squeeze(outputs, -1) if outputs.shape[-1] == 1 else keras.ops.softmax(outputs[:, -1])
            return self.input[modality], kept

        return self._view(f"{modality}.monomodal", made)

    def embedding_and_outputs(self, modality: str) -> keras.Model:
        """One modality's embeddings, and beside them what the head says, before any softmax. Made once.

        Args:
            modality: one that has a branch.

        Returns:
            float32 `[batch, frames, features]` -> `[batch, frames, units + 1]` of a regression (one output), or
            `[batch, units + classes]` after the last frame.
        """

        def made() -> tuple[tf.Tensor, tf.Tensor]:
            embedding = self.encoder(modality)(self.input[modality])
            outputs = self.head(embedding)
            if outputs.shape[-1] > 1:
                embedding, outputs = embedding[:, -1], outputs[:, -1]
            return self.input[modality], keras.ops.concatenate([embedding, outputs], axis=-1)

        return self._view(f"{modality}.embedding_and_outputs", made)

    def head_model(self, head: Head) -> keras.Model:
        """What another head says of the target. Made once.

        Args:
            head: one of `heads`.

        Returns:
            float32 `[batch, frames, features]` -> `[batch, frames, width]`.
        """
        return self._view(f"{head.name}.model", lambda: (self.input[self.modalities[0]], self.output[head.layer]))

    def _view(self, name: str, ends: Callable[[], tuple[tf.Tensor, tf.Tensor]]) -> keras.Model:
        self._views = self._views or _Views()
        if name not in self._views.made:
            self._views.made[name] = keras.Model(*ends(), name=name)
            self._views.made[name].compile(jit_compile=False)  # recordings have many lengths, and XLA compiles for each
        return self._views.made[name]

    def compile(
        self,
        optimizer: keras.optimizers.Optimizer | str = "adam",
        *,
        goal: Goal,
        objective: Objective,
        steps: int = 1,
        compile_steps: bool = False,
        **kwargs: Any,
    ) -> None:
        """Prepares training.

        Args:
            optimizer: a Keras optimiser, or its name.
            goal: target, task, score.
            objective: checked (`Config.check`): alpha and beta are numbers. They, l2 and the weights of other heads'
                losses (1 at first) become variables, so that other values need no new trace.
            steps: that `train_step` takes. More than one come stacked, see `streams.stream`.
            compile_steps: whether XLA makes one program of all of them.
            **kwargs: of `keras.Model.compile`, `jit_compile` among them.

        Raises:
            ValueError: if the target has no branch.
        """
        super().compile(optimizer=optimizer, **kwargs)
        if goal.target not in self.modalities:
            raise ValueError(f"Expected a target among {self.modalities}. Received: {goal.target!r}")
        self.goal, self.objective = goal, objective
        values = {name: getattr(objective, name) for name in WEIGHTS} | {head.name: 1.0 for head in self.heads}
        self.weights_of_terms = MappingProxyType(
            {name: tf.Variable(value, trainable=False, dtype=tf.float32, name=name) for name, value in values.items()}
        )
        self.bins_in = tf.Variable(0.0, trainable=False, name="bins_in")
        found = terms(
            goal,
            objective,
            auxiliaries=[name for name in self.modalities if name != goal.target],
            heads=self.heads,
            weights=self.weights_of_terms,
            bins_in=self.bins_in,
            step=self.optimizer.iterations,
        )
        self.terms = MappingProxyType({term.name: term for term in found})
        self.monitors = monitors(goal, objective)
        self.score = PooledCCC() if goal.task == REGRESSION else PooledConfusion(goal.outputs, goal.score)
        self.means = Means(("loss", *self.terms, *(name for monitor in self.monitors for name in monitor.names)))
        self.steps, self.compile_steps = steps, compile_steps
        self._all_steps = tf.function(self._steps, jit_compile=compile_steps, autograph=False)
        self._score_of_all = tf.function(self._scored_anew, autograph=False)
        self._reset_all = tf.function(self._reset, autograph=False)
        self._score_more = tf.function(self.test_step, autograph=False)

    def restart(
        self,
        seed: int,
        *,
        learning_rate: float,
        objective: Objective,
        head_weights: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        """Back to before the first step, for another training with the step that is already compiled.

        Args:
            seed: of the initial weights.
            learning_rate: of the next training.
            objective: of the next training; differs from the compiled one at most in `objective.WEIGHTS`, and in what
                only data depend on, bins and hop.
            head_weights: of the losses of other heads, by head. Default: 1.
        """
        self.initialise(seed)
        self.optimizer.build(self.trainable_variables)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        self.optimizer.learning_rate = learning_rate
        values = {name: getattr(objective, name) for name in WEIGHTS}
        values |= {head.name: head_weights.get(head.name, 1.0) for head in self.heads}
        for name, value in values.items():
            self.weights_of_terms[name].assign(value)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """What Keras resets before each epoch: means of terms and monitors, and the score; once compiled."""
        return [self.means, self.score] if getattr(self, "means", None) else super().metrics

    def reset_metrics(self) -> None:
        """Forgets what metrics have seen: in one call, for one by one takes as long as a small step."""
        if getattr(self, "means", None):
            self._reset_all()
        else:
            super().reset_metrics()

    def _reset(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def get_metrics_result(self) -> dict[str, tf.Tensor]:
        """Nothing, for then `fit` and `evaluate` take what the last step returned: the same numbers.

        To compute them once more, outside of a graph, takes as long as two small steps.

        Returns:
            An empty dict.
        """
        return {}

    def weights_now(self) -> dict[str, Any]:
        """What each term is multiplied by in the present step, by name: a variable, a scalar, or a constant."""
        return {name: term.weight_now() for name, term in self.terms.items()}

    def weigh(self, values: Mapping[str, tf.Tensor], weights: Mapping[str, Any] | None = None) -> tf.Tensor:
        """Eq. 8: the weighted sum of terms.

        Args:
            values: unweighted, by the name of the term.
            weights: from `weights_now`. Default: those of now.

        Returns:
            A scalar.

        Raises:
            ValueError: if a value belongs to no term.
        """
        return weighted_sum(weights or self.weights_now(), values)

    def forward(self, batch: Batch) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], tf.Tensor]:
        """The objective for a batch, term by term.

        Args:
            batch: by modality what `streams.Sequences.arrays` names, features standardised.

        Returns:
            Every term, unweighted, by name; what the monitors log, by name; and the target's outputs
            `[batch, frames, outputs]`.
        """
        activations = Activations(self, batch)
        values = {name: term.function(batch, activations) for name, term in self.terms.items()}
        watched: dict[str, tf.Tensor] = {}
        for monitor in self.monitors:
            watched |= monitor.function(batch, activations)
        return values, watched, activations.outputs(self.goal.target)

    @tf.autograph.experimental.do_not_convert  # nothing to convert, and looking for it takes a second
    def train_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """A step on Eq. 8, or all of those whose batches are stacked.

        Args:
            batch: see `forward`; with more `steps` than one, each array has them as a further first dimension.

        Returns:
            Means since the epoch began: `loss`, every term, unweighted, and the monitors; and the score.
        """
        if self.steps == 1:
            self._step(batch)
        else:
            self._all_steps(batch)
        return {**self.means.result(), self.score.name: self.score.result()}

    def _steps(self, batches: Batch) -> None:
        """Steps in order. Compiled ones log R as it was before the first: for XLA, each sum is a tenth of a step."""
        logged = {"l2": losses.squared_kernels(self.trainable_weights)} if self.compile_steps else {}
        _one_by_one(functools.partial(self._step, logged=logged), batches)

    def _step(self, batch: Batch, logged: Mapping[str, tf.Tensor] | None = None) -> None:
        """Every term, one gradient, one update; terms in `logged` are logged instead of the step's own."""
        for layer in leaf_layers(self):
            begin_step(layer, self.optimizer.iterations)
        weights = self.weights_now()  # the update below is the next step's beginning
        with tf.GradientTape() as tape:
            values, watched, outputs = self.forward(batch)
            loss = self.weigh(values, weights)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        if logged:
            values = {**values, **logged}
            loss = self.weigh(values, weights)
        self.means.update_state({"loss": loss, **values, **watched})
        self._update_score(batch[self.goal.target], outputs)

    @tf.autograph.experimental.do_not_convert
    def test_step(self, batch: Batch) -> dict[str, tf.Tensor]:
        """Development score of the target alone; predictions are delayed to meet the labels as they are.

        Args:
            batch: with the target at least; all batches at once are stacked, with a further first dimension.

        Returns:
            The score over all batches so far, by its name.
        """
        part = batch[self.goal.target]
        if part["features"].shape.rank == 3:
            self._judge(part)
        else:
            _one_by_one(self._judge, part)
        return {self.score.name: self.score.result()}

    def development_score(self, batches: Batch | tf.data.Dataset) -> float:
        """What `evaluate` gives, in one call: it prepares as long as a hundred small steps take.

        Args:
            batches: all of them, stacked, see `test_step`; or a data set of them, where not all can be in memory.

        Returns:
            The score; metrics know these batches alone then.
        """
        if not isinstance(batches, tf.data.Dataset):
            return float(self._score_of_all(batches))
        self._reset_all()
        for batch in batches:
            self._score_more(batch)
        return float(self.score.result())

    def _scored_anew(self, batches: Batch) -> tf.Tensor:
        self._reset()
        return self.test_step(batches)[self.score.name]

    def _judge(self, part: Mapping[str, tf.Tensor]) -> None:
        # Nothing in the head depends on `training` but where a fused layer compiles itself, which pays here, too.
        outputs = self.head(self.embed(self.goal.target, part["features"], training=False), training=True)
        if self.goal.task == REGRESSION:
            outputs = delayed(outputs, self.goal.delay)
        self._update_score(part, outputs)

    def gradient_norms(self, batch: Batch) -> dict[str, tf.Tensor]:
        """How much each term pulls: the Euclidean norm of its gradient, weighted.

        Eagerly: a graph for it would take longer to trace than it ever runs.

        Args:
            batch: see `forward`.

        Returns:
            Scalars >= 0 by the name of the term.
        """
        with tf.GradientTape(persistent=True) as tape:
            values, _, _ = self.forward(batch)
            weighted = {name: self.weigh({name: value}) for name, value in values.items()}
        norms = {}
        for name, value in weighted.items():
            gradients = tape.gradient(value, self.trainable_variables)
            norms[name] = tf.linalg.global_norm([gradient for gradient in gradients if gradient is not None])
        return norms

    def _update_score(self, part: Mapping[str, tf.Tensor], outputs: tf.Tensor) -> None:
        if self.goal.task == REGRESSION:
            self.score.update_state(part["labels"], outputs[..., 0], part.get(LABELLED, part["mask"]))
        else:
            exists = tf.reduce_any(part["mask"], axis=1)
            self.score.update_state(part["labels"], last_frame(outputs, part["mask"]), exists)


def _one_by_one(work: Callable[[Stacked], None], batches: Stacked) -> None:
    """Does something with each of several batches that are stacked, in order."""

    def step(k: tf.Tensor) -> tf.Tensor:
        work(tf.nest.map_structure(lambda values: values[k], batches))
        return k + 1

    count = tf.nest.flatten(batches)[0].shape[0]
    tf.while_loop(lambda k: k < count, step, [0], parallel_iterations=1)
