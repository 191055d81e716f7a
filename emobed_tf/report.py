"""`python -m emobed_tf.report`: one page per run, or for several side by side, with all that they know.

DIR/index.html needs no other file and no network. Beside it stand the figures as PNG and SVG, under names that stay:
`emobed_tf/reporting/pictures.py` lists them.
"""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.report")  # while what is below is imported

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from emobed_tf.settings import Names, OptionalPath, TablePaths, TrustedNames

PROG = "emobed_tf.report"
DESCRIPTION = """Writes one page about a run, or about several side by side: scores, learning curves, predictions,
embeddings, settings and provenance; and its figures as PNG and SVG.

The first run is what the others are compared with: name the classic one first. Development is scored again. Test is
shown only where `evaluate --test` has scored it before."""


@dataclass(frozen=True)
class Arguments:
    """A report."""

    runs: Annotated[
        tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="[RUN ...]", help_behavior_hint="")
    ] = ()
    """Run folders; with --sweep there need not be any."""
    output: OptionalPath = None
    """Folder of the page and its figures (default: report/ in the folder of the first run, or of the first sweep)."""
    sweep: Annotated[
        tyro.conf.UseAppendAction[tuple[tuple[Path, ...], ...]], tyro.conf.arg(metavar="DIR [DIR ...]")
    ] = ()
    """Folders that `tuning.sweep` has written."""
    colour: Literal["class", "modality"] = "class"
    """What a colour stands for in the figure of embeddings; markers stand for the other. modality: as Fig. 3 and 4."""
    classes: Names = ()
    """Classes whose embeddings are drawn, such as neutral sadness (default: all)."""
    data_dir: OptionalPath = None
    """Folder that the data have moved to since training, tables and labels along with them."""
    table: TablePaths = ()
    """A modality's table, where it has moved."""
    trust: TrustedNames = ()
    """Code from outside the package that a run's config.json may name, such as blstm:blstm; you can repeat the flag."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, 2 after an error that the user can mend, 130 after Ctrl-C.
    """
    return console.run(PROG, lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION)
    paths, folders = _told_apart(arguments)
    if not paths and not folders:
        raise InputError(f"expected at least one run folder, or --sweep; see python -m {PROG} --help")
    runs = [Run.open(path) for path in paths]
    for run in runs:
        if run.test_scored:
            console.say(f"{run.path}: test is shown, too, because evaluate --test has scored it")

    from emobed_tf.reporting import Look, read_sweep, write_report

    sweeps = [read_sweep(folder) for folder in folders]
    output = arguments.output or (runs[0].report if runs else sweeps[0].folder / "report")
    with console.progress("report") as progress:
        page = write_report(
            runs,
            output,
            data_dir=arguments.data_dir,
            tables=arguments.table,
            sweeps=sweeps,
            look=Look(arguments.colour, arguments.classes),
            progress=progress,
        )
    console.say(f"report: {page}")
    return 0


def _told_apart(arguments: Arguments) -> tuple[list[Path], list[Path]]:
    """Runs and sweeps: a run folder that stands behind `--sweep` is a run all the same."""
    behind = [path for paths in arguments.sweep for path in paths]
    runs = [path for path in behind if Run(path).config_file.is_file()]
    return [*arguments.runs, *runs], [path for path in behind if path not in runs]


if __name__ == "__main__":
    sys.exit(main())
