"""Columns of a CSV file: by pyarrow where it can, else row by row, which knows the line that is wrong."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from emobed_tf.corpora.arrowtable import longest_text
from emobed_tf.corpora.checks import NUMBER
from emobed_tf.corpora.columns import MISSING, Choose, Columns, check_names, is_missing
from emobed_tf.corpora.csvfile import csv_header, csv_rows
from emobed_tf.corpora.files import BYTE_ORDER_MARK, LINE_END, MOST_OF_A_CELL, check_is_text, shorten
from emobed_tf.errors import InputError

_BLOCK_BYTES = 4 << 20
_DELIMITERS = (",", ";", "\t")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_EXCEL = re.compile(r"sep=.?", re.IGNORECASE)


def read_csv(
    data: bytes, path: Path, choose: Choose, delimiter: str | None
) -> tuple[Columns, dict[str, np.ndarray], str]:
    """Columns of a CSV file.

    Args:
        data: bytes of the file.
        path: its name, for messages.
        choose: what its columns are for.
        delimiter: between two cells; None: what the header has most of, of comma, semicolon and tab.

    Returns:
        What the columns are for; each that isn't ignored, by name in the header's order: str `[rows]`, or a number
        `[rows]`, NaN where it is missing; and the delimiter.

    Raises:
        InputError: whatever is wrong, with line and column.
    """
    check_is_text(data, path, "CSV")
    rows = data.removeprefix(BYTE_ORDER_MARK)
    line_end = LINE_END.search(rows, len(rows) - len(rows.lstrip()))
    end = line_end.end() if line_end else len(rows)
    delimiter = delimiter or _delimiter(rows[:end])
    line, header = csv_header(csv_rows(rows[:end], path, delimiter), path)
    where = f"{path}:{line}"
    if _EXCEL.fullmatch("".join(header).strip()):
        raise InputError(f"{where}: '{shorten(rows[:end].decode().strip())[1:-1]}' is a line for Excel; delete it")
    check_names(header, where)
    columns = choose(header, where)
    types = {name: pa.string() if name in columns.texts else pa.float32() for name in header}
    types |= {name: pa.float64() for name in columns.numbers if name in types}
    ignored = set(columns.ignored)  # of tens of thousands a tuple would be searched as often
    kept = [name for name in header if name not in ignored]
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(pa.py_buffer(rows).slice(end)),
            # A process that ends at once after pyarrow's threads have begun can abort.
            read_options=pa.csv.ReadOptions(
                column_names=header, block_size=_BLOCK_BYTES, use_threads=len(rows) > _BLOCK_BYTES
            ),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter),
            convert_options=pa.csv.ConvertOptions(
                column_types=types,
                null_values=list(MISSING),
                strings_can_be_null=False,
                include_columns=kept,
            ),
        )
    except pa.ArrowException:
        table = ()
    if not len(table) or longest_text(table) > MOST_OF_A_CELL:
        # Either the file is wrong, and this finds the line, or it is legal in a way that the fast parser refuses.
        return columns, _slowly(data, path, columns, delimiter), delimiter
    arrays = {name: table.column(name).to_numpy() for name in table.column_names}
    for name in columns.texts:
        if name in arrays:
            arrays[name] = np.array([cell.strip() for cell in arrays[name]], dtype=object)
    return columns, arrays, delimiter


def _delimiter(header: bytes) -> str:
    unquoted = re.sub(rb'"[^"]*"', b"", header)
    return max(_DELIMITERS, key=lambda delimiter: unquoted.count(delimiter.encode()))


def _slowly(data: bytes, path: Path, columns: Columns, delimiter: str) -> dict[str, np.ndarray]:
    reader = csv_rows(data, path, delimiter)
    header_line, header = csv_header(reader, path)
    texts, ignored = set(columns.texts), set(columns.ignored)
    numbers = [k for k, name in enumerate(header) if name not in texts and name not in ignored]
    rows = []
    for line, cells in reader:
        if cells == header:
            raise InputError(
                f"{path}:{line}: the header is repeated (first: line {header_line}); were files "
                "concatenated? delete the line"
            )
        if len(cells) != len(header):
            raise InputError(
                f"{path}:{line}: {len(cells)} cells, but the header has {len(header)}; "
                "the row is cut short or a comma is wrong"
            )
        for k in numbers:
            if not is_missing(cells[k]) and not NUMBER.fullmatch(cells[k]):
                raise InputError(f"{path}:{line}: {_no_number(columns, header[k], cells[k])}")
        rows.append(cells)
    if not rows:
        raise InputError(f"{path}:{header_line}: no rows after the header; the file is cut short: copy it again")
    arrays = {}
    for name, column in zip(header, zip(*rows, strict=True), strict=True):
        if name in texts:
            arrays[name] = np.array(column, dtype=object)
        elif name not in ignored:
            arrays[name] = np.array([np.nan if is_missing(cell) else float(cell) for cell in column])
    return arrays


def _no_number(columns: Columns, name: str, cell: str) -> str:
    if _DECIMAL_COMMA.fullmatch(cell):
        return (
            f"column '{name}': {shorten(cell)} has a decimal comma; expected a decimal point (in pandas: "
            "read_csv(…, decimal=','), then to_csv)"
        )
    expected = "expected a number (or an empty cell where it is missing)"
    return f"column '{name}': {expected}, got {shorten(cell)}{columns.remedy(name)}"
