"""What tables teach: the task and the label that their columns have, and each recording's label."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from emobed_tf.corpora.checks import NUMBER
from emobed_tf.corpora.corpus import CLASSIFICATION, DIMENSIONS, EMOTION, REGRESSION, Target
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.identity import class_key
from emobed_tf.corpora.rows import constant
from emobed_tf.corpora.tablefile import Table
from emobed_tf.errors import InputError

LABEL = "label"
_TIMES = ("time", "start", "end")


def decide(tables: Mapping[str, Table], header: Collection[str], task: str, dimension: str) -> Target:
    """What is learnt from these tables alone: the task as asked for, or as the label columns have it.

    Args:
        tables: with their labels, by modality.
        header: names of all columns that were there.
        task: `auto`, `regression` or `classification`.
        dimension: what a regression learns: arousal, valence, or the name of another column of numbers.

    Returns:
        Task, label and classes. A regression learns the dimension, or `label` where the numbers are in that column.

    Raises:
        InputError: if the tables don't tell, or don't have the label.
    """
    asked = task != CLASSIFICATION and dimension not in DIMENSIONS
    if asked and not any(dimension in table.numbers for table in tables.values()):
        found_names = listing(sorted(header))
        raise InputError(f"--dimension {dimension}: no table has such a column of numbers; found {found_names}")
    if task == "auto":
        task = _task_of(tables, dimension)
    if task == CLASSIFICATION:
        return Target(task, EMOTION, _classes_of(tables))
    found = {name for table in tables.values() for name in (*DIMENSIONS, dimension) if name in table.numbers}
    if dimension in found or (found and not _all_have_numbers(tables)):
        return Target(task, dimension)
    return Target(task, LABEL)


def _task_of(tables: Mapping[str, Table], dimension: str) -> str:
    if dimension not in DIMENSIONS and any(dimension in table.numbers for table in tables.values()):
        return REGRESSION  # nobody asks for it by chance
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
            f"{tables[name].title}: no label; expected a column 'label', 'arousal' or 'valence' with values in it; if "
            "another column has it: --column NAME=label, or --dimension NAME; or give a file of labels with --labels"
        )
    name = next(name for name, cells in labels.items() if cells)
    raise InputError(
        f"{tables[name].title}: column 'label' has whole numbers, which may be classes or values; "
        "say --task classification or --task regression"
    )


def _classes_of(tables: Mapping[str, Table]) -> tuple[str, ...]:
    classes = {cell for table in tables.values() for cell in table.texts.get(LABEL, ()) if cell}
    _check_spellings(tables, classes)
    if all(NUMBER.fullmatch(cell) and float(cell).is_integer() for cell in classes):
        return tuple(str(number) for number in sorted({int(float(cell)) for cell in classes}))
    return tuple(sorted(classes))


def _check_spellings(tables: Mapping[str, Table], classes: set[str]) -> None:
    """Refuses classes that differ only in case or blanks."""
    keys: dict[str, list[str]] = {}
    for name in sorted(classes):
        keys.setdefault(class_key(name), []).append(name)
    for names in keys.values():
        if len(names) > 1:
            places = [_first_place(tables, name) for name in names[:2]]
            raise InputError(
                f"{places[1]}: class '{names[1]}' differs from '{names[0]}' ({places[0]}) only in case or blanks; "
                f"write both alike, or say --class-name '{names[1]}={names[0]}'"
            )


def _first_place(tables: Mapping[str, Table], label: str) -> str:
    return next(
        table.where(int(rows[0]), LABEL)
        for table in tables.values()
        if LABEL in table.texts and len(rows := np.flatnonzero(table.texts[LABEL] == label))
    )


def _all_have_numbers(tables: Mapping[str, Table]) -> bool:
    return all(
        LABEL in table.texts and all(NUMBER.fullmatch(cell) for cell in table.texts[LABEL] if cell)
        for table in tables.values()
    )


def label_column(table: Table, target: Target) -> np.ndarray | None:
    """Checks that the label is there.

    Args:
        table: any.
        target: what is learnt.

    Returns:
        Its values, float64 `[rows]`, for a regression; None for a classification.

    Raises:
        InputError: if there is no such column, or a cell of it is no number.
    """
    name = LABEL if target.task == CLASSIFICATION else target.label
    known = [column for column in dict.fromkeys((LABEL, *DIMENSIONS, *table.numbers)) if column not in _TIMES]
    present = [column for column in known if column in table.texts or column in table.numbers]
    if name not in present:
        others = [column for column in present if column != LABEL]
        hint = f" ask for --dimension {others[0]}," if name != LABEL and others else ""
        raise InputError(
            f"{table.title}: no column '{name}' for {target.task} (label columns found: {listing(present) or 'none'}); "
            f"add it,{hint} or say which column has it: --column NAME={name}; or give a file of labels with --labels"
        )
    if target.task == CLASSIFICATION:
        return None
    if name in table.numbers:
        return table.numbers[name]
    for row, cell in enumerate(table.texts[name]):
        if cell and not NUMBER.fullmatch(cell):
            raise InputError(
                f"{table.where(row, name)}: column '{name}': expected a number for regression, got '{cell}'"
            )
    return np.array([float(cell) if cell else np.nan for cell in table.texts[name]])


def labels_of(
    table: Table, rows: np.ndarray, recording: str, target: Target, column: np.ndarray | None, may_lack: bool
) -> dict[str, np.ndarray]:
    """Labels of one recording.

    Args:
        table: with the label's column.
        rows: indices of the recording's rows.
        recording: its name, for messages.
        target: what is learnt.
        column: from `label_column`.
        may_lack: whether a recording without labels is right.

    Returns:
        By name: the class, an int32 scalar array; or dimensions, float32 `[frames]`, NaN in frames without a label.
        Nothing for a recording without labels.

    Raises:
        InputError: if a label is missing or wrong, with the line.
    """
    if column is None:
        return _class_label(table, rows, recording, may_lack, target.classes)
    labels = _numeric_label(table, rows, may_lack, target.label, column, "time" in table.numbers)
    return labels | _other_dimensions(table, rows, labels)


def _class_label(
    table: Table, rows: np.ndarray, recording: str, may_lack: bool, classes: Sequence[str]
) -> dict[str, np.ndarray]:
    value = constant(table, LABEL, rows, recording)
    if not value:
        if may_lack:
            return {}
        raise InputError(
            f"{table.where(rows[0], LABEL)}: column 'label' is empty or marked as missing; "
            "only the test partition may lack labels"
        )
    if value not in classes and NUMBER.fullmatch(value) and float(value).is_integer():
        value = str(int(float(value)))  # 3.0, as pandas writes whole numbers where a cell of the column is empty
    if value not in classes:
        raise InputError(
            f"{table.where(rows[0], LABEL)}: unknown class '{value}'; expected one of {', '.join(classes)}"
        )
    return {EMOTION: np.array(classes.index(value), np.int32)}


def _other_dimensions(table: Table, rows: np.ndarray, labels: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Complete labels of the dimensions that were not asked for; systems that learn both look for them."""
    others = {name: table.numbers[name][rows] for name in DIMENSIONS if name in table.numbers and name not in labels}
    known = {name: _as_float32(values) for name, values in others.items() if labels}
    return {name: values for name, values in known.items() if np.isfinite(values).all()}


def _numeric_label(
    table: Table, rows: np.ndarray, may_lack: bool, label: str, column: np.ndarray, framewise: bool
) -> dict[str, np.ndarray]:
    """A dimension, NaN in frames without a label; nothing for a recording that may lack all."""
    values = _as_float32(column[rows])
    if may_lack and np.isnan(values).all():
        return {}
    wrong = np.flatnonzero(np.isinf(values) if framewise and not np.isnan(values).all() else ~np.isfinite(values))
    if wrong.size:
        what = "is empty or marked as missing" if np.isnan(values[wrong[0]]) else "is infinite or too large for float32"
        allowed = "only single frames, and whole recordings of test, may lack labels"
        raise InputError(
            f"{table.where(rows[wrong[0]], label)}: column '{label}' {what}; expected a finite number ({allowed})"
        )
    return {label: values}


def _as_float32(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # too large becomes infinite, which is found out
        return values.astype(np.float32)
