"""Memory that requests take: bounded together, and given back after large ones."""

import contextlib
import ctypes
import gc
import threading
from collections.abc import Iterator

SMALL = 1 << 18
"""Bytes of a body that are always taken: a client that stalls with less holds up nobody."""
LARGE = 1 << 20
"""Bytes of a body from which on it is worth while to give memory back."""


class Room:
    """How many bytes of bodies may be in memory at the same time, beside the first `SMALL` of each.

    Args:
        most: bytes.
    """

    def __init__(self, most: int):
        self._left = most
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Takes some room.

        Args:
            size: bytes.

        Returns:
            False if there isn't so much, and then none is taken.
        """
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        """Gives room back.

        Args:
            size: bytes that were taken.
        """
        with self._lock:
            self._left += size


_building = 0
_building_lock = threading.Lock()


@contextlib.contextmanager
def without_collector() -> Iterator[None]:
    """Keeps Python from looking for garbage while the block runs.

    It would look at all the lists of a document again and again while they are made, none of which is garbage, and all
    other threads wait meanwhile.

    Yields:
        Nothing.
    """
    global _building
    with _building_lock:
        _building += 1
        gc.disable()
    try:
        yield
    finally:
        with _building_lock:
            _building -= 1
            if not _building:
                gc.enable()


def trim() -> None:
    """Gives free memory back to the system, which Python and the C library keep for themselves after large requests.

    Python keeps some dozens of freed lists and numbers for later, and with each the megabyte that it lies in. A full
    collection lets go of them. It waits until no document is made, all of whose lists it would look at.
    """
    if not _building:
        gc.collect()
    if _malloc_trim is not None:
        _malloc_trim(0)


def _found_trim() -> "ctypes._NamedFuncPointer | None":
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):  # not the GNU C library
        return None


_malloc_trim = _found_trim()
