"""Section `startup`: what a user waits for before a command has begun."""

import sys
from collections.abc import Callable
from typing import Any

from tests.benchmarks.driver import ROOT, Plan, Side, alternate
from tests.benchmarks.text import memory, repeats, seconds, table, times_as_fast

TITLE = "Start-up"
_PACKAGES = ("emobed_tf", "serving", "tuning")
_TENSORFLOW = "import tensorflow"


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    return {"processes": lambda: alternate([_side(name, line) for name, line in _lines().items()], plan)}


def commands() -> list[str]:
    """Modules that are run with `python -m`."""
    files = sorted(file for package in _PACKAGES for file in (ROOT / package).glob("*.py"))
    return [f"{file.parent.name}.{file.stem}" for file in files if '\nif __name__ == "__main__":' in file.read_text()]


def _lines() -> dict[str, list[str]]:
    code = ("pass", "import emobed_tf", *(f"import {name}" for name in commands()), _TENSORFLOW)
    return {text: ["-c", text] for text in code} | {f"{name} --help": ["-m", name, "--help"] for name in commands()}


def _side(name: str, line: list[str]) -> Side:
    return Side(name, "command", {"line": [sys.executable, *line], "environment": {"TF_CPP_MIN_LOG_LEVEL": "3"}})


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    sides = found["processes"]["sides"]
    reference = sides[_TENSORFLOW]["seconds"]
    rows = [
        [
            f"`python -m {name}`" if name.endswith("--help") else f'`python -c "{name}"`',
            seconds(side["seconds"]),
            memory(side["peak"]),
            "" if name == _TENSORFLOW else times_as_fast(side["seconds"], reference),
        ]
        for name, side in sides.items()
    ]
    head = ["process", "time", "peak memory", "is … times as fast as importing TensorFlow"]
    return f"{table(head, rows)}\n\n{repeats(sides)} repeats, from start to end of the process."
