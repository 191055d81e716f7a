"""What SIGINT and SIGTERM do to the server's process once it serves; until then, `emobed_tf.interrupts` ends it."""

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
