"""From a configuration to a run folder: the one place that trains."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from emobed_tf.checkpoint import BEST, RunKeeper, set_weight_arrays
from emobed_tf.config import USES_BETA, Config
from emobed_tf.console import Progress
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.dataset import default_output, fingerprints, load_corpus
from emobed_tf.diagnostics import Diagnostics
from emobed_tf.errors import InputError
from emobed_tf.evaluation import evaluate, labelled, learn_chain, outputs
from emobed_tf.model import EmoBed, Goal, build_emobed
from emobed_tf.postprocess import frames_of
from emobed_tf.runs import Facts, Run
from emobed_tf.stack import import_tensorflow
from emobed_tf.streams import (
    Sequences,
    class_edges,
    evaluation_sequences,
    in_order,
    stream,
    training_labels,
    training_sequences,
    unpaired,
)

_MAY_CHANGE = ("epochs", "patience", "data_dir", "table")


@dataclass(frozen=True)
class Setup:
    """A compiled model and the data that it trains on.

    Attributes:
        model: compiled, with the seed's initial weights.
        sequences: training sequences by modality, target first.
        development: batches of the target's development partition.
        facts: what was found in the data.
        config: resolved.
    """

    model: EmoBed
    sequences: dict[str, Sequences]
    development: tf.data.Dataset
    facts: Facts
    config: Config

    @property
    def steps_per_epoch(self) -> int:
        """Full batches, wrapping round: ceil(target sequences / batch)."""
        target = self.sequences[self.facts.target]
        return -(-len(target) // min(self.config.training.batch_size, len(target)))

    def batches(self, first: int = 0) -> tf.data.Dataset:
        """Training batches without end, from batch number `first` on."""
        training = self.config.training
        return unpaired({n: stream(s, training.batch_size, training.seed, first) for n, s in self.sequences.items()})


def prepare(config: Config, corpus: Corpus) -> Setup:
    """Model and streams for a resolved configuration.

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
        _check_labels(labels, data.label_delay)
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
    model = build_model(config, facts)
    for name, values in sequences.items():
        model.standardise(name).adapt(values.features[values.mask])
    strides = {name: values.stride for name, values in sequences.items()}
    compile_model(model, config, facts, strides)
    held_out = evaluation_sequences(target, "dev", corpus.label)
    return Setup(model, sequences, in_order(held_out, config.training.batch_size), facts, config)


def build_model(config: Config, facts: Facts) -> EmoBed:
    """The network of a run, with the seed's initial weights."""
    widths = {name: len(columns) for name, columns in facts.features.items()}
    training = config.training
    return build_emobed(
        widths, facts.outputs, config.network, seed=training.seed, clip=config.data.clip, xla=training.xla
    )


def compile_model(model: EmoBed, config: Config, facts: Facts, strides: dict[str, int]) -> None:
    """Gives the model its objective, optimiser and score."""
    goal = Goal(
        target=facts.target,
        task=facts.task,
        outputs=facts.outputs,
        score="ccc" if facts.task == REGRESSION else config.classification_score,
        deviation=facts.deviation,
        delay=facts.delay,
        strides=strides,
    )
    optimizer = keras.optimizers.Adam(config.training.learning_rate)
    # Not the step as a whole: the layers compile themselves, and independent ones then run at the same time.
    model.compile(optimizer, goal=goal, objective=config.objective, jit_compile=False)


def train_run(
    config: Config,
    output: Path | None = None,
    *,
    corpus: Corpus | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: Progress | None = None,
) -> Run:
    """Trains a system and leaves a run folder with weights, post-processing chain and development scores.

    Args:
        config: what to train; see `config.preset`. With `corpus`: resolved, from `load_corpus`.
        output: the run folder. Default: see `default_output`.
        corpus: from `load_corpus`. Default: read here.
        resume: continue what stands in `output`, to the weights of a run that was never interrupted.
        callbacks: further Keras callbacks.
        progress: told how far reading and training are.

    Raises:
        InputError: for wrong data or settings, a run folder that can't be continued, or a loss that diverges.
    """
    import_tensorflow(config.training.threads)
    if corpus is None:
        config, corpus = load_corpus(config, progress)
    existing = _continued(config, corpus, output) if resume else None
    setup = prepare(config, corpus)
    run = existing or Run.create(output or default_output(config, corpus), config, setup.facts)
    keeper = RunKeeper(run, setup.model.score.name, config.training.patience)
    if resume:
        keeper.restore(setup.model)
    more = keeper.epochs_done < config.training.epochs and not keeper.stopped_early
    if more:
        run.begin_again()
        _fit(setup, keeper, callbacks, progress)
    if more or not run.finished:
        _finish(setup, corpus, run, keeper)
    return run


def _fit(setup: Setup, keeper: RunKeeper, callbacks, progress: Progress | None) -> None:
    training = setup.config.training
    first = keeper.epochs_done * setup.steps_per_epoch
    keras.utils.set_random_seed(training.seed)
    watch = [Diagnostics(setup, training.diagnostics)]
    if progress is not None:
        watch.append(_Report(progress, training.epochs, setup.model.score.name))
    with keeper.stopping_at_a_step():
        setup.model.fit(
            setup.batches(first),
            steps_per_epoch=setup.steps_per_epoch,
            initial_epoch=keeper.epochs_done,
            epochs=training.epochs,
            validation_data=setup.development,
            callbacks=[*watch, keeper, keras.callbacks.TensorBoard(keeper.run.logs, write_graph=False), *callbacks],
            shuffle=False,
            verbose=0,
        )


def _finish(setup: Setup, corpus: Corpus, run: Run, keeper: RunKeeper) -> None:
    """Best weights, post-processing learnt on development, development scores."""
    set_weight_arrays(setup.model, run.read_arrays(BEST))
    monomodal = setup.model.monomodal(setup.facts.target)
    recordings = labelled(corpus, setup.facts.target, "dev")
    raw = outputs(monomodal, recordings, setup.facts)
    chain, trace = learn_chain(recordings, raw, setup.facts)
    if chain is not None:
        run.write_chain(chain, trace)
    evaluated = evaluate("dev", recordings, raw, setup.facts, chain)
    training = {
        "epochs": keeper.epochs_done,
        "best_epoch": keeper.best_epoch,
        "seconds": round(keeper.seconds, 1),
        "parameters": {"training": setup.model.count_params(), "kept": monomodal.count_params()},
    }
    run.write_json("scores.json", {"simulated": setup.facts.simulated, "training": training, "dev": evaluated.scores})


class _Report(keras.callbacks.Callback):
    """Tells a progress function how far training is."""

    def __init__(self, progress: Progress, epochs: int, score: str):
        super().__init__()
        self.progress, self.epochs, self.score = progress, epochs, score
        self.best = float("nan")

    def on_train_begin(self, logs=None):
        self.progress(0, self.epochs, "compiling the first step")

    def on_epoch_end(self, epoch, logs=None):
        self.best = np.fmax(self.best, logs[f"val_{self.score}"])
        text = f"loss {logs['loss']:.3f}, {self.score} {logs[f'val_{self.score}']:.3f}, best {self.best:.3f}"
        self.progress(epoch + 1, self.epochs, text)


def _check_labels(labels: dict[str, list[np.ndarray]], delay: float) -> None:
    """Refuses training labels that say nothing."""
    for name, values in labels.items():
        framewise = [value for value in values if len(value) > 1]
        within = max(map(np.ptp, framewise)) if framewise else np.ptp(np.concatenate(values))
        if within == 0:
            raise InputError(
                f"modality '{name}': all training labels are equal (after the label delay of {delay:g} s), so there is "
                "nothing to learn; recordings must be longer than --label-delay"
            )


def _continued(config: Config, corpus: Corpus, output: Path | None) -> Run:
    if output is None:
        raise InputError("resume continues what stands in `output`; name that folder")
    run = Run.open(output, finished=False)
    before, now = run.config().to_dict(), config.to_dict()
    for name, value in now.items():
        if name not in _MAY_CHANGE and before[name] != value:
            raise InputError(
                f"{output}: was trained with --{name.replace('_', '-')} {before[name]}, not {value}; a run continues "
                "only with its own settings"
            )
    if run.facts().fingerprints != fingerprints(config, corpus):
        raise InputError(f"{output}: the data have changed since training began; start a new run")
    run.write_json("config.json", now)
    return run
