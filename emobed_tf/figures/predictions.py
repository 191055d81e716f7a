"""Predictions: over time, against the gold standard, and as a confusion matrix."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from emobed_tf.corpora.labels import labelled_frames
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import concordance_cc
from emobed_tf.figures.style import (
    BLACK,
    GREY,
    OKABE_ITO,
    Rows,
    columns_of,
    entitle,
    light_grid,
    new_figure,
    numbers,
    plain,
    wrapped,
)

# How the three series of a prediction file are drawn everywhere: column, legend, colour, width of the line in points.
SERIES = (
    ("gold_standard", "gold standard", BLACK, 1.5),
    ("raw", "raw prediction", OKABE_ITO[0], 0.8),
    ("postprocessed", "post-processed prediction", OKABE_ITO[1], 1.4),
)
_PIXELS = 1000  # across a panel
_POINTS_DRAWN = 20_000
_MATRICES = 3  # side by side
_LABELLED_UP_TO = 12  # classes whose cells hold their numbers


def envelope(times: np.ndarray, values: np.ndarray, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """A long line as a screen shows it: the smallest and the largest value of every pixel's frames, nothing averaged.

    Where a whole pixel has no value, the line has a gap.

    Args:
        times: float `[frames]`, rising.
        values: float `[frames]`, NaN where a frame has none.
        pixels: how wide the line will be drawn, > 0.

    Returns:
        Times and values `[up to 2 * pixels + 2]`, each value at the time where it occurred, and the two ends; the line
        itself if it has no more frames than that.

    Example:
        >>> envelope(np.arange(6), np.array([0, 5, 0, 0, -5, 0]), pixels=1)
        (array([0, 1, 4, 5]), array([ 0,  5, -5,  0]))
    """
    times, values = np.asarray(times), np.asarray(values)
    if len(values) <= 2 * pixels:
        return times, values
    edges = np.linspace(0, len(values), pixels + 1).astype(int)
    low, high = (np.where(np.isnan(values), beyond, values) for beyond in (np.inf, -np.inf))
    kept = {0, len(values) - 1}
    for start, stop in pairwise(edges):
        kept |= {start + int(np.argmin(low[start:stop])), start + int(np.argmax(high[start:stop]))}
    index = np.array(sorted(kept))
    return times[index], values[index]


def predictions(recordings: Sequence[Rows], *, label: str, title: str = "", simulated: bool = False) -> Figure:
    """Gold standard, raw and post-processed prediction over time: a panel for each recording.

    A line of more than 2,000 frames is drawn as its smallest and largest value per pixel (`envelope`). Where frames
    have no gold standard, its line has a gap; a frame alone between gaps is a dot.

    Args:
        recordings: each as the CSV file that `evaluate` writes: `id`, `time` (s), `gold_standard` where it is known
            (cells without it are None, empty or NaN), `raw`, `postprocessed`.
        label: what is predicted, such as `arousal`; it names the vertical axis.
        title: what stands above the figure; nothing where it is empty.
        simulated: whether the data are simulated; the title then says so.

    Returns:
        The figure; all panels share one vertical axis.

    Raises:
        InputError: if there is no recording, or one without time.
    """
    if not recordings:
        raise InputError("expected at least one recording, got none")
    figure, axes = new_figure(10.0, 0.8 + 1.5 * len(recordings), len(recordings), 1, sharey=True)
    for axis, recording in zip(axes[:, 0], map(columns_of, recordings), strict=True):
        if "time" not in recording or not len(recording["time"]):
            raise InputError("expected a column 'time' (s) with at least one row: an utterance has no course in time")
        times = numbers(recording["time"])
        for column, legend, colour, width in SERIES:
            if column in recording:
                drawn = envelope(times, numbers(recording[column]), _PIXELS)
                axis.plot(*drawn, color=colour, linewidth=width, label=legend, **_dots(drawn[1]))
        axis.set_title(wrapped(recording["id"][0], 110), fontsize=9, loc="left")
        axis.set_ylabel(plain(label), fontsize=9)
        axis.margins(x=0.01)
        light_grid(axis)
    axes[-1, 0].set_xlabel("time in s")
    handles, legends = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, legends, loc="outside lower center", ncols=len(SERIES), fontsize=8, frameon=False)
    entitle(figure, title, simulated)
    return figure


def _dots(values: np.ndarray) -> dict[str, Any]:
    """Markers where a value stands alone between gaps: a line would not show it."""
    here = np.concatenate([[False], ~np.isnan(values), [False]])
    alone = np.flatnonzero(here[1:-1] & ~here[:-2] & ~here[2:])
    return {"marker": ".", "markersize": 3.0, "markevery": alone.tolist()} if alone.size else {}


def scatter(gold: np.ndarray, predicted: np.ndarray, *, label: str, title: str = "", simulated: bool = False) -> Figure:
    """Prediction against gold standard, with the line of perfect concordance and the regression line.

    Of more than 20,000 points an even choice is drawn (every k-th); lines and CCC are of all.

    Args:
        gold: float `[frames]`, gold standard; NaN where a frame has none and is no point.
        predicted: float `[frames]`, prediction.
        label: what is predicted; it names the axes.
        title: what stands above the figure; the pooled CCC is added to it.
        simulated: whether the data are simulated; the title then says so.

    Returns:
        The figure, square, with the same scale on both axes.

    Raises:
        InputError: if there is no frame, or a value is not finite (see `metrics.concordance_cc`).
    """
    gold, predicted = numbers(gold), numbers(predicted)
    (gold,), (predicted,) = labelled_frames([gold], [predicted])
    ccc = concordance_cc(gold, predicted)
    step = -(-len(gold) // _POINTS_DRAWN)
    figure, ((axis,),) = new_figure(5.2, 5.2)
    axis.plot(
        gold[::step],
        predicted[::step],
        linestyle="none",
        marker="o",
        markersize=2.5,
        markeredgewidth=0,
        color=OKABE_ITO[0],
        alpha=0.35,
        rasterized=True,  # thousands of points would make a slow vector file
        label="frames" if step == 1 else f"frames (1 of {step} drawn)",
    )
    ends = np.array([min(gold.min(), predicted.min()), max(gold.max(), predicted.max())])
    axis.plot(ends, ends, color=BLACK, linestyle="--", linewidth=1.2, label="perfect concordance")
    if np.ptp(gold) > 0:
        slope, intercept = np.polyfit(gold, predicted, 1)
        axis.plot(ends, slope * ends + intercept, color=OKABE_ITO[1], linewidth=1.6, label="regression")
    axis.set_xlabel(f"gold standard, {plain(label)}")
    axis.set_ylabel(f"prediction, {plain(label)}")
    axis.set_aspect("equal", adjustable="datalim")
    axis.legend(fontsize=8, frameon=False)
    light_grid(axis)
    entitle(figure, f"{title}: CCC {ccc:.3f}" if title else f"CCC {ccc:.3f}", simulated)
    return figure


def confusion(counts: np.ndarray, classes: Sequence[str], *, title: str = "", simulated: bool = False) -> Figure:
    """Confusion matrix: counts, and the share of the row's true class in per cent, which is the shade.

    Args:
        counts: int `[classes, classes]`; rows are true classes, columns predicted ones.
        classes: their names.
        title: what stands above the figure; nothing where it is empty.
        simulated: whether the data are simulated; the title then says so.

    Returns:
        The figure; up to 12 classes, each cell holds its numbers.

    Raises:
        InputError: if the matrix doesn't fit the names.
    """
    return confusions({"": counts}, classes, title=title, simulated=simulated)


def confusions(
    counts: Mapping[str, np.ndarray], classes: Sequence[str], *, title: str = "", simulated: bool = False
) -> Figure:
    """Confusion matrices of several systems side by side, with the same shades; see `confusion`.

    Args:
        counts: int `[classes, classes]` by what the system is called, one at least; rows are true classes.
        classes: their names.
        title: what stands above the figure; nothing where it is empty.
        simulated: whether the data are simulated; the title then says so.

    Returns:
        The figure, up to three matrices a row; up to 12 classes, each cell holds its numbers.

    Raises:
        InputError: if there is no matrix, or one doesn't fit the names.
    """
    for matrix in counts.values() if counts else [np.zeros(0)]:
        if np.shape(matrix) != (len(classes), len(classes)) or not len(classes):
            raise InputError(f"expected counts of shape {(len(classes),) * 2} for the classes, got {np.shape(matrix)}")
    across = min(_MATRICES, len(counts))
    down = -(-len(counts) // across)
    side = 1.6 + 0.62 * len(classes)
    figure, axes = new_figure(side * across + 1.0, side * down, down, across)
    for axis, (name, matrix) in zip(axes.flat, counts.items(), strict=False):
        image = _matrix(axis, np.asarray(matrix), classes)
        if name:
            axis.set_title(wrapped(name, int(8 * side)), fontsize=9)
    for axis in axes.flat[len(counts) :]:
        axis.remove()
    bar = figure.colorbar(image, ax=axes, shrink=0.8)
    bar.set_label("% of the true class", color=GREY, fontsize=9)
    entitle(figure, title, simulated)
    return figure


def _matrix(axis: Axes, counts: np.ndarray, classes: Sequence[str]) -> AxesImage:
    rows = counts.sum(axis=1, keepdims=True)
    percent = 100.0 * counts / np.maximum(rows, 1)
    image = axis.imshow(percent, cmap="Blues", vmin=0.0, vmax=100.0)
    if len(classes) <= _LABELLED_UP_TO:
        for (i, k), count in np.ndenumerate(counts):
            colour = "white" if percent[i, k] > 55 else BLACK
            text = f"{count}\n{percent[i, k]:.0f} %" if rows[i, 0] else f"{count}"
            axis.text(k, i, text, ha="center", va="center", fontsize=8, color=colour)
    names = [plain(name) for name in classes]
    axis.set_xticks(range(len(classes)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(classes)), names)
    axis.set_xlabel("predicted class")
    axis.set_ylabel("true class")
    axis.spines[:].set_visible(False)
    return image
