"""`python -m emobed_tf.learning_curve`: does another modality help where the target has few labels?"""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.learning_curve")  # while what is below is imported

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.comparison.contrasts import primary_system
from emobed_tf.comparison.crossvalidation.plan import REFERENCE, CrossValidationSettings, check_settings
from emobed_tf.comparison.crossvalidation.run import open_folder
from emobed_tf.comparison.curve.plan import CurveSettings, plan_curve
from emobed_tf.comparison.curve.run import run_curve
from emobed_tf.comparison.curve.tables import report_curve
from emobed_tf.comparison.protocol import Budget
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import Settings
from emobed_tf.errors import InputError
from emobed_tf.settings import NamesOrUsual, OptionalName, OptionalPath, TrustedNames

PROG = "emobed_tf.learning_curve"
HIDDEN = ("framework", "seed", "inner_folds")  # --systems and --seeds say that here; development speakers choose
DESCRIPTION = """Compares systems by how many labels the target modality has, while the auxiliaries keep all of theirs.

Each fold of a cross-validation by speaker is trained with the labels of 1, 2, 4, ... speakers (or recordings), drawn
several times. The primary comparison is the area under the curve by speaker. With --missing-class, classes are withheld
from the target instead. The protocol, and the folder, are those of crossvalidate: what is there is not done again."""


@dataclass(frozen=True)
class Arguments:
    """A learning curve."""

    settings: Settings
    systems: NamesOrUsual = ("classic", "joint", "emobed", "contrastive")
    """Systems and controls to compare, by name or as package.module:Class; the others are tested against classic, or
    the first."""
    primary: OptionalName = None
    """System whose area is the primary contrast; all else is exploratory (default: emobed, or else the first that is
    compared)."""
    curve: CurveSettings = field(default_factory=CurveSettings)
    protocol: CrossValidationSettings = field(default_factory=CrossValidationSettings)
    budget: Budget = field(default_factory=lambda: Budget(configurations=4, seeds=2))
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
    if len(systems) < 2:
        raise InputError("--systems: expected at least two, such as classic emobed")
    reference = REFERENCE if REFERENCE in systems else systems[0]
    primary = primary_system(systems, reference, arguments.primary)
    arguments.budget.check()
    arguments.workers.check()
    arguments.curve.check(inner_folds=arguments.protocol.check().inner_folds > 1)

    validation = open_folder(
        arguments.settings, arguments.protocol, arguments.budget, systems, arguments.output, arguments.workers
    )
    with contextlib.closing(validation):
        plan = plan_curve(validation.plan, arguments.curve)
        results = run_curve(validation, plan, systems)
        report_curve(validation, plan, results, reference, primary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
