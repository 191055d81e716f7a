"""`python -m emobed_tf.compare`: a table of systems on one's own data, by the protocol of the paper's tables."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.compare")  # while what is below is imported

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emobed_tf import console, datasets
from emobed_tf.cli import arguments as cli
from emobed_tf.comparison.protocol import Budget
from emobed_tf.comparison.tables.plan import plan_comparison
from emobed_tf.comparison.tables.run import make_table, show_table
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import Settings
from emobed_tf.settings import NamesOrUsual, OptionalName, OptionalPath, Scenarios, TrustedNames

PROG = "emobed_tf.compare"
HIDDEN = ("framework", "seed")  # --systems and --seeds say that here
DESCRIPTION = """Compares systems on the partitions of your data and writes the table: scores over seeds, intervals,
p-values, and the settings that were chosen.

Every system tries the same number of settings on development; only its fits with the chosen ones are evaluated on the
test set. A comparison that was stopped or killed is resumed by the same command. With few speakers, or without
partitions, use crossvalidate."""


@dataclass(frozen=True)
class Arguments:
    """A comparison."""

    settings: Settings
    systems: NamesOrUsual = ("classic", "joint", "triplet", "emobed", "contrastive")
    """Systems to compare, by name or as package.module:Class; the others are tested against classic, or the first."""
    primary: OptionalName = None
    """System whose gain is the primary contrast; all others are exploratory (default: emobed, or else the first that is
    compared)."""
    scenario: Scenarios = ()
    """A target and its auxiliaries (default: --target with --auxiliary; else each modality with all
    others)."""
    budget: Budget = field(default_factory=Budget)
    workers: Workers = field(default_factory=Workers)
    output: OptionalPath = None
    """Folder of results, new or to be continued (default: runs/comparison-DATASET)."""
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
    default = Arguments(cli.starting_config(argv, compares=True))
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION, default=default, hidden=HIDDEN)
    arguments.budget.check()
    arguments.workers.check()

    with console.progress("looking for data") as progress:
        plan = plan_comparison(
            arguments.settings, arguments.scenario, arguments.systems, progress, primary=arguments.primary
        )
    output = arguments.output or Path("runs") / f"comparison-{datasets.get(plan.config.data.dataset).name}"
    with console.if_interrupted(lambda: console.KEPT), console.progress("reading") as progress:
        table = make_table(plan, arguments.budget, arguments.workers, output, progress=progress, say=_say)
    show_table(table)
    print(f"tables: {output}/table.md, .html, .csv, .tex; predictions: {output / 'predictions'}")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
