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
def test_the_example_works_as_pasted_and_once_more(tmp_path):
    """The second time is another run, and the next version of the model. Nothing but the result is printed."""
    (example,) = [block for block in blocks(README) if block.language == "python"]
    for version in (1, 2):
        result = subprocess.run(
            [sys.executable, "-c", example.text],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""
        scores = r"dev: CCC -?[01]\.\d\d\n"
        assert re.fullmatch(rf"{scores}a model to serve: models/simulated/{version}\n", result.stdout)
        assert len(list(tmp_path.glob("runs/*/scores.json"))) == version
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["simulated"]
