"""`python -m emobed_tf.export`: a run as a SavedModel for TensorFlow Serving."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.runs.folder import Run
from emobed_tf.runtime import import_tensorflow
from emobed_tf.saved_model.versions import check_model_dir

PROG = "emobed_tf.export"
DESCRIPTION = """Adds a run to a folder that TensorFlow Serving watches, as the next version of a model.

Only the target's encoder and the head are in it, with standardisation, post-processing and a manifest."""


@dataclass(frozen=True)
class Arguments:
    """An export."""

    run: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """Run folder."""
    model_dir: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="MODEL_DIR")]
    """Folder of the model's versions; its name is the model's. The run becomes MODEL_DIR/1, or the next number."""


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
    check_model_dir(arguments.model_dir)

    import_tensorflow(run.config().training.threads)
    from emobed_tf.saved_model.export import export_run

    with console.progress("exporting") as progress:
        version = export_run(run, arguments.model_dir, progress)
    facts = run.facts()
    simulated = " (trained on SIMULATED data)" if facts.simulated else ""
    print(f"{version}: {facts.label} from {len(facts.features[facts.target])} {facts.target} features{simulated}")
    print(f"serve it: python -m serving.local {arguments.model_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
