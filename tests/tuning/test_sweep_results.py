"""What a sweep leaves: its best values, and a folder that an earlier version has begun."""

import contextlib
import dataclasses
import json
from typing import ClassVar

import pytest

from emobed_tf._version import __version__
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from tests.tuning.sweeps import ALPHA, TINY
from tuning.sweep_results import SweepFolder, best_values
from tuning.sweep_trials import SweepTrial, sweep_identity, sweep_scenarios


class TestBest:
    def test_is_the_highest_mean(self):
        def row(value, score, scenario="a"):
            return {"scenario": scenario, "value": value, "score": score}

        rows = [row(0.0, 0.9), row(0.0, 0.1), row(0.5, 0.6), row(0.5, 0.5), row(1.0, None), row(0.0, 0.2, "b")]
        assert best_values(rows) == {"a": 0.5, "b": 0.0}  # means 0.5 and 0.55; and the only one of b
        assert best_values([row(1.0, None)]) == {}


class TestFolderOfAnEarlierVersion:
    """Its ledger is of format 1: scenarios are known by their names, and settings that came later are not there."""

    RECORD: ClassVar = {"score": 0.5, "epochs": 2, "best_epoch": 1, "seconds": 0.1, "reason": None, "warnings": []}

    @pytest.fixture
    def begun(self, tables, tmp_path):
        """One trial of two, as version 0.1.0 wrote it before `hop` and `epoch` were settings, as it were."""
        settings = preset("tables").replace(data_dir=tables, **TINY, epoch="target").check()
        (scenario,) = sweep_scenarios(settings, ["audio"], [], ALPHA)
        identity = sweep_identity(ALPHA, [scenario])
        del identity["settings"]["hop"], identity["settings"]["epoch"]
        lines = [
            {"format": 1, "emobed_tf": __version__, "identity": identity},
            {"key": {"scenario": "emotion from audio"}, "record": scenario.facts()},
            {"key": {"scenario": "emotion from audio", "value": 0.5, "seed": 0}, "record": self.RECORD},
        ]
        folder = tmp_path / "sweep"
        folder.mkdir()
        (folder / "trials.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        return folder, scenario

    def test_is_continued_as_it_began(self, begun):
        path, scenario = begun
        before = (path / "trials.jsonl").read_text()
        with contextlib.closing(SweepFolder(path, ALPHA, [scenario])) as folder:
            first, second = (SweepTrial(scenario, "alpha", 0.5, seed) for seed in (0, 1))
            assert first in folder and second not in folder
            folder.add(second, self.RECORD)
            found = [(row["scenario"], row["target"], row["value"], row["seed"]) for row in folder.rows()]
        assert found == [("emotion from audio", "audio", 0.5, 0), ("emotion from audio", "audio", 0.5, 1)]
        after = (path / "trials.jsonl").read_text()
        assert after.startswith(before)
        assert json.loads(after[len(before) :])["key"] == {"scenario": "emotion from audio", "value": 0.5, "seed": 1}

    @pytest.mark.parametrize(
        ("line", "old", "new", "words"),
        [
            (3, '"score": 0.5', '"score": "x"', "line 3: damaged: score: expected float"),
            (3, '"score": 0.5', '"score": 1e308', "line 3: damaged: score: expected -1 to 1"),
            (3, '"warnings": []', '"other": []', "line 3: damaged: a record without warnings"),
            (2, '"label": ', '"name": ', "line 2: damaged: a record without label"),
        ],
    )
    def test_a_line_that_was_changed_is_named(self, begun, line, old, new, words):
        path, scenario = begun
        lines = (path / "trials.jsonl").read_text().splitlines(keepends=True)
        assert old in lines[line - 1]
        lines[line - 1] = lines[line - 1].replace(old, new)
        (path / "trials.jsonl").write_text("".join(lines))
        with pytest.raises(InputError, match=words):
            SweepFolder(path, ALPHA, [scenario])

    def test_another_value_of_the_later_setting_is_another_sweep(self, begun):
        path, scenario = begun
        other = dataclasses.replace(scenario, config=scenario.config.replace(hop=2.0))
        with pytest.raises(InputError, match=r"settings hop was 1\.0, is 2\.0; choose another folder"):
            SweepFolder(path, ALPHA, [other])
        other = dataclasses.replace(scenario, config=scenario.config.replace(epoch="largest"))
        with pytest.raises(InputError, match='settings epoch was "target", is "largest"; choose another folder'):
            SweepFolder(path, ALPHA, [other])
