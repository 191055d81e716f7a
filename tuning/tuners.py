"""A search as a KerasTuner tuner.

search = tuner(preset("tables").replace(table=("audio=audio.csv", "face=face.csv")), "searches/faces", max_trials=20)
search.search()
run = search.best()
"""

import functools
import math
import shutil
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.errors import FailedTrialError
from keras_tuner.src import config as keras_tuner_config  # not exported

from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run, selection_of
from emobed_tf.runtime import import_tensorflow
from emobed_tf.training.loop import train_run
from emobed_tf.training.session import Session
from tuning import cluster, search_results
from tuning.folder import SearchFolder, SearchIdentity
from tuning.hypermodel import EmoBedHyperModel
from tuning.oracles import Resumable, TunerKind, make_oracle
from tuning.plan import check_numbers, chief_address, role, trial_limit
from tuning.space import space
from tuning.workers import HERE, LocalWorkers

IDENTITY = "tuner/search"  # a fixed value of the chief's space: a worker of another search is turned away


def tuner(
    config: Config,
    output: Path | str | None = None,
    *,
    kind: TunerKind = "bayesian",
    parameters: Sequence[str] = (),
    max_trials: int | None = None,
    seeds: int = 1,
    resume: bool = False,
    corpus: Corpus | None = None,
    session: Session | None = None,
) -> "Tuner":
    """A search that can begin.

    With KerasTuner's environment variables set this process is the chief of a cluster, or one of its workers.

    Args:
        config: the ground of every trial; see `emobed_tf.preset`. With `corpus`: resolved, from `load_corpus`.
        output: folder of the search; a worker of a cluster needs none.
        kind: of the search. Hyperband trains up to the configuration's epochs.
        parameters: what is searched: `NAME`, `NAME=LOW:HIGH`, `NAME=VALUE`, `default`; see `tuning.space.space`.
        max_trials: trials at most. Default: 20; a whole grid; all brackets of Hyperband.
        seeds: trainings of a trial, with seeds from the configuration's on. Their mean score counts.
        resume: continue what stands in `output`; it may have more trials than before.
        corpus: from `load_corpus`. Default: read here.
        session: that trains in this process. Default: that of the process.

    Returns:
        The search; none of its trials has run in this process yet.

    Raises:
        InputError: for wrong data, settings or parameters, or a folder with another search.
    """
    check_numbers(max_trials, seeds)
    if corpus is None:
        config, corpus = load_corpus(config)
    import_tensorflow(config.training.threads)
    searched = space(config, corpus, parameters)
    searched = searched.grid() if kind == "grid" else searched
    config = searched.settings(config, searched.fixed)
    identity = SearchIdentity.of(config, corpus, searched, kind, seeds)
    hypermodel = EmoBedHyperModel(config, corpus, searched, session)
    declared = keras_tuner.HyperParameters()
    declared.Fixed(IDENTITY, identity.digest)
    hypermodel.declare_hyperparameters(declared)
    oracle = make_oracle(
        kind,
        searched,
        declared,
        hypermodel.objective,
        limit=trial_limit(kind, max_trials, searched),
        epochs=config.training.epochs,
        seed=config.training.seed,
    )
    if role() == "worker":
        return Tuner(hypermodel, oracle, None, seeds)
    if output is None:
        raise InputError("a search needs a folder: name it with `output`")
    folder = SearchFolder(Path(output))
    (folder.resume if resume else folder.create)(identity, config, max_trials)
    same = {"kind": kind, "parameters": identity.entries(), "max_trials": max_trials, "seeds": seeds}
    return Tuner(hypermodel, oracle, folder, seeds, functools.partial(work_for_chief, config, **same))


def work_for_chief(config: Config, **settings: Any) -> None:
    """What a worker process does: runs trials until its chief has none left.

    Args:
        config: of the search, resolved.
        **settings: the chief's own arguments of `tuner`.
    """
    tuner(config, **settings).search()


class Tuner(BaseTuner):
    """A search in its folder. Made by `tuner`.

    Args:
        hypermodel: what is trained.
        oracle: what decides about the next trial.
        folder: where all is kept; None for a worker of a cluster.
        seeds: trainings of a trial.
        work: what a worker process of this machine does for it; None where it has none.
    """

    oracle: Any  # KerasTuner's, or a worker's client of the chief

    def __init__(
        self,
        hypermodel: EmoBedHyperModel,
        oracle: Resumable,
        folder: SearchFolder | None,
        seeds: int,
        work: Callable[[], None] | None = None,
    ):
        keras_tuner_config.DEBUG = False  # else it prints the trace of every trial that fails
        self.folder, self.work = folder, work
        first = hypermodel.config.training.seed
        self.seeds = range(first, first + seeds)
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        if folder:
            place = folder.trials
        else:
            self._scratch = tempfile.TemporaryDirectory()  # KerasTuner wants one on every host
            place = Path(self._scratch.name)
        self._progress: Progress | None = None
        super().__init__(oracle, hypermodel, directory=str(place.parent), project_name=place.name)
        if folder:
            if (place / "oracle.json").exists():
                self.reload()
            self._keep_table()
            search_results.write_experiment(
                folder.logs, hypermodel.space, hypermodel.score, hypermodel.corpus.simulated
            )
            for trial in self.ended():
                search_results.write_trial(folder.logs, trial, hypermodel.space)
            self.oracle.listeners.append(self._keep)
        else:
            self.oracle = cluster.ChiefClient(oracle)
            self.oracle.check(IDENTITY, oracle.hyperparameters.get(IDENTITY))

    def search(self, workers: int = 1, progress: Progress | None = None) -> None:
        """Runs all trials that have not ended. Nothing happens where all have.

        Args:
            workers: processes of this machine that share the trials; 1: this process runs them.
            progress: told how many trials have ended.

        Raises:
            InputError: if a cluster's address can't be had, or workers don't start.
        """
        self._progress = progress
        if self.folder is None:
            super().search()
        elif self.oracle.finished:
            return
        elif role() == "chief":
            cluster.run_chief(self.oracle, chief_address())
        elif workers > 1:
            processes = self.local_workers(workers)
            try:
                cluster.run_chief(self.oracle, f"{HERE}:0", processes.keep_running)
            finally:
                processes.stop()
        else:
            super().search()

    def local_workers(self, size: int) -> LocalWorkers:
        """Worker processes of this machine, not yet started.

        Args:
            size: how many.

        Returns:
            What starts, watches and stops them.
        """
        threads = self.hypermodel.config.training.threads
        work = cast(Callable[[], None], self.work)  # whoever has a folder has it, too
        return LocalWorkers(size, work, threads, self.own_folder.worker_log, self.oracle)

    def ended(self) -> list[Trial]:
        """Trials that have ended, by name."""
        found = [self.oracle.trials[trial_id] for trial_id in set(self.oracle.end_order)]
        return sorted(found, key=lambda trial: trial.trial_id)

    def winner(self) -> Trial:
        """The trial with the best score.

        Returns:
            One that has ended well.

        Raises:
            InputError: if none has ended well.
        """
        ended = self.ended()
        good = [trial for trial in search_results.best_first(ended) if search_results.completed(trial)]
        if not good:
            why = f"all {len(ended)} trials failed, the first with: {ended[0].message}" if ended else "no trial ended"
            raise InputError(f"{self.own_folder.path}: {why}; see {self.own_folder.table}")
        return good[0]

    def best(self, progress: Progress | None = None) -> Run:
        """The run folder of the best trial, trained with the first seed if it isn't there yet.

        Args:
            progress: told how far training is.

        Returns:
            A run that has finished.

        Raises:
            InputError: if no trial has ended well.
        """
        config = self.hypermodel.settings(self.winner().hyperparameters)
        run, model = Run(self.own_folder.best), self.hypermodel
        if run.config_file.exists() and run.finished:
            asked = run.config().replace(selection=config.training.selection)  # a run's own folder says it in any case
            if asked == config and run.selection == selection_of(config, model.corpus.task):
                return run
        shutil.rmtree(run.path, ignore_errors=True)  # of an earlier winner, or cut short
        return train_run(config, run.path, corpus=model.corpus, progress=progress, session=model.session)

    def show(self) -> None:
        """Prints the trials that have ended, the best first."""
        if self.ended():
            model = self.hypermodel
            simulated = "SIMULATED: " if model.corpus.simulated else ""
            title = f"{simulated}{model.corpus.label} from {model.config.data.target}, trials by {model.score}"
            search_results.show_trials(self.ended(), model.space, model.score, title, self.own_folder.table)

    def rows(self) -> list[dict[str, Any]]:
        """What `trials.csv` holds of the trials that have ended."""
        return search_results.trial_rows(self.ended(), self.hypermodel.space, self.hypermodel.corpus.simulated)

    def run_trial(self, trial: Trial) -> dict[str, float]:
        """Trains a trial with every seed; what goes wrong ends the trial, and not the search.

        Args:
            trial: with values of what is searched.

        Returns:
            The mean score over seeds, and what `trials.csv` says of the trainings beside it.

        Raises:
            FailedTrialError: with the reason in one line, if a training fails or has no finite score.
        """  # noqa: DOC501 (the InputError is caught here)
        results = []
        for seed in self.seeds:
            try:
                results.append(self.hypermodel.fit(trial.hyperparameters, seed=seed))
                if not math.isfinite(results[-1][self.hypermodel.score]):
                    raise InputError(f"the score is {results[-1][self.hypermodel.score]}")
            except Exception as error:
                raise FailedTrialError(f"seed {seed}: {_in_a_line(error)}") from error
        return search_results.summarise(self.seeds, results, self.hypermodel.score)

    def on_trial_end(self, trial: Trial) -> None:
        """Ends a trial; of a failure the reason is kept in one line.

        Args:
            trial: completed or failed.

        Raises:
            InputError: if the search's folder has been removed.
        """
        if self.folder:
            self.folder.check_present()
        if trial.status != TrialStatus.COMPLETED:  # KerasTuner's message is a whole trace; its last line is ours
            trial.message = trial.message.strip().splitlines()[-1].split("FailedTrialError: ", 1)[-1]
        self.oracle.end_trial(trial)

    def save(self) -> None:
        """Writes the oracle's state; a worker of a cluster has nothing to write.

        Raises:
            InputError: if the search's folder has been removed.
        """
        if self.folder:
            self.folder.check_present()
            self.oracle.save()

    def reload(self) -> None:
        """Reads the oracle's state."""
        self.oracle.reload()

    @property
    def own_folder(self) -> SearchFolder:
        """The search's folder, which all but a worker of a cluster have."""
        return cast(SearchFolder, self.folder)

    def _populate_initial_space(self) -> None:
        """The space is declared already; KerasTuner would build models to find it."""

    def _keep(self, trial: Trial) -> None:
        search_results.write_trial(self.own_folder.logs, trial, self.hypermodel.space)
        self._keep_table()
        if self._progress is not None:
            ended, best = self.ended(), [t.score for t in self.ended() if search_results.completed(t)]
            text = f"best {max(best):.3f}" if best else "no score yet"
            self._progress(len(ended), self.oracle.limit or 0, text)

    def _keep_table(self) -> None:
        if self.ended():
            self.own_folder.write_rows(self.rows())


def _in_a_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {text} ({Path(place.filename).name}, line {place.lineno})"
