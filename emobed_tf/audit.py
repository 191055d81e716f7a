"""`python -m emobed_tf.audit`: is EmoBed's gain, if it has one, transfer between modalities?"""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.audit")  # while what is below is imported

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.comparison.audit.run import audited_systems, report_verdicts, run_audit
from emobed_tf.comparison.audit.verdict import EMOBED
from emobed_tf.comparison.crossvalidation.plan import REFERENCE, CrossValidationSettings, check_settings
from emobed_tf.comparison.crossvalidation.run import open_folder, report_gains
from emobed_tf.comparison.protocol import Budget
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import Settings
from emobed_tf.settings import Names, OptionalName, OptionalPath, TrustedNames

PROG = "emobed_tf.audit"
HIDDEN = ("framework", "seed")  # --systems and --seeds say that here
DESCRIPTION = """Cross-validates EmoBed, classic and four controls with the same budget, and says what a gain is due to.

Controls: the loss on embeddings within the target modality alone; auxiliary labels permuted; the target modality as its
own auxiliary; classic with as many optimiser steps as EmoBed took. The protocol is that of crossvalidate: the
partitions of the data are IGNORED, all labelled recordings are pooled and split anew, by speaker. In a folder of
crossvalidate, what it did is not done again."""


@dataclass(frozen=True)
class Arguments:
    """An audit."""

    settings: Settings
    systems: Names = ()
    """Further systems to show beside EmoBed, classic and the controls, by name or as package.module:Class."""
    primary: OptionalName = None
    """System that is audited: its gain over classic is the primary contrast, the controls are made of it, and all else
    is exploratory (default: emobed)."""
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
    arguments.budget.check(arguments.protocol.check().inner_folds)
    arguments.workers.check()

    primary = arguments.primary or EMOBED
    systems = tuple(dict.fromkeys((*audited_systems(primary), *arguments.systems)))
    validation = open_folder(
        arguments.settings, arguments.protocol, arguments.budget, systems, arguments.output, arguments.workers
    )
    with contextlib.closing(validation):
        results = run_audit(validation, systems, primary)
        report_gains(validation, results, REFERENCE, "audit", primary)
        report_verdicts(validation, results, primary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
