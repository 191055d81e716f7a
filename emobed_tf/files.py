"""Writes files whole: beside, then renamed. Tables may go to standard output instead."""

import csv
import io
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsFloat


def write_bytes(path: Path, content: bytes | memoryview) -> None:
    """Writes a file beside its place and renames it: a full disk or a kill leaves the old one whole.

    Args:
        path: of the file; its folder is made where it doesn't exist.
        content: of the file.

    Raises:
        OSError: if it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(beside, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows as CSV; columns in the order of their first appearance, an absent value is an empty cell.

    Args:
        path: of the file, see `write_bytes`.
        rows: cells by column.
    """
    write_bytes(path, _csv(rows).encode())


def print_csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows as CSV to standard output, see `write_csv`.

    Args:
        rows: cells by column.

    Raises:
        BrokenPipeError: if the reader went away, which would else be noticed only when the interpreter ends.
    """
    sys.stdout.write(_csv(rows))
    sys.stdout.flush()


def plain_number(value: SupportsFloat) -> float:
    """A number for a file, with as many digits as its own type needs.

    Args:
        value: a NumPy number of any precision, or a plain one.

    Returns:
        The same number; of float32 0.36412802, not 0.3641280233860016, which says the same and is what a server sends.
    """
    return float(str(value)) if getattr(value, "dtype", None) == "float32" else float(value)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
