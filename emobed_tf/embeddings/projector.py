"""Files of TensorBoard's embedding projector: vectors, what is known of each point, and a marker for each.

In a folder below the one that `tensorboard --logdir` names:

<name>-vectors.tsv      a row per point
<name>-metadata.tsv     a row per point under a row of names: id, time, modality, class, gold standard, …
<name>-markers.png      a sheet of small pictures, one per point: the colour is the class, the shape the modality
legend.png              what colour and shape of the markers mean
projector_config.pbtxt  which of them belong together
events.out.tfevents.…   holds nothing, but makes the folder a run
"""

import io
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emobed_tf.files import write_bytes

if TYPE_CHECKING:
    from emobed_tf.embeddings.points import Embedded

LARGEST = 65_536  # markers of 32 pixels on the largest picture that the projector takes, 8192 x 8192
_SIDE = 32
_INCH = 72  # points
_UNKNOWN = "#6B6B6B"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def write(folder: Path, shown: "Mapping[str, Embedded]") -> None:
    """Writes the projector's files; the folder is replaced as a whole, so it is never half written.

    Args:
        folder: such as `RUN/logs/embeddings-dev`.
        shown: embeddings by the name that the projector lists them under: letters, digits, `-` and `_`, for it puts
            the name into addresses as it is. At most `LARGEST` points each. A class has the same colour and a modality
            the same shape in all of them.

    Raises:
        OSError: if it can't be written; what was there stays.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    for left in folder.parent.glob(f".{folder.name}.*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    new, old = (folder.with_name(f".{folder.name}.{kind}") for kind in ("new", "old"))
    try:
        _write_all(new, shown)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        for rest in (new, old):
            shutil.rmtree(rest, ignore_errors=True)


def legend(shown: "Mapping[str, Embedded]") -> list[str]:
    """What colour and shape of the markers mean, in words.

    Args:
        shown: as for `write`.

    Returns:
        A line on shapes and one on colours.
    """
    from emobed_tf.figures.style import COLOUR_NAMES, MARKER_NAMES, MARKERS

    colour, shape = _legend(shown)
    shapes = ", ".join(f"{MARKER_NAMES[MARKERS.index(sign)]} {name}" for name, sign in shape.items())
    classes = [name for name in colour if name]
    lines = [f"shape: modality ({shapes})"]
    if len(classes) <= len(COLOUR_NAMES):
        colours = [f"{named} {name}" for named, name in zip(COLOUR_NAMES, classes, strict=False)]
        lines.append(f"colour: class ({', '.join([*colours, 'grey unknown'])})")
    else:
        lines.append(f"colour: class ({len(classes)}, from dark to light: {', '.join(classes)}; grey unknown)")
    return lines


def metadata(points: "Embedded") -> list[list[str]]:
    r"""Rows of the table beside the vectors.

    Tabs and line ends are written `\t`, `\n` and `\r`, and a backslash `\\`.

    Args:
        points: the embeddings.

    Returns:
        Cells by row: first the names of the columns, then a row for each point. A cell is empty where nothing is
        known.
    """
    columns = {
        "id": points.ids,
        "time": points.times,
        "modality": points.modality,
        "class": points.classes,
        "gold standard": points.gold,
        "prediction": points.prediction,
        "speaker": points.speaker,
    }
    cells = [[_cell(value) for value in values] for values in columns.values()]
    return [list(columns), *map(list, zip(*cells, strict=True))]


def _write_all(folder: Path, shown: "Mapping[str, Embedded]") -> None:
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    colour, shape = _legend(shown)
    config = ProjectorConfig()
    for name, points in shown.items():
        info = config.embeddings.add(tensor_name=name)
        info.tensor_shape.extend(points.vectors.shape)
        info.tensor_path, info.metadata_path = f"{name}-vectors.tsv", f"{name}-metadata.tsv"
        info.sprite.image_path = f"{name}-markers.png"
        info.sprite.single_image_dim.extend([_SIDE, _SIDE])
        write_bytes(folder / info.tensor_path, _vectors(points.vectors))
        rows = "\n".join("\t".join(row) for row in metadata(points))
        write_bytes(folder / info.metadata_path, f"{rows}\n".encode())
        write_bytes(folder / info.sprite.image_path, _markers(points, colour, shape))
    write_bytes(folder / "legend.png", _legend_picture(colour, shape))
    write_bytes(folder / "projector_config.pbtxt", text_format.MessageToString(config).encode())
    _write_events(folder / "events.out.tfevents.projector")


def _vectors(vectors: np.ndarray) -> bytes:
    text = io.BytesIO()
    np.savetxt(text, vectors, fmt="%.9g", delimiter="\t")  # nine digits give the same float32 again
    return text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    return "" if np.isnan(value) else f"{value:.7g}"


def _legend(shown: "Mapping[str, Embedded]") -> tuple[dict[str, Any], dict[str, str]]:
    """Colour by class and shape by modality, as figures have them."""
    from emobed_tf.figures.style import MARKERS, colours

    classes = sorted({str(name) for points in shown.values() for name in points.classes} - {""})
    modalities = dict.fromkeys(str(name) for points in shown.values() for name in points.modality)
    colour = dict(zip(classes, colours(len(classes)), strict=True))
    return {"": _UNKNOWN, **colour}, {name: MARKERS[k % len(MARKERS)] for k, name in enumerate(modalities)}


def _legend_picture(colour: dict[str, Any], shape: dict[str, str]) -> bytes:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    from emobed_tf.figures.style import plain

    def sign(marker: str, edge: Any, name: str) -> Line2D:
        look = {"markerfacecolor": "white", "markeredgecolor": edge, "markeredgewidth": 2.5, "markersize": 10}
        return Line2D([], [], linestyle="none", marker=marker, label=plain(name), **look)

    figure = Figure(figsize=(5.0, 0.7 + 0.26 * max(len(colour), len(shape))), layout="constrained")
    named = {**{name: value for name, value in colour.items() if name}, "unknown": colour[""]}
    classes = [sign("o", value, name) for name, value in named.items()]
    modalities = [sign(value, "#000000", name) for name, value in shape.items()]
    figure.legend(handles=classes, loc="upper left", title="colour: class", frameon=False)
    figure.legend(handles=modalities, loc="upper right", title="shape: modality", frameon=False)
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=110, facecolor="white")
    return content.getvalue()


def _markers(points: "Embedded", colour: dict[str, Any], shape: dict[str, str]) -> bytes:
    from matplotlib.image import imsave

    across = int(np.ceil(np.sqrt(len(points))))
    down = -(-len(points) // across)
    sheet = np.zeros((down, _SIDE, across, _SIDE, 4), np.uint8)
    kinds = list(zip(points.modality.tolist(), points.classes.tolist(), strict=True))
    drawn = {kind: _marker(shape[kind[0]], colour[kind[1]]) for kind in set(kinds)}
    for k, kind in enumerate(kinds):
        sheet[k // across, :, k % across] = drawn[kind]
    content = io.BytesIO()
    imsave(content, sheet.reshape(down * _SIDE, across * _SIDE, 4), format="png")
    return content.getvalue()


def _marker(shape: str, colour: Any) -> np.ndarray:
    """A picture, uint8 `[side, side, 4]`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1), dpi=_SIDE, facecolor="none")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    # White within: the projector multiplies a picture with the colour that is chosen under "Color by".
    look = {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 0.16 * _INCH}
    axes.plot(0, 0, marker=shape, markersize=0.68 * _INCH, **look)
    canvas.draw()
    return np.array(canvas.buffer_rgba())


def _write_events(path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    content = io.BytesIO()
    RecordWriter(content).write(Event(wall_time=time.time(), file_version="brain.Event:2").SerializeToString())
    write_bytes(path, content.getvalue())
