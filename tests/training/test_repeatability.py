"""The same seed gives the same bits in a new process, and in one that has trained other things before."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.corpora.sounds import write_clips
from tests.training import repeated

pytestmark = [
    pytest.mark.usefixtures("stack", "quiet_collapse"),
    pytest.mark.slow,
    pytest.mark.timeout(2400),  # all the others are trained before the first is compared
]


@pytest.fixture(scope="module")
def folders(recola, tables, tmp_path_factory):
    """Data of every form, as words that another process takes."""
    clips = write_clips(tmp_path_factory.mktemp("clips"), each=(5, 3, 1))
    return {"recola": str(recola), "tables": str(tables), "recordings": str(clips)}


CASES = [*repeated.of_settings(), *repeated.of_systems()]
QUICK = [case for case in repeated.of_settings() if case.startswith("tables:")]


@pytest.fixture(scope="module")
def of_a_new_process(folders):
    """What a training gives in another process, which runs all of the same kind in the order of the registries."""
    said = {}

    def find(case):
        if case not in said:
            cases = QUICK if case in QUICK else [other for other in CASES if other not in QUICK]
            line = [sys.executable, "-m", "tests.training.repeated", json.dumps(folders), *cases]
            result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
            assert result.returncode == 0, result.stderr
            said.update(json.loads(line) for line in result.stdout.splitlines() if line.startswith("["))
        return said[case]

    return find


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[] if case in QUICK else pytest.mark.soak) for case in reversed(CASES)]
)
def test_the_same_bits(case, folders, of_a_new_process):
    """Here in the opposite order: another training has always come before."""
    assert repeated.bits(case, folders) == of_a_new_process(case)
