"""Who may read and write a folder: nothing leads out of a run's, and one process writes it at a time."""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from emobed_tf.errors import InputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def check_inside(folder: Path) -> None:
    """Checks that everything in a folder is a file or a folder, or a link to one that is in it as well.

    A link that leads elsewhere would be read, and written, as if it were the run's own.

    Args:
        folder: that is there; it may itself be a link.

    Raises:
        InputError: if something is not.
    """
    home = Path(os.path.realpath(folder))
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    target = Path(os.path.realpath(entry.path))
                    if not target.is_relative_to(home):
                        raise InputError(
                            f"{entry.path}: a link that leads out of the run folder, to {target}; copy there what it "
                            "leads to"
                        )
                elif entry.is_dir():
                    waiting.append(Path(entry.path))
                elif not entry.is_file():
                    raise InputError(f"{entry.path}: neither a file nor a folder; remove it")


@contextlib.contextmanager
def held(folder: Path, what: str = "training this run") -> Iterator[None]:
    """Keeps others that do the same out of a folder while the block runs; a killed process lets go of it.

    Where the system or its network drive knows no locks of folders, nothing is kept out.

    Args:
        folder: that is there.
        what: is done there, for the message.

    Yields:
        Nothing.

    Raises:
        InputError: if another process has it.
    """
    with locked(folder) as got:
        if got is False:
            raise InputError(f"{folder}: another process is {what}; wait until it has ended, or stop it")
        yield


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[bool | None]:
    """Locks a folder while the block runs, if nobody else has. The system unlocks it if the process is killed.

    Args:
        folder: that is there.

    Yields:
        True: it is locked; False: somebody else has locked it; None: there are no locks here.

    Raises:
        OSError: if it isn't there.
    """
    if fcntl is None:
        yield None
        return
    descriptor = os.open(folder, os.O_RDONLY)
    got: bool | None = True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        got = False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    try:
        yield got
    finally:
        if got:
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_UN)  # a process that was forked from this one has it, too
        os.close(descriptor)
