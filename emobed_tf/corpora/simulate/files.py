"""Files of a simulated package: numbers as text, quickly, and a folder that appears only once it is complete."""

import errno
import json
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from emobed_tf.corpora.files import MARKER
from emobed_tf.errors import InputError

NOTE = "Simulated by emobed_tf: these are no recordings, and a score on them is no result."
# Raised whenever the same settings and seed would give other bytes.
VERSION = 1
DECIMALS = 4
_INTEGER_DIGITS = 5
_CELLS_AT_ONCE = 2_000_000


@contextmanager
def staged(directory: str | Path) -> Iterator[Path]:
    """A new folder beside `directory`, which takes its name when the block ends well and is removed when not.

    Args:
        directory: where the package shall stand; must not exist, or be empty.

    Yields:
        The folder to write to.

    Raises:
        InputError: if `directory` is a file or not empty.
        OSError: if nothing can be written there; a full disk is told in plain words.
    """
    directory = Path(directory).absolute()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise InputError(f"{directory} exists and is not an empty folder; name another one, or remove it first")
    directory.parent.mkdir(parents=True, exist_ok=True)
    partial = directory.with_name(f".{directory.name}.{secrets.token_hex(4)}.partial")
    partial.mkdir()
    try:
        yield partial
        with suppress(FileNotFoundError):  # also of a process that fills the same folder at the same time
            directory.rmdir()
        partial.rename(directory)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = "no space left; what had been written is removed again"
            raise OSError(error.errno, message, str(directory)) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_marker(directory: Path, corpus: str, settings: Mapping[str, object]) -> None:
    """Writes `simulated.json`, by which a reader knows a simulated package.

    Args:
        directory: of the package.
        corpus: name of the data set.
        settings: what the package was made with, as JSON values.
    """
    content = {"simulated": True, "note": NOTE, "corpus": corpus, "version": VERSION, "settings": dict(settings)}
    (directory / MARKER).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8", newline="\n")


def write_table(path: Path, head: str, keys: Sequence[str], values: np.ndarray) -> None:
    """Writes a text table whose first column or columns are given as text.

    Args:
        path: file to write; its folder is made if need be.
        head: what comes before the rows, with its line ends.
        keys: ASCII text that begins each row, without the comma after it.
        values: `[rows, columns]`, below 10^5 in magnitude, written with four decimals; NaN is written as `?`.

    Raises:
        OSError: if it can't be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    step = max(1, _CELLS_AT_ONCE // max(1, values.shape[1]))
    with path.open("wb") as file:
        file.write(head.encode("ascii"))
        for first in range(0, len(values), step):
            file.write(_rows(keys[first : first + step], values[first : first + step]))


def _rows(keys: Sequence[str], values: np.ndarray) -> bytes:
    """Comma-separated lines: every cell is laid out at full width, then the bytes that stayed zero are dropped."""
    rows, columns = values.shape
    begin = np.array([key.encode("ascii") for key in keys])
    width = begin.itemsize
    missing = np.isnan(values)
    scaled = np.rint(np.where(missing, 0.0, values) * 10**DECIMALS)
    if np.abs(scaled).max(initial=0) >= 10 ** (_INTEGER_DIGITS + DECIMALS):
        raise ValueError(f"values must be below 10^{_INTEGER_DIGITS} in magnitude")
    negative, rest = scaled < 0, np.abs(scaled).astype(np.int32)
    # comma, sign, integer digits, point, decimals
    cells = np.zeros((rows, columns, 2 + _INTEGER_DIGITS + 1 + DECIMALS), np.uint8)
    cells[..., 0] = ord(",")
    cells[..., 1] = np.where(negative, ord("-"), 0)
    cells[..., 2 + _INTEGER_DIGITS] = ord(".")
    for place in range(DECIMALS + _INTEGER_DIGITS):
        quotient = rest // 10
        digit = (rest - 10 * quotient).astype(np.uint8) + ord("0")
        if place > DECIMALS:
            digit[rest == 0] = 0
        cells[..., -1 - place - (place >= DECIMALS)] = digit
        rest = quotient
    cells[missing, 1:] = 0
    cells[missing, 1] = ord("?")
    line = np.empty((rows, width + cells[0].size + 1), np.uint8)
    line[:, :width] = begin.view(np.uint8).reshape(rows, width)
    line[:, width:-1] = cells.reshape(rows, -1)
    line[:, -1] = ord("\n")
    return line[line != 0].tobytes()
