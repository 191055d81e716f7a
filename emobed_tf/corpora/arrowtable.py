"""Columns of tables that have types: Parquet files and data frames."""

import contextlib
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from emobed_tf.corpora.columns import Choose, Columns, check_names
from emobed_tf.corpora.files import MOST_OF_A_CELL, shorten, too_long
from emobed_tf.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_CELL_BYTES = 8  # of a number that was read
_FREE_BYTES = 128_000_000  # that a table may take whatever its file's size
_MOST_TIMES = 50  # its file's size: real features take less than ten times as much
_PANDAS_INDEX = re.compile(r"__index_level_\d+__")
_NUMERIC_KINDS = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_null,
)


def read_parquet(data: bytes, path: Path, choose: Choose) -> tuple[Columns, dict[str, np.ndarray]]:
    """Columns of a Parquet file. An index that has names, such as audformat's, is columns like any other.

    Args:
        data: bytes of the file.
        path: its name, for messages.
        choose: what its columns are for.

    Returns:
        As `csvtable.read_csv`, without a delimiter.

    Raises:
        InputError: whatever is wrong, with the column.
    """
    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
        names = [name for name in file.schema_arrow.names if not _PANDAS_INDEX.fullmatch(name)]
        columns = _chosen(names, str(path), choose)
        ignored = set(columns.ignored)
        kept = [name for name in names if name not in ignored]
        for name in kept:
            _check_type(file.schema_arrow.field(name).type, name, str(path), columns)
        _check_chunks(file.metadata, kept, len(data))
        _check_size(file.metadata, set(kept), len(data), path)
        # Of a text that is repeated in millions of rows, a dictionary holds one.
        texts = [name for name in columns.texts if name in kept and _is_text(file.schema_arrow.field(name).type)]
        file = parquet.ParquetFile(pa.BufferReader(data), read_dictionary=texts)
        return columns, _arrays(file.read(columns=kept).select(kept), str(path), columns)
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:  # what pyarrow raises depends on the damage
        raise InputError(
            f"{path}: not a readable Parquet file ({type(error).__name__}: {shorten(str(error), 80)}); "
            "write or copy it again"
        ) from None


def read_frame(frame: "pd.DataFrame", title: str, choose: Choose) -> tuple[Columns, dict[str, np.ndarray], bytes]:
    """Columns of a data frame. Levels of its index that have names are columns like any other; others are left out.

    Args:
        frame: names of columns that are whole numbers count as text, as they are in a file.
        title: what messages call it.
        choose: what its columns are for.

    Returns:
        As `csvtable.read_csv`; and the frame's content, of which a fingerprint is taken.

    Raises:
        InputError: whatever is wrong, with the column.
    """
    if frame.columns.nlevels > 1:
        raise InputError(f"{title}: columns of {frame.columns.nlevels} levels; expected one name for each column")
    for name in frame.index.names:
        if name is not None and name in frame.columns:
            raise InputError(f"{title}: '{name}' is a column and names the index, too; expected each name once")
    levels = [level for level, name in enumerate(frame.index.names) if name is not None]
    if levels:
        frame = frame.reset_index(level=levels)
    frame = frame.rename(columns=str)
    check_names(list(frame.columns), title)
    try:
        arrow = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    except pa.ArrowException as error:
        raise InputError(f"{title}: a column of mixed values ({shorten(str(error), 120)}); expected numbers") from None
    content = pa.BufferOutputStream()
    with pa.ipc.new_stream(content, arrow.schema) as stream:
        stream.write_table(arrow)
    columns = _chosen(arrow.column_names, title, choose)
    ignored = set(columns.ignored)
    arrow = arrow.select([name for name in arrow.column_names if name not in ignored])
    return columns, _arrays(arrow, title, columns), content.getvalue()


def _chosen(names: list[str], title: str, choose: Choose) -> Columns:
    check_names(names, title)
    return choose(names, title)


def _arrays(table: pa.Table, title: str, columns: Columns) -> dict[str, np.ndarray]:
    """Columns as a CSV file's would be read."""
    if not len(table):
        raise InputError(f"{title}: the table has no rows")
    arrays = {}
    for name in table.column_names:
        column = table.column(name)
        _check_type(column.type, name, title, columns)
        if name in columns.texts and not pa.types.is_duration(column.type):
            arrays[name] = _texts(column, title, name)
            continue
        if isinstance(column.type, pa.DictionaryType):
            column = column.cast(column.type.value_type)
        if pa.types.is_duration(column.type):  # audformat's start and end
            per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
            column = pa.chunked_array([pa.array(column.cast(pa.int64()).to_numpy(zero_copy_only=False) / per_second)])
        if name in columns.texts:
            arrays[name] = _texts(column, title, name)
            continue
        arrays[name] = column.cast(pa.float64(), safe=False).to_numpy()
    return arrays


def _check_type(kind: pa.DataType, name: str, title: str, columns: Columns) -> None:
    """Refuses a column of texts where numbers belong, before it is read."""
    value = kind.value_type if isinstance(kind, pa.DictionaryType) else kind
    if name in columns.texts or pa.types.is_duration(value) or any(is_kind(value) for is_kind in _NUMERIC_KINDS):
        return
    raise InputError(f"{title}: column '{name}' is of the type {value}; expected numbers{columns.remedy(name)}")


class _FirstReadError(Exception):
    pass


class _NoData(io.RawIOBase):
    """A file of that size, whose bytes nobody gets."""

    def __init__(self, size: int) -> None:
        self._size, self._place = size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, size: int = -1) -> bytes:
        raise _FirstReadError


def _check_chunks(metadata: parquet.FileMetaData, kept: list[str], size: int) -> None:
    """Raises what pyarrow raises of a damaged description of a column's data, before any of them is read.

    `RowGroupMetaData.column` ends the process at such a description. Before pyarrow reads data it looks at all of them,
    and there an error is an exception.
    """
    file = parquet.ParquetFile(_NoData(size), metadata=metadata, pre_buffer=True)
    with contextlib.suppress(_FirstReadError):
        file.read(columns=kept, use_threads=False)


def _check_size(metadata: parquet.FileMetaData, kept: set[str], size: int, path: Path) -> None:
    """Refuses a file that takes many times its size in memory: a few bytes can stand for millions of equal rows."""
    of_kept = [k for k in range(metadata.num_columns) if _top(metadata.schema.column(k).path, kept) in kept]
    content = 0
    for k in range(metadata.num_row_groups):
        group = metadata.row_group(k)
        for chunk in map(group.column, of_kept):
            cells = _CELL_BYTES * max(chunk.num_values, group.num_rows)
            content += max(cells, chunk.total_uncompressed_size)
    most = _FREE_BYTES + _MOST_TIMES * size
    if content > most:
        raise InputError(
            f"{path}: {metadata.num_rows} rows of {len(kept)} columns in {size} bytes would take "
            f"{content / 1e6:.0f} MB; expected at most {most / 1e6:.0f} MB of a file of this size; if it is not "
            "damaged, write it as CSV"
        )


def _top(path: str, names: set[str]) -> str:
    """The column that a path in a file's schema is of: a name may have dots of its own."""
    return path if path in names else path.split(".")[0]


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _texts(column: pa.ChunkedArray, title: str, name: str) -> np.ndarray:
    """Cells as text; equal ones are one object."""
    if pa.types.is_nested(column.type):
        raise InputError(f"{title}: column '{name}' is of the type {column.type}; expected text")
    if not isinstance(column.type, pa.DictionaryType):
        column = column.dictionary_encode()
    rows = column.unify_dictionaries().combine_chunks()
    rows = rows if isinstance(rows, pa.DictionaryArray) else rows.chunk(0)
    try:
        known = ["" if value is None else str(value).strip() for value in rows.dictionary.to_pylist()]
    except (OverflowError, ValueError) as error:  # a date outside of the years 1 to 9999; a text that isn't UTF-8
        raise InputError(
            f"{title}: column '{name}' of the type {rows.dictionary.type} has a value that can't be read "
            f"({shorten(str(error), 80)}); expected text in UTF-8, or dates of the years 1 to 9999"
        ) from None
    if any("\0" in text for text in known):
        raise InputError(f"{title}: column '{name}': a text with a NUL byte; expected a name")
    if len(max(known, key=len, default="")) > MOST_OF_A_CELL:
        raise InputError(too_long(f"{title}: column '{name}'"))
    texts = np.array([*known, ""], dtype=object)
    return texts[rows.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)]


def longest_text(table: pa.Table) -> int:
    """The length of the longest cell of a table's columns of text.

    Args:
        table: of any columns.

    Returns:
        Bytes; 0 if there is no text.
    """
    texts = (column for column in table.columns if pa.types.is_string(column.type))
    return max((pc.max(pc.binary_length(column)).as_py() or 0 for column in texts), default=0)
