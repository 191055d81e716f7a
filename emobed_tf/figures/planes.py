"""Embeddings on a plane, one panel per system (EmoBed, Fig. 3 and 4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from emobed_tf.errors import InputError
from emobed_tf.figures.style import BLACK, MARKERS, colours, entitle, new_figure, plain, wrapped

Colour = Literal["class", "modality"]
"""What a colour stands for; markers stand for the other."""
_OTHER: Mapping[str, Colour] = {"class": "modality", "modality": "class"}


@dataclass(frozen=True)
class Panel:
    """One system's embeddings on a plane.

    Attributes:
        title: the system.
        points: float `[n, 2]`, such as from `separation.plane`.
        modality: text `[n]`, the modality of each point.
        classes: text `[n]`, the class of each point.
        by_class: silhouette of the embeddings by class, in [-1, 1]; None where it is not defined.
        by_modality: the same by modality.
    """

    title: str
    points: np.ndarray
    modality: Sequence[str] | np.ndarray
    classes: Sequence[str] | np.ndarray
    by_class: float | None = None
    by_modality: float | None = None


def embeddings(
    panels: Sequence[Panel], *, colour: Colour = "class", title: str = "", simulated: bool = False
) -> Figure:
    """Panels side by side: one of modality and class is the colour, the other the marker, the same in every panel.

    Args:
        panels: one for each system, such as classic and EmoBed; each title gets the silhouettes.
        colour: `class`, with a marker for each modality, or `modality`, with one for each class, as the paper has it.
        title: what stands above the figure; nothing where it is empty.
        simulated: whether the data are simulated; the title then says so.

    Returns:
        The figure: two panels a row, one legend for all.

    Raises:
        InputError: if there is no panel, or one without a point.
    """
    if not panels or any(not len(panel.points) for panel in panels):
        raise InputError("expected at least one panel of embeddings, each with at least one point")
    coloured, shaped = _values_of(panels, colour), _values_of(panels, _OTHER[colour])
    paint = dict(zip(coloured, colours(len(coloured)), strict=True))
    marker = {name: MARKERS[k % len(MARKERS)] for k, name in enumerate(shaped)}
    across = min(2, len(panels))
    down = -(-len(panels) // across)
    figure, axes = new_figure(5.2 * across + 1.4, 4.8 * down, down, across)
    for axis, panel in zip(axes.flat, panels, strict=False):
        _draw(axis, panel, colour, paint, marker)
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    handles = [_heading(f"colour: {colour}"), *(_handle(name, "s", paint[name]) for name in coloured)]
    handles += [_heading(""), _heading(f"shape: {_OTHER[colour]}")]
    handles += [_handle(name, marker[name], BLACK) for name in shaped]
    figure.legend(handles=handles, loc="outside right center", fontsize=8, frameon=False)
    entitle(figure, title, simulated)
    return figure


def _values_of(panels: Sequence[Panel], what: str) -> list[str]:
    """Modalities in their order, or classes by name, of all panels."""
    if what == "modality":
        return list(dict.fromkeys(str(name) for panel in panels for name in panel.modality))
    return sorted({str(name) for panel in panels for name in panel.classes})


def _draw(axis: Axes, panel: Panel, colour: Colour, paint: Mapping[str, Any], marker: Mapping[str, str]) -> None:
    values = {"modality": np.array(panel.modality, dtype=str), "class": np.array(panel.classes, dtype=str)}
    coloured, shaped = values[colour], values[_OTHER[colour]]
    for name, shape in marker.items():
        mine = shaped == name
        if mine.any():
            x, y = np.asarray(panel.points)[mine].T
            axis.scatter(
                x,
                y,
                s=18,
                marker=shape,
                c=[paint[value] for value in coloured[mine]],
                linewidths=0.3,
                edgecolors="#444444",
                label=plain(name),
            )
    axis.set_title(
        f"{wrapped(panel.title, 48)}\nsilhouette by class {_shown(panel.by_class)}, "
        f"by modality {_shown(panel.by_modality)}",
        fontsize=9,
    )
    axis.set_xlabel("t-SNE 1 (no unit)", fontsize=9)
    axis.set_ylabel("t-SNE 2 (no unit)", fontsize=9)
    axis.set_xticks([])
    axis.set_yticks([])


def _heading(text: str) -> Line2D:
    """A line of a legend without a sign."""
    return Line2D([], [], linestyle="none", label=text or " ")


def _handle(name: str, marker: str, colour: Any) -> Line2D:
    return Line2D([], [], linestyle="none", marker=marker, color=colour, label=plain(name))


def _shown(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"
