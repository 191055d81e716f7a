"""One fit of one system, scored the same way for all: what a worker does, and what is kept of it."""

import dataclasses
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emobed_tf.comparison.scenario import Scenario
from emobed_tf.config import Config
from emobed_tf.corpora.corpus import Recording
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.evaluation.scores import SCORED_PARTITIONS, evaluate, learn_chain
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics, joined_seeds, statistics_of
from emobed_tf.runs.records import typed
from emobed_tf.runtime import import_tensorflow
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.registry import find_system
from emobed_tf.training.session import default_session

Source = Callable[[], Problem]
"""Where a problem comes from: it can be pickled and hashed, so that a worker reads the data for itself, once."""


@dataclass(frozen=True)
class OfficialSource:
    """A data set with its own partitions.

    Attributes:
        config: see `configured.load_corpus`.
    """

    config: Config

    def __call__(self) -> Problem:
        """Reads the data set, or takes it from the session of this process."""
        return Problem(*default_session().corpora.load(self.config))


@dataclass(frozen=True)
class Trial:
    """One fit of one system.

    Attributes:
        scenario: what it is recognised from.
        source: where the problem comes from.
        system: name of the system, see `registry.find_system`.
        settings: one of its configurations.
        seed: of all that is random.
        final: whether test recordings are predicted, too; only with the settings that were chosen without them.
        look: whether they are predicted to show how choices and test go together, see `Budget.show_selection`.
        split: number, from 1, of the inner split that it is fitted on, and their number; None for the scenario's own.
        rung: of successive halving, from 1; None for a whole training.
        epochs: at most, at that rung.
    """

    scenario: Scenario
    source: Source
    system: str
    settings: Mapping[str, Any]
    seed: int
    final: bool = False
    look: bool = False
    split: tuple[int, int] | None = None
    rung: int | None = None
    epochs: int | None = None

    @property
    def key(self) -> dict[str, Any]:
        """What it is, as a ledger knows it: all that tells it from the other trials of a comparison, as JSON values."""
        return {
            **self.scenario.to_dict(),
            "system": self.system,
            "settings": dict(self.settings),
            "seed": self.seed,
            "purpose": "final" if self.final else "look" if self.look else "choice",
            **({"split": list(self.split)} if self.split is not None else {}),
            **({"rung": self.rung, "epochs": self.epochs} if self.rung is not None else {}),
        }

    def __str__(self) -> str:
        settings = ", ".join(f"{name} {value}" for name, value in self.settings.items())
        return f"{self.system} on {self.scenario.name}{', ' if settings else ''}{settings}, seed {self.seed}"

    @property
    def reads_test(self) -> bool:
        """Whether test recordings are predicted."""
        return self.final or self.look


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Attributes:
        record: JSON values; see `run_trial`.
        predictions: of a final trial, by partition and recording, in the gold standard's time, before
            post-processing: `[frames]`, or scores `[classes]`.
    """

    record: dict[str, Any]
    predictions: dict[str, dict[str, np.ndarray]] = dataclasses.field(default_factory=dict)


def run_trial(trial: Trial) -> Outcome:
    """Fits the system without test recordings and scores it; only a final trial, or a look at test, predicts them.

    The post-processing chain is learnt on development, between the windows that the system names, and applied
    untouched to test.

    Args:
        trial: what to do.

    Returns:
        With a record of `settings`, `seed`, `seconds` (of the fit, had the session remembered nothing),
        `total_seconds` (that really passed), `parameters`, `epochs_done` (see `System.epochs_done`),
        `score` (the problem's, on development), `chain` (None for a classification), `warnings`, and by partition
        `scores`, `frames`, `speakers`, `statistics` by speaker (see `recorded_statistics`); at a rung also `rung` and
        `epochs`. A system that these data or settings don't suit leaves `settings`, `seed` and
        `failed`, the reason, instead.
    """
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmoBedWarning)  # of the data: whoever planned the trial has read them, too
        problem = trial.source()
    import_tensorflow(problem.config.training.threads)
    record: dict[str, Any] = {"settings": dict(trial.settings), "seed": trial.seed}
    if trial.rung is not None:
        problem = dataclasses.replace(problem, config=problem.config.replace(epochs=trial.epochs))
        record |= {"rung": trial.rung, "epochs": trial.epochs}
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", EmoBedWarning)
            system = find_system(trial.system)()
            found, predictions = _fit_and_score(system.view(problem), system, trial)
    except InputError as error:
        return Outcome({**record, "failed": str(error)})
    doubts = sorted({str(w.message) for w in caught if issubclass(w.category, EmoBedWarning)})
    total = round(time.perf_counter() - began, 3)
    return Outcome({**record, **found, "total_seconds": total, "warnings": doubts}, predictions)


def check_record(key: Any, record: Mapping[str, Any], where: str) -> None:
    """Checks a record that a ledger's file holds, before anything is computed from it.

    Args:
        key: of the record. Only those of trials are looked at; they have a purpose, or are a text of format 1.
        record: of `run_trial`, if nobody has changed it.
        where: file and line, for messages.

    Raises:
        InputError: if something is missing or of another type, or the score is none.
    """
    if not isinstance(key, str) and not (isinstance(key, dict) and "purpose" in key):
        return
    is_failure = "failed" in record
    for name, kind in (_FAILURE if is_failure else _RECORD).items():
        if name not in record:
            raise InputError(f"{where}: a trial without {name}; remove that line, or choose another folder")
        typed(kind, record[name], f"{where}: {name}")
    for name in _SECONDS & record.keys():
        if typed(float, record[name], f"{where}: {name}") < 0:
            raise InputError(f"{where}: {name}: expected 0 or more, found {record[name]:g}")
    if is_failure:
        return
    epochs = record.get("epochs_done")  # records of earlier versions lack it
    if epochs is not None and typed(int, epochs, f"{where}: epochs_done") < 1:
        raise InputError(f"{where}: epochs_done: expected 1 or more, found {epochs}")
    if not -1 <= record["score"] <= 1:
        raise InputError(f"{where}: score: expected -1 to 1, found {record['score']:g}")
    if "dev" not in record["partitions"]:
        raise InputError(f"{where}: a trial without development; remove that line, or choose another folder")
    for name, part in record["partitions"].items():
        if len(part["speakers"]) != len(part["statistics"]) or len({np.shape(one) for one in part["statistics"]}) > 1:
            raise InputError(f"{where}: {name}: expected statistics of each of its speakers")


_SECONDS = {"seconds", "total_seconds"}  # of finished trials; records of earlier versions may lack the second
_FAILURE: dict[str, Any] = {"settings": dict[str, Any], "seed": int, "failed": str}


@dataclass(frozen=True)
class _Part:
    """What a record says of a partition, for its check."""

    scores: Mapping[str, float | Mapping[str, float]]
    frames: int
    speakers: Sequence[str]
    statistics: Sequence[Sequence[float | Sequence[float]]]


_RECORD: dict[str, Any] = {
    "settings": dict[str, Any],
    "seed": int,
    "score": float,
    "warnings": Sequence[str],
    "partitions": Mapping[str, _Part],
}


def recorded_statistics(records: Sequence[Mapping[str, Any]], partition: str) -> SpeakerStatistics:
    """What records of one system's final trials say of a partition, with the trials' seeds.

    Args:
        records: of `run_trial`, at least one, none of them failed.
        partition: that all of them have.

    Returns:
        Of all those trials, in the order of the records.

    Raises:
        InputError: if they were scored on different speakers.
    """
    parts = [record["partitions"][partition] for record in records]
    sums = [np.asarray(part["statistics"], np.float64)[:, None] for part in parts]
    each = [SpeakerStatistics(tuple(p["speakers"]), (0,), s, p["frames"]) for p, s in zip(parts, sums, strict=True)]
    return joined_seeds(each, [record["seed"] for record in records])


def _fit_and_score(
    problem: Problem, system: System, trial: Trial
) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    session = problem.session or default_session()
    began = time.perf_counter() + session.seconds_saved
    system.fit(problem.without_test(), trial.settings, trial.seed)
    seconds = round(time.perf_counter() + session.seconds_saved - began, 3)
    chain, parts, predictions = None, {}, {}
    for partition in SCORED_PARTITIONS if trial.reads_test else ("dev",):
        recordings = problem.recordings(partition)
        scored = recordings[problem.target]
        if not scored:
            continue  # a hidden test
        raw = system.predict(recordings)
        _check(raw, scored, problem, trial.system)
        if partition == "dev":
            chain, _ = learn_chain(scored, raw, problem.facts, system.windows)
        evaluated = evaluate(partition, scored, raw, problem.facts, chain)
        statistics = statistics_of(evaluated)
        parts[partition] = {
            "scores": {name: value for name, value in evaluated.scores.items() if name != "confusion"},
            "frames": statistics.count,
            "speakers": list(statistics.speakers),
            "statistics": statistics.sums[:, 0].tolist(),
        }
        predictions[partition] = {r.id: np.asarray(values) for r, values in zip(scored, raw, strict=True)}
    record = {
        "seconds": seconds,
        "parameters": system.parameters,
        "epochs_done": system.epochs_done,
        "score": parts["dev"]["scores"][problem.score],
        "chain": chain.to_dict() if chain else None,
        "partitions": parts,
    }
    return record, predictions if trial.final else {}


def _check(raw: Sequence[np.ndarray], recordings: Sequence[Recording], problem: Problem, system: str) -> None:
    """A system of one's own may answer anything: what it says is scored only if it is an answer."""
    classes = len(problem.corpus.classes)
    expected = [(classes,) if classes else np.shape(r.labels[problem.label]) for r in recordings]
    found = [np.shape(values) for values in raw]
    if found != expected:
        wrong = next((k for k, pair in enumerate(zip(found, expected, strict=False)) if pair[0] != pair[1]), 0)
        raise InputError(
            f"system {system}: expected {len(expected)} predictions, number {wrong} of shape {expected[wrong]}, got "
            f"{len(found)}" + (f", that one of shape {found[wrong]}" if wrong < len(found) else "")
        )
    if not all(np.isfinite(values).all() for values in raw):
        raise InputError(f"system {system}: a prediction is not finite")
