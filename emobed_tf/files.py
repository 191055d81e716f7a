"""Files: paths as users write them, what is a file and what isn't, files that are written whole, JSON of anyone."""

import csv
import errno
import io
import json
import math
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsFloat

from emobed_tf.errors import InputError, MissingInputError

_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def at_home(path: str | Path) -> Path:
    """A path as a shell would read it: `~` is the user's home folder, `~name` another user's.

    Args:
        path: as the user wrote it.

    Returns:
        The path without `~`; it may be relative.

    Raises:
        InputError: if there is no user of that name.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:
        user = Path(path).parts[0]
        raise InputError(
            f"{path}: no home folder of a user '{user[1:]}'; if the name begins like that, write ./{user}"
        ) from None


def check_is_file(path: Path, expected: str = "a file") -> int:
    """Checks that there is a file, which can be read without waiting for somebody who writes.

    Args:
        path: of the file.
        expected: what it should be, for the message.

    Returns:
        Its size in bytes.

    Raises:
        MissingInputError: if there is nothing.
        InputError: if it is a folder, a pipe, a socket or a device, or can't be read.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise MissingInputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror or error}") from None
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "a device")
        raise InputError(f"{path}: expected {expected}, got {kind}")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: can't be read: {os.strerror(errno.EACCES)}")
    return found.st_size


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
        InputError: if standard output's encoding lacks a character: names must stay what they are.
    """
    text, encoding = _csv(rows), getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError as error:
        raise InputError(
            f"standard output is in {encoding}, which can't hold {error.object[error.start]!a}; write to a file with "
            "--output, or set PYTHONIOENCODING=utf-8"
        ) from None
    sys.stdout.write(text)
    sys.stdout.flush()


def plain_number(value: SupportsFloat) -> float:
    """A number for a file, with as many digits as its own type needs.

    Args:
        value: a NumPy number of any precision, or a plain one.

    Returns:
        The same number; of float32 0.36412802, not 0.3641280233860016, which says the same and is what a server sends.
    """
    return float(str(value)) if getattr(value, "dtype", None) == "float32" else float(value)


def parse_json(text: str | bytes, *, finite: bool = True) -> Any:
    """A JSON value, of a file that may be damaged or come from a stranger.

    Args:
        text: bytes in UTF-8, or text.
        finite: False: `NaN`, `Infinity` and `-Infinity`, which Python writes beside what JSON has, are numbers, too.

    Returns:
        The value: nested at most 100 levels deep, its whole numbers at most 19 digits long, its texts such as UTF-8
        and names of files can hold.

    Raises:
        ValueError: if it is none, with the reason.
    """
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        number = _finite if finite else float
        value = json.loads(text, parse_int=_whole, parse_float=number, parse_constant=number)
    except RecursionError:
        raise ValueError(_DEEP) from None
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > _MOST_LEVELS:
            raise ValueError(_DEEP)
        if isinstance(item, dict):
            waiting += [(name, depth) for name in item]
            waiting += [(inner, depth + 1) for inner in item.values()]
        elif isinstance(item, list):
            waiting += [(inner, depth + 1) for inner in item]
        elif isinstance(item, str) and ("\0" in item or not _is_utf8(item)):
            raise ValueError(f"a text with a NUL or half a character: {item[:40]!r}")
    return value


_MOST_LEVELS, _MOST_DIGITS = 100, 19
_DEEP = f"nested more than {_MOST_LEVELS} levels deep"


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS + 1:  # and a sign
        raise ValueError(f"a whole number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:40]} is no finite number")
    return number


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
