"""Bytes of input files, their fingerprints, and a small pool of threads to read many of them."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from emobed_tf.console import Progress
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.files import check_is_file

Item = TypeVar("Item")
Result = TypeVar("Result")

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MARKER = "simulated.json"
LINE_END = re.compile(rb"\r\n?|\n")
"""Between two lines of a text file: those of Unix, of Windows and of old Macs, also mixed."""
MOST_OF_A_CELL = 1 << 17
"""Characters of a cell of a table; a longer one is a missing quotation mark, or no table."""


def read_bytes(path: Path) -> bytes:
    """All bytes of a file.

    Args:
        path: of the file.

    Returns:
        The bytes; at least one of them is no white space.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it is a folder or the like, empty, or can't be read.
    """
    check_is_file(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: can't be read: {error.strerror or error}") from None
    content = data.removeprefix(BYTE_ORDER_MARK)
    if not content or content.isspace():
        raise InputError(f"{path}: the file is empty; copy or make it again")
    return data


def check_is_text(data: bytes, path: Path, form: str) -> None:
    """Checks that bytes can be a text file.

    Args:
        data: bytes of the file.
        path: its name, for the message.
        form: what was expected, such as ARFF or CSV.

    Raises:
        InputError: if they can't: there is a NUL byte.
    """
    # NUL bytes are in every common binary format and in UTF-16, and never in a text file.
    place = data.find(b"\0")
    if place >= 0:
        line = 1 + len(LINE_END.findall(data[:place]))
        raise InputError(
            f"{path}: expected {form} in UTF-8, got a binary file or another encoding such as UTF-16 (a NUL byte, "
            f"first in line {line})"
        )


def decode(data: bytes, path: Path, line: int) -> str:
    """Text of bytes in UTF-8 that begin in that line of the file.

    Args:
        data: all or some bytes of a file.
        path: its name, for the message.
        line: of the first byte, from 1.

    Returns:
        The text.

    Raises:
        InputError: if they are not UTF-8, with the number of the first line that is not.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line += len(LINE_END.findall(data[: error.start]))
        raise InputError(
            f"{path}:{line}: expected text in UTF-8, got the byte 0x{data[error.start]:02x}; save the file as UTF-8"
        ) from None


def too_long(where: str, hint: str = "") -> str:
    """What is said of a cell that is longer than any that is meant.

    Args:
        where: file and line, or row, for the message.
        hint: words for the end of the message.

    Returns:
        The words.
    """
    return f"{where}: a cell of more than {MOST_OF_A_CELL} characters; expected a name or a number{hint}"


def sha256(data: bytes) -> str:
    """Fingerprint of a file's bytes.

    Args:
        data: all bytes of the file.

    Returns:
        SHA-256, 64 hexadecimal digits.
    """
    return hashlib.sha256(data).hexdigest()


def sha256_of_file(path: Path) -> str | None:
    """Fingerprint of a file without holding its bytes.

    Args:
        path: of the file.

    Returns:
        As `sha256`; None if the file can't be read (`read_bytes` tells why).
    """
    try:
        check_is_file(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, InputError):
        return None


def need_folder(path: Path, expected: str) -> None:
    """Checks that there is a folder with something in it.

    Args:
        path: of the folder.
        expected: what should be in it, for the message.

    Raises:
        MissingInputError: if it isn't there, or is empty.
        InputError: if it is a file.
    """
    if not path.exists():
        raise MissingInputError(f"{path}: no such folder; expected {expected}")
    if not path.is_dir():
        raise InputError(f"{path}: expected a folder with {expected}, got a file")
    if not any(path.iterdir()):
        raise MissingInputError(f"{path}: the folder is empty; expected {expected}")


def visible_files(folder: Path) -> list[Path]:
    """Files of a folder by name, without hidden ones (macOS leaves `._train_1.arff` in archives).

    Args:
        folder: that is there.

    Returns:
        Paths of the files, folders left out, sorted.
    """
    return sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))


def read_all(
    function: Callable[[Item], Result], items: Sequence[Item], names: Sequence[str], progress: Progress | None
) -> list[Result]:
    """`function` of each item, in order, on a few threads (hashing and parsing release Python's lock).

    Args:
        function: reads one item; what it raises first, in the order of the items, is raised here.
        items: what to read.
        names: of each item, for `progress`.
        progress: called with the number of items done, of all items, and the name of the last one done.

    Returns:
        What `function` returned of each item.
    """
    results = []
    pool = ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1))
    try:
        for result, name in zip(pool.map(function, items), names, strict=True):
            results.append(result)
            if progress is not None:
                progress(len(results), len(items), name)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return results


def shorten(text: str, length: int = 40) -> str:
    """A quotation for an error message: always one line, never long.

    Args:
        text: what is quoted.
        length: characters at most, quotes and escapes not counted.

    Returns:
        The text in quotes, cut with an ellipsis if it is longer.
    """
    return repr(text if len(text) <= length else text[: length - 1] + "…")


def listing(names: Iterable[str], most: int = 8) -> str:
    """Names for an error message, with the number of those left out.

    Args:
        names: any number of them.
        most: how many are named.

    Returns:
        Such as `a, b and 3 more`; "" if there are none.
    """
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
