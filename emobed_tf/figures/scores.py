"""Scores of several runs with their intervals, one below the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from emobed_tf.errors import InputError
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.figures.style import MARKERS, colours, entitle, light_grid, new_figure, numbers, plain, wrapped

_NAME = 28  # letters of a run's name on one line


def intervals(rows: Sequence[Mapping[str, Any]], *, title: str = "") -> Figure:
    """A line for each run: a marker at the score, a bar over its interval; the runs from top to bottom.

    Args:
        rows: one per run and partition, with the keys `run` (text), `partition` (`dev`, `test`), `score_name`, `score`,
            `low` and `high` (ends of the 95 % interval, None where there is none) and `simulated`.
        title: what stands above the figure; nothing where it is empty.

    Returns:
        The figure; it says SIMULATED where any row does.

    Raises:
        InputError: if there is no row, or the rows are of several scores.
    """
    names = sorted({row["score_name"] for row in rows})
    if len(names) != 1:
        raise InputError(f"expected rows of one score, got {', '.join(names) or 'none'}")
    runs = list(dict.fromkeys(row["run"] for row in rows))
    partitions = list(dict.fromkeys(row["partition"] for row in rows))
    lines = max(wrapped(run, _NAME).count("\n") + 1 for run in runs)
    figure, ((axis,),) = new_figure(7.0, 1.4 + max(0.5, 0.2 * lines) * len(runs))
    spread = 0.36 / len(partitions)
    for k, (partition, colour) in enumerate(zip(partitions, colours(len(partitions)), strict=True)):
        mine = [row for row in rows if row["partition"] == partition]
        score, low, high = (numbers([row[key] for row in mine]) for key in ("score", "low", "high"))
        height = np.array([runs.index(row["run"]) for row in mine]) + (k - (len(partitions) - 1) / 2) * spread * 2
        axis.hlines(height, low, high, color=colour, linewidth=2.0)
        marker = MARKERS[k % len(MARKERS)]
        axis.plot(score, height, marker=marker, linestyle="none", color=colour, label=plain(partition))
    axis.set_yticks(range(len(runs)), [wrapped(run, _NAME) for run in runs])
    axis.set_ylim(len(runs) - 0.5, -0.5)
    axis.set_xlabel(f"{plain(short_name(names[0]))}, 95 % interval over speakers")
    light_grid(axis)
    figure.legend(loc="outside right center", fontsize=8, frameon=False, title="partition", title_fontsize=8)
    entitle(figure, title, any(row["simulated"] for row in rows))
    return figure
