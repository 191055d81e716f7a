"""From a configuration to a run folder: the one place that trains."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from emobed_tf.checkpoint import BEST, RunKeeper, set_weight_arrays
from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.dataset import default_output, fingerprints, load_corpus
from emobed_tf.diagnostics import Diagnostics
from emobed_tf.errors import InputError
from emobed_tf.evaluation import evaluate, labelled, learn_chain, outputs
from emobed_tf.preparation import Setup, keep_for_the_next, prepare
from emobed_tf.runs import Run
from emobed_tf.stack import import_tensorflow

_MAY_CHANGE = ("epochs", "patience", "data_dir", "table")


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
    keep_for_the_next(setup)
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
