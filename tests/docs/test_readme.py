"""README: short, complete, and its first example works as pasted."""

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.docs.markdown import blocks
from tests.test_packaging import SCRIPTS

README = ROOT / "README.md"
LONGEST = 7_000


def test_is_short():
    assert len(README.read_text(encoding="utf-8")) <= LONGEST


def test_lists_every_command():
    """By module and by script, as setup.cfg has them."""
    rows = re.findall(r"^\| `([\w.]+)` \|.*\| `([\w-]+)` \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    expected = {(where.split(":")[0].removesuffix(".__main__"), script) for script, where in SCRIPTS.items()}
    assert set(rows) == expected


def test_leads_to_every_guide():
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)", README.read_text(encoding="utf-8")))
    assert linked == {path.name for path in (ROOT / "docs").glob("*.md")}


@pytest.mark.slow
def test_the_example_works_as_pasted(tmp_path):
    (example,) = [block for block in blocks(README) if block.language == "python"]
    result = subprocess.run(
        [sys.executable, "-c", example.text],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert re.fullmatch(r"dev: CCC -?[01]\.\d\d\na model to serve: models/audio/1\n", result.stdout)
    assert (tmp_path / "runs" / "first" / "scores.json").is_file()
