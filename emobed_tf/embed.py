"""`python -m emobed_tf.embed`: embeddings of a run for TensorBoard's embedding projector."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.embed")  # while what is below is imported

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.cli.summary import announce_test, show_test_reads
from emobed_tf.embeddings import projector
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from emobed_tf.runtime import import_tensorflow
from emobed_tf.settings import ONE_BRANCH, OptionalPath, RunPath, TablePaths, TrustedNames

if TYPE_CHECKING:
    from emobed_tf.embeddings.points import Embedded

PROG = "emobed_tf.embed"
DESCRIPTION = """Writes the embeddings of every modality that a run was trained on for TensorBoard's embedding
projector: id, time, modality, class, gold standard, prediction and speaker of each point.

They go to RUN/logs/embeddings-PARTITION/; what is there is replaced."""


@dataclass(frozen=True)
class Arguments:
    """Embeddings."""

    run: RunPath
    """Run folder."""
    against: OptionalPath = None
    """Another run on the same label, such as the classic system's, to be shown in the same projector."""
    partition: Literal["train", "dev", "test"] = "dev"
    """Partition whose recordings are embedded; it need not have labels."""
    points: int = 10_000
    """Points at most of each run; of more, as many of every modality and class are drawn, with a fixed seed."""
    data_dir: OptionalPath = None
    """Folder that the data have moved to since training, tables and labels along with them."""
    table: TablePaths = ()
    """A modality's table, where it has moved."""
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
    if not 1 <= arguments.points <= projector.LARGEST:
        raise InputError(f"--points: expected 1 to {projector.LARGEST}, found {arguments.points}")
    runs = [Run.open(path) for path in (arguments.run, arguments.against) if path is not None]
    _check_comparable(runs)

    import_tensorflow(runs[0].config().training.threads)
    from emobed_tf.embeddings import points as embeddings

    folder = runs[0].logs / f"embeddings-{arguments.partition}"
    names = _names(runs)
    if arguments.partition == "test":
        for run in runs:
            announce_test(run)
            run.note_test_read()
    with console.progress("embedding") as progress:
        found = [
            embeddings.of_run(
                run, arguments.partition, data_dir=arguments.data_dir, tables=arguments.table, progress=progress
            )
            for run in runs
        ]
        shown = [points.drawn(arguments.points) for points in found]
        progress(0, 1, "writing")
        projector.write(folder, dict(zip(names, shown, strict=True)))
    for name, run, of_all, drawn in zip(names, runs, found, shown, strict=True):
        _report(name, run, of_all, drawn)
    if arguments.partition == "test":
        for run in runs:
            show_test_reads(run)
    for line in projector.legend(dict(zip(names, shown, strict=True))):
        console.say(f"  {line}")
    console.say(f"embeddings: {folder} (legend.png says what the markers mean)")
    console.say(f"next: tensorboard --logdir {runs[0].logs} (tab Projector; it may come with the first reload)")
    return 0


def _check_comparable(runs: Sequence[Run]) -> None:
    unlike = runs[0].facts().unlike(runs[-1].facts())
    if unlike:
        raise InputError(
            f"{runs[0].path} learnt {unlike[0]}, {runs[-1].path} {unlike[1]}; name two runs that learnt the same"
        )


def _names(runs: Sequence[Run]) -> list[str]:
    """What the projector lists the runs under: the framework, with a number where both have the same."""
    frameworks = [run.config().objective.framework for run in runs]
    alike = len(set(frameworks)) < len(frameworks)
    numbered = [f"{name}-{k + 1}" if alike else name for k, name in enumerate(frameworks)]
    return [f"{name}-simulated" if run.facts().simulated else name for name, run in zip(numbered, runs, strict=True)]


def _report(name: str, run: Run, found: "Embedded", drawn: "Embedded") -> None:
    counts = {modality: int((drawn.modality == modality).sum()) for modality in found.facts.features}
    text = ", ".join(f"{number:,} of {modality}" for modality, number in counts.items())
    console.say(f"{name} ({run.path}): {text}")
    if len(drawn) < len(found):
        console.say(
            f"  {len(drawn):,} of {len(found):,} points are drawn, as many of every modality and class; see --points"
        )
    if found.framework in ONE_BRANCH:
        console.say(f"  {found.framework} was trained on {found.facts.target} alone: others have no embedding in it")


if __name__ == "__main__":
    sys.exit(main())
