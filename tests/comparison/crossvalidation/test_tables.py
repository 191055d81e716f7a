"""Tables of a cross-validation, on constructed results: every number stands where its column says."""

import csv
import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from emobed_tf.comparison.crossvalidation.gains import gains
from emobed_tf.comparison.crossvalidation.plan import CrossValidationSettings, plan_cross_validation
from emobed_tf.comparison.crossvalidation.tables import (
    chosen_grids,
    data_grid,
    power_grid,
    results_grid,
    write_csvs,
)
from emobed_tf.config import preset
from tests.comparison.crossvalidation.test_gains import system


@pytest.fixture(scope="module")
def plan(tables):
    config = preset("tables").replace(data_dir=tables)
    return plan_cross_validation(config, CrossValidationSettings(targets=("audio", "face"), folds=3), ("classic",))


@pytest.fixture(scope="module")
def results():
    found = (system("classic", 0.4), system("emobed", 0.8, seed=1))
    return {(result.target, result.system): result for result in found}


@pytest.fixture(scope="module")
def found(results):
    return gains(results, "classic", "emobed", ("audio", "face"), "uar")


class TestBefore:
    def test_data(self, plan, tables):
        grid = data_grid(plan)
        assert grid.columns == ["fold", "train", "dev", "tested speakers", "tested: audio", "tested: face"]
        assert [row[0] for row in grid.rows] == ["1", "2", "3"]
        assert sum(int(row[4]) for row in grid.rows) == 60 and sum(int(row[5]) for row in grid.rows) == 30
        numbers = [[int(re.match(r"\d+", cell)[0]) for cell in row[1:3]] for row in grid.rows]
        tested = [len(row[3].split(", ")) for row in grid.rows]
        assert all(sum(n) + k == len(plan.speakers) for n, k in zip(numbers, tested, strict=True))

    def test_tested_speakers_are_the_targets(self, plan):
        """With face as the only target, who has no face is tested on nothing."""
        of_face = {recording.speaker for recording in plan.corpora["face"].modality("face").recordings}
        rows = data_grid(replace(plan, configs={"face": plan.configs["face"]})).rows
        assert {name for row in rows for name in row[3].split(", ")} == of_face

    def test_speakers_of_each_modality_where_they_differ(self, plan):
        """Of fifteen, some have no face."""
        of_face = {recording.speaker for recording in plan.corpora["face"].modality("face").recordings}
        for row, fold in zip(data_grid(plan).rows, plan.folds, strict=True):
            faces = len(of_face & set(fold.train))
            assert row[1] == f"{len(fold.train)} (audio {len(fold.train)}, face {faces})"
        assert data_grid(plan).title.partition(": ")[2].startswith(f"15 (audio 15, face {len(of_face)}) speakers in 3")

    def test_power(self, plan):
        grid, notes = power_grid(plan)
        assert [row[0] for row in grid.rows] == ["audio"] * 4 + ["face"] * 4
        detectable = [float(row[3]) for row in grid.rows[:3]]
        # The gain that is found is in proportion to the deviation that is assumed: .02, .05, .1.
        assert detectable == pytest.approx([detectable[2] * share for share in (0.2, 0.5, 1.0)], abs=1e-3)
        assert "0.05 / 2 targets" in notes[-2]


class TestResults:
    def test_grid(self, plan, results, found):
        against = {(gain.target, gain.second): gain for gain in found}
        grid, notes = results_grid(plan, "audio", results, against, "classic", "emobed")
        columns = ["system", "UAR", "95 %", "F1 macro", "F1 micro", "gain", "95 %", "excluded above", "p", "p, Holm"]
        assert grid.columns == [*columns, "contrast"]
        classic, emobed = grid.rows
        assert classic[0] == "classic" and classic[5:] == [""] * 6
        values = results["audio", "emobed"].statistics.scores("uar")
        assert emobed[1] == f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}".replace("0.", ".")
        # All of eight speakers gain: 1/256, times two targets.
        assert emobed[-3:] == [".004", ".008", "primary"]
        # What eight speakers exclude: 12 of 256 assignments may count, 11 subsets beside the observed one.
        by_speaker = [results["audio", name].statistics.by_speaker("uar") for name in ("classic", "emobed")]
        own = by_speaker[1] - by_speaker[0]
        means = sorted((np.mean(s) for n in range(1, 9) for s in combinations(own, n)), reverse=True)
        assert found[0].excluded >= means[11]
        assert emobed[-4] == f"+{found[0].excluded:.3f}".replace("0.", ".")
        assert "the mean ± standard deviation (n - 1) over 3 seeds," in notes[0]
        assert "Gain in UAR over classic;" in notes[0] and "(all assignments), corrected over 2 targets" in notes[0]
        least = (
            "audio: With 8 speakers the smallest possible p is 1/256 = .00391, before the correction over 2 targets."
        )
        assert notes[1] == least
        assert not any("by speaker, with statistics" in note for note in notes)

    def test_says_who_has_seen_the_speakers(self, plan, results):
        by_speaker = system("classic_speaker", 0.7)
        _, notes = results_grid(plan, "audio", {("audio", "classic_speaker"): by_speaker}, {}, "classic")
        assert any("Features of classic_speaker are standardised by speaker, with" in note for note in notes)
        configs = {n: c.replace(standardise="speaker") for n, c in plan.configs.items()}
        _, notes = results_grid(replace(plan, configs=configs), "audio", results, {}, "classic")
        assert any(note.startswith("Features are standardised by speaker") for note in notes)

    def test_without_a_primary_contrast_all_is_exploratory(self, plan, results, found):
        against = {(gain.target, gain.second): gain for gain in found}
        grid, _ = results_grid(plan, "audio", results, against, "classic")
        assert grid.rows[1][-1] == "exploratory"

    def test_settings_of_every_fold(self, plan, results):
        settings = ({"l2": 0.01}, {"l2": 0.1}, None)
        (grid,) = chosen_grids(plan, {key: replace(each, settings=settings) for key, each in results.items()})
        assert grid.title == "Settings that were chosen, emotion from audio"
        assert grid.columns == ["system", "fold 1", "fold 2", "fold 3"]
        assert grid.rows[1] == ["emobed", "l2 0.01", "l2 0.1", "-"]

    def test_csvs(self, plan, results, found, tmp_path):
        write_csvs(tmp_path, plan, results, found, "crossvalidation", "emobed")

        def rows(name):
            with open(tmp_path / name, newline="") as file:
                return list(csv.DictReader(file))

        scores = rows("crossvalidation.csv")
        assert [(row["system"], row["seed"]) for row in scores] == [
            (s, k) for s in ("classic", "emobed") for k in "012"
        ]
        expected = [value for result in results.values() for value in result.statistics.scores("f1_micro")]
        assert [float(row["f1_micro"]) for row in scores] == pytest.approx(expected)
        (gain,) = rows("crossvalidation-gains.csv")
        assert (gain["first"], gain["second"], gain["better"]) == ("classic", "emobed", "True")
        assert float(gain["p"]) == 1 / 256 and gain["contrast"] == "primary"
        assert len(rows("folds.csv")) == len(plan.speakers)
