"""When does the other modality help? Learning curves, withheld classes and pairs on feature tables with speakers.

    python experiments/programme.py --table audio=audio.csv --table face=face.csv --output runs/programme

Runs the commands below one after another, prints each before it begins and what it will cost when that is known, and
keeps its output as `NAME.txt` in the output folder. Each modality is the target once. A killed programme continues;
what is done is not done again. A part that fails doesn't stop the others. `--only` names some of the parts, `--list`
prints their commands and runs nothing. `--records experiments/records` begins with the fits behind `docs/results.md`,
for the same tables. All further flags go to every command, such as `--labels labels.csv --dimension arousal`.

curves     learning curves by speakers, all ways to use the other modality, and the audit's controls
speaker    the same for a few systems on features standardised by speaker
losses     losses on embeddings, balanced batches and warm-up, at two and at all speakers
missing    classes that the target has no label of; not for a regression
pairs      systems that need pairs in training or at inference, beside those that don't
audit      the audit with all labels
selection  how development and test scores of all settings go together; it chooses nothing

All choices are made here, before anything is trained: four settings of each system, chosen on the development speakers
of a fold; two fits with them; one draw of speakers in each of five folds; unweighted average recall (or CCC) as the
score; for each target, the area of EmoBed's curve in the part `curves` against classic's as the primary contrast. A
regression has no support vector machine of classes.
"""

import argparse
import lzma
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from emobed_tf import console, learning_curve
from emobed_tf.cli import arguments as cli
from emobed_tf.comparison.crossvalidation.plan import plan_cross_validation
from emobed_tf.corpora import CLASSIFICATION
from emobed_tf.errors import InputError
from emobed_tf.files import write_bytes

BUDGET = "--configurations 4 --seeds 2 --threads 1"
CURVES = "classic joint triplet emobed emobed_stable contrastive aligned trunk distilled svm"
TO_GO = " to go"  # at the end of a line in which a command says what it will cost
CLASSES_ONLY = ("svm", "missing")  # the system and the part that a regression can't have
CONTROLS = "triplet_alone permuted_labels itself_as_auxiliary as_many_steps"
LOSSES = "classic emobed emobed_stable semi_hard contrastive"
PARTS = {
    "curves": ("learning_curve", f"--draws 1 --systems {CURVES} {CONTROLS}", "corpus"),
    "speaker": (
        "learning_curve",
        "--draws 1 --systems classic joint emobed contrastive svm --standardise speaker",
        "speaker",
    ),
    "losses": (
        "learning_curve",
        f"--draws 1 --amounts 2 all --systems {LOSSES} --batches balanced --beta-warmup 10",
        "losses",
    ),
    "missing": (
        "learning_curve",
        "--draws 1 --amounts all --missing-class all --systems classic joint emobed contrastive trunk",
        "corpus",
    ),
    "pairs": ("crossvalidate", "--systems classic joint emobed distilled early model_level late", "corpus"),
    "audit": ("audit", "", "corpus"),
    "selection": ("crossvalidate", "--systems classic emobed contrastive --show-selection", "corpus"),
}
"""Command, its own flags, and the folder of its fits: what has the same settings shares one."""


def command(
    part: str,
    tables: Sequence[str],
    targets: Sequence[str],
    output: Path,
    workers: int,
    flags: Sequence[str] = (),
    *,
    classes: bool = True,
) -> list[str]:
    """The words of a part's command line.

    Args:
        part: its name.
        tables: of the modalities, each as NAME=PATH.
        targets: modalities that are the target once each.
        output: folder of the programme.
        workers: processes that train.
        flags: further ones, that every command gets.
        classes: whether classes are learnt, and not numbers.
    """
    program, own, folder = PARTS[part]
    data = [word for table in tables for word in ("--table", table)]
    shared = [*data, "--targets", *targets, *BUDGET.split(), "--workers", str(workers), *flags]
    words = [word for word in own.split() if classes or word not in CLASSES_ONLY]
    return ["-m", f"emobed_tf.{program}", *shared, *words, "--output", str(output / folder)]


def learns_classes(words: Sequence[str]) -> bool:
    """Whether a learning curve with these words, as `command` makes them, learns classes; reads the data to see it."""
    default = learning_curve.Arguments(cli.starting_config(words, compares=True))
    arguments = cli.parse(learning_curve.Arguments, words, prog=learning_curve.PROG, description="", default=default)
    plan = plan_cross_validation(arguments.settings, arguments.protocol, arguments.systems)
    return plan.corpus.task == CLASSIFICATION


def run(words: list[str], log: IO[str]) -> int:
    """Runs a command, and ends it when this process is told to end.

    Args:
        words: of the command.
        log: gets all that it prints; what it says of the time to go is printed here, too.

    Returns:
        Its exit code.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        former = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            for line in process.stdout or ():
                log.write(line)
                log.flush()
                if line.rstrip().endswith(TO_GO):
                    print(f"  {line.strip()}", flush=True)
            return process.wait()
        finally:
            signal.signal(signal.SIGTERM, former)


def unpack(records: Path, output: Path) -> None:
    """Puts records of fits, each file called `DATA-FOLDER.jsonl.xz`, where the programme looks for them.

    Args:
        records: folder of the files. What an output folder has already stays as it is.
        output: of the programme.
    """
    for file in sorted(records.glob("*-*.jsonl.xz")):
        ledger = output / file.name.removesuffix(".jsonl.xz").rpartition("-")[2] / "trials.jsonl"
        if not ledger.exists():
            write_bytes(ledger, lzma.decompress(file.read_bytes()))


def experiment(arguments: argparse.Namespace) -> int:
    names = [table.partition("=")[0] for table in arguments.table]
    if len(names) < 2:
        raise InputError("expected two modalities or more, each as --table NAME=PATH")
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.records is not None:
        unpack(arguments.records, arguments.output)
    shared = (arguments.table, names, arguments.output, arguments.workers, arguments.flags)
    classes = arguments.list or learns_classes(command("curves", *shared)[2:])
    failed = []
    for part in arguments.only or PARTS:
        if not classes and part in CLASSES_ONLY:
            print(f"{part}: left out, because numbers are learnt here", flush=True)
            continue
        words = command(part, *shared, classes=classes)
        print(f"{part}: python {' '.join(words)}", flush=True)
        if arguments.list:
            continue
        kept = arguments.output / f"{part}.txt"
        began = time.monotonic()
        with kept.open("w") as log:
            code = run([sys.executable, *words], log)
        if code < 0:  # told to end
            raise InputError(f"{part} ended with {code}; see {kept}; the same command continues")
        if code:
            failed.append(f"{part} ended with {code}; see {kept}")
            print(f"{failed[-1]}", flush=True)
        else:
            print(f"{part}: {(time.monotonic() - began) / 60:.0f} min, in {kept}", flush=True)
    if failed:
        raise InputError(f"{'; '.join(failed)}; the same command continues")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--table", action="append", default=[], metavar="NAME=PATH", help="table of a modality")
    parser.add_argument("--output", type=Path, default=Path("runs/programme"), help="where fits and tables go")
    parser.add_argument("--records", type=Path, help="folder with records of fits, which aren't done again")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="parts to run (default: all)")
    parser.add_argument("--workers", type=int, default=2, help="processes that train (default: 2)")
    parser.add_argument("--list", action="store_true", help="print the commands and run nothing")
    arguments, arguments.flags = parser.parse_known_args()
    return console.run("experiments/programme.py", lambda: experiment(arguments))


if __name__ == "__main__":
    sys.exit(main())
