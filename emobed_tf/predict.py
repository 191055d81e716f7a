"""`python -m emobed_tf.predict`: emotion from unlabelled files of the target modality alone."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.predict")  # while what is below is imported

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.errors import InputError
from emobed_tf.files import print_csv, write_csv
from emobed_tf.runs.folder import Run
from emobed_tf.runtime import import_tensorflow
from emobed_tf.settings import FilePaths, OptionalPath, RunPath, TrustedNames

PROG = "emobed_tf.predict"
DESCRIPTION = """Predicts from feature files of a run's target modality: RECOLA's ARFF files, or CSV and Parquet tables.

The files need no labels."""


@dataclass(frozen=True)
class Arguments:
    """A prediction."""

    run: RunPath
    """Run folder."""
    features: FilePaths
    """Feature files of the modality that the run recognises emotion from."""
    output: OptionalPath = None
    """CSV file to write: id, time, raw and post-processed prediction, or the probability of each class (default:
    standard output)."""
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
    if not arguments.features:
        raise InputError("--features: name one file or more")
    run = Run.open(arguments.run)
    output = arguments.output
    if output is not None and output.is_dir():
        raise IsADirectoryError(21, "is a folder; name a CSV file", str(output))

    import_tensorflow(run.config().training.threads)
    from emobed_tf.runs.scoring import predict_rows

    with console.waiting("predicting"):
        rows = predict_rows(run, arguments.features)
    simulated = " (trained on SIMULATED data)" if run.facts().simulated else ""
    if output is None:
        print_csv(rows)
        print(f"{len(rows)} rows{simulated}", file=sys.stderr)
    else:
        write_csv(output, rows)
        print(f"{output}: {len(rows)} rows{simulated}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
