"""The one place that trains: from a configuration to weights in memory, or to a run folder."""

import contextlib
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emobed_tf.config import Config
from emobed_tf.console import Progress, saying_at_interrupt
from emobed_tf.corpora.configured import fingerprints, load_corpus, resolved
from emobed_tf.corpora.corpus import Corpus, Recording
from emobed_tf.corpora.facts import Facts
from emobed_tf.corpora.speakers import as_configured
from emobed_tf.errors import InputError
from emobed_tf.evaluation.scores import evaluate, labelled, learn_chain, outputs, predict
from emobed_tf.models.build import build
from emobed_tf.models.design import EMOBED, Architecture, Design
from emobed_tf.models.emobed import EmoBed
from emobed_tf.models.weights import set_weight_arrays
from emobed_tf.runs.access import held
from emobed_tf.runs.folder import BEST, TEACHER, Run, default_output, selection_of
from emobed_tf.runtime import import_tensorflow
from emobed_tf.settings import DISTILLED
from emobed_tf.training.callbacks import Diagnostics, Recorder
from emobed_tf.training.fit import fit
from emobed_tf.training.run_recorder import RunRecorder
from emobed_tf.training.session import Session, default_session
from emobed_tf.training.setup import Setup, prepare
from emobed_tf.training.teacher import Lessons, lessons, plan_teacher, recordings_to_teach

_HEARD = "stopping after this step (a second Ctrl-C stops at once, but not while a step is being compiled)"
_MAY_CHANGE = ("epochs", "patience", "data_dir", "table")


@dataclass(frozen=True)
class Trained:
    """What a training in memory leaves.

    Attributes:
        config: what was trained, resolved.
        facts: what was found in the data.
        weights: of the best epoch, by name.
        history: a row per epoch, as in a run folder's `history.csv`.
        score: the best development score, of the target with the label delay undone.
        score_name: its name.
        best_epoch: its epoch, from 1.
        seconds: that the epochs took.
        times: a row per epoch of what differs from one training to the next, as in a run folder's `times.csv`.
        parameters: numbers that were trained (`training`), and those that are kept for inference (`kept`).
        architecture: of the network that was trained.
        session: that predicts.
    """

    config: Config
    facts: Facts
    weights: dict[str, np.ndarray]
    history: list[dict[str, Any]]
    score: float
    score_name: str
    best_epoch: int
    seconds: float
    times: list[dict[str, Any]]
    parameters: dict[str, int]
    architecture: Architecture = dataclasses.field(repr=False)
    session: Session = dataclasses.field(repr=False, compare=False)

    def outputs(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """What the monomodal model says of recordings of the target modality.

        Args:
            recordings: of the target.

        Returns:
            One array per recording, see `scores.outputs`.
        """
        return outputs(self._model().monomodal(self.facts.target), recordings, self.facts)

    def embedding_and_outputs(self, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """Embeddings of recordings of the target modality, and what the head says of them, in the features' time.

        Args:
            recordings: of the target.

        Returns:
            float32 per recording, see `EmoBed.embedding_and_outputs`.
        """
        return predict(self._model().embedding_and_outputs(self.facts.target), recordings)

    def head_outputs(self, name: str, recordings: Sequence[Recording]) -> list[np.ndarray]:
        """What another head says of recordings of the target modality.

        Args:
            name: of the head.
            recordings: of the target.

        Returns:
            float32 `[frames, width]` per recording, in the features' time.

        Raises:
            ValueError: if there is no head of that name.
        """
        heads = {head.name: head for head in self.architecture.heads}
        if name not in heads:
            raise ValueError(f"Expected a head among {tuple(heads)}. Received: {name!r}")
        return predict(self._model().head_model(heads[name]), recordings)

    def standardised(self, features: np.ndarray) -> np.ndarray:
        """Features of the target as the network sees them.

        Args:
            features: float32 `[frames, features]`, NaN where missing.

        Returns:
            float32 `[frames, features]`; 0 where missing.
        """
        return self._model().standardise(self.facts.target)(features).numpy()

    def _model(self) -> EmoBed:
        model = self.session.models.predicting(self.architecture.of_target, build)
        set_weight_arrays(model, self.weights)
        return model


def train(
    config: Config,
    corpus: Corpus,
    *,
    design: Design = EMOBED,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: Progress | None = None,
    session: Session | None = None,
    taught: Lessons | None = None,
) -> Trained:
    """Trains a system and keeps all in memory: one of many, in a search or a table. The weights are `train_run`'s.

    Gradient norms (`--diagnostics`) are not computed.

    Args:
        config: resolved, from `load_corpus`.
        corpus: from `load_corpus`.
        design: of the network.
        callbacks: further Keras callbacks.
        progress: told how far training is.
        session: that knows earlier trainings. Default: that of this process.
        taught: what a teacher says, for the framework `distilled`. Default: `lessons_for` the configuration.

    Returns:
        Weights, history and best score, and a model that predicts.

    Raises:
        InputError: for data that nothing can be learnt from.
        DivergedError: for a loss or a weight that became NaN or infinite.
    """
    import_tensorflow(config.training.threads)
    taught = taught or lessons_for(config, corpus, session=session, progress=progress)
    setup = prepare(config, corpus, design, session=session, lessons=taught)
    recorder = Recorder(setup.model.score.name, config.training.patience)
    _fit(setup, recorder, callbacks, progress, diagnostics=0)
    setup.leave()
    return Trained(
        config=config,
        facts=setup.facts,
        weights=recorder.best_weights,
        history=recorder.history,
        score=recorder.best,
        score_name=setup.model.score.name,
        best_epoch=recorder.best_epoch,
        seconds=recorder.seconds,
        times=recorder.times,
        parameters=_parameters(setup),
        architecture=setup.architecture,
        session=setup.session,
    )


def lessons_for(
    config: Config, corpus: Corpus, *, session: Session | None = None, progress: Progress | None = None
) -> Lessons | None:
    """Trains the teacher of a distillation and asks it, or remembers what it said.

    Args:
        config: of the student, resolved. The teacher has the same layers, steps of an epoch and seed.
        corpus: with target and auxiliaries.
        session: that knows earlier trainings. Default: that of this process.
        progress: told how far training is.

    Returns:
        What it says of the student's training sequences; None for frameworks without a teacher.

    Raises:
        InputError: if the data are not paired, or nothing can be learnt from them.
        DivergedError: for a loss or a weight that became NaN or infinite.
    """
    if config.objective.framework != DISTILLED:
        return None
    teacher = plan_teacher(config, corpus)

    def report(done: int, total: int, text: str) -> None:
        if progress is not None:
            progress(done, total, f"teacher: {text}")

    def asked() -> Lessons:
        trained = train(teacher.config, teacher.corpus, design=teacher.design, session=session, progress=report)
        recordings = recordings_to_teach(config, corpus)
        answers = trained.embedding_and_outputs(recordings)
        said = {recording.id: values for recording, values in zip(recordings, answers, strict=True)}
        return lessons(config, corpus, said, answers[0].shape[-1] - trained.facts.outputs)

    return (session or default_session()).remembered(teacher.key, asked)


def train_run(
    config: Config,
    output: Path | None = None,
    *,
    corpus: Corpus | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    progress: Progress | None = None,
    session: Session | None = None,
) -> Run:
    """Trains a system and leaves a run folder with weights, post-processing chain and development scores.

    Args:
        config: what to train; see `config.preset`.
        output: the run folder. Default: see `default_output`.
        corpus: the data, from `corpora.load` or `load_corpus`. Default: read here.
        resume: continue what stands in `output`, to the weights of a run that was never interrupted.
        callbacks: further Keras callbacks.
        progress: told how far reading and training are.
        session: that knows earlier trainings. Default: that of this process.

    Returns:
        The run, finished.

    Raises:
        InputError: for wrong data or settings, a run folder that can't be continued, or a loss that diverges.

    Example:
        >>> config = Run.open(Path("runs/arousal")).config().replace(seed=1)
        >>> train_run(config, Path("runs/another-seed")).path.name
        'another-seed'
    """
    import_tensorflow(config.training.threads)
    if corpus is None:
        config, corpus = load_corpus(config, progress)
    else:
        config, corpus = resolved(config, corpus), as_configured(config.data, corpus)
    config = config.replace(selection=selection_of(config, corpus.task))  # what picked the weights stands in the folder
    with contextlib.ExitStack() as holding:
        existing = _continued(config, corpus, output, holding) if resume else None
        taught = _noted_lessons(existing) or lessons_for(config, corpus, session=session, progress=progress)
        setup = prepare(config, corpus, session=session, lessons=taught)
        run = existing or _begun(config, corpus, setup.facts, output, holding)
        if taught is not None:
            run.write_arrays(TEACHER, taught.arrays())
        recorder = RunRecorder(run, setup.model.score.name, config.training.patience)
        if resume:
            recorder.restore(setup.model)
        more = recorder.epochs_done < config.training.epochs and not recorder.stopped_early
        if more:
            run.begin_again()
            logs = keras.callbacks.TensorBoard(run.logs, write_graph=False)
            _fit(setup, recorder, [logs, *callbacks], progress, diagnostics=config.training.diagnostics)
        if more or not run.finished:
            _finish(setup, corpus, run, recorder)
        setup.leave()
        return run


def _noted_lessons(run: Run | None) -> Lessons | None:
    """What a run that continues had learnt from; None where its folder doesn't say."""
    if run is None or not (run.path / f"{TEACHER}.npz").exists():
        return None
    try:
        return Lessons.from_arrays(run.read_arrays(TEACHER))
    except ValueError as error:
        raise InputError(f"{run.path / TEACHER}.npz: {error}") from None


def _fit(
    setup: Setup,
    recorder: Recorder,
    callbacks: Sequence[keras.callbacks.Callback],
    progress: Progress | None,
    *,
    diagnostics: int,
) -> None:
    epochs = setup.config.training.epochs
    watch = [Diagnostics(setup, diagnostics)]
    if progress is not None:
        watch.append(_Report(progress, epochs, setup.model.score.name))
    try:
        with recorder.stopping_at_a_step(), saying_at_interrupt(_HEARD):
            fit(setup, [*watch, recorder, *callbacks], first=recorder.epochs_done, epochs=epochs)
    finally:
        recorder.save()


def _finish(setup: Setup, corpus: Corpus, run: Run, recorder: RunRecorder) -> None:
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
        "epochs": recorder.epochs_done,
        "best_epoch": recorder.best_epoch,
        "steps": recorder.history[-1]["steps"],
        "seconds": round(recorder.seconds, 1),
        "scoring_seconds": round(sum(row["scoring_seconds"] for row in recorder.times), 1),
        "parameters": _parameters(setup),
    }
    run.write_json("scores.json", {"simulated": setup.facts.simulated, "training": training, "dev": evaluated.scores})


def _parameters(setup: Setup) -> dict[str, int]:
    kept = setup.model.monomodal(setup.facts.target)
    return {"training": setup.model.count_params(), "kept": kept.count_params()}


class _Report(keras.callbacks.Callback):
    """Tells a progress function how far training is."""

    def __init__(self, progress: Progress, epochs: int, score: str):
        super().__init__()
        self.progress, self.epochs, self.score = progress, epochs, score
        self.best = float("nan")

    def on_train_begin(self, logs: Any = None) -> None:
        self.progress(0, self.epochs, "compiling the first step")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.best = np.fmax(self.best, logs[f"val_{self.score}"])
        text = f"loss {logs['loss']:.3f}, {self.score} {logs[f'val_{self.score}']:.3f}, best {self.best:.3f}"
        self.progress(epoch + 1, self.epochs, text)


def _begun(config: Config, corpus: Corpus, facts: Facts, output: Path | None, holding: contextlib.ExitStack) -> Run:
    """A new run folder, which no other training gets."""
    path = output or default_output(config, corpus)
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        holding.enter_context(held(path))
    return Run.create(path, config, facts)


def _continued(config: Config, corpus: Corpus, output: Path | None, holding: contextlib.ExitStack) -> Run:
    """The run folder that stands in `output`, which no other training gets meanwhile."""
    if output is None:
        raise InputError("resume continues what stands in `output`; name that folder")
    run = Run.open(output, finished=False)
    if run.logs.exists() and not run.logs.is_dir():
        raise InputError(f"{run.logs}: expected TensorBoard's folder, found a file; move it out of the way")
    holding.enter_context(held(run.path))
    # A folder of before there was a note of it leaves the selection to the data set.
    before = run.config().replace(selection=run.selection).to_dict()
    now = config.replace(selection=selection_of(config, corpus.task)).to_dict()
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
