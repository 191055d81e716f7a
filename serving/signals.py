"""What SIGINT and SIGTERM do to the server's process: end it at once until it serves, then after what is under way."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_SECONDS = 1.0  # for threads that have nothing to do to end
_SHOW_CURSOR = "\x1b[?25h"  # which a line of progress hides


def end_at_once(program: str) -> None:
    """Makes both signals end the process at once from now on, without an exception, which a library could swallow.

    The exit code is that of a process that a signal has ended, as shells count it: 130 and 143.

    Args:
        program: its name, for what it says at its end.
    """

    def end(number: int, frame: FrameType | None) -> None:
        said = f"\n{program}: interrupted\n" if number == signal.SIGINT else ""
        with contextlib.suppress(OSError):
            os.write(2, ((_SHOW_CURSOR if os.isatty(2) else "") + said).encode())  # no buffer, which may be in use
        os._exit(128 + number)

    if threading.current_thread() is threading.main_thread():
        for number in _NUMBERS:
            signal.signal(number, end)


def raise_again() -> None:
    """Both signals do what they do in any process of Python: SIGINT raises KeyboardInterrupt, SIGTERM ends it."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def calling(end: Callable[[], object]) -> Iterator[None]:
    """Calls a function when one of the signals comes within the block.

    Args:
        end: called each time.

    Yields:
        Nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def call(number: int, frame: FrameType | None) -> None:
        end()

    before: dict[signal.Signals, Any] = {number: signal.signal(number, call) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_if_held_up(code: int, names: tuple[str, ...]) -> None:
    """Ends the process if threads are at work that nothing can stop, such as one operation of TensorFlow.

    Python would wait for them when it ends. Threads that have nothing to do have a second to end.

    Args:
        code: for whoever started the process.
        names: that the threads' names begin with.
    """
    deadline = time.monotonic() + _SECONDS
    threads = [thread for thread in threading.enumerate() if thread.name.startswith(names)]
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
