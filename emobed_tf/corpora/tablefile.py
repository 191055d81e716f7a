"""One table, CSV, Parquet or a data frame: key columns and features, with every row's line at hand for messages."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv
from pyarrow import parquet

from emobed_tf.corpora.checks import NUMBER, check_finite_or_missing
from emobed_tf.corpora.csvfile import csv_header, csv_rows
from emobed_tf.corpora.files import (
    BYTE_ORDER_MARK,
    check_is_text,
    listing,
    read_bytes,
    sha256,
    shorten,
)
from emobed_tf.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".parquet")
MISSING = ("", "?", "NaN", "nan", "NA", "null")
# Columns with these names are never features, whatever reads the table: a label among them would give itself away.
NEVER_FEATURES = ("id", "time", "partition", "speaker", "label", "arousal", "valence")

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")
_BLOCK_BYTES = 4 << 20
_NUMERIC_KINDS = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_null,
)


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are for.

    Attributes:
        texts: columns read as text.
        numbers: columns read as numbers, float64.
        required: those of them that have to be there, each with what to say where it isn't.
        ignored: columns that are not read. All others are features.
    """

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    required: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table in memory.

    Attributes:
        path: the file; None for a data frame.
        title: what messages call it.
        sha256: fingerprint of its bytes.
        texts: text columns that it has, by name: str `[rows]`, "" where a cell is empty.
        numbers: number columns that it has, by name: float64 `[rows]`, NaN where a cell is empty.
        feature_names: names of the features, in order.
        features: float32 `[rows, features]`, NaN where a cell is empty or `?`.
        delimiter: between the cells of a CSV file.
    """

    path: Path | None
    title: str
    sha256: str
    texts: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]
    feature_names: tuple[str, ...]
    features: np.ndarray
    delimiter: str = field(default=",", repr=False)

    def __len__(self) -> int:
        return len(self.features)

    def where(self, row: int) -> str:
        """Where a row is, for messages.

        Args:
            row: its index, from 0.

        Returns:
            File and line; of Parquet and data frames the row, from 1.
        """
        return _where(self.path, self.title, row, self.delimiter)


def read_table(path: Path, columns: Columns, delimiter: str = ",") -> Table:
    """Reads a CSV or Parquet file.

    Args:
        path: file; its suffix tells the format.
        columns: what the columns are for.
        delimiter: between the cells of a CSV file.

    Returns:
        Its columns in memory, those that are ignored left out.

    Raises:
        MissingInputError: if there is no such file.
        InputError: whatever else is wrong, with line and column.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: expected a table with the suffix .csv or .parquet")
    data = read_bytes(path)
    read = _read_parquet if path.suffix.lower() == ".parquet" else _read_csv
    names, arrays = read(data, path, columns, delimiter)
    return _assembled(path, str(path), sha256(data), columns, names, arrays, delimiter)


def table_of(frame: "pd.DataFrame", name: str, columns: Columns) -> Table:
    """A data frame as a table; its index is left out.

    Args:
        frame: rows with the columns of a CSV table; NaN and None are missing values.
        name: of the modality, for messages.
        columns: what the columns are for.

    Returns:
        The same as of a CSV file, with the fingerprint of the frame's content and no path.

    Raises:
        InputError: whatever is wrong, with row and column.
    """
    title = f"data frame '{name}'"
    try:
        arrow = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    except pa.ArrowException as error:
        raise InputError(f"{title}: a column of mixed values ({shorten(str(error), 120)}); expected numbers") from None
    content = pa.BufferOutputStream()
    with pa.ipc.new_stream(content, arrow.schema) as stream:
        stream.write_table(arrow)
    _check_header(arrow.column_names, columns, title, "")
    arrow = arrow.select([name for name in arrow.column_names if name not in columns.ignored])
    arrays = _arrow_arrays(arrow, title, columns)
    return _assembled(None, title, sha256(content.getvalue()), columns, list(arrays), arrays, "")


def _assembled(
    path: Path | None,
    title: str,
    fingerprint: str,
    columns: Columns,
    names: Sequence[str],
    arrays: Mapping[str, np.ndarray],
    delimiter: str,
) -> Table:
    feature_names = tuple(name for name in names if name not in (*columns.texts, *columns.numbers))
    if not feature_names:
        raise InputError(f"{title}: no feature columns; found only {listing(names)}")
    by_column = np.empty((len(feature_names), len(arrays[feature_names[0]])), np.float32)
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which is found out below
        for index, name in enumerate(feature_names):
            by_column[index] = arrays[name]
    features = np.ascontiguousarray(by_column.T)
    check_finite_or_missing(features, feature_names, lambda row: _where(path, title, row, delimiter))
    return Table(
        path,
        title,
        fingerprint,
        {name: arrays[name] for name in columns.texts if name in arrays},
        {name: arrays[name] for name in columns.numbers if name in arrays},
        feature_names,
        features,
        delimiter,
    )


def is_missing(cell: str) -> bool:
    """Whether text stands for a missing value: in a column of numbers it is read as NaN.

    Args:
        cell: without blanks around it.

    Returns:
        True for one of `MISSING`, and for NaN in any case.
    """
    return cell in MISSING or (NUMBER.fullmatch(cell) is not None and np.isnan(float(cell)))


def _where(path: Path | None, title: str, row: int, delimiter: str) -> str:
    if path is None or path.suffix.lower() == ".parquet":
        return f"{title}: row {row + 1}"
    rows = csv_rows(read_bytes(path), path, delimiter)
    return next(f"{path}:{line}" for index, (line, _) in enumerate(rows) if index == row + 1)


def _check_header(names: Sequence[str], columns: Columns, where: str, delimiter: str) -> None:
    reserved = {name.lower(): name for name in (*columns.texts, *columns.numbers, *columns.ignored, *NEVER_FEATURES)}
    for position, name in enumerate(names, start=1):
        if not name or name.startswith("Unnamed: "):
            raise InputError(f"{where}: column {position} has no name; is it a pandas index? write with index=False")
        if name in names[: position - 1]:
            raise InputError(f"{where}: column '{name}' a second time (column {position}); expected each name once")
        expected = reserved.get(name.lower(), name)
        if name != expected:
            raise InputError(f"{where}: column '{name}': expected '{expected}' (another name if it is a feature)")
    for name, remark in columns.required.items():
        if name not in names:
            hint = f"; {remark}" if remark else ""
            if len(names) == 1 and delimiter == ",":
                hint = "; are the cells separated by semicolons or tabs?"
            raise InputError(f"{where}: no column '{name}'; found {listing(names)}{hint}")


def _read_csv(data: bytes, path: Path, columns: Columns, delimiter: str) -> tuple[list[str], dict[str, np.ndarray]]:
    check_is_text(data, path, "CSV")
    rows = data.removeprefix(BYTE_ORDER_MARK)
    header_end = rows.find(b"\n", len(rows) - len(rows.lstrip())) + 1 or len(rows)
    header_line, header = csv_header(csv_rows(rows[:header_end], path, delimiter), path)
    _check_header(header, columns, f"{path}:{header_line}", delimiter)
    types = {name: pa.string() if name in columns.texts else pa.float32() for name in header}
    types |= {name: pa.float64() for name in columns.numbers if name in types}
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(pa.py_buffer(rows).slice(header_end)),
            read_options=pa.csv.ReadOptions(column_names=header, block_size=_BLOCK_BYTES),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter),
            convert_options=pa.csv.ConvertOptions(
                column_types=types,
                null_values=list(MISSING),
                strings_can_be_null=False,
                include_columns=[name for name in header if name not in columns.ignored],
            ),
        )
    except pa.ArrowException:
        table = ()
    if not len(table):
        # Either the file is wrong, and this finds the line, or it is legal in a way that the fast parser refuses.
        return _read_csv_slowly(data, path, columns, delimiter)
    arrays = {name: table.column(name).to_numpy() for name in table.column_names}
    for name in columns.texts:
        if name in arrays:
            arrays[name] = np.array([cell.strip() for cell in arrays[name]], dtype=object)
    return list(arrays), arrays


def _read_csv_slowly(
    data: bytes, path: Path, columns: Columns, delimiter: str
) -> tuple[list[str], dict[str, np.ndarray]]:
    reader = csv_rows(data, path, delimiter)
    header_line, header = csv_header(reader, path)
    rows = []
    for line, cells in reader:
        if len(cells) != len(header):
            raise InputError(
                f"{path}:{line}: {len(cells)} cells, but the header has {len(header)}; "
                "the row is cut short or a comma is wrong"
            )
        for name, cell in zip(header, cells, strict=True):
            if name in (*columns.texts, *columns.ignored) or cell in MISSING or NUMBER.fullmatch(cell):
                continue
            raise InputError(
                f"{path}:{line}: column '{name}': expected a number (or an empty cell where it is missing), "
                f"got {shorten(cell)}"
            )
        rows.append(cells)
    if not rows:
        raise InputError(f"{path}:{header_line}: no rows after the header; the file is cut short: copy it again")
    arrays = {}
    for name, column in zip(header, zip(*rows, strict=True), strict=True):
        if name in columns.texts:
            arrays[name] = np.array(column, dtype=object)
        elif name not in columns.ignored:
            arrays[name] = np.array([np.nan if cell in MISSING else float(cell) for cell in column])
    return list(arrays), arrays


def _read_parquet(data: bytes, path: Path, columns: Columns, delimiter: str) -> tuple[list[str], dict[str, np.ndarray]]:
    del delimiter  # Parquet has none
    try:
        return _parquet_columns(data, path, columns)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:  # what pyarrow raises depends on the damage
        raise InputError(
            f"{path}: not a readable Parquet file ({type(error).__name__}: {shorten(str(error), 80)}); "
            "write or copy it again"
        ) from None


def _parquet_columns(data: bytes, path: Path, columns: Columns) -> tuple[list[str], dict[str, np.ndarray]]:
    file = parquet.ParquetFile(pa.BufferReader(data))
    names = [name for name in file.schema_arrow.names if not _PANDAS_INDEX.fullmatch(name)]
    _check_header(names, columns, str(path), "")
    names = [name for name in names if name not in columns.ignored]
    return names, _arrow_arrays(file.read(columns=names), str(path), columns)


def _arrow_arrays(table: pa.Table, title: str, columns: Columns) -> dict[str, np.ndarray]:
    """Columns of a table that has types, as a CSV file's would be read."""
    if not len(table):
        raise InputError(f"{title}: the table has no rows")
    arrays = {}
    for name in table.column_names:
        column = table.column(name)
        if isinstance(column.type, pa.DictionaryType):
            column = column.cast(column.type.value_type)
        if name in columns.texts:
            arrays[name] = np.array(["" if v is None else str(v).strip() for v in column.to_pylist()], dtype=object)
            continue
        if not any(is_kind(column.type) for is_kind in _NUMERIC_KINDS):
            raise InputError(f"{title}: column '{name}' is of the type {column.type}; expected numbers")
        arrays[name] = column.cast(pa.float64(), safe=False).to_numpy()
    return arrays
