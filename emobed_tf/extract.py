"""`python -m emobed_tf.extract`: from a table of recordings to a table of features."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.extract")  # while what is below is imported

import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from emobed_tf import console
from emobed_tf._version import __version__
from emobed_tf.cli import arguments as cli
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.corpora import files
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.files import at_home
from emobed_tf.recordings.extraction import extract_file
from emobed_tf.recordings.extractors import EXTRACTORS, FeatureExtractor, find_extractor
from emobed_tf.recordings.labelfiles import LabelTrack, read_label_file
from emobed_tf.recordings.listing import Entry, Listing, read_listing
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.output import check_output, write_table
from emobed_tf.recordings.plan import Plan
from emobed_tf.recordings.store import FeatureStore, Rows
from emobed_tf.recordings.windows import Align, Windows
from emobed_tf.settings import OptionalFloat, OptionalName, Reading

PROG = "emobed_tf.extract"
DESCRIPTION = """Extracts features of recordings into a table that train and check read as --table NAME=FILE.

Sound is mixed down to one channel by its mean and resampled to 16 kHz; pictures are looked at at even steps, by their
time stamps. What was extracted of a recording is kept, so the same command continues where it was stopped. A recording
that can't be read is reported on one line, and left out."""


@dataclass(frozen=True)
class Arguments:
    """An extraction."""

    recordings: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RECORDINGS")]
    """Table of recordings: file (relative to the table), and as far as known start, end, partition, speaker, label or
    arousal and valence, or label_file."""
    output: Path
    """Table that is written, .parquet or .csv."""
    features: Annotated[str, tyro.conf.arg(metavar=f"{{{','.join(EXTRACTORS)},MODULE:NAME}}")] = "logmel"
    """Extractor of sound: logmel (free), egemaps (openSMILE's eGeMAPSv02, for non-commercial use only); of faces:
    blendshapes, landmarks, vgg-face (with Oxford's weights for non-commercial use only); or package.module:Class for
    one of your own, see emobed_tf.recordings.extractors."""
    window: OptionalFloat = None
    """Seconds of the recording that a row is made of (default: one row for each recording)."""
    step: OptionalFloat = None
    """Seconds from one row to the next; needs --window."""
    align: Align = "centre"
    """Where a window lies: centre, around the time of a row; causal, with nothing that comes later."""
    picture_step: OptionalFloat = None
    """For video: seconds from one picture that is looked at to the next (default: 0.04; for vgg-face 0.2)."""
    face: OptionalName = None
    """Which face: largest of each picture (default); tracked, which follows the one that is largest at the beginning;
    or a number from the left, from 0, which is followed, too."""
    model: OptionalName = None
    """File with the extractor's network: of blendshapes and landmarks MediaPipe's face_landmarker.task (default:
    EMOBED_FACE_LANDMARKER), of vgg-face the weights (default: EMOBED_VGG_FACE). Workers of a cluster look for it under
    the same path."""
    workers: int = 1
    """Processes of this machine that extract at the same time."""
    scheduler: OptionalName = None
    """Address of a Dask scheduler, such as tcp://HOST:8786: its workers extract instead (pip install
    'emobed-tf[cluster]'); they must see the recordings under the same paths."""
    strict: tyro.conf.FlagCreatePairsOff[bool] = False
    """Stop at the first recording that can't be read."""
    dimension: Annotated[str, tyro.conf.arg(metavar="NAME")] = "arousal"
    """A column that is a label, besides arousal and valence."""
    column: Annotated[tyro.conf.UseAppendAction[tuple[str, ...]], tyro.conf.arg(metavar="NAME=ROLE")] = ()
    """What a column of the table is. Roles are file, id, start, end, partition, speaker, label, and dimensions."""


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
    check_output(arguments.output, arguments.recordings)
    windows = _windows(arguments)
    looking = _looking(arguments)
    how = Workers(arguments.workers, arguments.scheduler).check()
    listing = read_listing(arguments.recordings, Reading(column=arguments.column), arguments.dimension)
    labels = _label_files(listing, windows, arguments.dimension)
    extractor = find_extractor(arguments.features, windows, looking)
    if extractor.licence:
        console.say(f"note: {extractor.licence}", file=sys.stderr)
    if listing.left_out:
        console.say(f"columns that mean nothing here: {files.listing(listing.left_out)}")
    store = FeatureStore(arguments.features, extractor)
    with console.if_interrupted(lambda: console.KEPT):
        with console.progress("looking at files") as progress:
            plan = Plan(listing, arguments.features, windows, store, progress, looking)
        if plan.kept:
            console.say(f"{plan.kept:,} of {len(listing.entries):,} recordings are kept from before", flush=True)
        _extract(plan, how, arguments.strict)
        recordings = len(listing.entries) - plan.left_out
        if not recordings:
            raise InputError(f"{arguments.recordings}: no features of any of its {plan.left_out} recordings")
        rows = write_table(
            arguments.output,
            listing,
            extractor.columns,
            _saying_notes(plan.rows()),
            frames=windows is not None,
            labels=labels,
            metadata=_metadata(arguments, extractor),
        )
    left_out = f", {plan.left_out:,} left out" if plan.left_out else ""
    console.say(
        f"written: {arguments.output}, {rows:,} rows of {len(extractor.columns)} features from {recordings:,} "
        f"recordings{left_out}"
    )
    return 0


def _windows(arguments: Arguments) -> Windows | None:
    if (arguments.window is None) != (arguments.step is None):
        raise InputError("--window and --step go together: how long a window is, and how often there is one")
    if arguments.window is None or arguments.step is None:
        if arguments.align != "centre":
            raise InputError("--align has no effect without --window and --step")
        return None
    return Windows(arguments.window, arguments.step, arguments.align).check()


def _looking(arguments: Arguments) -> Looking:
    model = None if arguments.model is None else str(at_home(arguments.model).absolute())
    return Looking(arguments.picture_step, arguments.face, model).check()


def _label_files(listing: Listing, windows: Windows | None, dimension: str) -> dict[Path, LabelTrack]:
    """Labels over time, by file. Without windows there is no time to join them by."""
    named = {entry.labels: entry for entry in listing.entries if entry.labels is not None}
    if named and windows is None:
        entry = next(iter(named.values()))
        raise InputError(
            f"{listing.where(entry)}: column 'label_file' has labels over time, and without --window and --step a "
            "recording is one row; give both, such as --window 4 --step 0.04"
        )
    return {path: read_label_file(path, dimension) for path in named}


def _extract(plan: Plan, how: Workers, strict: bool) -> None:
    """Does what is left to do; a recording that can't be read is said, and the rest goes on."""
    with console.progress("extracting") as progress:
        progress(0, len(plan.jobs))
        done = fan_out(extract_file, plan.jobs, how, threads=1, tensorflow=False)
        for count, (job, extracted) in enumerate(done, 1):
            if strict and extracted.problems:
                raise InputError(extracted.problems[0])
            plan.add(job, extracted)
            for problem in extracted.problems:
                warnings.warn(f"{problem}; left out", EmoBedWarning, stacklevel=2)
            progress(count, len(plan.jobs), Path(plan.jobs[job].path).name)


def _saying_notes(rows: Iterator[tuple[Entry, Rows]]) -> Iterator[tuple[Entry, Rows]]:
    said: set[tuple[Path, str]] = set()  # of a file, not of each of its segments
    for entry, found in rows:
        for note in found.notes:
            if (entry.path, note) not in said:
                warnings.warn(f"{entry.path.absolute()}: {note}", EmoBedWarning, stacklevel=2)
            said.add((entry.path, note))
        yield entry, found


def _metadata(arguments: Arguments, extractor: FeatureExtractor) -> dict[str, Any]:
    """What made the features, for those who find the table later, and who extract from other recordings."""
    return {
        "extractor": arguments.features,
        "version": extractor.version,
        "settings": dict(extractor.settings),
        "licence": extractor.licence,
        **extractor.source,
        "emobed_tf": __version__,
    }


if __name__ == "__main__":
    sys.exit(main())
