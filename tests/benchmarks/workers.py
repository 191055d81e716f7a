"""Section `workers`: a sweep with one process and with two."""

import csv
import dataclasses
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.driver import BenchmarkError, Plan, Side, alternate
from tests.benchmarks.text import repeats, seconds, table, times_as_fast

TITLE = "Workers"
ONE, TWO, START = "1 worker", "2 workers", "1 worker, a single training"
_MOST_SECONDS = 900
_SETTINGS = "--framework joint --threads 1 --encoder-layers 1 --encoder-units 32 --head-layers 1 --head-units 32"

_INTRODUCTION = """\
`python -m tuning.sweep` from start to end, start-up, table and figure included, 1 thread for each training: joint
training on 4 simulated recordings of 60 s, 88 + 168 features, 1 + 1 GRU layers of 32, 10 epochs, 16 values of alpha
with 8 seeds each. Two workers import TensorFlow and compile twice, side by side. What start-up takes shows in the sweep
of a single training."""


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    return {"sweep": lambda: _sweep(plan)}


def _sweep(plan: Plan) -> dict[str, Any]:
    data = _data(plan)
    values, seeds, epochs = ("0,0.5", 2, 1) if plan.quick else ("0:1.5:0.1", 8, 10)
    folders = {name: plan.folder.absolute() / f"sweep-{k}" for k, name in enumerate((ONE, TWO, START))}
    sides = [
        _side(ONE, folders[ONE], data, values, seeds, epochs, 1),
        _side(TWO, folders[TWO], data, values, seeds, epochs, 2),
        _side(START, folders[START], data, "0", 1, epochs, 1),
    ]
    once = dataclasses.replace(plan, warmups=min(plan.warmups, 1))  # every repeat is a new process
    found = alternate(sides, once, most_seconds=_MOST_SECONDS, least=3)
    scores = {name: _scores(folders[name]) for name in (ONE, TWO)}
    if scores[ONE] != scores[TWO]:
        raise BenchmarkError(f"{ONE} and {TWO} don't find the same scores")
    return {**found, "trainings": len(scores[ONE])}


def _data(plan: Plan) -> Path:
    from emobed_tf.corpora.files import MARKER
    from emobed_tf.corpora.simulate import simulate_recola

    seconds_of_each, recordings = (12, 3) if plan.quick else (60, 4)
    folder = plan.folder.absolute() / f"recola-{recordings}x{seconds_of_each}s"
    if not (folder / MARKER).is_file():
        simulate_recola(folder, seconds=seconds_of_each, recordings=recordings)
    return folder


def _side(name: str, output: Path, data: Path, values: str, seeds: int, epochs: int, workers: int) -> Side:
    sweep = f"{shlex.quote(sys.executable)} -m tuning.sweep --parameter alpha --values {values} --seeds {seeds}"
    where = f"--data-dir {shlex.quote(str(data))} --output {shlex.quote(str(output))} --workers {workers}"
    text = f"rm -rf {shlex.quote(str(output))} && exec {sweep} {where} --epochs {epochs} {_SETTINGS}"
    return Side(name, "command", {"line": ["sh", "-c", text]})


def _scores(folder: Path) -> list[tuple[str, ...]]:
    with open(folder / "sweep.csv", newline="") as file:
        return [(row["value"], row["seed"], row["score"]) for row in csv.DictReader(file)]


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    result = found["sweep"]
    sides = {name: side["seconds"] for name, side in result["sides"].items()}
    rows = [
        [name, "1" if name == START else str(result["trainings"]), seconds(times)]
        + [times_as_fast(times, sides[ONE]) if name == TWO else ""]
        for name, times in sides.items()
    ]
    end = f"Scores are the same bit for bit. {repeats(result['sides'])} repeats."
    return "\n\n".join([_INTRODUCTION, table(["", "trainings", "time", f"times as fast as {ONE}"], rows), end])
