"""`python -m tests.docs.follow PAGE…`: does what guides say, in the folder where it is started, in one process.

Of the commands it runs those that are quick on small tables of one's own; Python is run as it stands. It ends with the
first thing that fails.
"""

import importlib
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.docs.markdown import Block, blocks, calls

QUICK = ("train", "evaluate", "predict", "report", "embed", "export")


def follow(name: str, address: str) -> None:
    """Follows docs/NAME.md; a server that the page imagines at its usual port is at `address`."""
    page, names = ROOT / "docs" / f"{name}.md", {}
    for block in blocks(page):
        here = Block(page, block.line, block.language, block.text.replace("http://localhost:8501", address))
        if block.language == "python":
            exec(compile(here.text, str(block), "exec"), names)  # noqa: S102
        elif block.language == "bash":
            for program, *words in calls(here, Path.cwd()):
                if program == "python" and words[0] == "-m" and runs_here(words[1], words[2:]):
                    run(block, words[1], words[2:])


def runs_here(module: str, argv: list[str]) -> bool:
    """Whether a command is quick, and needs nothing but tables, runs and models of this folder."""
    package, _, command = module.partition(".")
    quick = (package == "emobed_tf" and command in QUICK) or module == "serving.client"
    return quick and not {"DIR", "--sweep"} & set(argv) and not any(word.startswith("data/") for word in argv)


def run(block: Block, module: str, argv: list[str]) -> None:
    main = importlib.import_module("serving.client.__main__" if module == "serving.client" else module).main
    if main(argv) != 0:
        sys.exit(f"{block}: python -m {module} {' '.join(argv)} failed")


if __name__ == "__main__":
    *pages, last = sys.argv[1:]
    for each in pages:
        follow(each, last)
