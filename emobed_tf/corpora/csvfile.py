"""Rows of a CSV file as text, each with its line: slower than pyarrow's parser, but it knows where it is."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from emobed_tf.corpora.files import BYTE_ORDER_MARK, MOST_OF_A_CELL, check_is_text, decode, too_long
from emobed_tf.errors import InputError


def csv_rows(data: bytes, path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Line and cells of every row of a CSV file that isn't blank, the header included.

    Args:
        data: bytes of the file.
        path: its name, for messages.
        delimiter: between two cells.

    Yields:
        The line in which the row begins, from 1, and its cells without blanks around them.

    Raises:
        InputError: if it is not text, a quotation is not closed, or a cell is longer than `MOST_OF_A_CELL`.
    """
    check_is_text(data, path, "CSV")
    text = decode(data.removeprefix(BYTE_ORDER_MARK), path, 1)
    csv.field_size_limit(MOST_OF_A_CELL)  # Python's own default, which another part of the process may have changed
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells and any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
            elif cells and len(cells) > 1:
                raise InputError(f"{path}:{line}: a row of empty cells; take it out")
            line = reader.line_num + 1
    except csv.Error as error:
        if "field limit" in str(error):
            raise InputError(too_long(f"{path}:{line}", "; is a quotation mark missing?")) from None
        raise InputError(f"{path}:{line}: not valid CSV: {error}; check the quotes of this row") from None


def csv_header(rows: Iterator[tuple[int, list[str]]], path: Path) -> tuple[int, list[str]]:
    """The first of `csv_rows`.

    Args:
        rows: what `csv_rows` gives, from the beginning; the header is taken out of it.
        path: name of the file, for messages.

    Returns:
        Line and names of the columns.

    Raises:
        InputError: if there is no row at all.
    """
    for line, cells in rows:
        return line, cells
    raise InputError(f"{path}: no header; expected the names of the columns in the first line")
