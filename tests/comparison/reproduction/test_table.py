"""A reproduced table for people and for programs."""

import re

import pytest

from emobed_tf.comparison.reproduction.entries import table_entries
from emobed_tf.comparison.reproduction.table import table_grids, table_notes, table_rows, table_title
from tests.comparison.reproduction.constructed import results


@pytest.fixture(scope="module")
def entries(plan):
    return table_entries(plan, results(plan, failed=("mtl_pu",)), "ccc", simulated=False)


class TestTable:
    def test_marks_are_apart(self, plan, entries):
        grid = table_grids(plan, entries)[0]
        rows = {row[0]: dict(zip(grid.columns, row, strict=True)) for row in grid.rows}
        assert rows["EmoBed"]["p swap"] == ".0020*"
        assert rows["EmoBed"]["p Fisher"].endswith("†")
        assert rows["joint training"]["p swap"] == "1.0000"
        assert rows["joint training"]["p Fisher"] == ".5000"
        assert rows["EmoBed"]["published, RECOLA"] == ".792/.644"
        assert rows["end-to-end"]["dev"] == "-" and rows["end-to-end"]["published, RECOLA"] == ".786/.715"
        assert re.fullmatch(r"\.\d{3}±\.\d{3}", rows["EmoBed"]["test"])
        assert "early fusion ‡" in rows and "classic monomodal" in rows
        assert (rows["EmoBed"]["kept"], rows["EmoBed"]["fit"]) == ("1,234", "2.0 s")

    def test_notes_tell_why_a_row_is_empty(self, plan, entries):
        text = "\n".join(table_notes(plan, entries, "ccc"))
        assert "MTL (PU) on audio: no ratings here" in text
        assert "end-to-end needs raw recordings" in text and "audio .786/.715" in text
        assert "video_geometric" in text
        assert "seeds, up to 3;" in text and "development, up to 4," in text

    def test_csv_has_everything(self, plan, entries):
        rows = table_rows(plan, entries, "arousal", "ccc", False)
        found = {(r["system"], r["target"], r["partition"]): r for r in rows}
        row = found["emobed", "audio", "test"]
        assert row["published"] == 0.644
        assert row["p_by_speaker"] == 1 / 512
        assert row["p_as_published"] < 0.05
        assert row["low"] < row["mean"] < row["high"]
        assert row["minus_classic_low"] < row["minus_classic"] < row["minus_classic_high"]
        assert found["mtl_pu", "audio", "dev"]["problem"] == "no ratings here"
        assert len(found) == len(rows)

    def test_title(self, plan):
        assert table_title(plan, "arousal", "ccc", False) == "Table 1: CCC of arousal, recola"
        assert table_title(plan, "emotion", "f1_micro", True) == "SIMULATED: Table 1: F1 micro of emotion, recola"
