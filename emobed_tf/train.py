"""`python -m emobed_tf.train`: trains a system and leaves a run folder."""

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.cli.summary import announce, show_training
from emobed_tf.config import Settings
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run, default_output
from emobed_tf.runtime import import_tensorflow
from emobed_tf.settings import OptionalPath

PROG = "emobed_tf.train"
DESCRIPTION = """Trains EmoBed, or one of its parts, and keeps what recognises emotion from one modality.

Without RECOLA or OMG-Emotion it trains on a simulated package and says so."""


@dataclass(frozen=True)
class Arguments:
    """A run."""

    settings: Settings
    output: OptionalPath = None
    """Run folder (default: a new one in runs/)."""
    resume: tyro.conf.FlagCreatePairsOff[bool] = False
    """Continue the run in --output; it ends with the weights of a run that was never interrupted."""
    config: OptionalPath = None
    """JSON file with settings, such as a run's config.json; flags change it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, 2 after an error that the user can mend, 130 after Ctrl-C.
    """
    return console.run(PROG, lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    default = Arguments(cli.starting_config(argv))
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION, default=default)
    arguments.settings.check()

    with console.progress("reading") as progress:
        config, corpus = load_corpus(arguments.settings, progress)
    output = arguments.output or default_output(config, corpus)
    announce(config, corpus, output)
    import_tensorflow(config.training.threads)
    from emobed_tf.training.loop import train_run

    try:
        with console.progress("training") as progress:
            run = train_run(config, output, corpus=corpus, resume=arguments.resume, progress=progress)
    except InputError as error:
        with contextlib.suppress(OSError):
            output.rmdir()  # empty if nothing was trained
        if output.exists():
            raise
        raise InputError(f"{error}; no run folder was made") from None
    except KeyboardInterrupt:
        if Run(output).config_file.is_file():  # a teacher that was cut short leaves nothing to continue
            print(f"continue with: python -m {PROG} --resume --output {output}", file=sys.stderr)
        raise
    show_training(run)
    from emobed_tf.reporting import write_report

    with console.progress("report") as progress:
        page = write_report([run], run.report, embeddings=False, progress=progress)
    print(f"report: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
