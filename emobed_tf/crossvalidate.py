"""`python -m emobed_tf.crossvalidate`: systems compared by nested cross-validation, grouped by speaker."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.crossvalidate")  # while what is below is imported

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.comparison.contrasts import primary_system
from emobed_tf.comparison.crossvalidation.plan import REFERENCE, CrossValidationSettings, check_settings
from emobed_tf.comparison.crossvalidation.run import cross_validate, open_folder, report_gains
from emobed_tf.comparison.protocol import Budget
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import Settings
from emobed_tf.errors import InputError
from emobed_tf.settings import NamesOrUsual, OptionalName, OptionalPath, TrustedNames

PROG = "emobed_tf.crossvalidate"
HIDDEN = ("framework", "seed")  # --systems and --seeds say that here
DESCRIPTION = """Compares systems by nested cross-validation, grouped by speaker: for data without official partitions.

The partitions of the data are IGNORED: all labelled recordings of train, dev and test are pooled and split anew, by
speaker. Every choice (settings, weights, post-processing) is made on speakers within a fold's training. Says first
which gain the data could detect. The same command resumes what was stopped or killed; more systems, seeds or
configurations may be asked for in the same folder."""


@dataclass(frozen=True)
class Arguments:
    """A cross-validation."""

    settings: Settings
    systems: NamesOrUsual = ("classic", "joint", "triplet", "emobed", "contrastive")
    """Systems to compare, by name or as package.module:Class; the others are tested against classic, or the first."""
    primary: OptionalName = None
    """System whose gain is the primary contrast; all others are exploratory (default: emobed, or else the first that is
    compared)."""
    protocol: CrossValidationSettings = field(default_factory=CrossValidationSettings)
    budget: Budget = field(default_factory=lambda: Budget(seeds=10))
    workers: Workers = field(default_factory=Workers)
    output: OptionalPath = None
    """Folder of results (default: runs/DATA-LABEL-crossvalidation); what it has already is not done again."""
    config: OptionalPath = None
    """JSON file with settings, such as a run's config.json; flags change it."""
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
    check_settings(arguments.settings)

    systems = tuple(dict.fromkeys(arguments.systems))
    if not systems:
        raise InputError("--systems: expected at least one, such as classic emobed")
    reference = REFERENCE if REFERENCE in systems else systems[0]
    primary = primary_system(systems, reference, arguments.primary)
    arguments.budget.check(arguments.protocol.check().inner_folds)
    arguments.workers.check()

    validation = open_folder(
        arguments.settings, arguments.protocol, arguments.budget, systems, arguments.output, arguments.workers
    )
    with contextlib.closing(validation):
        results = cross_validate(validation, systems)
        report_gains(validation, results, reference, "crossvalidation", primary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
