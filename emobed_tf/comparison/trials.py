"""One fit of one system, scored the same way for all: what a worker does, and what is kept of it."""

import dataclasses
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emobed_tf.config import Config
from emobed_tf.corpora.corpus import Recording
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.evaluation.scores import speaker_statistics
from emobed_tf.systems.base import Problem, System, find
from emobed_tf.training.session import default_session

Source = Callable[[], Problem]
"""Where a problem comes from: it can be pickled and hashed, so that a worker reads the data for itself, once."""


@dataclass(frozen=True)
class Official:
    """The official partitions of a data set.

    Attributes:
        config: see `configured.load_corpus`.
    """

    config: Config

    def __call__(self) -> Problem:
        return Problem(*default_session().corpora.load(self.config))


@dataclass(frozen=True)
class Trial:
    """One fit of one system.

    Attributes:
        problem: name of the problem, a part of `key`.
        source: where it comes from.
        system: name of the system, see `systems.find`.
        settings: one of its configurations.
        seed: of all that is random.
        final: whether test recordings are predicted, too; only with the settings that were chosen without them.
    """

    problem: str
    source: Source
    system: str
    settings: Mapping[str, Any]
    seed: int
    final: bool = False

    @property
    def key(self) -> str:
        """What it is, as a ledger names it."""
        purpose = "final" if self.final else "choice"
        return f"{self.problem} | {self.system} | {json.dumps(self.settings, sort_keys=True)} | {self.seed} | {purpose}"

    def __str__(self) -> str:
        return self.key


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
    """Fits the system without test recordings and scores it; test recordings are looked at in a final trial alone.

    The post-processing chain is learnt on development, between the windows that the system names, and applied
    untouched to test.

    Args:
        trial: what to do.

    Returns:
        With a record of `settings`, `seed`, `seconds` (of the fit), `total_seconds`, `parameters`, `score` (the
        problem's, on development), `chain` (None for a classification), `warnings`, and by partition `scores`,
        `frames`, `speakers`, `statistics` by speaker (see `scores.speaker_statistics`). A system that these data or
        settings don't suit leaves `settings`, `seed` and `failed`, the reason, instead.
    """
    from emobed_tf.runtime import import_tensorflow

    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EmoBedWarning)  # of the data: whoever planned the trial has read them, too
        problem = trial.source()
    import_tensorflow(problem.config.training.threads)
    record: dict[str, Any] = {"settings": dict(trial.settings), "seed": trial.seed}
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", EmoBedWarning)
            found, predictions = _fit_and_score(problem, find(trial.system)(), trial)
    except InputError as error:
        return Outcome({**record, "failed": str(error)})
    doubts = sorted({str(w.message) for w in caught if issubclass(w.category, EmoBedWarning)})
    total = round(time.perf_counter() - began, 3)
    return Outcome({**record, **found, "total_seconds": total, "warnings": doubts}, predictions)


def _fit_and_score(problem: Problem, system: System, trial: Trial):
    from emobed_tf.evaluation.scores import evaluate, learn_chain

    began = time.perf_counter()
    system.fit(problem.without_test(), trial.settings, trial.seed)
    seconds = round(time.perf_counter() - began, 3)
    chain, parts, predictions = None, {}, {}
    for partition in ("dev", "test") if trial.final else ("dev",):
        recordings = problem.recordings(partition)
        scored = recordings[problem.target]
        if not scored:
            continue  # a hidden test
        raw = system.predict(recordings)
        _check(raw, scored, problem, trial.system)
        if partition == "dev":
            chain, _ = learn_chain(scored, raw, problem.facts, system.windows)
        evaluated = evaluate(partition, scored, raw, problem.facts, chain)
        speakers, statistics = speaker_statistics(evaluated)
        parts[partition] = {
            "scores": {name: value for name, value in evaluated.scores.items() if name != "confusion"},
            "frames": evaluated.frames,
            "speakers": speakers,
            "statistics": statistics.tolist(),
        }
        predictions[partition] = {r.id: np.asarray(values) for r, values in zip(scored, raw, strict=True)}
    record = {
        "seconds": seconds,
        "parameters": system.parameters,
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
