"""The audit as a command: all controls, one page, in the folder of a cross-validation."""

import json

import pytest

from tests.commands import assert_one_line, command
from tests.conftest import THREADS
from tests.test_crossvalidate import data, rows

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]

TINY = (
    "--folds 2 --seeds 1 --configurations 1 --epochs 3 --encoder-units 4 --head-units 4 --batch-size 16 "
    f"--threads {THREADS} --no-xla"
).split()


@pytest.mark.slow
class TestAudit:
    @pytest.fixture(scope="class")
    @staticmethod
    def audited(tables, tmp_path_factory):
        """A cross-validation of classic, and an audit in its folder, of one target."""
        folder = tmp_path_factory.mktemp("audit") / "out"
        source = (*data(tables)[:-2], "audio")
        first = command("crossvalidate", *source, *TINY, "--systems", "classic", "joint", "--output", folder)
        assert first.returncode == 0, first.stderr
        before = (folder / "trials.jsonl").read_text()
        result = command("audit", *source, *TINY, "--output", folder)
        assert result.returncode == 0, result.stderr
        return folder, before, result.stdout

    def test_what_the_cross_validation_did_is_not_done_again(self, audited):
        folder, before, _ = audited
        after = (folder / "trials.jsonl").read_text()
        assert after.startswith(before)
        new = after[len(before) :].splitlines()
        # EmoBed and four controls, two folds, one try and one seed.
        assert len(new) == 5 * 2 * 2
        systems = [json.loads(line)["key"]["system"] for line in new]
        assert set(systems) == {"emobed", "triplet_alone", "permuted_labels", "itself_as_auxiliary", "as_many_steps"}

    def test_page(self, audited):
        folder, _, text = audited
        assert text.count("NOTHING FOUND") == 1  # three epochs teach nobody anything
        assert "VERDICT: no transfer between modalities was found." in text
        page = (folder / "verdict.md").read_text()
        for words in (
            "triplet in the target alone",
            "auxiliary labels permuted",
            "the target as its own auxiliary",
            "classic, as many steps as EmoBed",
            "VERDICT: no transfer",
        ):
            assert words in page.replace("\\", "")
        assert len(page.splitlines()) < 60

    def test_figures(self, audited):
        folder = audited[0]
        leads = rows(folder / "verdict.csv")
        assert [row["target"] for row in leads] == ["audio"] * 5
        assert {row["second"] for row in leads} == {"emobed"}
        scores = {(row["target"], row["system"]): float(row["uar"]) for row in rows(folder / "audit.csv")}
        for row in leads:
            lead = scores[row["target"], "emobed"] - scores[row["target"], row["first"]]
            assert float(row["difference"]) == pytest.approx(lead)


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
