"""`python -m emobed_tf`: which commands there are."""

import sys

from emobed_tf import console

COMMANDS = {
    "emobed_tf.check": "says what would be trained on, and what is wrong with it",
    "emobed_tf.extract": "makes features of recordings",
    "emobed_tf.train": "trains a system and leaves a run folder",
    "emobed_tf.evaluate": "scores a run on development (with `--test` also on test), and compares it with another",
    "emobed_tf.predict": "predicts from new files of the one modality",
    "emobed_tf.report": "writes a page about runs, with figures",
    "emobed_tf.embed": "shows embeddings in TensorBoard's projector",
    "emobed_tf.compare": "makes a table of systems on your data",
    "emobed_tf.crossvalidate": "compares systems, cross-validated by speaker",
    "emobed_tf.audit": "tests where a gain of EmoBed comes from",
    "emobed_tf.learning_curve": "shows whether the other modality helps where labels are few",
    "emobed_tf.reproduce": "makes the paper's tables on your data",
    "emobed_tf.simulate": "writes a simulated data set",
    "tuning.search": "looks for better settings",
    "tuning.sweep": "shows how the score depends on one setting",
    "emobed_tf.export": "exports a run as a servable model",
    "serving.local": "serves models without Docker",
    "serving.client": "predicts from feature files with a served model",
}
"""Commands and what each does, in the order in which one uses them; README has the same table."""


def main() -> int:
    """Prints the commands. Words after the name are of no command, which is said.

    Returns:
        0, or 2 where there was a word that isn't `--help` or `-h`.
    """
    return console.run("emobed_tf", _main)


def _main() -> int:
    unknown = [word for word in sys.argv[1:] if word not in ("-h", "--help")]
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text.replace('`', '')}" for name, text in COMMANDS.items()]
    print("\n".join(["commands, each as python -m NAME, with --help:", "", *lines]))
    if unknown:
        print(f"\nerror: expected one of these names after python -m, got {unknown[0]!r} as a word", file=sys.stderr)
    return 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
