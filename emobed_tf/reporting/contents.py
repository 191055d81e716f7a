"""Everything that a report shows of one run, and what is missing and why.

Development is scored again from the data. Test is never the report's idea: it is scored only where `evaluate --test`
has done so before (`scores.json` then holds it), the same way. Without the data, the scores and predictions in the run
folder are shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora.corpus import REGRESSION, Corpus
from emobed_tf.corpora.facts import Facts
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.evaluation.rows import prediction_rows
from emobed_tf.evaluation.score_table import SCORES
from emobed_tf.evaluation.scores import SCORED_PARTITIONS, Evaluated, evaluate, labelled, outputs
from emobed_tf.evaluation.speaker_statistics import statistics_of
from emobed_tf.reporting import folder
from emobed_tf.runs.folder import Run, selection_of
from emobed_tf.runtime import import_tensorflow

if TYPE_CHECKING:
    from emobed_tf.embeddings.points import Embedded


@dataclass(frozen=True)
class Part:
    """A run's outputs on one partition.

    Attributes:
        partition: `dev` or `test`.
        scores: as in `scores.json`.
        intervals: ends of the 95 % interval over speakers, by score; without data there are none.
        recordings: regression: by recording the columns id, time (s; none for utterances), gold_standard (NaN where a
            frame has none), raw, postprocessed. Empty where nothing is known of them.
        confusion: classification: int `[classes, classes]`, rows are true.
        evaluated: what `compare` takes; None without data.
    """

    partition: str
    scores: dict[str, Any]
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    recordings: tuple[folder.Columns, ...] = ()
    confusion: np.ndarray | None = None
    evaluated: Evaluated | None = None


@dataclass(frozen=True)
class Contents:
    """A run, read.

    Attributes:
        run: its folder.
        name: what the report calls it.
        config: resolved.
        facts: what training found.
        history: one row per epoch.
        training: `scores.json`'s summary of the training.
        provenance: `run.json`'s.
        parts: by partition.
        embedded: of the development partition; None where there are none to show.
        notes: what is missing, and why.
    """

    run: Run
    name: str
    config: Config
    facts: Facts
    history: list[dict[str, str]]
    training: dict[str, Any]
    provenance: dict[str, Any]
    parts: dict[str, Part]
    embedded: "Embedded | None"
    notes: tuple[str, ...]

    @property
    def score(self) -> str:
        """Name of the score that picked the weights."""
        return selection_of(self.config, self.facts.task)


def read(
    run: Run,
    name: str,
    *,
    data_dir: Path | None = None,
    tables: Sequence[str] = (),
    embeddings: bool = True,
    progress: Progress | None = None,
) -> Contents:
    """Reads a run, and scores it where its data are there.

    Args:
        run: finished.
        name: what the report calls it.
        data_dir: folder of the data set, where it has moved.
        tables: `NAME=PATH` of tables that have moved.
        embeddings: whether to compute embeddings, too.
        progress: told how far reading is.

    Returns:
        The run's contents.

    Raises:
        InputError: if the run is damaged, its data have changed, or there are none where the user said.
    """
    facts, scores, history = run.facts(), run.read_json("scores.json"), folder.history(run)
    notes: list[str] = []
    embedded = None
    corpus = _data(run, data_dir, tables, notes, progress)
    asked = [part for part in SCORED_PARTITIONS if part in scores]
    if "dev" not in asked or not all(isinstance(scores[part], dict) for part in asked):
        raise InputError(f"{run.path / 'scores.json'}: damaged (expected scores by partition)")
    if corpus is None:
        parts = {part: _kept(run, facts, part, scores[part], notes) for part in asked}
    else:
        parts = _scored(run, facts, corpus, asked, notes)
        if embeddings:
            embedded = _embedded(run, data_dir, tables, notes, progress)
    if "test" not in scores:
        notes.append(
            f"No test scores: a report never computes them; python -m emobed_tf.evaluate {run.named} --test does."
        )
    if len(history) < 2:
        notes.append("No learning curves: there was a single epoch.")
    if not embeddings:
        notes.append(f"No embeddings were asked for; python -m emobed_tf.report {run.named} draws them.")
    return Contents(
        run=run,
        name=name,
        config=run.config(),
        facts=facts,
        history=history,
        training=scores.get("training", {}),
        provenance=run.read_json("run.json").get("provenance", {}),
        parts=parts,
        embedded=embedded,
        notes=tuple(notes),
    )


def _data(
    run: Run, data_dir: Path | None, tables: Sequence[str], notes: list[str], progress: Progress | None
) -> Corpus | None:
    """The target's data, where they are; None, and a note, where they are not and the user named no other place."""
    import_tensorflow(run.config().training.threads)
    from emobed_tf.runs.scoring import load_data

    try:
        return load_data(run, data_dir, progress, tables=tables, target_only=True)[1]
    except MissingInputError as error:
        if data_dir is not None or tables:
            raise
        notes.append(
            f"The data are not where they were ({error}): no intervals, tests and embeddings; scores and predictions "
            "are those that the run folder holds. --data-dir or --table names another place."
        )
        return None


def _scored(run: Run, facts: Facts, corpus: Corpus, asked: Sequence[str], notes: list[str]) -> dict[str, Part]:
    from emobed_tf.runs.scoring import load_model

    model, chain = load_model(run), run.chain()
    parts = {}
    for part in asked:
        recordings = labelled(corpus, facts.target, part)
        if not recordings:
            notes.append(f"No labels of partition '{part}' any more: its scores are not shown.")
            continue
        found = evaluate(part, recordings, outputs(model, recordings, facts), facts, chain)
        sums = statistics_of(found)
        named = [name for name in found.scores if name in SCORES and SCORES[name].has_interval]
        summaries = {name: sums.summary(name) for name in named}
        parts[part] = Part(
            partition=part,
            scores=found.scores,
            intervals={
                name: (s.low, s.high) for name, s in summaries.items() if s.low is not None and s.high is not None
            },
            recordings=tuple(map(folder.series_of, prediction_rows(found, facts).values()))
            if facts.task == REGRESSION
            else (),
            confusion=found.confusion,
            evaluated=found,
        )
    return parts


def _kept(run: Run, facts: Facts, partition: str, scores: dict[str, Any], notes: list[str]) -> Part:
    """A partition as the run folder holds it."""
    if facts.task != REGRESSION:
        return Part(partition, scores, confusion=np.array(scores["confusion"]) if "confusion" in scores else None)
    found = tuple(folder.predictions(run, partition))
    if not found:
        notes.append(f"No predictions of partition '{partition}' are in the run folder: evaluate had not been run.")
    return Part(partition, scores, recordings=found)


def _embedded(
    run: Run, data_dir: Path | None, tables: Sequence[str], notes: list[str], progress: Progress | None
) -> "Embedded | None":
    from emobed_tf.embeddings.points import of_run

    try:
        return of_run(run, "dev", data_dir=data_dir, tables=tables, progress=progress)
    except MissingInputError as error:  # of an auxiliary modality: the target's data are there
        notes.append(f"No embeddings: {error}.")
        return None
