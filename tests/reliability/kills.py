"""A process that is killed at a moment that is drawn, either of its time or of its changes to files."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

from tests.conftest import ROOT

LOOK = 0.002  # seconds between two looks at the files
LONGEST = 400  # seconds of a process on a machine that is busy


@dataclass(frozen=True)
class Course:
    """How a command went that nobody killed: the moments at which it can be killed.

    Attributes:
        idle: seconds until it first changed a file.
        busy: seconds from then until its end.
        changes: how often its files were seen to have changed.
    """

    idle: float
    busy: float
    changes: int


@dataclass(frozen=True)
class Moment:
    """When to kill.

    Attributes:
        seconds: from `after` changes on.
        after: changes of files; 0: the start of the process.
    """

    seconds: float
    after: int

    def __str__(self):
        return f"{self.seconds:.3f} s after {f'change {self.after}' if self.after else 'the start'}"


def drawn(course, random):
    """A moment: one in eight before anything is written, half of the others by time, half right after a change."""
    if random.random() < 1 / 8:
        return Moment(random.uniform(0, course.idle), 0)
    if random.random() < 1 / 2:
        return Moment(random.uniform(0, course.busy), 1)
    return Moment(random.uniform(0, 0.005), random.randint(1, course.changes))


def seen(folder):
    """Names, sizes and times of all that is below a folder."""
    found = []
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    state = entry.stat(follow_symlinks=False)
                    found.append((entry.path, state.st_size, state.st_mtime_ns, state.st_ino))
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except FileNotFoundError:
            continue  # it has been renamed meanwhile
    return found


def watched(line, folder, moment=None, **variables):
    """Runs a command that changes files below a folder, and kills it.

    Args:
        line: `-m`, the command and its arguments.
        folder: that is looked at.
        moment: when to kill; None: never.
        **variables: of its environment.

    Returns:
        Exit code, what it wrote, and its `Course`.
    """
    output = folder.with_name(f"{folder.name}.log")
    start = time.monotonic()
    first, changes, due = None, 0, start + moment.seconds if moment and not moment.after else None
    before = seen(folder)
    with (
        output.open("wb") as log,
        subprocess.Popen(
            [sys.executable, *map(str, line)],
            cwd=ROOT,
            env={**os.environ, **{name: str(value) for name, value in variables.items()}},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        while process.poll() is None:
            now = time.monotonic()
            assert now - start < LONGEST, output.read_text()
            found = seen(folder)
            if found != before:
                before, changes, first = found, changes + 1, first or now
                if moment and changes == moment.after:
                    due = now + moment.seconds
            if due is not None and time.monotonic() >= due:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            time.sleep(LOOK)
    end = time.monotonic()
    return process.returncode, output.read_text(), Course((first or end) - start, end - (first or end), changes)
