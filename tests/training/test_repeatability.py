"""The same seed gives the same bits in a new process, and in one that has trained other things before."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.corpora.sounds import write_clips
from tests.training import repeated

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse"), pytest.mark.slow]


@pytest.fixture(scope="module")
def folders(recola, tables, tmp_path_factory):
    """Data of every form, as words that another process takes."""
    sound = write_clips(tmp_path_factory.mktemp("clips"), each=(5, 3, 1))
    face = tables / "face.csv"
    return {"recola": str(recola), "tables": str(tables), "recordings": [f"audio={sound}", f"face={face}"]}


@pytest.fixture(scope="module")
def of_a_new_process(folders):
    """What each training gives in a process of its own, in the order of the registries."""
    line = [sys.executable, "-m", "tests.training.repeated", json.dumps(folders)]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert result.returncode == 0, result.stderr
    return dict(json.loads(said) for said in result.stdout.splitlines() if said.startswith("["))


@pytest.mark.parametrize("case", reversed(repeated.cases()))
def test_the_same_bits(case, folders, of_a_new_process):
    """Here in the opposite order: another training has always come before."""
    assert repeated.bits(case, folders) == of_a_new_process[case]
