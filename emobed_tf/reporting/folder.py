"""What a run folder holds beside settings and weights, read for a report."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.figures import columns_of
from emobed_tf.runs.folder import Run, check_epochs

Columns = dict[str, np.ndarray]
_GOLD = "gold_standard"
_NUMBERS = (_GOLD, "raw", "postprocessed")


def history(run: Run) -> list[dict[str, str]]:
    """Rows of a run's `history.csv`.

    Args:
        run: a finished run.

    Returns:
        One row for each epoch; every cell is a number or empty.

    Raises:
        InputError: if it is missing or damaged.
    """
    path = run.history_file
    if not path.is_file():
        raise InputError(f"{path}: missing; the run is half written")
    rows = _rows(path)
    try:
        for row in rows:
            for value in row.values():
                float(value or "nan")
    except ValueError:
        raise InputError(f"{path}: damaged (expected numbers, found {value!r})") from None
    if not rows or "epoch" not in rows[0]:
        raise InputError(f"{path}: damaged (expected rows with a column 'epoch')")
    check_epochs([float(row["epoch"] or "nan") for row in rows], path)
    return rows


def predictions(run: Run, partition: str) -> list[Columns]:
    """What `evaluate` wrote of a partition when the task is a regression.

    Args:
        run: a finished run.
        partition: `dev` or `test`.

    Returns:
        The columns of each recording's file: text `id`, and float64 `time` (s), `gold_standard` (NaN where the cell is
        empty), `raw` and `postprocessed`. All utterances stand in one file. No recordings if `evaluate` hasn't scored
        the partition.

    Raises:
        InputError: if a file is damaged.
    """
    found = []
    for path in sorted(run.predictions_folder(partition).glob("*.csv")):
        columns = columns_of(_rows(path))
        missing = [name for name in ("id", *_NUMBERS) if name not in columns]
        if missing:
            raise InputError(f"{path}: damaged (expected rows with the column '{missing[0]}')")
        for name in columns.keys() & {"time", *_NUMBERS}:
            empty = (columns[name] == "") & (name == _GOLD)
            try:
                columns[name] = np.where(empty, "nan", columns[name]).astype(np.float64)
            except (TypeError, ValueError):
                columns[name] = np.full(1, np.nan)
            if not (np.isfinite(columns[name]) | empty).all():
                raise InputError(f"{path}: damaged (expected numbers in '{name}')")
        found.append(columns)
    return found


def series_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Columns of a recording as it has just been scored; see `predictions`.

    Args:
        rows: from `evaluation.rows.prediction_rows`, of a regression.

    Returns:
        The same columns as from its file.
    """
    columns = columns_of(rows)
    return {**columns, _GOLD: columns[_GOLD].astype(np.float64)}  # None becomes NaN


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: damaged ({error})") from None
    if any(None in row for row in rows):
        raise InputError(f"{path}: damaged (a row has more cells than the header)")
    return rows
