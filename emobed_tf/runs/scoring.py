"""A run folder scored on its data, and two compared: what `evaluate` does."""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras

from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora import load_features
from emobed_tf.corpora.configured import fingerprints, load_corpus, moved
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.corpora.prediction import as_in_training
from emobed_tf.corpora.speakers import as_configured, brought
from emobed_tf.errors import InputError
from emobed_tf.evaluation.evidence import Comparison, compare_outputs
from emobed_tf.evaluation.rows import classification_row, prediction_rows, regression_rows
from emobed_tf.evaluation.scores import SCORED_PARTITIONS, Evaluated, evaluate, labelled, outputs
from emobed_tf.files import write_csv
from emobed_tf.models.build import build_model
from emobed_tf.models.weights import set_weight_arrays
from emobed_tf.runs.folder import BEST, Run


def load_model(run: Run) -> keras.Model:
    """The monomodal model of a finished run: the target's encoder and the head, best weights.

    Args:
        run: a finished run.

    Returns:
        float32 `[batch, frames, features]` -> `[batch, frames]` (regression) or `[batch, classes]`.
    """
    facts = run.facts()
    model = build_model(run.config(), dataclasses.replace(facts, features={facts.target: facts.features[facts.target]}))
    set_weight_arrays(model, run.read_arrays(BEST))
    return model.monomodal(facts.target)


def load_data(
    run: Run,
    data_dir: Path | None = None,
    progress: Progress | None = None,
    *,
    tables: Sequence[str] = (),
    target_only: bool = False,
) -> tuple[Config, Corpus]:
    """The data that a run was trained on, and its configuration with the paths where they are now.

    Args:
        run: any run.
        data_dir: folder that the data have moved to, tables and labels along with it.
        tables: `NAME=PATH` of tables that have moved somewhere else.
        progress: told how far reading is.
        target_only: whether to leave the auxiliaries' files alone.

    Returns:
        The configuration, resolved, and the data.

    Raises:
        InputError: if the data are not those that the run was trained on.
    """
    facts = run.facts()
    needed = (facts.target,) if target_only else tuple(facts.features)
    config = moved(run.config(), data_dir, tables, needed)
    config, corpus = load_corpus(config, progress, target_only=target_only or len(facts.features) == 1)
    _check_same_data(run, config, corpus, needed)
    return config, corpus


def _check_same_data(run: Run, config: Config, corpus: Corpus, modalities: Iterable[str]) -> None:
    facts = run.facts()
    for name in modalities:
        if corpus.modality(name).feature_names != facts.features[name]:
            raise InputError(f"{run.path}: the features of '{name}' are not those that it was trained on")
    now = fingerprints(config, corpus)
    changed = [name for name, value in now.items() if facts.fingerprints.get(name, value) != value]
    if changed:
        files = "1 file" if len(changed) == 1 else f"{len(changed)} files"
        raise InputError(
            f"{run.path}: {files} changed since training, such as {changed[0]}; train again, or name the folder with "
            "the data that it was trained on with --data-dir"
        )


def score_run(
    run: Run,
    data_dir: Path | None = None,
    progress: Progress | None = None,
    *,
    tables: Sequence[str] = (),
    corpus: Corpus | None = None,
    partitions: Sequence[str] = ("dev",),
) -> dict[str, Evaluated]:
    """Scores a run and writes scores and predictions into its folder.

    Test is scored only where it is asked for. The run then keeps a note of it, see `Run.test_reads`. Only the target's
    files are read.

    Args:
        run: a finished run.
        data_dir: folder of the data set, where it has moved.
        progress: told how far it is.
        tables: `NAME=PATH` of tables that have moved.
        corpus: the data that it was trained on, where they are in memory. Default: read here.
        partitions: what is scored, of `dev` and `test`.

    Returns:
        Outputs and scores by partition; one without labels is left out.

    Raises:
        InputError: if the data are not those that the run was trained on, or for another partition.

    Example:
        >>> from emobed_tf.runs.folder import Run
        >>> run = Run.open(Path("runs/arousal"))
        >>> sorted(score_run(run))
        ['dev']
        >>> evaluated = score_run(run, partitions=("dev", "test"))
        >>> sorted(evaluated["test"].scores)
        ['ccc', 'ccc_mean', 'pcc', 'raw', 'rmse']
        >>> len(run.test_reads())
        1
    """
    unknown = [part for part in partitions if part not in SCORED_PARTITIONS]
    if unknown:
        raise InputError(f"partition '{unknown[0]}': expected {' or '.join(SCORED_PARTITIONS)}")
    facts = run.facts()
    if corpus is None:
        _, corpus = load_data(run, data_dir, progress, tables=tables, target_only=True)
    else:
        _check_same_data(run, run.config(), corpus, (facts.target,))
        corpus = as_configured(run.config().data, corpus)
    recordings = {part: labelled(corpus, facts.target, part) for part in dict.fromkeys(partitions)}
    if recordings.get("test"):
        run.note_test_read()
    model, chain = load_model(run), run.chain()
    evaluated = {
        part: evaluate(part, members, outputs(model, members, facts), facts, chain)
        for part, members in recordings.items()
        if members
    }
    scores = run.read_json("scores.json")
    scores.update({part: values.scores for part, values in evaluated.items()})
    run.write_json("scores.json", scores)
    for part, values in evaluated.items():
        for name, rows in prediction_rows(values, facts).items():
            run.write_predictions(part, name, rows)
    return evaluated


def check_comparable(run: Run, other: Run) -> None:
    """Makes sure that two runs learnt the same, before any of them is scored.

    Args:
        run: a finished run.
        other: another one.

    Raises:
        InputError: if they learnt different labels or classes, with what differs.
    """
    unlike = run.facts().unlike(other.facts())
    if unlike:
        raise InputError(
            f"{run.path} learnt {unlike[0]}, {other.path} {unlike[1]}; name two runs that learnt the same of the same "
            "data"
        )


def compare_runs(
    run: Run, partitions: dict[str, Evaluated], other: Run, against: dict[str, Evaluated]
) -> dict[str, Comparison]:
    """Is `run` better than `other`? The answer is also written to `comparison.json` in the folder of `run`.

    Args:
        run: a finished run.
        partitions: its outputs, from `score_run`.
        other: the run that it is compared with, on the same data and label.
        against: that one's outputs.

    Returns:
        The evidence by partition, for those on which both were scored.

    Raises:
        InputError: if the two can't be compared.
    """
    check_comparable(run, other)
    score = run.selection
    shared = [part for part in partitions if part in against]
    comparisons = {part: compare_outputs(against[part], partitions[part], score) for part in shared}
    found = {"against": str(other.path.absolute()), **{part: found.to_dict() for part, found in comparisons.items()}}
    run.write_json("comparison.json", found)
    return comparisons


def predict_files(run: Run, files: Sequence[Path], output: Path) -> int:
    """Predicts from feature files of the target modality and writes a CSV file, see `predict_rows`.

    Args:
        run: a finished run.
        files: feature files, see `corpora.load_features`.
        output: the file to write.

    Returns:
        Number of rows.

    Raises:
        InputError: for files that can't be read or hold other features.
    """
    rows = predict_rows(run, files)
    write_csv(output, rows)
    return len(rows)


def predict_rows(run: Run, files: Sequence[Path]) -> list[dict[str, Any]]:
    """Predicts from feature files of the target modality.

    A run that is standardised by speaker takes a speaker's statistics from all of the speaker's rows in these files; a
    recording that names no speaker has its own.

    Args:
        run: a finished run.
        files: feature files, see `corpora.load_features`.

    Returns:
        A row for each frame, or for each recording of a classification; predictions are in the gold standard's time, as
        in an evaluation.

    Raises:
        InputError: for files that can't be read or hold other features.
    """
    facts, chain = run.facts(), run.chain()
    step = facts.frame_seconds[facts.target]
    recordings = load_features(files, **as_in_training(run.config(), facts))
    if facts.speaker_prior is not None:
        recordings = list(brought(recordings, facts.speaker_prior))
    raw = outputs(load_model(run), recordings, facts)
    rows: list[dict[str, Any]] = []
    for recording, values in zip(recordings, raw, strict=True):
        if chain is None:
            rows.append(classification_row(recording, values, facts.classes))
        else:
            rows += regression_rows(recording, step, values, chain.apply(values))
    return rows
