"""Starts workers, lets them take turns, and picks the best of a peer's settings."""

import contextlib
import itertools
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emobed_tf.errors import InputError

ROOT = Path(__file__).parents[2]
OURS = "ours"
_SECONDS_TO_LEAVE = 30
_SECONDS_OF_A_SHORT_RUN = 10
_SECONDS_OF_REST = 0.1  # threads of the side before spin for a while, or fetch what they need next


class BenchmarkError(InputError):
    """A worker failed, or two sides don't compute the same."""


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        repeats: of each side.
        warmups: of each side, before the first that counts.
        quick: small sizes, to see that everything works.
        peers: Python of the peers' environment; None: our own sides only.
        folder: where data are kept from one run to the next.
    """

    repeats: int
    warmups: int
    quick: bool
    peers: Path | None
    folder: Path


@dataclass(frozen=True)
class Side:
    """One that takes turns: a module run as a worker, with its arguments.

    Attributes:
        name: whose it is.
        module: below `tests.benchmarks`.
        arguments: what the worker reads; JSON values.
        choice: its settings in words.
        python: of its environment.
        environment: variables that it needs beside the driver's.
    """

    name: str
    module: str
    arguments: Mapping[str, Any]
    choice: str = ""
    python: Path = Path(sys.executable)
    environment: Mapping[str, str] = field(default_factory=dict)


class Worker:
    """A side's process, ready to work.

    Attributes:
        ready: what it said when it was.
    """

    def __init__(self, side: Side):
        self.side = side
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [str(side.python), "-m", f"tests.benchmarks.{side.module}", json.dumps(dict(side.arguments))],
            cwd=ROOT,
            env={**os.environ, **side.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self.ready = self._answer()

    def repeat(self) -> dict[str, Any]:
        """One repeat: `seconds`, the process's `peak` memory in bytes, and what else the worker says."""
        time.sleep(_SECONDS_OF_REST)
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def printed(self) -> str:
        """What the worker has written on stderr so far."""
        file = self._errors.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")  # the worker's position stays

    def close(self) -> None:
        """Lets the process go."""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_SECONDS_TO_LEAVE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _answer(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            last = (self.printed().strip().splitlines() or ["it said nothing"])[-1]
            raise BenchmarkError(f"{self.side.name} ({self.side.module} {self.side.choice}): the worker ended: {last}")
        return json.loads(line)


@contextlib.contextmanager
def started(*sides: Side) -> Iterator[list[Worker]]:
    """Workers for the time of a block."""
    with contextlib.ExitStack() as stack:
        workers = []
        for side in sides:
            workers.append(Worker(side))
            stack.callback(workers[-1].close)
        yield workers


def alternate(
    sides: Sequence[Side],
    plan: Plan,
    *,
    computes: Mapping[str, Sequence[float]] | None = None,
    most_seconds: float = math.inf,
    least: int = 5,
) -> dict[str, Any]:
    """Measures sides in turn, A B A B: what slows the machine down for a while slows them all.

    Args:
        sides: with different names.
        plan: warm-ups and repeats.
        computes: results to compare with what workers say that they compute, by side.
        most_seconds: no further round begins after so long, once there are `least`.
        least: rounds that there are in any case (fewer only if the plan has fewer).

    Returns:
        `difference`: the largest relative one between sides' results. `sides`, by name: `seconds` of each repeat,
        memory in bytes `before` the work and at its `peak`, `choice`, and what else the last answer held.

    Raises:
        BenchmarkError: if a worker fails, or two sides don't compute the same; nothing is timed then.
    """
    with started(*sides) as workers:
        found = {w.side.name: w.ready["computes"] for w in workers if "computes" in w.ready}
        difference = check_agreement({**(computes or {}), **found})
        for _ in range(plan.warmups):
            for worker in workers:
                worker.repeat()
        rounds: list[list[dict]] = []
        begun = time.monotonic()
        while len(rounds) < plan.repeats and (len(rounds) < least or time.monotonic() - begun < most_seconds):
            rounds.append([worker.repeat() for worker in workers])
        measured = {
            worker.side.name: {
                **answers[-1],
                "choice": worker.side.choice,
                "before": worker.ready["before"],
                "seconds": [answer["seconds"] for answer in answers],
            }
            for worker, answers in zip(workers, zip(*rounds, strict=True), strict=True)
        }
        return {"sides": measured, "difference": difference}


def fastest(candidates: Sequence[Side], plan: Plan) -> tuple[Side, dict[str, float | str]]:
    """The best of a peer's settings, by a short run of each: one warm-up, then the median of three.

    Where that would take long, one repeat is enough.

    Returns:
        That side, and the seconds of every choice, or why it failed.

    Raises:
        BenchmarkError: if all of them failed.
    """
    if len(candidates) == 1:
        return candidates[0], {}
    found: dict[str, float | str] = {}
    for side in candidates:
        try:
            with started(side) as [worker]:
                begun = time.monotonic()
                worker.repeat()
                repeats = [worker.repeat()["seconds"]]
                while len(repeats) < min(3, plan.repeats) and time.monotonic() - begun < _SECONDS_OF_A_SHORT_RUN:
                    repeats.append(worker.repeat()["seconds"])
                found[side.choice] = statistics.median(repeats)
        except BenchmarkError as error:
            found[side.choice] = str(error)
    working = [side for side in candidates if not isinstance(found[side.choice], str)]
    if not working:
        raise BenchmarkError(found[candidates[-1].choice])
    return min(working, key=lambda side: found[side.choice]), found


def check_agreement(values: Mapping[str, Sequence[float]], tolerance: float = 1e-4) -> float:
    """Makes sure that sides compute the same, before anybody is timed.

    Args:
        values: by side, what must be equal.
        tolerance: relative.

    Returns:
        The largest relative difference of two sides; 0 if there is only one.

    Raises:
        BenchmarkError: if it exceeds the tolerance.
    """
    largest = 0.0
    for (one, first), (other, second) in itertools.combinations(values.items(), 2):
        for a, b in zip(first, second, strict=True):
            difference = abs(a - b) / max(abs(a), 1e-12)
            if not difference <= tolerance:  # a NaN differs, too
                raise BenchmarkError(f"{one} computes {a:.7g}, {other} {b:.7g}: they don't do the same work")
            largest = max(largest, difference)
    return largest
