"""`python -m emobed_tf.evaluate`: scores of a run on development and test, and comparison with another."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.cli.summary import show_comparison, show_scores
from emobed_tf.runs.folder import Run
from emobed_tf.runtime import import_tensorflow

PROG = "emobed_tf.evaluate"
DESCRIPTION = """Scores a run on development and test; post-processing learnt on development is untouched on test.

Predictions go to RUN/predictions/."""


@dataclass(frozen=True)
class Arguments:
    """An evaluation."""

    run: tyro.conf.Positional[Path]
    """Run folder."""
    against: Path | None = None
    """Another run on the same data, such as the classic system's: is RUN better than it?"""
    data_dir: Path | None = None
    """Folder of the data set, where it has moved since training."""
    table: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """NAME=PATH of the target's table, where it has moved."""


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
    other = Run.open(arguments.against) if arguments.against else None

    import_tensorflow(run.config().training.threads)
    from emobed_tf.runs.scoring import compare_runs, score_run

    with console.progress("evaluating") as progress:
        partitions = score_run(run, arguments.data_dir, progress, tables=arguments.table)
        against = score_run(other, arguments.data_dir, progress, tables=arguments.table) if other else {}
    show_scores(run.facts(), list(partitions.values()))
    if other is not None:
        show_scores(other.facts(), list(against.values()))
        comparisons = compare_runs(run, partitions, other, against)
        show_comparison(run.facts(), (str(other.path), str(run.path)), comparisons)
    print(f"predictions: {run.path / 'predictions'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
