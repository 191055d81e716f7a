"""What is shown and kept of a search's trials: rows, a table, TensorBoard's HParams."""

import io
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
from tensorboard.plugins.hparams.summary import session_end_pb
from tensorboard.summary.writer.record_writer import RecordWriter

from emobed_tf.console import say, table
from emobed_tf.files import write_bytes
from tuning.hypermodel import EPOCHS
from tuning.space import PARAMETERS, Space, Values

SHOWN = 20
DEVIATION = "deviation"
_MEASURED = (DEVIATION, "epochs", "best_epoch", "seconds", "parameters")
_EVENTS = "events.out.tfevents.0.hparams"


def summarise(seeds: Sequence[int], results: Sequence[Mapping[str, float]], score: str) -> dict[str, float]:
    """A trial's metrics from those of its trainings.

    Args:
        seeds: of the trainings.
        results: what `EmoBedHyperModel.fit` returned for each.
        score: name of the score.

    Returns:
        The mean score, its standard deviation (n - 1; not for a single seed), each seed's score, mean epochs and best
        epoch, seconds in all, and parameters.
    """
    scores = [result[score] for result in results]
    found = {score: statistics.fmean(scores)}
    if len(scores) > 1:
        found[DEVIATION] = statistics.stdev(scores)
        found |= {f"{score}_seed{seed}": value for seed, value in zip(seeds, scores, strict=True)}
    for name in ("epochs", "best_epoch"):
        found[name] = statistics.fmean(result[name] for result in results)
    return found | {"seconds": sum(r["seconds"] for r in results), "parameters": results[0]["parameters"]}


def trial_metrics(trial: Trial) -> dict[str, float]:
    """A trial's metrics.

    Args:
        trial: that has ended well.

    Returns:
        By name: its scores, then deviation, epochs, best epoch, seconds and parameters, as far as it has them.
    """
    found = {name: float(history.get_last_value()) for name, history in sorted(trial.metrics.metrics.items())}
    scores = [name for name in found if name not in _MEASURED]
    return {name: found[name] for name in (*scores, *_MEASURED) if name in found}


def completed(trial: Trial) -> bool:
    """Whether a trial has ended well, with a score that is a number.

    Args:
        trial: any trial.

    Returns:
        False for one that failed or still runs.
    """
    return trial.status == TrialStatus.COMPLETED and trial.score is not None and math.isfinite(trial.score)


def best_first(trials: Sequence[Trial]) -> list[Trial]:
    """Sorts trials by score.

    Args:
        trials: any trials.

    Returns:
        The best first, equal ones by name, and those without a score at the end.
    """
    return sorted(trials, key=lambda trial: (-trial.score if completed(trial) else math.inf, trial.trial_id))


def trial_rows(trials: Sequence[Trial], space: Space, simulated: bool) -> list[dict[str, Any]]:
    """A row per trial: name, status, metrics, parameters, and why it failed.

    Args:
        trials: any trials.
        space: what was searched.
        simulated: whether the data are simulated.

    Returns:
        Cells by column.
    """
    columns = dict.fromkeys(name for trial in trials if completed(trial) for name in trial_metrics(trial))
    found = []
    for trial in trials:
        row = {"trial": trial.trial_id, "status": trial.status.lower()}
        measured = trial_metrics(trial) if completed(trial) else {}
        row |= {name: measured.get(name, "") for name in columns}
        row |= {name: _value(trial, name) for name in space.domains}
        if EPOCHS in trial.hyperparameters.values:
            row["at_most_epochs"] = trial.hyperparameters.values[EPOCHS]
        row["reason"] = trial.message or ""
        found.append(row | space.fixed | ({"simulated": True} if simulated else {}))
    return found


def show_trials(trials: Sequence[Trial], space: Space, score: str, title: str, file: Path) -> None:
    """Prints the best trials and all that failed.

    Args:
        trials: of the search.
        space: what was searched.
        score: its name.
        title: of the table.
        file: where all of them are.
    """
    ordered = best_first(trials)
    good = [trial for trial in ordered if completed(trial)]
    failed = [trial for trial in ordered if not completed(trial)]
    shown = [*good[:SHOWN], *failed[:SHOWN]]
    several = any(DEVIATION in trial_metrics(trial) for trial in good)
    body = []
    for trial in shown:
        measured = trial_metrics(trial) if completed(trial) else {}
        row = [trial.trial_id, f"{measured[score]:.3f}" if measured else trial.status.lower()]
        row += [f"{measured[DEVIATION]:.3f}" if measured else ""] if several else []
        row += [f"{value:.3g}" if value != "" else "" for value in (_value(trial, name) for name in space.searched)]
        body.append([*row, f"{measured['seconds']:.1f}" if measured else ""])
    names = [name.replace("_", " ") for name in space.searched]
    table(title, ["trial", "score", *(["deviation"] if several else []), *names, "seconds"], body)
    for trial in failed[:SHOWN]:
        say(f"trial {trial.trial_id} failed: {trial.message}")
    print(f"{len(good)} trials, {len(failed)} failed; all of them: {file}")


def write_experiment(folder: Path, space: Space, score: str, simulated: bool) -> None:
    """Tells TensorBoard's HParams what is searched.

    Args:
        folder: of the logs.
        space: what is searched.
        score: its name.
        simulated: whether the data are.
    """
    parameters = []
    for name, domain in space.searched.items():
        whole = PARAMETERS[name].kind is int
        if isinstance(domain, Values):
            among = api.Discrete(list(domain.values))
        else:
            among = (api.IntInterval if whole else api.RealInterval)(*domain.ends)
        parameters.append(api.HParam(name, among))
    names = (score, *_MEASURED)
    shown = f"{score} (SIMULATED data)" if simulated else score
    wanted = [api.Metric(name, display_name=shown if name == score else name) for name in names]
    _write(folder / _EVENTS, [api.hparams_config_pb(hparams=parameters, metrics=wanted)])


def write_trial(folder: Path, trial: Trial, space: Space) -> None:
    """Adds an ended trial to TensorBoard's HParams; one that is there is left alone.

    Args:
        folder: of the logs.
        trial: ended.
        space: what is searched.
    """
    file = folder / trial.trial_id / _EVENTS
    if file.exists():
        return
    values = {name: _value(trial, name) for name in space.searched}
    begun = api.hparams_pb({n: v for n, v in values.items() if v != ""}, trial_id=trial.trial_id)
    ended = session_end_pb(STATUS_SUCCESS if completed(trial) else STATUS_FAILURE)
    measured = trial_metrics(trial) if completed(trial) else {}
    scalars = Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in measured.items()])
    _write(file, [begun, scalars, ended])


def _write(file: Path, summaries: Sequence[Summary]) -> None:
    content = io.BytesIO()
    writer = RecordWriter(content)
    writer.write(Event(file_version="brain.Event:2").SerializeToString())
    for summary in summaries:
        writer.write(Event(summary=Summary.FromString(summary.SerializeToString())).SerializeToString())
    write_bytes(file, content.getvalue())


def _value(trial: Trial, name: str) -> Any:
    return trial.hyperparameters.values.get(name, "")
