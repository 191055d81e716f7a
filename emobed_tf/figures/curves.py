"""Score by the number of labels of the target: a line for each system, a panel for each target."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from emobed_tf.errors import InputError
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.figures.style import MARKERS, colours, entitle, light_grid, new_figure, plain, wrapped

_INSIDE = 5  # systems that a legend within the first panel has room for


def label_curves(points: Sequence[Mapping[str, Any]], *, title: str = "", simulated: bool = False) -> Figure:
    """Scores over the labelled recordings that the target has, with intervals.

    Args:
        points: one for each target, system and amount, with the keys `target`, `system` (as the legend names it),
            `labelled` (recordings, > 0), `mean`, `low`, `high` and `score` (its name).
        title: above the figure; nothing where it is empty.
        simulated: whether the data are simulated; the title then says so.

    Returns:
        A panel for each target; recordings on a logarithmic axis, intervals as bars, lines a little apart so that bars
        can be told from each other.

    Raises:
        InputError: if there is no point.
    """
    if not points:
        raise InputError("expected at least one point of a learning curve, got none")
    targets, systems = (list(dict.fromkeys(point[key] for point in points)) for key in ("target", "system"))
    figure, axes = new_figure(5.2 * len(targets) + 0.6, 4.2, 1, len(targets), sharey=True)
    for axis, target in zip(axes.flat, targets, strict=True):
        for k, (system, colour) in enumerate(zip(systems, colours(len(systems)), strict=True)):
            mine = [p for p in points if (p["target"], p["system"]) == (target, system)]
            if mine:
                _line(axis, mine, wrapped(system, 40), colour, MARKERS[k % len(MARKERS)], 1 + 0.02 * k)
        ticks = sorted({float(point["labelled"]) for point in points if point["target"] == target})
        axis.set_xscale("log")
        axis.set_xticks(ticks, [f"{tick:.0f}" for tick in ticks])
        axis.xaxis.set_minor_locator(NullLocator())
        axis.set_xlabel(f"labelled training recordings of {plain(target)}")
        axis.set_title(f"from {plain(target)}", fontsize=10)
        light_grid(axis)
    axes.flat[0].set_ylabel(plain(short_name(points[0]["score"])))
    small = {"fontsize": 8, "frameon": False, "title": "with 95 % intervals over speakers", "title_fontsize": 8}
    if len(systems) <= _INSIDE:
        axes.flat[0].legend(**small)
    else:  # it would hide the lines
        columns = 2 * len(targets)
        figure.set_figheight(figure.get_figheight() + 0.22 * -(-len(systems) // columns))
        figure.legend(*axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=columns, **small)
    entitle(figure, title, simulated)
    return figure


def _line(axis: Axes, points: Sequence[Mapping[str, Any]], label: str, colour: Any, marker: str, apart: float) -> None:
    x, mean, low, high = (np.array([float(p[key]) for p in points]) for key in ("labelled", "mean", "low", "high"))
    bars = np.maximum([mean - low, high - mean], 0)
    axis.errorbar(
        x * apart,
        mean,
        bars,
        color=colour,
        marker=marker,
        markersize=5,
        linewidth=1.5,
        elinewidth=0.8,
        capsize=2,
        label=label,
    )
