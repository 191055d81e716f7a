"""Figures as Markdown."""

import statistics
from collections.abc import Sequence
from typing import Any


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    head = [columns, ["---", *["---:"] * (len(columns) - 1)]]
    return "\n".join("| " + " | ".join(row) + " |" for row in [*head, *rows])


def seconds(values: float | Sequence[float]) -> str:
    """A duration, or the median of several with least and most, to three digits: `1.23 s (1.20 to 1.31)`."""
    if isinstance(values, (int, float)):
        unit, scale = _unit(values)
        return f"{_digits(values * scale)} {unit}"
    middle = statistics.median(values)
    unit, scale = _unit(middle)
    ends = " to ".join(_digits(value * scale) for value in (min(values), max(values)))
    return f"{_digits(middle * scale)} {unit} ({ends})"


def times_as_fast(ours: Sequence[float], peer: Sequence[float]) -> str:
    """How many times as fast ours is: median of the ratios of neighbouring repeats, with least and most."""
    ratios = [b / a for a, b in zip(ours, peer, strict=True)]
    return f"{_digits(statistics.median(ratios))} ({_digits(min(ratios))} to {_digits(max(ratios))})"


def memory(values: float) -> str:
    """Bytes as MB or GB (of 10^6 and 10^9 bytes)."""
    return f"{values / 1e9:.2f} GB" if values >= 1e9 else f"{values / 1e6:.0f} MB"


def comparison(sides: dict[str, dict[str, Any]], what: str, baseline: str) -> str:
    """The table of sides that took turns, all compared with one of them.

    Args:
        sides: from `driver.alternate`.
        what: is measured: the head of its column.
        baseline: name of the side that the others are compared with.
    """
    columns = {
        "": list(sides),
        "settings": [side["choice"] for side in sides.values()],
        what: [seconds(side["seconds"]) for side in sides.values()],
        "memory before": [memory(side["before"]) for side in sides.values()],
        "peak above it": [memory(side["peak"] - side["before"]) for side in sides.values()],
        f"{baseline} is … times as fast": [
            "" if name == baseline else times_as_fast(sides[baseline]["seconds"], side["seconds"])
            for name, side in sides.items()
        ],
    }
    told = {head: cells for head, cells in columns.items() if any(cells)}
    return table(list(told), list(zip(*told.values(), strict=True)))


def repeats(sides: dict[str, dict[str, Any]]) -> int:
    """How often each side was measured."""
    return len(next(iter(sides.values()))["seconds"])


def threads(count: int) -> str:
    """A number of threads in words."""
    return f"{count} thread{'s' if count > 1 else ''}"


def settings(tried: dict[str, dict[str, float | str]]) -> list[str]:
    """A list of the settings that peers could choose from, if there were any; from `driver.fastest`, by peer."""
    items = [
        f"- {name}: " + "; ".join(f"{choice}: {_outcome(value)}" for choice, value in choices.items())
        for name, choices in tried.items()
        if choices
    ]
    return ["\n".join(["Settings tried in a short run before:", "", *items])] if items else []


def _outcome(found: float | str) -> str:
    if isinstance(found, str):
        return f"failed ({found.rpartition('Error: ')[2].partition(' [Op:')[0].rstrip('.')})"
    return seconds(found)


def _unit(value: float) -> tuple[str, float]:
    return ("s", 1) if value >= 0.1 else ("ms", 1000)


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")
