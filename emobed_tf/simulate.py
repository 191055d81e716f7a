"""Command: `python -m emobed_tf.simulate recola|omg DIR` writes a simulated package."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.simulate")  # while what is below is imported

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from emobed_tf import console, datasets
from emobed_tf.datasets import DataSet, Option, Simulator
from emobed_tf.errors import InputError

PROG = "emobed_tf.simulate"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, 2 after an error that the user can mend, 130 after Ctrl-C.
    """
    return console.run(PROG, lambda: _main(list(sys.argv[1:] if argv is None else argv)))


def _main(argv: list[str]) -> int:
    known = _simulated(argv)
    options = vars(_parser(known).parse_args(argv))
    (dataset, simulator), directory = known[options.pop("dataset")], options.pop("directory")
    with console.progress(f"simulating {dataset.name}") as progress:
        files = simulator.write(directory, progress, **options)
    print(f"Wrote {files} files to {directory}. All of it is simulated: no recordings, and no result to report.")
    return 0


def _simulated(argv: Sequence[str]) -> dict[str, tuple[DataSet, Simulator]]:
    """Data sets that have a simulator: the package's own, and one of the user's that the command line names."""
    found = dict(datasets.REGISTERED)
    if argv and ":" in argv[0]:
        found[argv[0]] = datasets.get(argv[0])
    return {name: (known, known.simulator) for name, known in found.items() if known.simulator is not None}


def _parser(known: dict[str, tuple[DataSet, Simulator]]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"python -m {PROG}",
        description="Write a simulated data set in the on-disk form of the real one, to run and to test on: these are "
        "no recordings, and a score on them is no result.",
    )
    choices = parser.add_subparsers(dest="dataset", required=True, metavar="|".join(known))
    for name, (_, simulator) in known.items():
        flags = choices.add_parser(name, help=simulator.text)
        flags.add_argument("directory", metavar="DIR", help="a folder that doesn't exist yet, or is empty")
        for option in simulator.options:
            flags.add_argument("--" + option.name.replace("_", "-"), default=option.default, **_form(option))
    return parser


def _form(option: Option) -> dict[str, Any]:
    """How a flag is read and explained, which the type of its default says."""
    value = option.default
    if not isinstance(value, tuple):
        return {"type": type(value), "help": f"{option.text} (default: {value:{'g' if type(value) is float else ''}})"}
    if isinstance(value[0], str):  # commas, not several words: those would swallow DIR
        text = f"{option.text}, separated by commas (default: {','.join(value)})"
        return {"type": lambda word: tuple(word.split(",")), "metavar": "A,B", "help": text}
    text = f"{option.text} (default: {' '.join(map(str, value))})"
    return {"type": type(value[0]), "nargs": len(value), "metavar": option.places, "help": text}


if __name__ == "__main__":
    sys.exit(main())
