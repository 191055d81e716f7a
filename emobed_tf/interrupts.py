"""What Ctrl-C does to a command before it runs: its imports take a second, and show a traceback or swallow it."""

import contextlib
import os
import signal
import threading
from types import FrameType
from typing import Any

_NUMBERS = (signal.SIGINT, signal.SIGTERM)
_SHOW_CURSOR = "\x1b[?25h"  # which a line of progress hides


def end_at_once(program: str) -> None:
    """Has SIGINT and SIGTERM end the process at once from now on, without an exception, which a library could swallow.

    The exit code is that of a process that a signal has ended, as shells count it: 130 and 143. A signal that whoever
    started the process has it ignore stays ignored.

    Args:
        program: its name, for what it says at its end.
    """
    if threading.current_thread() is threading.main_thread():
        for number in _NUMBERS:
            before = signal.getsignal(number)
            if before is not signal.SIG_IGN:
                signal.signal(number, _End(program, before))


def raise_again() -> None:
    """Both signals do what they did before `end_at_once`: in any process of Python, SIGINT raises KeyboardInterrupt."""
    for number in _NUMBERS:
        now = signal.getsignal(number)
        if isinstance(now, _End) and threading.current_thread() is threading.main_thread():
            signal.signal(number, now.before)


class _End:
    """The handler, which knows what was there before it."""

    def __init__(self, program: str, before: Any):
        self.program, self.before = program, before

    def __call__(self, number: int, frame: FrameType | None) -> None:
        said = f"\n{self.program}: interrupted\n" if number == signal.SIGINT else ""
        with contextlib.suppress(OSError):
            os.write(2, ((_SHOW_CURSOR if os.isatty(2) else "") + said).encode())  # no buffer, which may be in use
        os._exit(128 + number)
