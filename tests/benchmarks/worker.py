"""A worker's end of the line to the driver: it says when it is ready, and what every repeat took.

Standard library only: it also runs in the peers' environment.
"""

import ctypes
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SHARE_OF_MEMORY = 0.75  # for one; the others of a comparison need some, too


class Driver:
    """The process that asks for repeats. Its answers go through stdout; what anybody else prints goes to stderr.

    Attributes:
        arguments: what the driver wants measured, the JSON object in the first argument of the command line.
    """

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = json.loads(sys.argv[1])
        _limit_memory()
        self._answers = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)

    def answer(self, **values: Any) -> None:
        """Sends values, and the process's peak memory so far, in bytes."""
        self._answers.write(json.dumps({"peak": peak(), **values}) + "\n")

    def wait(self) -> None:
        """Returns when a repeat is asked for; leaves the process when there will be none any more."""
        if not sys.stdin.readline():
            raise SystemExit

    def serve(self, repeat: Callable[[], Any], *, per_repeat: int = 1, **ready: Any) -> None:
        """Says that it is ready and does what it is asked for until the driver has enough.

        Args:
            repeat: does the work once; if it returns a dict, that goes into the answer (`seconds`: another time).
            per_repeat: how many steps that is; the answer's seconds are those of one.
            **ready: what the driver should know; `before` is the memory in use before the work, by default by now.
        """
        self.answer(**{"before": resident(), **ready})
        while True:
            self.wait()
            started = time.perf_counter()
            values = repeat()
            seconds = (time.perf_counter() - started) / per_repeat
            self.answer(**{"seconds": seconds, **(values if isinstance(values, dict) else {})})

    def serve_after_a_first_call(self, compute: Callable[..., float], few: Any) -> None:
        """Does as `serve`, and leaves out of memory what happens once: loading, and a first call's compiling.

        Every answer says how much memory that first call has `kept`.

        Args:
            compute: does the work once, on what is measured or on its argument.
            few: a little of the same kind, for a call before memory is looked at.
        """
        compute(few)
        _forget_what_was()
        before = resident()
        computes = [compute()]
        _forget_what_was()
        kept = max(0, resident() - before)

        def repeat() -> dict[str, int]:
            compute()
            return {"kept": kept}

        self.serve(repeat, computes=computes, before=before)


def _limit_memory() -> None:
    """So that a side that needs too much fails by itself, and the system doesn't have to choose a process to end."""
    limit = int(_SHARE_OF_MEMORY * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def resident() -> int:
    """Memory of this process in use now, in bytes."""
    return _status("VmRSS")


def peak() -> int:
    """The most memory that this process ever had in use, in bytes."""
    return _status("VmHWM")  # getrusage's would begin with the peak of the process that started this one


def _forget_what_was() -> None:
    """Gives memory that is free back to the system, and has `peak` begin anew."""
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
