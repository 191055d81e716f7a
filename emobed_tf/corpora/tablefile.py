"""One table, CSV, ARFF, Parquet or a data frame: texts, numbers and features, with every row's line for messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emobed_tf.corpora import arff
from emobed_tf.corpora.arrowtable import read_frame, read_parquet
from emobed_tf.corpora.checks import check_finite_or_missing, check_same_names
from emobed_tf.corpora.columns import Choose, Columns, fixed
from emobed_tf.corpora.csvfile import csv_rows
from emobed_tf.corpora.csvtable import read_csv
from emobed_tf.corpora.files import listing, read_bytes, sha256
from emobed_tf.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet")
ALL_SUFFIXES = (*SUFFIXES, ".arff")
"""What `read_table` reads, ARFF files too."""


@dataclass(frozen=True)
class Table:
    """A table in memory.

    Attributes:
        path: the file or folder; None for a data frame.
        title: what messages call it.
        files: fingerprints of what was read, by path; of a data frame by its title.
        texts: text columns that it has, by name: str `[rows]`, "" where a cell is empty.
        numbers: number columns that it has, by name: float64 `[rows]`, NaN where a cell is empty.
        feature_names: names of the features, in order.
        features: float32 `[rows, features]`, NaN where a cell is empty or `?`.
        header: names of all columns, those that are not read as well.
        delimiter: between the cells of a CSV file.
        origin: where the rows come from, if not from this file's rows in order: the table, and the row in it.
        labels: a table that some of the columns were taken from, and the row in it of each row, int `[rows]`.
    """

    path: Path | None
    title: str
    files: Mapping[str, str]
    texts: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]
    feature_names: tuple[str, ...]
    features: np.ndarray
    header: frozenset[str] = frozenset()
    delimiter: str = field(default=",", repr=False)
    origin: tuple[tuple["Table", int], ...] | None = field(default=None, repr=False)
    labels: tuple["Table", np.ndarray] | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.features)

    def where(self, row: int, column: str = "") -> str:
        """Where a row is, for messages.

        Args:
            row: its index, from 0.
            column: of `texts` or `numbers`, which may be another table's.

        Returns:
            File and line; of Parquet and data frames the row, from 1.
        """
        if self.labels is not None and column and column in (*self.labels[0].texts, *self.labels[0].numbers):
            return self.labels[0].where(int(self.labels[1][row]))
        if self.origin is not None:
            table, row = self.origin[row]
            return table.where(row)
        if self.path is None or self.path.suffix.lower() == ".parquet":
            return f"{self.title}: row {row + 1}"
        if self.path.suffix.lower() == ".arff":
            return f"{self.path}:{arff.line_of_row(read_bytes(self.path), self.path, row)}"
        rows = csv_rows(read_bytes(self.path), self.path, self.delimiter)
        lines = (f"{self.path}:{line}" for index, (line, _) in enumerate(rows) if index == row + 1)
        return next(lines, str(self.path))  # a row of one quoted, empty cell is none there

    def take(self, rows: np.ndarray) -> "Table":
        """Some of the rows, in another order, maybe more than once.

        Args:
            rows: int `[any]`, their indices.

        Returns:
            A table that still knows where its rows come from.
        """
        return replace(
            self,
            texts={name: values[rows] for name, values in self.texts.items()},
            numbers={name: values[rows] for name, values in self.numbers.items()},
            features=self.features[rows],
            labels=None if self.labels is None else (self.labels[0], self.labels[1][rows]),
            origin=tuple((self, int(row)) if self.origin is None else self.origin[row] for row in rows),
        )

    def without(self, names: Sequence[str]) -> "Table":
        """The table without some of its features.

        Args:
            names: of features that it has.

        Returns:
            The table itself if there are none.

        Raises:
            InputError: if no feature is left.
        """
        if not names:
            return self
        kept = [k for k, name in enumerate(self.feature_names) if name not in set(names)]
        if not kept:
            raise InputError(f"{self.title}: no feature columns but {listing(names)}; keep one with --keep NAME")
        return replace(
            self,
            feature_names=tuple(self.feature_names[k] for k in kept),
            features=np.ascontiguousarray(self.features[:, kept]),
        )


def read_table(path: Path, columns: Columns | Choose, delimiter: str | None = ",", *, features: bool = True) -> Table:
    """Reads a CSV, Parquet or ARFF file.

    Args:
        path: file; its suffix tells the format.
        columns: what the columns are for, or how that follows from the header.
        delimiter: between the cells of a CSV file; None: found by the header.
        features: whether there must be some.

    Returns:
        Its columns in memory, those that are ignored left out.

    Raises:
        MissingInputError: if there is no such file.
        InputError: whatever else is wrong, with line and column.
    """
    suffix = path.suffix.lower()
    if suffix not in ALL_SUFFIXES:
        raise InputError(f"{path}: expected a table with the suffix .csv, .parquet or .arff")
    choose = fixed(columns) if isinstance(columns, Columns) else columns
    data = read_bytes(path)
    if suffix == ".parquet":
        chosen, arrays = read_parquet(data, path, choose)
    elif suffix == ".arff":
        chosen, arrays = arff.read_columns(data, path, choose)
    else:
        chosen, arrays, delimiter = read_csv(data, path, choose, delimiter)
    return _assembled(path, str(path), {str(path): sha256(data)}, chosen, arrays, delimiter or ",", features)


def table_of(frame: "pd.DataFrame", title: str, columns: Columns | Choose, *, features: bool = True) -> Table:
    """A data frame as a table.

    Args:
        frame: rows with the columns of a CSV table; NaN and None are missing values. An index that has names is
            columns like any other, one without is left out.
        title: what messages call it.
        columns: what the columns are for, or how that follows from their names.
        features: whether there must be some.

    Returns:
        The same as of a CSV file, with the fingerprint of the frame's content and no path.

    Raises:
        InputError: whatever is wrong, with row and column.
    """
    choose = fixed(columns) if isinstance(columns, Columns) else columns
    chosen, arrays, content = read_frame(frame, title, choose)
    return _assembled(None, title, {title: sha256(content)}, chosen, arrays, "", features)


def joined(path: Path, tables: Sequence[Table]) -> Table:
    """Tables with the same columns as one, row after row.

    Args:
        path: the folder that they lie in.
        tables: one at least.

    Returns:
        A table that knows the files of its rows.

    Raises:
        InputError: if they differ in their columns.
    """
    first = tables[0]
    for table in tables[1:]:
        check_same_names(table.feature_names, table.title, first.feature_names, first.title)
        for kind in ("texts", "numbers"):
            found, expected = getattr(table, kind).keys(), getattr(first, kind).keys()
            if found != expected:
                odd = listing(sorted(found ^ expected))
                raise InputError(f"{table.title}: other columns than {first.title} ({odd}); expected the same in all")
    return replace(
        first,
        path=path,
        title=str(path),
        files={name: value for table in tables for name, value in table.files.items()},
        texts={name: np.concatenate([table.texts[name] for table in tables]) for name in first.texts},
        numbers={name: np.concatenate([table.numbers[name] for table in tables]) for name in first.numbers},
        features=np.concatenate([table.features for table in tables]),
        header=frozenset().union(*(table.header for table in tables)),
        origin=tuple((table, row) for table in tables for row in range(len(table))),
    )


def _assembled(
    path: Path | None,
    title: str,
    files: Mapping[str, str],
    columns: Columns,
    arrays: Mapping[str, np.ndarray],
    delimiter: str,
    need_features: bool,
) -> Table:
    feature_names = tuple(name for name in arrays if name not in (*columns.texts, *columns.numbers))
    if not feature_names and need_features and not columns.featureless:
        raise InputError(f"{title}: no feature columns; found only {listing([*arrays, *columns.ignored])}")
    rows = len(next(iter(arrays.values())))
    by_column = np.empty((len(feature_names), rows), np.float32)
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which is found out below
        for index, name in enumerate(feature_names):
            by_column[index] = arrays[name]
    table = Table(
        path,
        title,
        files,
        {name: arrays[name] for name in columns.texts if name in arrays},
        {name: arrays[name] for name in columns.numbers if name in arrays},
        feature_names,
        np.ascontiguousarray(by_column.T),
        frozenset((*arrays, *columns.ignored)),
        delimiter,
    )
    check_finite_or_missing(table.features, feature_names, table.where)
    return table
