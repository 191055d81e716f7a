"""`python -m emobed_tf.train`: trains a system and leaves a run folder."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.train")  # while what is below is imported

import contextlib
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.cli.summary import announce, show_training
from emobed_tf.config import Config, Settings
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run, default_output
from emobed_tf.runtime import import_tensorflow
from emobed_tf.settings import OptionalPath, Preset, TrustedNames
from emobed_tf.trusted import trust_flags

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
    report: bool = True
    """Draw the run's page when it is trained; emobed_tf.report draws it later, too."""
    preset: Preset = "recommended"
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
    default = Arguments(cli.starting_config(argv, recommends=True))
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION, default=default)
    arguments.settings.check()

    with console.progress("reading") as progress:
        config, corpus = load_corpus(arguments.settings, progress)
    output = arguments.output or default_output(config, corpus)
    announce(config, corpus)
    epochs_before = _epochs(Run(output)) if arguments.resume else 0
    with console.if_interrupted(lambda: _how_to_go_on(output, config)):
        run = _train(config, corpus, output, arguments.resume)
    show_training(run, epochs_before)
    if not arguments.report:
        return 0
    drawn_by = shlex.join(["python", "-m", "emobed_tf.report", str(run.path), *trust_flags(config.to_dict())])
    with console.if_interrupted(lambda: f"trained; {drawn_by} draws the page"):
        from emobed_tf.reporting import write_report

        with console.progress("report") as progress:
            page = write_report([run], run.report, embeddings=False, progress=progress)
    print(f"report: {page}")
    return 0


def _train(config: Config, corpus: Corpus, output: Path, resume: bool) -> Run:
    """Trains, and says where as soon as there is something."""
    import_tensorflow(config.training.threads)
    from emobed_tf.training.loop import train_run
    from emobed_tf.training.run_recorder import FolderGoneError

    try:
        with console.progress("training") as bar:
            announced = False

            def progress(done: int, total: int, now: str) -> None:
                nonlocal announced
                if not announced:
                    print(f"  run folder: {output}", flush=True)
                announced = True
                bar(done, total, now)

            return train_run(config, output, corpus=corpus, resume=resume, progress=progress)
    except FolderGoneError:
        raise
    except InputError as error:
        if not _is_gone_if_empty(output):
            raise
        raise InputError(f"{error}; no run folder was made") from None


def _how_to_go_on(output: Path, config: Config) -> str:
    """What is left after Ctrl-C, and which command continues."""
    if _is_gone_if_empty(output) or not Run(output).config_file.is_file():
        return "nothing was trained yet, and no run folder was made"
    line = ["python", "-m", PROG, "--resume", "--output", str(output), *trust_flags(config.to_dict())]
    return f"continue with: {shlex.join(line)}"


def _is_gone_if_empty(output: Path) -> bool:
    """Takes an empty run folder away again. True if there is none any more."""
    with contextlib.suppress(OSError):
        output.rmdir()
    return not output.exists()


def _epochs(run: Run) -> int:
    """That a finished run has; 0 if it is not finished."""
    return int(run.read_json("scores.json")["training"]["epochs"]) if run.finished else 0


if __name__ == "__main__":
    sys.exit(main())
