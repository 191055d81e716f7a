"""A given number of settings, spread over ranges: every system of a comparison searches equally many."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """A continuous setting.

    Attributes:
        low: its lowest value.
        high: its highest.
        logarithmic: whether equal ratios are equally far apart; then `low` > 0.
    """

    low: float
    high: float
    logarithmic: bool = False

    def at(self, place: float) -> float:
        """The value at a place of the range, to three digits.

        Args:
            place: 0 (`low`) to 1 (`high`).

        Returns:
            A number between both ends.
        """
        if self.logarithmic:
            value = math.exp(math.log(self.low) + place * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + place * (self.high - self.low)
        return float(f"{value:.3g}")


@dataclass(frozen=True)
class Choice:
    """A setting with some values, in an order in which neighbours are alike.

    Attributes:
        values: JSON values.
    """

    values: tuple[Any, ...]

    def at(self, place: float) -> Any:
        """The value at a place in the order.

        Args:
            place: 0 (the first value) to 1 (the last).

        Returns:
            One of the values.
        """
        return self.values[min(int(place * len(self.values)), len(self.values) - 1)]


def spread(axes: Mapping[str, Range | Choice], default: Mapping[str, Any], number: int) -> list[dict[str, Any]]:
    """The default, then settings that cover their ranges evenly, whatever the number.

    One axis is a line with both ends; several are filled by an additive recurrence with the generalised golden ratio
    (M. Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018), which leaves no part of a plane
    empty for any number of points.

    Args:
        axes: by setting.
        default: comes first: with one configuration there is no search.
        number: how many, >= 1; fewer come back where there are no more different ones (`Choice`s alone).

    Returns:
        Different settings, each with all axes' names.
    """
    found = [dict(default)]
    for place in _line(number - 1) if len(axes) == 1 else _recurrence(len(axes), number):
        if len(found) >= number:
            break
        point = {name: axis.at(part) for (name, axis), part in zip(axes.items(), place, strict=True)}
        if point not in found:
            found.append(point)
    return found[:number]


def _line(number: int) -> list[tuple[float, ...]]:
    """Both ends and what is between; then others, where the default has come already."""
    return [*((k / max(number - 1, 1),) for k in range(number)), *_recurrence(1, number + 1)]


def _recurrence(dimensions: int, number: int) -> list[tuple[float, ...]]:
    ratio = 2.0
    for _ in range(60):  # the root of x^(d + 1) = x + 1
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    steps = [ratio ** -(k + 1) for k in range(dimensions)]
    return [tuple((0.5 + n * step) % 1 for step in steps) for n in range(1, 64 * number + 1)]
