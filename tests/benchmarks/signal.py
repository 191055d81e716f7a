"""Section `signal`: training from waveforms beside PyTorch, log-mel energies, and memory over hours of sound."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.driver import OURS, Plan, Side, alternate, started
from tests.benchmarks.signal_tf import STEPS
from tests.benchmarks.text import comparison, memory, repeats, table, threads

TITLE = "From the signal"
THREADS = 2
_LOGMEL, _MEMORY = "logmel", "memory"
_WITH_PEER = ("conv", "emo18")
_MOST_SECONDS = 360

_INTRODUCTION = f"""\
A training step from 4 recordings of 6 s at 16 kHz: a front end, 2 GRU layers of 120 units and a linear output, loss,
gradient and Adam's update, {threads(THREADS)}; samples are read and converted in between. PyTorch has the same network,
weights, loss and batch, which is ready in its memory. Real time is sound per second of work."""

_ALONE = "Log-mel energies of 4 recordings of 60 s, in a graph."

_GROWTH = """\
A training of 20 steps on clips of 10 s that lie on disk, development scored once: the peak of resident memory, reading
included."""


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    found: dict[str, Callable[[], dict]] = {
        name: lambda name=name: _trained(name, plan) for name in ("conv", "emo18", "zhao19", _LOGMEL)
    }
    return found | {f"{_LOGMEL} alone": lambda: _alone(plan), _MEMORY: lambda: _memory(plan)}


def _arguments(front_end: str, plan: Plan) -> dict[str, Any]:
    return {"front_end": front_end, "threads": THREADS, "seconds": 1 if plan.quick else 6, "batch": 4}


def _trained(front_end: str, plan: Plan) -> dict[str, Any]:
    arguments = _arguments(front_end, plan)
    sides = [Side(OURS, "signal_tf", {"what": "ours", **arguments}, threads(THREADS))]
    with tempfile.TemporaryDirectory() as folder:
        if plan.peers is not None and front_end in _WITH_PEER:
            file = str(Path(folder) / "reference.npz")
            with started(Side(OURS, "signal_tf", {"what": "reference", "file": file, **arguments})) as [worker]:
                facts = worker.ready
            given = {"file": file, "facts": facts, "threads": THREADS, "steps": STEPS}
            sides.append(Side("PyTorch", "signal_torch", given, threads(THREADS), plan.peers))
        found = alternate(sides, plan, most_seconds=_MOST_SECONDS)
    return {**found, "sound": arguments["seconds"] * arguments["batch"]}


def _alone(plan: Plan) -> dict[str, Any]:
    arguments = {"what": "logmel", "threads": THREADS, "seconds": 2 if plan.quick else 60, "batch": 4}
    side = Side(OURS, "signal_tf", arguments, threads(THREADS))
    return {**alternate([side], plan), "sound": arguments["seconds"] * arguments["batch"]}


def _memory(plan: Plan) -> dict[str, Any]:
    hours = (0.05, 0.2) if plan.quick else (5, 20)
    folder = str((plan.folder / "signal").absolute())
    cache = {"EMOBED_CACHE": str((plan.folder / "signal-cache").absolute())}
    shared = {"what": "memory", "folder": folder, "front_end": "conv", "threads": THREADS}
    peaks = {}
    for number in hours:  # one after another, each with the machine's memory to itself
        side = Side(OURS, "signal_tf", {**shared, "hours": number}, environment=cache)
        with started(side) as [worker]:
            peaks[f"{number:g} hours"] = {**worker.repeat(), "before": worker.ready["before"]}
    return {"peaks": peaks}


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    parts = [_INTRODUCTION]
    for name, result in found.items():
        parts.append(f"### {name}")
        if name == _MEMORY:
            parts += [_GROWTH, _growth(result["peaks"])]
            continue
        ours = result["sides"][OURS]["seconds"]
        middle = sorted(ours)[len(ours) // 2]
        if name != _LOGMEL and name.startswith(_LOGMEL):
            parts.append(_ALONE)
        parts.append(comparison(result["sides"], "a step", OURS))
        parts.append(f"{repeats(result['sides'])} repeats. Ours is {result['sound'] / middle:,.0f} times real time.")
    return "\n\n".join(parts)


def _growth(peaks: dict[str, dict[str, Any]]) -> str:
    first = next(iter(peaks.values()))["peak"]
    rows = [
        [name, memory(found["before"]), memory(found["peak"]), f"{found['peak'] / first:.2f}"]
        for name, found in peaks.items()
    ]
    return table(["sound", "before", "peak", "of the first"], rows)
