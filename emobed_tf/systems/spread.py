"""A given number of settings, spread over ranges: every system of a comparison searches equally many.

`spread` fills a system's own ranges. `shared_spread` gives all systems that train networks the same draws of what they
have in common, so that none wins by a better learning rate, and draws each one's own weights beside them.
"""

import math
from collections.abc import Mapping, Sequence
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


NETWORK: Mapping[str, Range] = {
    "learning_rate": Range(3e-4, 3e-3, logarithmic=True),
    "l2": Range(1e-6, 1e-2, logarithmic=True),
}
"""What all systems that train networks have in common."""


@dataclass(frozen=True)
class Space:
    """What a system searches beside `NETWORK`.

    Attributes:
        axes: by setting; none is in `NETWORK`.
        default: a value for each of them, and for settings that are not varied.
    """

    axes: Mapping[str, Range | Choice]
    default: Mapping[str, Any]


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
        point = _drawn(axes, place)
        if point not in found:
            found.append(point)
    return found[:number]


def shared_spread(own: Space, network: Mapping[str, float], number: int) -> list[dict[str, Any]]:
    """The default, then settings whose learning rate and L2 weight are the same for every system.

    The k-th draw of `NETWORK` is that of a system without weights of its own (`spread`), whatever else is drawn. A
    system's d own axes take the last d coordinates of the recurrence in 2 + d dimensions, which the first two don't
    depend on: no weight goes along with the learning rate.

    Args:
        own: what the system searches beside them.
        network: the default of `NETWORK`.
        number: how many, >= 1.

    Returns:
        Different settings, each with the names of `NETWORK` and of `own.default`; fewer are the first of more.
    """
    common = spread(NETWORK, network, number)
    steps = _steps(len(NETWORK) + len(own.axes))[len(NETWORK) :]
    places = [own.default, *(_drawn(own.axes, _place(steps, n)) for n in range(1, number))]
    return [{**shared, **own.default, **drawn} for shared, drawn in zip(common, places, strict=True)]


def _drawn(axes: Mapping[str, Range | Choice], place: Sequence[float]) -> dict[str, Any]:
    return {name: axis.at(part) for (name, axis), part in zip(axes.items(), place, strict=True)}


def _line(number: int) -> list[tuple[float, ...]]:
    """Both ends and what is between; then others, where the default has come already."""
    return [*((k / max(number - 1, 1),) for k in range(number)), *_recurrence(1, number + 1)]


def _recurrence(dimensions: int, number: int) -> list[tuple[float, ...]]:
    steps = _steps(dimensions)
    return [_place(steps, n) for n in range(1, 64 * number + 1)]


def _place(steps: Sequence[float], n: int) -> tuple[float, ...]:
    return tuple((0.5 + n * step) % 1 for step in steps)


def _steps(dimensions: int) -> list[float]:
    ratio = 2.0
    for _ in range(60):  # the root of x^(d + 1) = x + 1
        ratio = (1 + ratio) ** (1 / (dimensions + 1))
    return [ratio ** -(k + 1) for k in range(dimensions)]
