"""Reads runs and sweeps, draws the figures and writes the page."""

from collections.abc import Sequence
from pathlib import Path

from emobed_tf.console import Progress
from emobed_tf.files import write_bytes
from emobed_tf.reporting.comparisons import compared
from emobed_tf.reporting.contents import read
from emobed_tf.reporting.page import page
from emobed_tf.reporting.panels import Look, groups
from emobed_tf.reporting.pictures import draw
from emobed_tf.reporting.sweeps import Sweep
from emobed_tf.runs.folder import Run, names_of


def write_report(
    runs: Sequence[Run],
    output: Path,
    *,
    data_dir: Path | None = None,
    tables: Sequence[str] = (),
    sweeps: Sequence[Sweep] = (),
    embeddings: bool = True,
    look: Look | None = None,
    progress: Progress | None = None,
) -> Path:
    """Writes `index.html`, which needs no other file, and its figures as PNG and SVG (see `pictures`).

    The development partition is scored again, where the data are there; the test partition only where
    `evaluate --test` has scored it before. Nothing is written into the run folders, unless `output` lies in one.

    Args:
        runs: finished runs; the others are compared with the first. None of them with sweeps alone.
        output: folder; made if it isn't there, files of the same names are replaced.
        data_dir: folder of the data set, where it has moved.
        tables: `NAME=PATH` of tables that have moved.
        sweeps: sweeps to show beside the runs, from `read_sweep`.
        embeddings: whether to draw embeddings: with t-SNE that takes some seconds a run.
        look: how they are drawn. Default: all classes, each with a colour.
        progress: told how far it is.

    Returns:
        Path of the page.

    Raises:
        InputError: if a run is damaged, its data have changed, or no embedding is of a class that is to be drawn.

    Example:
        >>> from emobed_tf.runs.folder import Run, names_of
        >>> write_report([Run.open(Path("runs/arousal"))], Path("report"), embeddings=False).as_posix()
        'report/index.html'
    """
    names = names_of(runs)
    contents = [
        read(run, name, data_dir=data_dir, tables=tables, embeddings=embeddings, progress=progress)
        for run, name in zip(runs, names, strict=True)
    ]
    look = look or Look()
    pictures, panels = draw(contents, groups(contents, look.classes), sweeps, output, progress, look.colour)
    path = output / "index.html"
    write_bytes(path, page(contents, compared(contents), pictures, panels, sweeps).encode())
    return path
