"""An audit as a whole: all controls, one page, in the folder of a cross-validation."""

import json

import pytest

from tests.commands import command
from tests.test_audit import TINY
from tests.test_crossvalidate import data, rows

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]


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
        # EmoBed and four controls, two folds, one seed; with one configuration nothing is tried first.
        assert len(new) == 5 * 2
        systems = [json.loads(line)["key"]["system"] for line in new]
        assert set(systems) == {"emobed", "triplet_alone", "permuted_labels", "itself_as_auxiliary", "as_many_steps"}

    def test_classic_takes_as_many_epochs_as_emobed_took(self, audited):
        lines = [json.loads(line) for line in (audited[0] / "trials.jsonl").read_text().splitlines()]
        fits = [line for line in lines if line.get("key", {}).get("purpose") == "final"]
        epochs = {(fit["key"]["system"], fit["key"]["fold"]): fit["record"]["epochs_done"] for fit in fits}
        for fold in (1, 2):
            assert epochs["as_many_steps", fold] == epochs["emobed", fold] > 0

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
