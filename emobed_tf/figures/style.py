"""What all figures share: colours that the colour-blind can tell apart, markers, titles, and how one is saved."""

import io
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from emobed_tf.files import write_bytes

# Okabe and Ito, "Color Universal Design" (2008); black and grey stay free for gold standards and lines of reference.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442")
BLACK, GREY = "#000000", "#6B6B6B"
COLOUR_NAMES = ("blue", "vermilion", "green", "pink", "orange", "sky blue", "yellow")
MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*")
MARKER_NAMES = ("circle", "triangle", "square", "diamond", "triangle on its tip", "plus", "cross", "star")
DPI = 144
_LETTERS_PER_INCH = 11  # of a title

Rows = Mapping[str, Any] | Sequence[Mapping[str, Any]]


def colours(number: int) -> list[Any]:
    """Colours for groups: Okabe and Ito's seven, and for more groups an even walk through viridis.

    Args:
        number: how many groups there are.

    Returns:
        As many colours as Matplotlib takes them, the same ones for the same number.
    """
    if number <= len(OKABE_ITO):
        return list(OKABE_ITO[:number])
    return list(matplotlib.colormaps["viridis"](np.linspace(0.0, 1.0, number)))


def columns_of(data: Rows) -> dict[str, np.ndarray]:
    """Columns by name, of a data frame, of a mapping of arrays or of rows.

    Args:
        data: `pandas.DataFrame`, `{column: [n] array}`, or rows; a cell that a row doesn't have is None.

    Returns:
        An array `[n]` for each column, in the order of their first appearance.
    """
    if isinstance(data, Mapping) or hasattr(data, "items"):
        return {str(name): np.asarray(column) for name, column in data.items()}
    names = dict.fromkeys(name for row in data for name in row)
    return {name: np.array([row.get(name) for row in data]) for name in names}


def numbers(values: Any) -> np.ndarray:
    """Values as numbers.

    Args:
        values: numbers or texts of numbers, of any shape; None and an empty text are missing.

    Returns:
        float64 `[n]`, NaN where a value is missing.
    """
    return np.array([np.nan if value in (None, "") else float(value) for value in np.ravel(values)])


def plain(text: Any) -> str:
    """Text of a user's data as it stands: a dollar begins no formula, an underscore hides nothing from a legend.

    Args:
        text: anything that can be printed.

    Returns:
        One line that Matplotlib draws letter by letter.
    """
    text = " ".join(str(text).split()).replace("$", r"\$")
    return "\N{ZERO WIDTH NO-BREAK SPACE}" + text if text.startswith("_") else text


def wrapped(text: Any, width: int) -> str:
    """`plain` text on as many lines as it takes, so that a long name doesn't leave the picture.

    Args:
        text: anything that can be printed.
        width: characters of a line, 1 or more; a longer word is broken.

    Returns:
        Lines that Matplotlib draws letter by letter.
    """
    lines = textwrap.wrap(" ".join(str(text).split()), width, break_on_hyphens=True) or [""]
    return "\n".join(map(plain, lines))


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1, **settings: Any) -> tuple[Figure, Any]:
    """An empty figure with a grid of axes.

    Args:
        width: of the figure in inches.
        height: of the figure in inches.
        rows: how many axes stand below one another.
        columns: how many stand side by side.
        **settings: passed on to `Figure.subplots`, such as `sharex=True`.

    Returns:
        The figure, and an array of its axes `[rows, columns]`.
    """
    figure = Figure(figsize=(width, height), layout="constrained", dpi=DPI)
    axes = figure.subplots(rows, columns, squeeze=False, **settings)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(labelsize=9)
    return figure, axes


def entitle(figure: Figure, title: str, simulated: bool) -> None:
    """Writes a title above a figure.

    Args:
        figure: the figure.
        title: its title; nothing is written where it is empty and the data are real.
        simulated: whether the data are simulated; the title then says so.
    """
    if simulated:
        title = f"{title} (SIMULATED data)" if title else "SIMULATED data"
    if title:
        figure.suptitle(wrapped(title, int(_LETTERS_PER_INCH * figure.get_figwidth())), fontsize=11)


def light_grid(axis: Axes) -> None:
    """Draws thin lines behind the data.

    Args:
        axis: the axes that get them.
    """
    axis.grid(True, color="#DDDDDD", linewidth=0.6)
    axis.set_axisbelow(True)


def save(figure: Figure, path: Path) -> tuple[Path, Path]:
    """Writes a figure as PNG (144 dots per inch) and SVG; the same figure gives the same bytes.

    Args:
        figure: any figure.
        path: where to, without a suffix; its folder is made where it doesn't exist.

    Returns:
        Paths of the PNG file and of the SVG file.

    Raises:
        OSError: if they can't be written.
    """
    png, svg = (path.with_name(f"{path.name}.{suffix}") for suffix in ("png", "svg"))
    engine = figure.get_layout_engine()
    try:
        write_bytes(png, _as_png(figure))
        figure.set_layout_engine(None)  # laid out once; with one that does nothing, Matplotlib would draw twice
        write_bytes(svg, _as_svg(figure))
    finally:
        figure.set_layout_engine(engine)
    return png, svg


def _as_png(figure: Figure) -> bytes:
    content, canvas = io.BytesIO(), FigureCanvasAgg(figure)
    canvas.draw()
    # 256 colours are enough for lines and letters, and a quarter of the bytes.
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    drawn.quantize(256, dither=Image.Dither.NONE).save(content, "png", optimize=True)
    return content.getvalue()


def _as_svg(figure: Figure) -> bytes:
    content = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "emobed", "svg.fonttype": "path"}):
        figure.savefig(content, format="svg", dpi=DPI, metadata={"Date": None}, facecolor="white")
    return content.getvalue()
