"""`python -m tests.docs.follow PAGE…`: does what guides say, in the folder where it is started, in one process.

Of the commands it runs those that need nothing but small tables of one's own, the long ones with less to do; Python is
run as it stands, but for README's, which has a test of its own. It ends with the first thing that fails.
"""

import importlib
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.docs.markdown import Block, blocks, calls

QUICK = ("extract", "check", "train", "evaluate", "predict", "report", "embed", "export")
LITTLE = ["--configurations", "1", "--seeds", "1", "--epochs", "1", "--batch-size", "16"]
LESS = {  # what is added to the command lines of programs that take long; the last of a flag counts
    "emobed_tf.compare": LITTLE,
    "emobed_tf.crossvalidate": [*LITTLE, "--folds", "3"],
    "emobed_tf.audit": [*LITTLE, "--folds", "3"],
    "emobed_tf.learning_curve": [*LITTLE, "--folds", "3", "--draws", "1", "--amounts", "2"],
    "tuning.search": ["--max-trials", "1", "--seeds", "1", "--epochs", "1"],
    "tuning.sweep": ["--values", "0,1", "--seeds", "1", "--epochs", "1"],
}


def follow(name: str, address: str) -> None:
    """Follows docs/NAME.md, or README; a server that the page imagines at its usual port is at `address`.

    `NAME#2` is the second section of the page alone.
    """
    name, _, section = name.partition("#")
    page, names = ROOT / ("README.md" if name == "README" else f"docs/{name}.md"), {}
    lines = page.read_text().splitlines()
    sections = [0, *(line for line, text in enumerate(lines, start=1) if text.startswith("## ")), len(lines) + 1]
    first, last = sections[int(section) : int(section) + 2] if section else (0, len(lines) + 1)
    for block in (block for block in blocks(page) if first <= block.line < last):
        here = Block(page, block.line, block.language, block.text.replace("http://localhost:8501", address))
        if block.language == "python" and name != "README":
            exec(compile(here.text, str(block), "exec"), names)  # noqa: S102
        elif block.language == "bash":
            for program, *words in calls(here, Path.cwd()):
                if program == "python" and words[0] == "-m" and runs_here(words[1], words[2:]):
                    run(block, words[1], [*words[2:], *LESS.get(words[1], ())])


def runs_here(module: str, argv: list[str]) -> bool:
    """Whether a command needs nothing but tables, runs and models of this folder."""
    package, _, command = module.partition(".")
    runs = (package == "emobed_tf" and command in QUICK) or module == "serving.client" or module in LESS
    if "egemaps" in argv:  # openSMILE would not outlive TensorFlow in this process
        return False
    return runs and "DIR" not in argv and not any(word.startswith("data/") for word in argv)


def run(block: Block, module: str, argv: list[str]) -> None:
    main = importlib.import_module("serving.client.__main__" if module == "serving.client" else module).main
    if main(argv) != 0:
        sys.exit(f"{block}: python -m {module} {' '.join(argv)} failed")


if __name__ == "__main__":
    *pages, where = sys.argv[1:]
    for each in pages:
        follow(each, where)
