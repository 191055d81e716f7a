"""`python -m emobed_tf.reproduce`: the paper's Tables 1 to 3 from one's own machine."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.reproduce")  # while what is below is imported

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from emobed_tf import console, datasets
from emobed_tf.cli import arguments as cli
from emobed_tf.comparison.protocol import Budget
from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.reproduction.plan import OWN, plan_table
from emobed_tf.comparison.tables.run import make_table, show_table
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import Settings
from emobed_tf.settings import Names, OptionalPath, Scenarios, TrustedNames

PROG = "emobed_tf.reproduce"
DESCRIPTION = """Trains every row of the paper's Table 1 (arousal), 2 (valence) or 3 (classes) by the same protocol.

Every row tries the same number of settings on development; only its fits with the chosen ones are evaluated on the test
set. The same command resumes a table that was stopped or killed. Without RECOLA or OMG-Emotion it works on a simulated
package and says so."""


@dataclass(frozen=True)
class Arguments:
    """A table."""

    number: tyro.conf.Positional[Literal["1", "2", "3"]]
    """1: arousal, 2: valence (RECOLA), 3: classes (OMG-Emotion)."""
    settings: Settings
    budget: Budget = field(default_factory=Budget)
    workers: Workers = field(default_factory=Workers)
    scenario: Scenarios = ()
    """A target and its auxiliaries (default: the paper's; of other data: each with all others)."""
    rows: Names = ()
    """Names of the systems wanted, such as classic emobed (default: all that learn the task)."""
    system: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="MODULE:CLASS")] = ()
    """A system of your own as a further row, as package.module:Class."""
    output: OptionalPath = None
    """Folder of results, new or to be continued (default: runs/table-NUMBER-DATASET)."""
    config: OptionalPath = None
    """JSON file with settings that all systems share; flags change it."""
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
    arguments = _parse(argv)
    settings = arguments.settings
    arguments.budget.check()
    arguments.workers.check()

    with console.progress("looking for data") as progress:
        plan = plan_table(
            int(arguments.number), settings, arguments.scenario, arguments.rows, arguments.system, progress
        )
    output = arguments.output or Path("runs") / f"table-{arguments.number}-{datasets.get(settings.data.dataset).name}"
    with console.if_interrupted(lambda: console.KEPT), console.progress("reading") as progress:
        table = make_table(plan, arguments.budget, arguments.workers, output, progress=progress, say=_say)
    show_table(table)
    print(f"results: {output}")
    return 0


def _parse(argv: Sequence[str] | None) -> Arguments:
    argv = list(sys.argv[1:] if argv is None else argv)

    def parse(extra: list[str]) -> Arguments:
        default = Arguments(number=tyro.MISSING, settings=cli.starting_config([*extra, *argv], compares=True))
        return cli.parse(Arguments, [*argv, *extra], prog=PROG, description=DESCRIPTION, default=default, hidden=OWN)

    arguments = parse([])
    named = any(word.split("=")[0] in ("--dataset", "--config") for word in argv)
    return arguments if named or arguments.number != "3" else parse(["--dataset", published.DATA_SETS[3]])


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
