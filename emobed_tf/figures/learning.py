"""Learning curves: every term of the loss, what is logged beside them, and the score that picks the weights."""

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emobed_tf.errors import InputError
from emobed_tf.evaluation.score_table import SCORES, short_name
from emobed_tf.figures.style import (
    GREY,
    Rows,
    colours,
    columns_of,
    entitle,
    light_grid,
    new_figure,
    numbers,
    plain,
    wrapped,
)

_SCORES = "|".join(SCORES)
_PANELS = {  # label of the vertical axis: columns of a history
    "loss, weighted sum (Eq. 8)": "loss",
    "task loss": "target|auxiliary_.+",
    "triplet loss (Eq. 6)": "triplet",
    "supervised contrastive loss": "contrastive",
    "alignment of modalities": "alignment",
    "distance to the teacher": "soft_targets|embedding_distance",
    "L2 term, sum of squared kernels": "l2",
    "score": f"(val_)?({_SCORES})",
    "mined distance": "d_positive|d_negative",
    "valid anchors": "valid_anchors",
    "embedding": "embedding_norm|effective_rank",
    "gradient norm, weighted": "gradient_norm_.+",
}
_LEGENDS = {
    "loss": "weighted sum",
    "l2": "L2 term",
    "soft_targets": "outputs",
    "embedding_distance": "embeddings, squared",
    "d_positive": "to the hardest positive",
    "d_negative": "to the hardest negative",
    "embedding_norm": "norm",
    "effective_rank": "effective rank",
    "valid_anchors": "per batch",
}
_COLUMNS = 3


def learning_curves(
    history: Rows, *, best_epoch: int | None = None, title: str = "", simulated: bool = False
) -> Figure:
    """A panel for the loss, for each kind of its terms, for the score, and for what else the history holds.

    Args:
        history: a run's `history.csv`: `epoch`, `loss`, the unweighted terms of Eq. 8, monitors, training and
            development (`val_`) score. A column that no panel knows is not drawn; an empty cell is a gap.
        best_epoch: epoch whose weights were kept; a line marks it in every panel.
        title: what stands above the figure; nothing where it is empty.
        simulated: whether the data are simulated; the title then says so.

    Returns:
        The figure: three panels a row, only those for which the history has a column that changes. What never does
        is named below. With a single epoch nothing changes, and all panels are drawn.

    Raises:
        InputError: if there is no epoch, or no column that could be drawn.
    """
    columns = columns_of(history)
    if "epoch" not in columns or not len(columns["epoch"]):
        raise InputError("expected a history with a column 'epoch' and at least one row")
    panels = {}
    for label, pattern in _PANELS.items():
        names = [name for name in columns if re.fullmatch(pattern, name)]
        if names:
            panels[label] = names
    if not panels:
        raise InputError(f"expected 'loss' or one of its terms in the history, got {', '.join(columns)}")
    panels, constant = _changing(panels, columns)
    rows = -(-len(panels) // _COLUMNS)
    figure, axes = new_figure(10.0, 2.7 * rows + 0.3, rows, min(_COLUMNS, len(panels)), sharex=True)
    epochs = numbers(columns["epoch"])
    for axis, (label, names) in zip(axes.flat, panels.items(), strict=False):
        _panel(axis, epochs, {name: numbers(columns[name]) for name in names}, label, best_epoch)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for k in range(max(0, len(panels) - axes.shape[1]), len(panels)):  # the lowest panel of each column
        axes.flat[k].set_xlabel("epoch")
        axes.flat[k].tick_params(labelbottom=True)
    if constant:
        figure.supxlabel(wrapped(f"not drawn: {'; '.join(constant)}", 150), fontsize=8, color=GREY)
    entitle(figure, title, simulated)
    return figure


def _changing(panels: dict[str, list[str]], columns: dict[str, np.ndarray]) -> tuple[dict[str, list[str]], list[str]]:
    """Panels with a line that has two different values, and in words those without."""
    values = {name: numbers(columns[name]) for names in panels.values() for name in names}
    there = {name: found[np.isfinite(found)] for name, found in values.items()}
    changing = {name for name, found in there.items() if found.size and np.ptp(found) > 0}
    shown = {label: names for label, names in panels.items() if changing & set(names)}
    if not shown:
        return panels, []
    left = {label: [there[n] for n in names if there[n].size] for label, names in panels.items() if label not in shown}
    return shown, [f"{label} ({_constant(found)})" for label, found in left.items() if found]


def _constant(lines: list[np.ndarray]) -> str:
    if all(len(values) == 1 for values in lines):
        return "recorded in only one epoch"
    return "always " + ", ".join(f"{values[0]:.4g}" for values in lines)


def _panel(axis: Axes, epochs: np.ndarray, lines: dict[str, np.ndarray], label: str, best_epoch: int | None) -> None:
    for (name, values), colour in zip(lines.items(), colours(len(lines)), strict=True):
        there = np.isfinite(values)
        marker = "." if there.sum() < 40 else None
        axis.plot(epochs[there], values[there], color=colour, linewidth=1.4, marker=marker, label=_legend(name))
    if best_epoch is not None:
        axis.axvline(best_epoch, color=GREY, linestyle="--", linewidth=1.0, label=f"best epoch: {best_epoch}")
    if label.startswith("gradient") and all((values[np.isfinite(values)] > 0).all() for values in lines.values()):
        axis.set_yscale("log")
    axis.set_ylabel(label, fontsize=9)
    axis.locator_params("x", integer=True)
    light_grid(axis)
    axis.legend(fontsize=7, frameon=False)


def _legend(name: str) -> str:
    if name.removeprefix("val_") in SCORES:
        part = "development" if name.startswith("val_") else "training"
        return f"{part}: {short_name(name.removeprefix('val_'))}"
    name = name.removeprefix("gradient_norm_")
    return plain(_LEGENDS.get(name, name.replace("auxiliary_", "auxiliary: ")))
