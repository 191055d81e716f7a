"""Code of the guides: fenced blocks by language, and the command lines in them as a shell would read them."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT

WRITTEN_BY_PROGRAMS = ("benchmarks.md", "simulated-1.md", "simulated-2.md", "simulated-3.md")
PAGES = tuple(
    path
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
    if path.name not in WRITTEN_BY_PROGRAMS
)
_FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# `python` and `make` write down what they are called with; all other programs are unknown to this shell and do nothing.
_PRELUDE = r"""
python() { printf '%s\037' python "$@"; printf '\036'; }
make() { printf '%s\037' make "$@"; printf '\036'; }
source() { :; }
command_not_found_handle() { :; }
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page.

    Attributes:
        page: the page's file.
        line: number of the line where it begins.
        language: what stands behind the fence.
        text: what is in it.
    """

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [Block(page, text.count("\n", 0, m.start()) + 1, m[1], m[2]) for m in _FENCE.finditer(text)]


def calls(block: Block, folder: Path) -> list[list[str]]:
    """How a shell calls `python` and `make` in a block, with variables, quotes and line ends as it reads them."""
    text = block.text.replace(".venv/bin/", "")
    line = ["/bin/bash", "--noprofile", "--norc", "-c", _PRELUDE + text]
    shown = subprocess.run(line, cwd=folder, env={"PATH": "/nowhere"}, capture_output=True, text=True)
    assert not shown.stderr, f"{block}: {shown.stderr}"
    return [call.split("\037")[:-1] for call in shown.stdout.split("\036")[:-1]]
