"""Archives of arrays (`.npz`) that may be damaged or come from a stranger: nothing is read before its size is known.

They are those of `np.savez`: not compressed, so that none takes more memory than its file has bytes.
"""

import math
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

import numpy as np

from emobed_tf.errors import InputError, MissingInputError

_SUFFIX = ".npy"
_KINDS = "biufU"  # of NumPy: truth values, whole numbers, numbers, texts; no objects, whose pickles could run code
_ENCRYPTED = 0x1
_HEADERS: dict[tuple[int, int], Callable[[BinaryIO], tuple[tuple[int, ...], bool, np.dtype[Any]]]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
Found = TypeVar("Found")


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an archive.

    Args:
        path: of the file.

    Returns:
        Arrays by name: numbers, truth values or texts.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it is damaged, compressed or encrypted, or holds anything else.
    """

    def read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
        _shape(archive, info)
        with archive.open(info) as file:
            return np.lib.format.read_array(file, allow_pickle=False)

    return _each(path, read)


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of an archive's arrays, from their headers.

    Args:
        path: of the file.

    Returns:
        Sizes by the array's name.

    Raises:
        MissingInputError: if there is no such file.
        InputError: see `read_arrays`; what stands behind a header isn't looked at.
    """
    return _each(path, _shape)


def _each(path: Path, read: Callable[[zipfile.ZipFile, zipfile.ZipInfo], Found]) -> dict[str, Found]:
    try:
        size = path.stat().st_size
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            names = [info.filename.removesuffix(_SUFFIX) for info in infos]
            if len(set(names)) < len(names):
                raise ValueError("a name stands in it twice")
            if sum(info.file_size for info in infos) > size:  # such as many names for the same bytes
                raise ValueError("its arrays are larger than the file")
            return {name: read(archive, info) for name, info in zip(names, infos, strict=True)}
    except FileNotFoundError:
        raise MissingInputError(f"{path}: missing; the run is half written") from None
    except Exception as error:  # noqa: BLE001  what is raised depends on the damage, and nearly everything can be
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: damaged ({reason})") from None


def _shape(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> tuple[int, ...]:
    """The shape that an array's header states, which has to be that of the bytes behind it."""
    name = info.filename
    if not name.endswith(_SUFFIX):
        raise ValueError(f"{name[:80]!r} is no array")
    if info.flag_bits & _ENCRYPTED:
        raise ValueError(f"{name[:80]!r} is encrypted")
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name[:80]!r} is compressed; expected what np.savez writes")
    with archive.open(info) as opened:
        file = cast(BinaryIO, opened)
        version = np.lib.format.read_magic(file)
        if version not in _HEADERS:
            raise ValueError(f"{name[:80]!r} is of the format {version}; expected {', '.join(map(str, _HEADERS))}")
        shape, _, dtype = _HEADERS[version](file)
        content = info.file_size - file.tell()
    if dtype.kind not in _KINDS or not dtype.itemsize:
        raise ValueError(f"{name[:80]!r} is of the type {str(dtype)[:80]}; expected numbers")
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != content:
        raise ValueError(f"{name[:80]!r} is said to have the shape {str(shape)[:80]}, but has {content} bytes")
    return shape
