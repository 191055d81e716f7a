"""`python -m emobed_tf`: README's commands."""

import re
import subprocess
import sys

import pytest

from emobed_tf.__main__ import COMMANDS
from tests.conftest import ROOT


def test_the_commands_are_those_of_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w.]+)` \| (.*?) \| `[\w-]+` \|$", readme, re.MULTILINE)
    assert rows == list(COMMANDS.items())


@pytest.mark.parametrize(("words", "code", "said"), [([], 0, ""), (["--help"], 0, ""), (["train"], 2, "got 'train'")])
def test_says_its_commands(words, code, said):
    result = subprocess.run([sys.executable, "-m", "emobed_tf", *words], capture_output=True, text=True)
    assert result.returncode == code and said in result.stderr
    assert all(f"\n  {name} " in result.stdout for name in COMMANDS)


def test_a_reader_that_goes_away_is_no_traceback():
    process = subprocess.Popen([sys.executable, "-m", "emobed_tf"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 1
