"""Score against the value of a setting (EmoBed, Fig. 5 to 7)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emobed_tf.errors import InputError
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.figures.style import MARKERS, colours, entitle, light_grid, new_figure, numbers, plain, wrapped

_SYMBOLS = {"alpha": r"$\alpha$", "beta": r"$\beta$", "l2": r"$\lambda$"}
_LOGARITHMIC_FROM = 100.0  # largest value / smallest


def sweep(points: Sequence[Mapping[str, Any]]) -> Figure:
    """Development score by the value of a setting: a line per scenario, a band over seeds, the best mean marked.

    The band is the mean ± one standard deviation (1 / (n - 1)) over seeds. Values are on a logarithmic axis where the
    largest is at least 100 times the smallest; values that are no numbers stand side by side.

    Args:
        points: one per training, with the keys `parameter` (name of the setting), `value`, `scenario` (text, such as
            `arousal from audio`), `seed`, `score` (None or NaN: the training diverged, and is left out), `score_name`
            and `simulated`.

    Returns:
        The figure; it says SIMULATED where any point does.

    Raises:
        InputError: if there is no point, or the points are of several settings or scores.
    """
    if not points:
        raise InputError("expected at least one point of a sweep, got none")
    parameter, score_name = (_only(points, key) for key in ("parameter", "score_name"))
    values = list(dict.fromkeys(point["value"] for point in points))
    numeric = all(isinstance(value, int | float | np.number) for value in values)
    if numeric:
        values.sort()
    position = {value: float(value) if numeric else float(k) for k, value in enumerate(values)}
    scenarios = list(dict.fromkeys(point["scenario"] for point in points))

    figure, ((axis,),) = new_figure(7.0, 4.4)
    for k, (scenario, colour) in enumerate(zip(scenarios, colours(len(scenarios)), strict=True)):
        mine = [point for point in points if point["scenario"] == scenario]
        _line(axis, mine, position, scenario, colour, MARKERS[k % len(MARKERS)])
    if not numeric:
        axis.set_xticks(range(len(values)), [plain(value) for value in values])
    elif values[0] > 0 and values[-1] / values[0] >= _LOGARITHMIC_FROM:
        axis.set_xscale("log")
    axis.set_xlabel(_SYMBOLS.get(parameter, plain(parameter)))
    axis.set_ylabel(f"development {plain(short_name(score_name))}")
    light_grid(axis)
    if axis.lines:
        axis.legend(fontsize=8, frameon=False, title="mean ± standard deviation over seeds", title_fontsize=8)
    entitle(figure, f"sweep of {parameter}", any(point["simulated"] for point in points))
    return figure


def _line(
    axis: Axes,
    points: Sequence[Mapping[str, Any]],
    position: Mapping[Any, float],
    scenario: str,
    colour: Any,
    marker: str,
) -> None:
    """One scenario; nothing where every training diverged."""
    by_value: dict[Any, list[float]] = {}
    for point, score in zip(points, numbers([point["score"] for point in points]), strict=True):
        if np.isfinite(score):
            by_value.setdefault(point["value"], []).append(score)
    if not by_value:
        return
    values = sorted(by_value, key=position.__getitem__)
    x = np.array([position[value] for value in values])
    mean = np.array([np.mean(by_value[value]) for value in values])
    deviation = np.array([np.std(by_value[v], ddof=1) if len(by_value[v]) > 1 else 0.0 for v in values])
    best = int(np.argmax(mean))
    shown = f"{values[best]:g}" if isinstance(values[best], int | float | np.number) else values[best]
    label = wrapped(f"{scenario} (best: {shown}, {mean[best]:.3f})", 70)
    axis.plot(x, mean, color=colour, marker=marker, markersize=5, linewidth=1.6, label=label)
    if deviation.any():
        axis.fill_between(x, mean - deviation, mean + deviation, color=colour, alpha=0.18, linewidth=0)
    axis.plot(x[best], mean[best], marker="*", markersize=15, color=colour, markeredgecolor="black", linestyle="none")


def _only(points: Sequence[Mapping[str, Any]], key: str) -> str:
    found = sorted({str(point[key]) for point in points})
    if len(found) > 1:
        raise InputError(f"expected points of one {key} in a figure of a sweep, got {', '.join(found)}")
    return found[0]
