"""Feature tables of any corpus: one per modality, with labels of their own or from a table for all."""

import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emobed_tf.console import Progress
from emobed_tf.corpora.columns import is_missing
from emobed_tf.corpora.corpus import (
    PARTITIONS,
    Modality,
    Recording,
    Target,
)
from emobed_tf.corpora.extraction import extraction_of
from emobed_tf.corpora.featuretable import FeatureTable, read_features
from emobed_tf.corpora.files import need_folder, visible_files
from emobed_tf.corpora.grid import recordings_of
from emobed_tf.corpora.identity import PARTITION_SPELLINGS, Spellings, is_unknown, partition_of, renamed
from emobed_tf.corpora.labelling import read_labels, with_labels
from emobed_tf.corpora.missing import missing_rows
from emobed_tf.corpora.rows import constant
from emobed_tf.corpora.suspects import suspects_in, warn_of, warn_of_segments
from emobed_tf.corpora.tablefile import ALL_SUFFIXES, Table
from emobed_tf.corpora.targets import LABEL, label_column, labels_of
from emobed_tf.corpora.waveforms import as_waveform, files_of, with_label_files
from emobed_tf.datasets import TABLES
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.files import at_home
from emobed_tf.settings import Reading

if TYPE_CHECKING:
    import pandas as pd

NO_SPEAKERS = "no speaker column: each recording counts as a speaker, so intervals and p are too narrow"
"""The note of a modality whose table doesn't say who speaks."""
LABELS_ENTRY = "--labels"
_SPLIT = (
    "if another column has it: --column NAME=partition; crossvalidate and audit don't need it, because they split by "
    "speaker; or give labels and partitions with --labels"
)


@dataclass(frozen=True)
class LabelledTables:
    """Feature tables that have been read, with their labels.

    Attributes:
        tables: by modality.
        settings: that they were read with.
        partitioned: False: each is a whole, called train; its own partitions, if it has any, are not looked at, and any
            recording may lack labels.
        files: SHA-256 of everything that was read, by path; of data frames by their entry.
        header: names of all columns, of the table of labels too.
    """

    tables: Mapping[str, FeatureTable]
    settings: Reading
    partitioned: bool
    files: Mapping[str, str]
    header: frozenset[str]


def find_modalities(folder: Path) -> dict[str, Path]:
    """The tables in a folder by the name of their modality, which is the file's stem.

    Args:
        folder: any.

    Returns:
        Paths by name, sorted.

    Raises:
        MissingInputError: if there is none.
        InputError: if two files are of the same modality.
    """
    need_folder(folder, TABLES.layout)
    found: dict[str, Path] = {}
    for path in visible_files(folder):
        if path.suffix.lower() not in ALL_SUFFIXES:
            continue
        if path.stem in found:
            raise InputError(f"{path}: modality '{path.stem}' a second time (first: {found[path.stem]}); remove one")
        found[path.stem] = path
    if not found:
        raise MissingInputError(f"{folder}: no table; expected {TABLES.layout}")
    return found


def named_tables(
    tables: "Sequence[str | tuple[str, str | Path]] | Mapping[str, str | Path | pd.DataFrame]",
) -> "dict[str, Path | pd.DataFrame]":
    """Tables by modality, from `NAME=PATH` strings, (name, path) pairs, or a mapping that may hold data frames.

    Args:
        tables: in any of these forms.

    Returns:
        Paths and data frames by the name of the modality.

    Raises:
        InputError: if one is not of that form, or a name is given twice.
    """
    found: dict[str, Path | pd.DataFrame] = {}
    for table in tables.items() if isinstance(tables, Mapping) else tables:
        name, _, source = table.partition("=") if isinstance(table, str) else (table[0], "=", table[1])
        if not isinstance(source, str | Path):
            if not is_frame(source):
                raise InputError(f"table '{name}': expected a path or a data frame, got a {type(source).__name__}")
        elif not name or not str(source):
            raise InputError(f"table '{table}': expected NAME=PATH, such as face=tables/face.csv")
        if name in found:
            raise InputError(f"table '{name}' a second time: {source} and {found[name]}; expected each modality once")
        found[name] = source if is_frame(source) else at_home(source)
    return found


def entry(name: str) -> str:
    """What a table is called among fingerprints, wherever its file lies, and where it has none.

    Args:
        name: of the modality.

    Returns:
        Such as `--table face`.
    """
    return f"--table {name}"


def is_frame(table: object) -> bool:
    """Whether it is a pandas DataFrame. pandas is not imported for it: whoever has a data frame has done that.

    Args:
        table: anything.

    Returns:
        True for a data frame.
    """
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(table, pandas.DataFrame)


def read_tables(
    sources: "Mapping[str, Path | pd.DataFrame]",
    settings: Reading,
    dimension: str,
    *,
    labels: "Path | pd.DataFrame | None" = None,
    partitioned: bool = True,
    progress: Progress | None = None,
) -> LabelledTables:
    """Reads tables, which `decide` and `to_modality` take.

    Args:
        sources: files, folders of files and data frames, by modality.
        settings: what the columns are.
        dimension: that is learnt, if it is a regression.
        labels: a table of labels for all of them; None: each has its own.
        partitioned: False: they need no column `partition`.
        progress: called as progress(done, total, name) after each.

    Returns:
        Tables in the same order.

    Raises:
        MissingInputError: if a file is not there.
        InputError: whatever else is wrong, with the line.
    """
    needs = {"partition": _SPLIT} if partitioned and labels is None else {}
    given = None if labels is None else read_labels(labels, settings, dimension, partitioned)
    ids, speakers, classes = Spellings(), Spellings(), renamed(settings.class_name)
    result: dict[str, FeatureTable] = {}
    files: dict[str, str] = {}
    for name, source in sources.items():
        try:
            found = read_features(source, name, settings, dimension, needs=needs)
        except MissingInputError as error:
            raise MissingInputError(f"{error}; if it lies elsewhere: --table {name}=PATH") from None
        table, notes = found.table, found.notes
        if given is None:
            table = with_label_files(table, dimension)
        files |= {entry(name): value for value in table.files.values()} if is_frame(source) else table.files
        if not table.feature_names:
            files |= files_of(table)
        if given is not None:
            table, more = with_labels(table, given)
            replaced = tuple(f"is the {role}" for role in given.texts)
            notes = (*(note for note in notes if not note.endswith(replaced) or note.endswith("is the id")), *more)
        texts = dict(table.texts) | {"id": ids(table.texts["id"])}
        if "speaker" in texts:
            texts["speaker"] = speakers(texts["speaker"])
        if partitioned and "partition" in texts:
            texts["partition"], more = _partitions(texts["partition"])
            notes = (*notes, *more)
        if LABEL in texts:
            texts[LABEL] = np.array([_class_name(cell, classes) for cell in texts[LABEL]], dtype=object)
        result[name] = replace(found, table=replace(table, texts=texts), notes=notes)
        if progress is not None:
            progress(len(result), len(sources), name)
    if given is not None:
        files |= {str(given.path or LABELS_ENTRY): value for value in given.files.values()}
    header = frozenset().union(*(found.table.header for found in result.values()), given.header if given else ())
    return LabelledTables(result, settings, partitioned, files, header)


def to_modality(name: str, labelled: LabelledTables, target: Target) -> Modality:
    """A table as a modality.

    Args:
        name: of the modality.
        labelled: from `read_tables`.
        target: what is learnt.

    Returns:
        Its recordings in the order of their first rows.

    Raises:
        InputError: whatever is wrong, with the line.

    Warns:
        EmoBedWarning: with the columns that are probably no features, which are left out, and with features whose names
            say otherwise.
    """
    found, settings = labelled.tables[name], labelled.settings
    label_column(found.table, target)
    table, groups, step, notes = recordings_of(found.table, settings, found.unit_is_known)
    column = label_column(table, target)
    recordings = []
    for recording, rows in groups.items():
        partition = constant(table, "partition", rows, recording) if labelled.partitioned else PARTITIONS[0]
        if partition not in PARTITIONS:
            raise InputError(
                f"{table.where(rows[0], 'partition')}: partition '{partition}'; expected {PARTITION_SPELLINGS}"
            )
        may_lack = not labelled.partitioned or partition == "test"
        labels = labels_of(table, rows, recording, target, column, may_lack)
        start = float(table.numbers["time"][rows[0]]) if step else 0.0
        speaker = _speaker(table, rows, recording, settings.unknown_speaker == "own")
        recordings.append(Recording(recording, partition, speaker, table.features[rows], labels, {}, start))
    without = () if "speaker" in table.texts or not labelled.partitioned else (NO_SPEAKERS,)
    if not table.feature_names:
        notes = (*found.notes, *notes, *without)
        bare = Modality(name, (), tuple(recordings), step, TABLES.name, notes=notes, left_out=found.left_out)
        return as_waveform(bare, table, groups, target, strict=settings.strict)
    more = {} if _is_extracted(found.table) else suspects_in(table.feature_names, recordings, target, settings.keep)
    kept = table.without(list(more)).feature_names
    warn_of(name, {column: found.left_out[column] for column in found.doubtful} | more)
    warn_of_segments(name, kept, settings.keep)
    zeros_missing = name in settings.zeros_missing
    if more or zeros_missing:
        columns = [table.feature_names.index(feature) for feature in kept]
        recordings = [replace(r, features=np.ascontiguousarray(r.features[:, columns])) for r in recordings]
    if zeros_missing:
        recordings = [replace(r, features=missing_rows(r.features)) for r in recordings]
    return Modality(
        name,
        kept,
        tuple(recordings),
        step,
        TABLES.name,
        notes=(*found.notes, *notes, *without),
        left_out={**found.left_out, **more},
        zeros_missing=zeros_missing,
    )


def _partitions(cells: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Partitions by the names that they have here, and notes of those that were called something else."""
    known = {cell: partition_of(cell) or cell for cell in dict.fromkeys(cells)}
    notes = tuple(f"partition '{cell}' is read as {name}" for cell, name in known.items() if cell != name)
    return np.array([known[cell] for cell in cells], dtype=object), notes


def _class_name(cell: str, renamed_classes: Mapping[str, str]) -> str:
    """The name of a class; "" for a label that says that it is missing, as pandas (NaN) and Weka (?) write it."""
    if is_missing(cell):
        return ""
    name = unicodedata.normalize("NFC", cell)
    return renamed_classes.get(name, name)


def _speaker(table: Table, rows: np.ndarray, recording: str, own: bool) -> str:
    if "speaker" not in table.texts:
        return recording
    speaker = constant(table, "speaker", rows, recording)
    if not is_unknown(speaker):
        return speaker
    if own:
        return f"unknown ({recording})"
    what = f"is '{speaker}'" if speaker else "is empty"
    raise InputError(
        f"{table.where(rows[0], 'speaker')}: column 'speaker' {what}; expected the speaker's name. If nobody knows, "
        "say --unknown-speaker own: each such recording then counts as a speaker of its own"
    )


def _is_extracted(table: Table) -> bool:
    """Whether all of its features come from recordings, so that none can hide the label, however few rows there are."""
    return table.path is not None and table.path.suffix.lower() == ".parquet" and extraction_of(table.path) is not None
