"""A table for people and for programs."""

import dataclasses
import re
from types import SimpleNamespace

import pytest

from emobed_tf.comparison.tables.entries import table_entries
from emobed_tf.comparison.tables.table import (
    narrow,
    settings_grid,
    table_grids,
    table_notes,
    table_rows,
    table_title,
)
from emobed_tf.config import preset
from tests.comparison.tables.constructed import results


@pytest.fixture(scope="module")
def entries(plan):
    return table_entries(plan, results(plan, failed=("mtl_pu",)), "ccc", simulated=False)


class TestTable:
    def test_marks_are_apart(self, plan, entries):
        grid = table_grids(plan, entries)[0]
        rows = {row[0]: dict(zip(grid.columns, row, strict=True)) for row in grid.rows}
        assert rows["EmoBed"]["p by speaker"] == ".0020*"
        assert rows["EmoBed"]["p Fisher"].endswith("†")
        assert rows["joint training"]["p by speaker"] == "1.0000"
        assert rows["joint training"]["p Fisher"] == ".5000"
        assert rows["EmoBed"]["published, RECOLA"] == ".792/.644"
        assert rows["end-to-end"]["dev"] == "-" and rows["end-to-end"]["published, RECOLA"] == ".786/.715"
        assert re.fullmatch(r"\.\d{3}±\.\d{3}", rows["EmoBed"]["test"])
        assert {"early fusion ‡", "distilled §", "shared trunk", "classic monomodal"} <= rows.keys()
        assert (rows["EmoBed"]["parameters at inference"], rows["EmoBed"]["seconds per fit"]) == ("1,234", "2.0")

    def test_notes_tell_why_a_row_is_empty(self, plan, entries):
        text = "\n".join(table_notes(plan, entries, "ccc"))
        assert "MTL (PU) on audio: no ratings here" in text
        assert "End-to-end needs raw recordings" in text and "audio .786/.715" in text
        assert "video_geometric" in text
        assert "Features of classic, by speaker are standardised by speaker" in text
        assert "‡ needs paired streams, and all modalities at inference: it shows what they could give together" in text
        assert "§ needs paired recordings in training, and the target alone at inference." in text
        assert "over 3 seeds." in text and "tried 4 settings on development" in text
        assert "In test: With 9 speakers the smallest possible p is 1/512 = .00195." in text

    def test_says_where_interval_and_p_disagree(self, plan, entries):
        entry = next(e for e in entries if e.row == "emobed" and e.differences)
        assert entry.differences["test"].interval.low > 0
        doubtful = SimpleNamespace(
            difference=0.1,
            interval=SimpleNamespace(low=0.01, high=0.2),
            exchange=SimpleNamespace(p_value=0.125, units=3, exact=True),
        )
        odd = dataclasses.replace(entry, differences={"test": doubtful})
        text = "\n".join(table_notes(plan, [odd], "ccc"))
        assert "EmoBed on audio (+video_appearance): The interval lies above 0, although p is not below .05" in text
        assert "With 3 speakers the smallest possible p is 1/8 = .125." in text

    def test_every_form_has_the_settings_and_says_what_is_classic(self, plan):
        given = [
            dataclasses.replace(r, settings={"alpha": 0.0, "beta": 0.0}) if r.cell.system == "emobed" else r
            for r in results(plan)
        ]
        found = table_entries(plan, given, "ccc", simulated=True)
        grid, chosen = table_grids(plan, found)[0], settings_grid(plan, found)
        rows = {row[0]: dict(zip(grid.columns, row, strict=True)) for row in grid.rows}
        assert rows["EmoBed"]["settings"] == "alpha 0, beta 0 (this is classic)"
        assert rows["joint training"]["settings"] == "a 1"
        assert {row[0]: row[1] for row in chosen.rows}["EmoBed"] == rows["EmoBed"]["settings"]
        assert "settings" not in narrow(grid).columns
        csv = [r for r in table_rows(plan, found, "arousal", "ccc", True) if r["system"] == "emobed"]
        assert {row["is_classic"] for row in csv} == {True}
        note = "alpha 0 and beta 0 was chosen: the row is equivalent to classic."
        assert any(line.endswith(note) for line in table_notes(plan, found, "ccc"))

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
        own = dataclasses.replace(plan, name="comparison")
        assert table_title(own, "arousal", "ccc", False) == "Comparison: CCC of arousal, RECOLA (AVEC 2016 package)"
        tables = preset("tables").replace(table=("audio=x/voice.csv", "face=face.parquet"))
        named = dataclasses.replace(own, config=tables)
        assert table_title(named, "joy", "uar", False) == "Comparison: UAR of joy, voice.csv and face.parquet"
        assert table_title(plan, "emotion", "f1_micro", True) == "SIMULATED: Table 1: F1 micro of emotion, recola"
