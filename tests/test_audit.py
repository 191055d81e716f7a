"""The audit as a command: what it refuses, in one line."""

import pytest

from tests.commands import assert_one_line, command
from tests.conftest import THREADS
from tests.test_crossvalidate import data

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]

TINY = (
    "--folds 2 --seeds 1 --configurations 1 --epochs 3 --encoder-units 4 --head-units 4 --batch-size 16 "
    f"--threads {THREADS} --no-xla"
).split()


class TestRefuses:
    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (("--systems", "nosuch"), ("unknown system 'nosuch'",)),
            (("--folds", 20), ("15 speakers for 20 folds",)),
            (("--framework", "classic"), ("--framework classic",)),
            (("--workers", 0), ("--workers: expected 1 or more",)),
            (("--table", "face=nowhere.csv"), ("nowhere.csv",)),
        ],
    )
    def test_in_one_line(self, tables, tmp_path, more, words):
        result = command("audit", *data(tables), *TINY, *more, "--output", tmp_path / "out")
        assert_one_line(result, *words)

    def test_a_single_modality_has_nothing_to_transfer(self, tables, tmp_path):
        one = ("--dataset", "tables", "--table", f"audio={tables / 'audio.csv'}")
        result = command("audit", *one, *TINY, "--output", tmp_path / "out")
        assert_one_line(result, "needs an auxiliary modality", "only audio")
