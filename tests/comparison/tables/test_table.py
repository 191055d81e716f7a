"""A table for people and for programs."""

import dataclasses
import re
from types import SimpleNamespace

import numpy as np
import pytest

from emobed_tf import console
from emobed_tf.comparison.grids import to_html, to_latex, to_markdown
from emobed_tf.comparison.scenario import Scenario
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
from emobed_tf.evaluation.evidence import compare
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics
from tests.comparison.tables.constructed import results


def right_of_ten(counts):
    """A system that answers so many of each speaker's ten utterances rightly; there are two classes, and one seed."""
    sums = [[[[n, 10 - n], [0, 0]]] for n in counts]
    return SpeakerStatistics(tuple(f"s{k}" for k in range(len(counts))), (0,), np.array(sums, float), 10 * len(counts))


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

    def test_every_form_has_the_contrast_and_the_gain_that_is_excluded(self, plan, entries):
        """Of five speakers only the largest difference is a bound, here .3."""
        gain = compare(right_of_ten([5, 5, 5, 5, 5]), right_of_ten([6, 8, 3, 5, 6]), "f1_micro")
        emobed, joint = (next(e for e in entries if e.row == row) for row in ("emobed", "joint"))
        found = [dataclasses.replace(entry, differences={"test": gain}) for entry in (emobed, joint)]
        grid = table_grids(plan, found)[0]
        shown = ("excluded above", "contrast")
        for form in (grid, narrow(grid)):
            cells = [[row[form.columns.index(name)] for name in shown] for row in form.rows]
            assert cells == [["+.300", "primary"], ["+.300", "exploratory"]]
        csv = [row for row in table_rows(plan, found, "emotion", "f1_micro", False) if row["partition"] == "test"]
        assert [(row["excluded"], row["contrast"]) for row in csv] == [
            (pytest.approx(0.3), "primary"),
            (pytest.approx(0.3), "exploratory"),
        ]
        for text in (to_markdown("t", [grid], []), to_html("t", [grid], []), to_latex("t", [narrow(grid)], [])):
            assert all(word in text for word in ("+.300", "excluded above", "primary", "exploratory"))

    def test_four_speakers_exclude_nothing(self, plan, entries):
        gain = compare(right_of_ten([5, 5, 5, 5]), right_of_ten([6, 6, 6, 6]), "f1_micro")
        entry = dataclasses.replace(next(e for e in entries if e.row == "emobed"), differences={"test": gain})
        grid = table_grids(plan, [entry])[0]
        assert grid.rows[0][grid.columns.index("excluded above")] == "-"
        csv = {row["partition"]: row for row in table_rows(plan, [entry], "emotion", "f1_micro", False)}
        assert csv["test"]["excluded"] is None and csv["test"]["contrast"] == "primary"

    def test_a_target_has_one_primary_contrast(self, plan, entries):
        """Audio is the target of two scenarios; what was chosen on development is no evidence there."""
        rows = table_rows(plan, entries, "arousal", "ccc", False)
        named = [(r["target"], r["auxiliaries"], r["system"]) for r in rows if r["contrast"] == "primary"]
        assert named == [("audio", "video_appearance", "emobed"), ("video_appearance", "audio", "emobed")]
        assert {r["partition"] for r in rows if r["contrast"] == "primary"} == {"test"}
        assert {r["contrast"] for r in rows if r["system"] == "classic"} == {None}

    def test_says_which_contrast_is_primary(self, plan, entries):
        text = "\n".join(table_notes(plan, entries, "ccc"))
        assert "Primary contrast: EmoBed against classic. All other gains are exploratory" in text
        twice = dataclasses.replace(plan, scenarios=(*plan.scenarios, Scenario("audio", ("video_geometric",))))
        text = "\n".join(table_notes(twice, entries, "ccc"))
        assert "EmoBed against classic, in the first scenario of each target." in text
        none = dataclasses.replace(plan, primary=None)
        assert "Primary contrast" not in "\n".join(table_notes(none, entries, "ccc"))

    @pytest.mark.parametrize(("width", "parts"), [(80, 2), (150, 1)])
    def test_a_terminal_holds_it(self, plan, entries, width, parts, monkeypatch, capsys):
        """No number is broken: each cell of the evidence stands in one line. What has no room comes below."""
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        grid = narrow(table_grids(plan, entries)[0])
        console.table(grid.title, grid.columns, grid.rows)
        printed = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
        assert max(map(len, printed.splitlines())) <= width and printed.count("┏") == parts
        cells = {cell.strip() for line in printed.splitlines() for cell in line.split("│")}
        assert {cell for row in grid.rows for cell in row[1:]} <= cells
        assert "exploratory" in cells and "primary" in cells

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
