"""ARFF files as the AVEC 2016 package has them: one row per frame; features, or a gold standard."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv

from emobed_tf.corpora.arrowtable import longest_text
from emobed_tf.corpora.cache import Features
from emobed_tf.corpora.checks import NUMBER, check_finite_or_missing, check_times, check_values
from emobed_tf.corpora.columns import Choose, Columns, is_missing
from emobed_tf.corpora.files import (
    BYTE_ORDER_MARK,
    LINE_END,
    MOST_OF_A_CELL,
    check_is_text,
    decode,
    listing,
    shorten,
    too_long,
)
from emobed_tf.errors import InputError

FRAME_SECONDS = 0.04
TIME_NAMES = ("frametime", "timestamp")
GOLD_NAMES = ("instance_name", "goldstandard")
# Goes into the names of cached files: raise it whenever the same bytes give other numbers than before.
PARSER_VERSION = 2

_ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|[^\s'"]\S*)\s+(\S.*)""", re.IGNORECASE)
_NUMERIC = ("numeric", "real", "integer")
_TRAILING_COMMA = re.compile(rb",[ \t]*(?=\r?\n|\r?\Z)")  # some versions of openSMILE write one
_BLOCK_BYTES = 4 << 20  # at most, of the parser: larger ones leave its caches, smaller ones have more overhead


@dataclass(frozen=True)
class Attribute:
    """A column: its name, whether it holds numbers (else strings), and the line that declares it."""

    name: str
    numeric: bool
    line: int


@dataclass(frozen=True)
class Header:
    """Columns of an ARFF file, and where its rows begin: offset of the byte after the line `@data`, and its line."""

    attributes: tuple[Attribute, ...]
    offset: int
    line: int

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of all columns but the first, the time."""
        return tuple(attribute.name for attribute in self.attributes[1:])


def parse_header(data: bytes, path: Path) -> Header:
    """Everything up to `@data`. Keywords in any case, any number of blank lines and `%` comments.

    Args:
        data: bytes of the file.
        path: its name, for messages.

    Returns:
        The columns, and where the rows begin.

    Raises:
        InputError: if the file is not ARFF, has no `@data`, or declares a column twice or of an unknown type.
    """
    check_is_text(data, path, "ARFF")
    attributes: dict[str, Attribute] = {}
    position, line = len(BYTE_ORDER_MARK) if data.startswith(BYTE_ORDER_MARK) else 0, 0
    while position < len(data):
        start, line = position, line + 1
        line_end = LINE_END.search(data, start)
        position = line_end.end() if line_end else len(data)
        raw = data[start:position].strip()
        if not raw or raw.startswith(b"%"):
            continue
        text = decode(raw, path, line).strip()
        if not text:  # blanks of Unicode's, which bytes don't know
            continue
        keyword, *rest = text.split(None, 1)
        keyword = keyword.lower()
        if keyword == "@data":
            if rest and not rest[0].startswith("%"):
                raise InputError(
                    f"{path}:{line}: expected nothing but '@data' in its line, got {shorten(rest[0])} behind it; begin "
                    "a new line there"
                )
            if not attributes:
                raise InputError(f"{path}:{line}: '@data' before any '@attribute'; expected the columns first")
            return Header(tuple(attributes.values()), position, line + 1)
        if keyword == "@attribute":
            attribute = _parse_attribute(text, path, line)
            if attribute.name in attributes:
                first = attributes[attribute.name].line
                raise InputError(
                    f"{path}:{line}: attribute '{attribute.name}' a second time (first in line {first}); "
                    "expected each name once"
                )
            attributes[attribute.name] = attribute
        elif keyword != "@relation":
            raise InputError(
                f"{path}:{line}: expected '@relation', '@attribute' or '@data', got {shorten(text)}; "
                "is it an ARFF file?"
            )
    raise InputError(f"{path}:{line}: the file ends before '@data'; it is cut short: copy it again")


def parse_features(data: bytes, path: Path, step: float = FRAME_SECONDS) -> Features:
    """Features of one recording. The first attribute is the time (frameTime or timeStamp), all others are features.

    Args:
        data: bytes of the file.
        path: its name, for messages.
        step: expected time between two rows in seconds.

    Returns:
        Names of the features; float32 `[frames, features]`, NaN where the file has `?`; the time of the first row in
        seconds.

    Raises:
        InputError: whatever is wrong, with the line.
    """
    header = parse_header(data, path)
    check_is_features(header, path)
    table = _parse_rows(data, header, path)
    times = table["0"].to_numpy()

    def where(row: int) -> str:
        return f"{path}:{_line_of_row(data, header, row)}"

    check_times(times, step, where)
    parts = table.drop_columns("0").to_batches()
    features = np.concatenate([part.to_tensor(null_to_nan=True).to_numpy() for part in parts], dtype=np.float32)
    check_finite_or_missing(features, header.feature_names, where)
    return header.feature_names, features, float(times[0])


def check_is_features(header: Header, path: Path) -> None:
    """Checks that the columns are a time and at least one numeric feature.

    Args:
        header: of the file.
        path: its name, for messages.

    Raises:
        InputError: if they are not, with the line.
    """
    first, *features = header.attributes
    if first.name.lower() not in TIME_NAMES:
        raise InputError(
            f"{path}:{first.line}: the first attribute is '{first.name}'; expected the time (frameTime or timeStamp)"
        )
    for attribute in header.attributes:
        if not attribute.numeric:
            raise InputError(
                f"{path}:{attribute.line}: attribute '{attribute.name}' holds strings; a feature file has numbers only"
            )
    if not features:
        raise InputError(f"{path}:{first.line}: no feature after the time; expected at least one")


def parse_gold_standard(data: bytes, path: Path) -> tuple[np.ndarray, float]:
    """Gold standard of one recording and one dimension: attributes Instance_name, frameTime and GoldStandard.

    Args:
        data: bytes of the file.
        path: its name, for messages; the instance of every row has to be its stem.

    Returns:
        float32 `[frames]` in [-1, 1]; and the time of the first row in seconds.

    Raises:
        InputError: whatever is wrong, with the line; also if the rows are another recording's.
    """
    header = parse_header(data, path)
    names = (attribute.name.lower() for attribute in header.attributes)
    columns = {name: column.to_numpy() for name, column in zip(names, _parse_rows(data, header, path), strict=True)}
    times = next((columns[name] for name in TIME_NAMES if name in columns), None)
    if times is None or len(columns) != 3 or not all(name in columns for name in GOLD_NAMES):
        raise InputError(
            f"{path}:{header.attributes[0].line}: expected the attributes Instance_name, frameTime and GoldStandard, "
            f"got {listing(attribute.name for attribute in header.attributes)}"
        )
    names, values = (columns[name] for name in GOLD_NAMES)
    for array, numeric, name in (
        (names, False, "Instance_name"),
        (times, True, "time"),
        (values, True, "GoldStandard"),
    ):
        if (array.dtype != object) != numeric:
            raise InputError(f"{path}: attribute {name} should be of the type {'numeric' if numeric else 'string'}")

    def where(row: int) -> str:
        return f"{path}:{_line_of_row(data, header, row)}"

    strange = {name for name in set(names) if name.strip(" \t'\"") != path.stem}
    if strange:
        row = next(row for row, name in enumerate(names) if name in strange)
        raise InputError(f"{where(row)}: instance {shorten(names[row])}; expected '{path.stem}', the file's name")
    check_times(times, FRAME_SECONDS, where)
    check_values(values, -1, 1, "the gold standard", where)
    return values, float(times[0])


def read_columns(data: bytes, path: Path, choose: Choose) -> tuple[Columns, dict[str, np.ndarray]]:
    """Columns of an ARFF file as a table has them, such as openSMILE writes it.

    Args:
        data: bytes of the file.
        path: its name, for messages.
        choose: what the columns are for.

    Returns:
        What the columns are for; and each that isn't ignored, by name in the header's order: str `[rows]` without
        quotes, "" where it is `?`, or a number `[rows]`, NaN where it is `?`.

    Raises:
        InputError: whatever is wrong, with the line.
    """
    header = parse_header(data, path)
    names = [attribute.name for attribute in header.attributes]
    columns = choose(names, f"{path}:{header.attributes[0].line}")
    table = _parse_rows(data, header, path)
    arrays, ignored = {}, set(columns.ignored)
    for attribute, column in zip(header.attributes, table.columns, strict=True):
        if attribute.name in ignored:
            continue
        if attribute.name in columns.texts:
            cells = column.to_pylist()
            arrays[attribute.name] = np.array(["" if cell is None else _text(cell) for cell in cells], dtype=object)
        elif not attribute.numeric:
            raise InputError(
                f"{path}:{attribute.line}: attribute '{attribute.name}' holds strings; expected numbers"
                f"{columns.remedy(attribute.name)}"
            )
        else:
            arrays[attribute.name] = column.to_numpy()
    return columns, arrays


def line_of_row(data: bytes, path: Path, row: int) -> int:
    """The line in which a row stands.

    Args:
        data: bytes of the file.
        path: its name, for messages.
        row: its index, from 0.

    Returns:
        The number of the line, from 1.
    """
    return _line_of_row(data, parse_header(data, path), row)


def _text(cell: Any) -> str:
    text = str(cell).strip(" \t'\"")
    return "" if is_missing(text) else text


def _parse_attribute(text: str, path: Path, line: int) -> Attribute:
    match = _ATTRIBUTE.fullmatch(text)
    if not match:
        raise InputError(f"{path}:{line}: expected '@attribute NAME numeric', got {shorten(text)}")
    name, kind = match[1].strip("'\""), match[2].strip().lower()
    if kind.startswith("{"):  # nominal: one of a few names
        kind = "string"
    if kind not in (*_NUMERIC, "string"):
        raise InputError(f"{path}:{line}: attribute '{name}' is of the type {shorten(kind)}; expected numeric")
    return Attribute(name, kind != "string", line)


def _parse_rows(data: bytes, header: Header, path: Path) -> pa.Table:
    """Columns "0", "1", … in the header's order: float64 for times, float32 for other numbers, strings."""
    types = {str(index): _arrow_type(attribute) for index, attribute in enumerate(header.attributes)}
    try:
        table = _parse_rows_fast(data, header, types)
    except pa.ArrowException:
        table = None
    if table and longest_text(table) <= MOST_OF_A_CELL:
        return table
    # Either the file is wrong, and this finds the line, or it is legal in a way that the fast parser refuses.
    return _parse_rows_slowly(data, header, types, path)


def _parse_rows_fast(data: bytes, header: Header, types: dict[str, pa.DataType]) -> pa.Table:
    rows = pa.py_buffer(data).slice(header.offset)
    if data.find(b"%", header.offset) >= 0:
        kept = (raw for raw in data[header.offset :].splitlines() if not raw.lstrip().startswith(b"%"))
        rows = pa.py_buffer(b"\n".join(kept))
    if _TRAILING_COMMA.search(data, header.offset, data.find(b"\n", data.find(b",", header.offset)) + 1):
        rows = pa.py_buffer(_TRAILING_COMMA.sub(b"", bytes(rows)))
    blocks = pa.cpu_count() * math.ceil(rows.size / (pa.cpu_count() * _BLOCK_BYTES))  # as many for each thread
    block = max(_BLOCK_BYTES // 4, math.ceil(rows.size / max(blocks, 1)))
    return pa.csv.read_csv(
        pa.BufferReader(rows),
        read_options=pa.csv.ReadOptions(column_names=list(types), block_size=block),
        parse_options=pa.csv.ParseOptions(quote_char=False),
        convert_options=pa.csv.ConvertOptions(column_types=types, null_values=["?"], strings_can_be_null=False),
    )


def _arrow_type(attribute: Attribute) -> pa.DataType:
    if not attribute.numeric:
        return pa.string()
    return pa.float64() if attribute.name.lower() in TIME_NAMES else pa.float32()


def _parse_rows_slowly(data: bytes, header: Header, types: dict[str, pa.DataType], path: Path) -> pa.Table:
    rows = []
    for line, raw in _data_lines(data, header):
        cells = [cell.strip() for cell in decode(raw, path, line).split(",")]
        if len(cells) == len(header.attributes) + 1 and not cells[-1]:
            cells.pop()  # a comma at the end of the line
        if len(cells) != len(header.attributes):
            raise InputError(
                f"{path}:{line}: {len(cells)} values, but the header declares {len(header.attributes)}; "
                "the row is cut short or a comma is wrong"
            )
        for attribute, cell in zip(header.attributes, cells, strict=True):
            if len(cell) > MOST_OF_A_CELL:
                raise InputError(too_long(f"{path}:{line}"))
            if attribute.numeric and cell != "?" and not NUMBER.fullmatch(cell):
                raise InputError(
                    f"{path}:{line}: column '{attribute.name}': expected a number (or ? where it is missing), "
                    f"got {shorten(cell)}"
                )
        rows.append(cells)
    if not rows:
        raise InputError(f"{path}:{header.line}: no rows after '@data'; the file is cut short: copy it again")
    columns: dict[str, Any] = dict(zip(types, map(list, zip(*rows, strict=True)), strict=True))
    with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which is found out later
        for (name, kind), attribute in zip(types.items(), header.attributes, strict=True):
            if attribute.numeric:
                values = [np.nan if cell == "?" else float(cell) for cell in columns[name]]
                columns[name] = np.array(values).astype(kind.to_pandas_dtype())
    return pa.table(columns)


def _data_lines(data: bytes, header: Header) -> Iterator[tuple[int, bytes]]:
    for line, raw in enumerate(data[header.offset :].splitlines(), start=header.line):
        stripped = raw.strip()
        if stripped and not stripped.startswith(b"%"):
            yield line, stripped


def _line_of_row(data: bytes, header: Header, row: int) -> int:
    return next(line for index, (line, _) in enumerate(_data_lines(data, header)) if index == row)
