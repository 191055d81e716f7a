"""Columns of tables that have types: Parquet files and data frames."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from emobed_tf.corpora.columns import Choose, Columns, check_names
from emobed_tf.corpora.files import shorten
from emobed_tf.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

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
        kept = [name for name in names if name not in columns.ignored]
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
    arrow = arrow.select([name for name in arrow.column_names if name not in columns.ignored])
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
        if isinstance(column.type, pa.DictionaryType):
            column = column.cast(column.type.value_type)
        if pa.types.is_duration(column.type):  # audformat's start and end
            per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[column.type.unit]
            column = pa.chunked_array([pa.array(column.cast(pa.int64()).to_numpy(zero_copy_only=False) / per_second)])
        if name in columns.texts:
            arrays[name] = np.array(["" if v is None else str(v).strip() for v in column.to_pylist()], dtype=object)
            continue
        if not any(is_kind(column.type) for is_kind in _NUMERIC_KINDS):
            raise InputError(
                f"{title}: column '{name}' is of the type {column.type}; expected numbers{columns.remedy(name)}"
            )
        arrays[name] = column.cast(pa.float64(), safe=False).to_numpy()
    return arrays
