"""The network and its objective: `build_emobed`, `EmoBed` (train_step is Eq. 8), `EmoBed.monomodal`."""

import functools
import weakref
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass

import keras
import tensorflow as tf

from emobed_tf.config import USES_ALPHA, USES_BETA, Objective
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.models import losses
from emobed_tf.models.encoders import compiles_itself
from emobed_tf.models.initial import begin_step, initialise_layer
from emobed_tf.models.keras_metrics import Means, PooledCCC, PooledConfusion
from emobed_tf.models.mining import Origin, Pairs, batch_hard_pairs
from emobed_tf.models.network import HEAD
from emobed_tf.models.standardise import Standardise

# Not an attribute of the model: Keras would take the parts for more layers of it.
_monomodal: MutableMapping["EmoBed", dict[str, keras.Model]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Goal:
    """What a model is trained for.

    Attributes:
        target: modality to recognise emotion from.
        task: `regression` or `classification`.
        outputs: 1, or the number of classes.
        score: development score, `ccc` or a key of `metrics.CLASSIFICATION_SCORES`.
        deviation: standard deviation of the target's training labels.
        delay: frames by which predictions come early; undone before the development score.
        strides: frames between two mined ones, by modality.
    """

    target: str
    task: str
    outputs: int
    score: str
    deviation: float = 1.0
    delay: int = 0
    strides: Mapping[str, int] | None = None


@keras.saving.register_keras_serializable(package="emobed_tf")
class EmoBed(keras.Model):
    """Crossmodal emotion embeddings: a functional model whose `train_step` is Eq. 8. Made by `build_emobed`."""

    compile_mining: bool = True

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that have a branch."""
        return tuple(self.input)

    @property
    def head(self) -> keras.Model:
        """The shared recognition network, f in Eq. 2."""
        return self.get_layer(HEAD)

    def encoder(self, modality: str) -> keras.Model:
        """A modality's embedding function, f_A or f_V in Eq. 1."""
        return self.get_layer(f"{modality}.encoder")

    def standardise(self, modality: str) -> Standardise:
        """The first layer of a modality's encoder."""
        return self.encoder(modality).get_layer(f"{modality}.standardise")

    def embed(self, modality: str, standardised: tf.Tensor, training: bool = True) -> tf.Tensor:
        """The encoder without its first layer: training has features standardised once, not in each step.

        Args:
            modality: whose encoder.
            standardised: float32 `[batch, frames, features]`, what `standardise(modality)` makes of features.
            training: whether layers that draw random numbers in training do so, such as dropout.

        Returns:
            Embeddings, float32 `[batch, frames, units]`.
        """
        after = self.encoder(modality).layers.index(self.standardise(modality)) + 1
        for layer in self.encoder(modality).layers[after:]:
            standardised = layer(standardised, training=training or compiles_itself(layer))
        return standardised

    def initialise(self, seed: int) -> None:
        """Sets all trainable weights to their initial values, a function of seed and weight name alone.

        Raises:
            InputError: see `initial.initialise_layer`.
        """
        for layer in self._inner_layers:
            initialise_layer(layer, seed)

    @property
    def _inner_layers(self) -> list[keras.layers.Layer]:
        return [layer for part in self.layers if isinstance(part, keras.Model) for layer in part.layers]

    def monomodal(self, modality: str) -> keras.Model:
        """One modality's encoder and the head, and nothing else: what is kept after training. Made once.

        Args:
            modality: the one that is left.

        Returns:
            float32 `[batch, frames, features]` -> predictions `[batch, frames]` of a regression (one output), or
            class probabilities `[batch, classes]` after the last frame.
        """
        made = _monomodal.setdefault(self, {})
        if modality not in made:
            outputs = self.output[modality]
            kept = keras.ops.squeeze(outputs, -1) if outputs.shape[-1] == 1 else keras.ops.softmax(outputs[:, -1])
            made[modality] = keras.Model(self.input[modality], kept, name=f"{modality}.monomodal")
            made[modality].compile(jit_compile=False)  # recordings have many lengths, and XLA compiles for each
        return made[modality]

    def compile(
        self,
        optimizer="adam",
        *,
        goal: Goal,
        objective: Objective,
        steps: int = 1,
        compile_steps: bool = False,
        **kwargs,
    ) -> None:
        """Prepares training.

        Args:
            optimizer: a Keras optimiser.
            goal: target, task, score.
            objective: checked (`Config.check`): alpha and beta are numbers. They and l2 become variables, so that
                other values need no new trace.
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
        self.auxiliaries = tuple(name for name in self.modalities if name != goal.target)
        self.alpha, self.beta, self.l2 = (
            tf.Variable(getattr(objective, name), trainable=False, dtype=tf.float32, name=name)
            for name in ("alpha", "beta", "l2")
        )
        self.score = PooledCCC() if goal.task == REGRESSION else PooledConfusion(goal.outputs, goal.score)
        self.means = Means(("loss", *self.terms, *self.monitors))
        self.steps, self.compile_steps = steps, compile_steps
        self._all_steps = tf.function(self._steps, jit_compile=compile_steps, autograph=False)

    def restart(self, seed: int, *, learning_rate: float, objective: Objective) -> None:
        """Back to before the first step, for another training with the step that is already compiled.

        Args:
            seed: of the initial weights.
            learning_rate: of the next training.
            objective: of the next training; differs from the compiled one at most in alpha, beta and l2, and
                in what only data depend on, bins and hop.
        """
        self.initialise(seed)
        self.optimizer.build(self.trainable_variables)
        for variable in self.optimizer.variables:
            variable.assign(tf.zeros(variable.shape, variable.dtype))
        self.optimizer.learning_rate = learning_rate
        for name in ("alpha", "beta", "l2"):
            getattr(self, name).assign(getattr(objective, name))

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the terms of Eq. 8 that the framework uses, `target` first."""
        auxiliary = self.auxiliaries if self.objective.framework in USES_ALPHA else ()
        triplet = ("triplet",) if self.objective.framework in USES_BETA else ()
        return ("target", *(f"auxiliary_{name}" for name in auxiliary), *triplet, "l2")

    @property
    def monitors(self) -> tuple[str, ...]:
        """Names of what is logged beside the terms: collapse is invisible in d+ - d-."""
        distances = ("valid_anchors", "d_positive", "d_negative") if "triplet" in self.terms else ()
        return (*distances, "embedding_norm", "effective_rank")

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.means, self.score] if getattr(self, "means", None) else super().metrics

    def get_metrics_result(self) -> dict:
        """Nothing, for then `fit` and `evaluate` take what the last step returned: the same numbers.

        To compute them once more, outside of a graph, takes as long as two small steps.
        """
        return {}

    def weigh(self, terms: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Eq. 8: L_target + alpha * sum L_auxiliary + beta * L_triplet + lambda * R."""
        weights = {"target": 1.0, "triplet": self.beta, "l2": self.l2}
        return tf.add_n([weights.get(name, self.alpha) * value for name, value in terms.items()])

    def forward(self, batch: Mapping[str, Mapping[str, tf.Tensor]]) -> tuple[dict, dict, tf.Tensor]:
        """Every term of Eq. 8 for a batch, unweighted, the monitors, and the target's outputs.

        Args:
            batch: by modality what `streams.Sequences.arrays` names, features standardised.
        """
        embeddings = {name: self.embed(name, batch[name]["features"]) for name in self.modalities}
        outputs = self.head(embeddings[self.goal.target], training=True)
        terms = {"target": self.task_loss(batch[self.goal.target], outputs)}
        for name in self.auxiliaries:
            if f"auxiliary_{name}" in self.terms:
                terms[f"auxiliary_{name}"] = self.task_loss(batch[name], self.head(embeddings[name], training=True))
        mined = tf.concat([self._mined(name, batch[name], embeddings[name]) for name in self.modalities], axis=0)
        classes = tf.concat([tf.reshape(batch[name]["mined_classes"], [-1]) for name in self.modalities], axis=0)
        monitors = _spread(mined, classes >= 0)
        if "triplet" in self.terms:
            terms["triplet"], distances = self._triplet(mined, classes, batch)
            monitors = {**distances, **monitors}
        terms["l2"] = losses.squared_kernels(self.trainable_weights)
        return terms, monitors, outputs

    @tf.autograph.experimental.do_not_convert  # nothing to convert, and looking for it takes a second
    def train_step(self, batch):
        """A step on Eq. 8, or all of those whose batches are stacked."""
        if self.steps == 1:
            self._step(batch)
        else:
            self._all_steps(batch)
        return {**self.means.result(), self.score.name: self.score.result()}

    def _steps(self, batches) -> None:
        """Steps in order. Compiled ones log R as it was before the first: for XLA, each sum is a tenth of a step."""
        logged = {"l2": losses.squared_kernels(self.trainable_weights)} if self.compile_steps else {}
        _one_by_one(functools.partial(self._step, logged=logged), batches)

    def _step(self, batch, logged: Mapping[str, tf.Tensor] | None = None) -> None:
        """Every term, one gradient, one update; terms in `logged` are logged instead of the step's own."""
        for layer in self._inner_layers:
            begin_step(layer, self.optimizer.iterations)
        with tf.GradientTape() as tape:
            terms, monitors, outputs = self.forward(batch)
            loss = self.weigh(terms)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        if logged:
            terms = {**terms, **logged}
            loss = self.weigh(terms)
        self.means.update_state({"loss": loss, **terms, **monitors})
        self._update_score(batch[self.goal.target], outputs)

    @tf.autograph.experimental.do_not_convert
    def test_step(self, batch):
        """Development score of the target alone; predictions are delayed to meet the labels as they are."""
        batch = batch[self.goal.target]
        if batch["features"].shape.rank == 3:
            self._judge(batch)
        else:
            _one_by_one(self._judge, batch)
        return {self.score.name: self.score.result()}

    def _judge(self, batch) -> None:
        # Nothing in the head depends on `training` but where a fused layer compiles itself, which pays here, too.
        outputs = self.head(self.embed(self.goal.target, batch["features"], training=False), training=True)
        if self.goal.task == REGRESSION:
            outputs = _later(outputs, self.goal.delay)
        self._update_score(batch, outputs)

    def gradient_norms(self, batch) -> dict[str, tf.Tensor]:
        """Euclidean norm of every weighted term's gradient for a batch, by term.

        Eagerly: a graph for it would take longer to trace than it ever runs.
        """
        with tf.GradientTape(persistent=True) as tape:
            terms, _, _ = self.forward(batch)
            weighted = {name: self.weigh({name: value}) for name, value in terms.items()}
        norms = {}
        for name, value in weighted.items():
            gradients = tape.gradient(value, self.trainable_variables)
            norms[name] = tf.linalg.global_norm([gradient for gradient in gradients if gradient is not None])
        return norms

    def task_loss(self, batch: Mapping[str, tf.Tensor], outputs: tf.Tensor) -> tf.Tensor:
        """L of one modality: 1 - CCC or scaled MSE over valid frames, or the cross-entropy after the last frame."""
        if self.goal.task != REGRESSION:
            return losses.cross_entropy_loss(batch["labels"], _last(outputs, batch["mask"]))
        predictions = outputs[..., 0]
        if self.objective.regression_loss == "mse":
            return losses.mse_loss(batch["labels"], predictions, batch["mask"], self.goal.deviation)
        return losses.ccc_loss(batch["labels"], predictions, batch["mask"])

    def _update_score(self, batch, outputs) -> None:
        if self.goal.task == REGRESSION:
            self.score.update_state(batch["labels"], outputs[..., 0], batch["mask"])
        else:
            exists = tf.reduce_any(batch["mask"], axis=1)
            self.score.update_state(batch["labels"], _last(outputs, batch["mask"]), exists)

    def _mined(self, name: str, batch, embeddings: tf.Tensor) -> tf.Tensor:
        """Embeddings that take part in the triplet term, `[batch * mined, units]`."""
        if self.goal.task == REGRESSION:
            stride = (self.goal.strides or {}).get(name, 1)
            return tf.reshape(embeddings[:, ::stride], [-1, embeddings.shape[-1]])
        return _last(embeddings, batch["mask"])

    def _triplet(self, mined, classes, batch) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        objective = self.objective
        if objective.normalise:
            mined = tf.math.l2_normalize(mined, axis=1)
        pairs = batch_hard_pairs(
            mined,
            classes,
            classes >= 0,
            origin=self._origin(batch),
            mining=objective.mining,
            negative_seconds=objective.negative_seconds,
            xla=self.compile_mining,
        )
        positive, negative = losses.pair_distances(mined, pairs)
        margin = None if objective.margin == "none" else objective.margin
        weight = self._weight(batch, pairs)
        loss = losses.triplet_loss(
            positive, negative, pairs.valid, margin=margin, reduction=objective.reduction, weight=weight
        )
        anchors = tf.reduce_sum(tf.cast(pairs.valid, tf.float32))
        count = tf.maximum(anchors, 1)
        means = {"d_positive": tf.reduce_sum(positive) / count, "d_negative": tf.reduce_sum(negative) / count}
        return loss, {"valid_anchors": anchors, **means}

    def _weight(self, batch, pairs: Pairs) -> tf.Tensor | None:
        """Of each anchor's term: the product of the three embeddings' weights; None where nothing is weighed."""
        if self.objective.disagreement == "ignored":
            return None
        weights = tf.concat([tf.reshape(batch[name]["mined_weights"], [-1]) for name in self.modalities], axis=0)
        positive, negative = (tf.gather(weights, tf.where(pairs.valid, k, 0)) for k in (pairs.positive, pairs.negative))
        return weights * positive * negative

    def _origin(self, batch) -> Origin:
        modality, recording, time = [], [], []
        for k, name in enumerate(self.modalities):
            times = batch[name]["mined_times"]
            modality.append(tf.fill([tf.size(times)], k))
            recording.append(tf.reshape(tf.broadcast_to(batch[name]["recording"][:, None], tf.shape(times)), [-1]))
            time.append(tf.reshape(times, [-1]))
        return Origin(*(tf.concat(values, axis=0) for values in (modality, recording, time)))


def _one_by_one(work: Callable, batches) -> None:
    """Does something with each of several batches that are stacked, in order."""

    def step(k):
        work(tf.nest.map_structure(lambda values: values[k], batches))
        return k + 1

    count = tf.nest.flatten(batches)[0].shape[0]
    tf.while_loop(lambda k: k < count, step, [0], parallel_iterations=1)


def _last(sequence: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Values at each sequence's last existing frame, `[batch, ...]`."""
    if sequence.shape[1] == 1:
        return tf.squeeze(sequence, 1)  # a slice has a slower gradient
    last = tf.maximum(tf.reduce_sum(tf.cast(mask, tf.int32), axis=1) - 1, 0)
    return tf.gather(sequence, last, batch_dims=1)


def _later(sequence: tf.Tensor, frames: int) -> tf.Tensor:
    """`time.shift` in the graph, `[batch, frames, ...]`: the first value repeated, the last ones dropped."""
    length = tf.shape(sequence)[1]
    return tf.gather(sequence, tf.maximum(tf.range(length) - frames, 0), axis=1)


def _spread(embeddings: tf.Tensor, mask: tf.Tensor) -> dict[str, tf.Tensor]:
    """Mean norm, and effective rank of the covariance: (trace C)^2 / trace C^2, 1 on a line, E where all spread."""
    weight = tf.cast(mask, embeddings.dtype)[:, None]
    count = tf.maximum(tf.reduce_sum(weight), 1)
    embeddings = tf.stop_gradient(embeddings)
    norm = tf.reduce_sum(weight[:, 0] * tf.norm(embeddings, axis=1)) / count
    centred = weight * (embeddings - tf.reduce_sum(weight * embeddings, axis=0) / count)
    covariance = tf.matmul(centred, centred, transpose_a=True) / count
    trace = tf.linalg.trace(covariance)
    return {"embedding_norm": norm, "effective_rank": trace**2 / (tf.reduce_sum(covariance**2) + 1e-30)}
