"""Command: `python -m emobed_tf.simulate recola|omg DIR` writes a simulated package."""

import argparse
import sys

from emobed_tf import console
from emobed_tf.errors import InputError

PROG = "emobed_tf.simulate"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise InputError(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=f"python -m {PROG}",
        description="Write a simulated data set in the on-disk form of the real one, to run and to test on: these are "
        "no recordings, and a score on them is no result.",
    )
    corpora = parser.add_subparsers(dest="corpus", required=True, metavar="recola|omg")
    recola = corpora.add_parser("recola", help="RECOLA, as the AVEC 2016 package lays it out")
    recola.add_argument("--seconds", type=float, default=60.0, help="length of a recording (default: %(default)g)")
    recola.add_argument("--recordings", type=int, default=9, help="recordings in each partition (default: %(default)s)")
    _names(recola, "--modalities", ["audio", "video_appearance"], "of audio, video_appearance, video_geometric")
    _names(recola, "--dimensions", ["arousal", "valence"], "of arousal, valence")
    omg = corpora.add_parser("omg", help="OMG-Emotion, with feature tables")
    omg.add_argument(
        "--utterances",
        type=int,
        nargs=3,
        default=[2442, 617, 2229],
        metavar=("TRAIN", "DEV", "TEST"),
        help="utterances of the partitions (default: 2442 617 2229)",
    )
    omg.add_argument("--video-columns", type=int, default=256, help="features of video (default: %(default)s)")
    _names(omg, "--modalities", ["audio", "video"], "of audio, video")
    for corpus in (recola, omg):
        corpus.add_argument("directory", metavar="DIR", help="a folder that doesn't exist yet, or is empty")
        corpus.add_argument(
            "--transfer", default="helps", help="what audio and video share: helps, none, hurts (default: helps)"
        )
        corpus.add_argument("--seed", type=int, default=0, help="another seed, other data (default: %(default)s)")
    return parser


def _names(parser: argparse.ArgumentParser, option: str, default: list[str], known: str) -> None:
    # Commas, not several words: those would swallow DIR.
    text = f"{known}, separated by commas (default: {','.join(default)})"
    parser.add_argument(option, type=lambda value: value.split(","), default=default, metavar="A,B", help=text)


def main(argv: list[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, 2 after an error that the user can mend, 130 after Ctrl-C.
    """
    return console.run(PROG, lambda: _main(argv))


def _main(argv: list[str] | None) -> int:
    options = vars(_parser().parse_args(argv))
    corpus, directory = options.pop("corpus"), options.pop("directory")
    # Only now: numpy and scipy take longer to import than --help should take.
    from emobed_tf.corpora.simulate import simulate_omg, simulate_recola

    write = {"recola": simulate_recola, "omg": simulate_omg}[corpus]
    with console.progress(f"simulating {corpus}") as progress:
        files = write(directory, progress=progress, **options)
    print(f"Wrote {files} files to {directory}. All of it is simulated: no recordings, and no result to report.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
