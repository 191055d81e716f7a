"""`python -m emobed_tf.evaluate`: scores of a run on development, on request on test, and comparison with another."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.evaluate")  # while what is below is imported

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.cli.summary import announce_test, show_comparison, show_scores, show_test_reads
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run, names_of
from emobed_tf.runtime import import_tensorflow
from emobed_tf.settings import OptionalPath, RunPath, TablePaths, TrustedNames

PROG = "emobed_tf.evaluate"
DESCRIPTION = """Scores a run on development, and with --test on the test set, too.

Keep --test for the end, when nothing is chosen any more; the run records when it was used, and with which settings.
Post-processing learnt on development is applied to test as it is. Predictions go to RUN/predictions/."""


@dataclass(frozen=True)
class Arguments:
    """An evaluation."""

    run: RunPath
    """Run folder."""
    against: OptionalPath = None
    """Another run on the same data, such as the classic system's: is RUN better than it?"""
    test: tyro.conf.FlagCreatePairsOff[bool] = False
    """Evaluate on the test set, too."""
    data_dir: OptionalPath = None
    """Folder that the data have moved to since training, tables and labels along with them."""
    table: TablePaths = ()
    """The target's table, where it has moved."""
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
    run = Run.open(arguments.run)
    runs = [run] if arguments.against is None else [Run.open(arguments.against), run]  # what it is compared with first
    if len(runs) == 2 and runs[0].path.samefile(run.path):
        raise InputError(f"--against {arguments.against}: that is the run itself; name another one")

    import_tensorflow(run.config().training.threads)
    from emobed_tf.runs.scoring import check_comparable, compare_runs, score_run

    for other in runs[:-1]:
        check_comparable(run, other)
    partitions = ("dev", "test") if arguments.test else ("dev",)
    if arguments.test:
        for each in runs:
            announce_test(each)
    with console.progress("evaluating") as progress:
        outputs = [
            score_run(each, arguments.data_dir, progress, tables=arguments.table, partitions=partitions)
            for each in runs
        ]
    names = names_of(runs)
    show_scores(dict(zip(names, runs, strict=True)), dict(zip(names, outputs, strict=True)))
    if len(runs) == 2:
        comparisons = compare_runs(run, outputs[1], runs[0], outputs[0])
        show_comparison(run.facts(), (names[0], names[1]), comparisons)
    console.say(f"predictions: {run.path / 'predictions'}")
    if arguments.test:
        _say_what_was_read(runs, read="test" in outputs[-1])
    return 0


def _say_what_was_read(runs: Sequence[Run], read: bool) -> None:
    if not read:
        console.say("the test set has no labels: it was not evaluated")
        return
    for run in runs:
        show_test_reads(run)
    console.say(f"next: python -m emobed_tf.report {' '.join(run.named for run in runs)} shows test, too")


if __name__ == "__main__":
    sys.exit(main())
