"""Versions of a model, `MODEL_DIR/1`, `MODEL_DIR/2`, …: each appears whole to the TensorFlow Serving that watches."""

import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from emobed_tf.errors import InputError
from emobed_tf.runs.access import locked

_BESIDE = ".export-"
_SECONDS = 60  # for a writer to lock a folder that it has just made


def check_model_dir(model_dir: Path) -> None:
    """Refuses what can't hold the versions of a model; changes nothing.

    Args:
        model_dir: folder of a model's versions; need not exist.

    Raises:
        InputError: if it is a file, a version of a model, or a run folder.
        OSError: if nothing can be written there.
    """
    path = model_dir.resolve()
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    if not existing.is_dir():
        raise InputError(f"{existing}: expected a folder for the versions of a model, found a file; name another one")
    if _number(path.name) is not None or (path / "saved_model.pb").exists():
        raise InputError(f"{model_dir}: that is a version of a model; name the folder of all versions, {path.parent}")
    if (path / "run.json").exists():
        raise InputError(f"{model_dir}: that is a run folder; name a folder for the versions of a model, models/NAME")
    if not os.access(existing, os.W_OK | os.X_OK):
        reason = errno.EROFS if os.statvfs(existing).f_flag & os.ST_RDONLY else errno.EACCES
        raise OSError(reason, os.strerror(reason), str(existing))  # PermissionError, where it is that


def latest_version(model_dir: Path) -> Path | None:
    """The version with the highest number, which a server answers with where none is named.

    Args:
        model_dir: folder of a model's versions; need not exist.

    Returns:
        Its folder; None if there is no version.
    """
    if not model_dir.is_dir():
        return None
    highest = _highest(model_dir)
    return model_dir / str(highest) if highest else None


def add_version(model_dir: Path, write: Callable[[Path], None]) -> Path:
    """Adds a version after the highest there. It is written in a hidden folder and renamed when it is whole.

    A server that watches `model_dir` never sees half a version, whatever stops the writing, and of several writers at
    the same time each gets a number of its own. What writers that were killed have left is removed.

    Args:
        model_dir: made if it isn't there.
        write: writes the version's files into the folder that it is given.

    Returns:
        The version's folder.

    Raises:
        InputError: see `check_model_dir`.
        OSError: if it can't be written.
    """
    check_model_dir(model_dir)
    is_new = not model_dir.exists()
    beside = model_dir / f"{_BESIDE}{uuid.uuid4().hex}"
    beside.mkdir(parents=True)
    try:
        with locked(beside):  # as long as somebody is at work
            remove_left(model_dir)
            write(beside)
            for file in beside.rglob("*"):
                _flush(file)
            return _renamed(beside, model_dir)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        if is_new:
            with contextlib.suppress(OSError):
                model_dir.rmdir()
        raise


def remove_left(model_dir: Path) -> None:
    """Removes the hidden folders of writers that were killed.

    Args:
        model_dir: folder of a model's versions.
    """
    for folder in model_dir.glob(f"{_BESIDE}*"):
        with contextlib.suppress(OSError):  # another writer has removed it, or it can't be
            if folder.is_symlink() or time.time() - folder.stat().st_mtime < _SECONDS:
                continue
            with locked(folder) as is_left:
                if is_left:
                    shutil.rmtree(folder, ignore_errors=True)


def _renamed(beside: Path, model_dir: Path) -> Path:
    while True:
        version = model_dir / str(_highest(model_dir) + 1)
        try:
            return beside.rename(version)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # else somebody was faster
                raise


def _highest(model_dir: Path) -> int:
    """0 if there is no version."""
    numbers = (_number(entry.name) for entry in model_dir.iterdir())
    return max((number for number in numbers if number is not None), default=0)


def _number(name: str) -> int | None:
    return int(name) if name.isascii() and name.isdigit() else None


def _flush(file: Path) -> None:
    # A full disk may only show here.
    if file.is_file():
        with open(file, "rb") as opened:
            os.fsync(opened.fileno())
