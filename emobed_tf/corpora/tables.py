"""Feature tables of any corpus: one CSV or Parquet file, or one data frame, per modality, labels included."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emobed_tf.console import Progress
from emobed_tf.corpora.checks import NUMBER
from emobed_tf.corpora.corpus import (
    CLASSIFICATION,
    DIMENSIONS,
    EMOTION,
    PARTITIONS,
    REGRESSION,
    Modality,
    Recording,
    Target,
)
from emobed_tf.corpora.files import listing, need_folder, visible_files
from emobed_tf.corpora.rows import constant, frame_step, rows_by_id
from emobed_tf.corpora.tablefile import SUFFIXES, Columns, Table, is_missing, read_table, table_of
from emobed_tf.datasets import TABLES
from emobed_tf.errors import InputError, MissingInputError

if TYPE_CHECKING:
    import pandas as pd

LABEL = "label"
_COLUMNS = Columns(
    texts=("id", "partition", "speaker", LABEL),
    numbers=("time", *DIMENSIONS),
    required={"id": "", "partition": "crossvalidate and audit do without, they split by speaker"},
)


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
        if path.suffix.lower() not in SUFFIXES:
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
        found[name] = source if is_frame(source) else Path(source)
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
    sources: "Mapping[str, Path | pd.DataFrame]", progress: Progress | None = None, partitioned: bool = True
) -> dict[str, Table]:
    """Reads tables, which `decide` and `to_modality` take.

    Args:
        sources: files and data frames, by modality.
        progress: called as progress(done, total, name) after each.
        partitioned: False: they need no column `partition`.

    Returns:
        By modality, in the same order.

    Raises:
        MissingInputError: if a file is not there.
        InputError: whatever else is wrong, with the line.
    """
    columns = _COLUMNS if partitioned else replace(_COLUMNS, required={"id": ""})
    result = {}
    for name, source in sources.items():
        table = table_of(source, name, columns) if is_frame(source) else read_table(source, columns)
        result[name] = _with_empty_labels(table)
        if progress is not None:
            progress(len(result), len(sources), name)
    return result


def decide(tables: Mapping[str, Table], task: str, dimension: str) -> Target:
    """What is learnt from these tables alone: the task as asked for, or as the label columns have it.

    Args:
        tables: by modality.
        task: `auto`, `regression` or `classification`.
        dimension: `arousal` or `valence`, for regression.

    Returns:
        Task, label and classes. A regression learns the dimension, or `label` where the numbers are in that column.

    Raises:
        InputError: if the tables don't tell, or don't have the label.
    """
    if task == "auto":
        task = _task_of(tables)
    if task == CLASSIFICATION:
        return Target(task, EMOTION, _classes_of(tables))
    found = {name for table in tables.values() for name in DIMENSIONS if name in table.numbers}
    if dimension in found or (found and not _all_have_numbers(tables)):
        return Target(task, dimension)
    return Target(task, LABEL)


def to_modality(name: str, table: Table, target: Target, partitioned: bool = True) -> Modality:
    """A table as a modality.

    Args:
        name: of the modality.
        table: with the columns id, partition, the label, and maybe time and speaker.
        target: what is learnt.
        partitioned: False: the table is a whole, called train; its own partitions, if it has any, are not looked at,
            and any recording may lack labels.

    Returns:
        Its recordings in the order of their first rows.

    Raises:
        InputError: whatever is wrong, with the line.
    """
    column = _label_column(table, target)
    groups = rows_by_id(table, table.texts["id"])
    step = frame_step(table, groups)
    recordings = []
    for recording, rows in groups.items():
        partition = constant(table, "partition", rows, recording) if partitioned else PARTITIONS[0]
        if partition not in PARTITIONS:
            raise InputError(f"{table.where(rows[0])}: partition '{partition}'; expected {', '.join(PARTITIONS)}")
        speaker = constant(table, "speaker", rows, recording) if "speaker" in table.texts else recording
        if not speaker:
            raise InputError(f"{table.where(rows[0])}: column 'speaker' is empty; expected who is heard or seen")
        may_lack = not partitioned or partition == "test"
        if column is None:  # a classification
            labels = _class_label(table, rows, recording, may_lack, target.classes)
        else:
            labels = _numeric_label(table, rows, may_lack, target.label, column)
            labels |= _other_dimensions(table, rows, labels)
        start = float(table.numbers["time"][rows[0]]) if step else 0.0
        recordings.append(Recording(recording, partition, speaker, table.features[rows], labels, {}, start))
    return Modality(name, table.feature_names, tuple(recordings), step, TABLES.name)


def _with_empty_labels(table: Table) -> Table:
    """The table with "" for labels that say that they are missing, as pandas (NaN) and Weka (?) write them."""
    if LABEL not in table.texts:
        return table
    labels = np.array(["" if is_missing(cell) else cell for cell in table.texts[LABEL]], dtype=object)
    return replace(table, texts={**table.texts, LABEL: labels})


def _task_of(tables: Mapping[str, Table]) -> str:
    labels = {name: [cell for cell in table.texts.get(LABEL, ()) if cell] for name, table in tables.items()}
    if any(not NUMBER.fullmatch(cell) for cells in labels.values() for cell in cells):
        return CLASSIFICATION
    if any(name in table.numbers for table in tables.values() for name in DIMENSIONS):
        return REGRESSION
    if any(not float(cell).is_integer() for cells in labels.values() for cell in cells):
        return REGRESSION
    name = next(iter(tables))
    if not any(labels.values()):
        raise InputError(
            f"{tables[name].title}: no label; expected a column 'label', 'arousal' or 'valence' with values in it"
        )
    name = next(name for name, cells in labels.items() if cells)
    raise InputError(
        f"{tables[name].title}: column 'label' has whole numbers, which may be classes or values; "
        "say --task classification or --task regression"
    )


def _classes_of(tables: Mapping[str, Table]) -> tuple[str, ...]:
    classes = {cell for table in tables.values() for cell in table.texts.get(LABEL, ()) if cell}
    if all(NUMBER.fullmatch(cell) and float(cell).is_integer() for cell in classes):
        return tuple(str(number) for number in sorted({int(float(cell)) for cell in classes}))
    return tuple(sorted(classes))


def _all_have_numbers(tables: Mapping[str, Table]) -> bool:
    return all(
        LABEL in table.texts and all(NUMBER.fullmatch(cell) for cell in table.texts[LABEL] if cell)
        for table in tables.values()
    )


def _label_column(table: Table, target: Target) -> np.ndarray | None:
    """Checks that the label is there; its values, float64 `[rows]`, for regression."""
    name = LABEL if target.task == CLASSIFICATION else target.label
    present = [column for column in (LABEL, *DIMENSIONS) if column in table.texts or column in table.numbers]
    if name not in present:
        others = [column for column in present if column in DIMENSIONS]
        hint = f" or ask for --dimension {others[0]}" if name in DIMENSIONS and others else ""
        raise InputError(
            f"{table.title}: no column '{name}' for {target.task} (label columns found: {listing(present) or 'none'}); "
            f"add it{hint}"
        )
    if target.task == CLASSIFICATION:
        return None
    if name in table.numbers:
        return table.numbers[name]
    for row, cell in enumerate(table.texts[name]):
        if cell and not NUMBER.fullmatch(cell):
            raise InputError(f"{table.where(row)}: column '{name}': expected a number for regression, got '{cell}'")
    return np.array([float(cell) if cell else np.nan for cell in table.texts[name]])


def _class_label(
    table: Table, rows: np.ndarray, recording: str, may_lack: bool, classes: Sequence[str]
) -> dict[str, np.ndarray]:
    value = constant(table, LABEL, rows, recording)
    if not value:
        if may_lack:
            return {}
        raise InputError(
            f"{table.where(rows[0])}: column 'label' is empty or marked as missing; "
            "only the test partition may lack labels"
        )
    if value not in classes and NUMBER.fullmatch(value) and float(value).is_integer():
        value = str(int(float(value)))  # 3.0, as pandas writes whole numbers where a cell of the column is empty
    if value not in classes:
        raise InputError(f"{table.where(rows[0])}: unknown class '{value}'; expected one of {', '.join(classes)}")
    return {EMOTION: np.array(classes.index(value), np.int32)}


def _other_dimensions(table: Table, rows: np.ndarray, labels: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Complete labels of the dimensions that were not asked for; systems that learn both look for them."""
    others = {name: table.numbers[name][rows] for name in DIMENSIONS if name in table.numbers and name not in labels}
    return {name: v.astype(np.float32) for name, v in others.items() if labels and np.isfinite(v).all()}


def _numeric_label(
    table: Table, rows: np.ndarray, may_lack: bool, label: str, column: np.ndarray
) -> dict[str, np.ndarray]:
    values = column[rows]
    if may_lack and np.isnan(values).all():
        return {}
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        what = "is empty or marked as missing" if np.isnan(values[wrong[0]]) else "is infinite"
        raise InputError(
            f"{table.where(rows[wrong[0]])}: column '{label}' {what}; expected a finite number "
            "(only whole recordings of the test partition may lack labels)"
        )
    return {label: values.astype(np.float32)}
