"""What a sweep trains: its scenarios, its trials in their order, and no memory that grows with them."""

import contextlib
import shutil
import statistics

import numpy as np
import pytest

from emobed_tf.comparison.scenario import Scenario
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from tests.tuning.sweeps import ALPHA, TINY
from tuning.sweep_results import SweepFolder
from tuning.sweep_trials import SweepTrial, run_sweep_trial, sweep_scenarios, sweep_trials


class TestScenarios:
    def test_the_target_is_no_auxiliary_of_its_own(self, tables):
        settings = preset("tables").replace(data_dir=tables, auxiliary=("audio", "face"), **TINY).check()
        found = sweep_scenarios(settings, ["audio", "face"], [], ALPHA)
        assert [scenario.config.data.auxiliary for scenario in found] == [("face",), ("audio",)]

    def test_one_target_beside_several_auxiliaries(self, tables, tmp_path):
        """Fig. 5 and 6 have audio twice."""
        shutil.copytree(tables, tmp_path / "tables")
        shutil.copyfile(tables / "face.csv", tmp_path / "tables" / "body.csv")
        settings = preset("tables").replace(data_dir=tmp_path / "tables", **TINY).check()
        named = (Scenario("audio", ("face",)), Scenario("audio", ("body",)), Scenario("face", ("audio",)))
        found = sweep_scenarios(settings, [], [], ALPHA, named=named)
        assert [(s.config.data.target, s.config.data.auxiliary) for s in found] == [
            ("audio", ("face",)),
            ("audio", ("body",)),
            ("face", ("audio",)),
        ]
        names = ["emotion from audio (+face)", "emotion from audio (+body)", "emotion from face (+audio)"]
        assert [s.name for s in found] == names
        record = {"score": 0.5, "epochs": 2, "best_epoch": 1, "seconds": 0.1, "reason": None, "warnings": []}
        with contextlib.closing(SweepFolder(tmp_path / "sweep", ALPHA, found)) as folder:
            for scenario in found:
                folder.add(SweepTrial(scenario, "alpha", 0.5, 0), record)
        with contextlib.closing(SweepFolder(tmp_path / "sweep", ALPHA, found)) as folder:
            assert [row["scenario"] for row in folder.rows()] == names
            assert SweepTrial(found[1], "alpha", 0.5, 0) in folder

    def test_the_same_twice(self, tables):
        settings = preset("tables").replace(data_dir=tables, **TINY).check()
        for targets, dimensions in ((["audio", "audio"], []), ([], ["arousal", "valence"])):
            with pytest.raises(InputError, match="'emotion from audio' twice"):
                sweep_scenarios(settings, targets, dimensions, ALPHA)

    def test_data_that_differ_on_a_worker(self, tables, tmp_path):
        folder = tmp_path / "tables"
        shutil.copytree(tables, folder)
        settings = preset("tables").replace(data_dir=folder, **TINY).check()
        [scenario] = sweep_scenarios(settings, [], [], ALPHA)
        (folder / "face.csv").write_text((folder / "face.csv").read_text().replace("joy", "calm", 1))
        with pytest.raises(InputError, match="not the data that the sweep began with"):
            run_sweep_trial(SweepTrial(scenario, "alpha", 0.5, 0))


class TestOrder:
    def test_scenario_by_scenario_then_value_then_seed(self, tables):
        settings = preset("tables").replace(data_dir=tables, **TINY).check()
        scenarios = sweep_scenarios(settings, ["audio", "face"], [], ALPHA)
        assert [str(trial) for trial in sweep_trials(scenarios, ALPHA, (0.5, 0.0), (3, 4))] == [
            "alpha = 0.5, emotion from audio, seed 3",
            "alpha = 0.5, emotion from audio, seed 4",
            "alpha = 0.0, emotion from audio, seed 3",
            "alpha = 0.0, emotion from audio, seed 4",
            "alpha = 0.5, emotion from face, seed 3",
            "alpha = 0.5, emotion from face, seed 4",
            "alpha = 0.0, emotion from face, seed 3",
            "alpha = 0.0, emotion from face, seed 4",
        ]


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
class TestMemory:
    def test_stays_flat(self, tables):
        """Resident memory after 40 trainings is that after 10: less than a quarter of a MB for each more."""
        settings = preset("tables").replace(data_dir=tables, **TINY).check()
        [scenario] = sweep_scenarios(settings, ["audio"], [], ALPHA)
        looks = {}
        for k in range(1, 41):
            run_sweep_trial(SweepTrial(scenario, "alpha", k / 40, k))
            if k >= 10:
                looks[k] = _resident()
        slope = np.polyfit(list(looks), list(looks.values()), 1)[0]
        assert slope < 250_000
        assert statistics.median(list(looks.values())[-5:]) - statistics.median(list(looks.values())[:5]) < 8e6


def _resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))
