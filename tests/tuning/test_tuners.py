"""A search as a tuner: its trials, their table, its winner, and what fails."""

import json
import math
import shutil
import statistics
import sys

import pytest

from emobed_tf.errors import InputError
from tests.commands import command
from tests.tuning.searches import TWO, config, results, table

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


@pytest.fixture(scope="module")
def finished(tables, tmp_path_factory):
    """A random search with real trainings, two seeds each."""
    from tuning.tuners import tuner

    folder = tmp_path_factory.mktemp("searches") / "search"
    search = tuner(config(tables), folder, kind="random", parameters=TWO, max_trials=4, seeds=2)
    search.search()
    return search


class TestTrials:
    def test_score_is_the_mean_of_trainings_by_train(self, finished, tables, tmp_path):
        from emobed_tf.corpora.configured import load_corpus
        from emobed_tf.training.loop import train_run

        row = finished.rows()[2]
        settings, corpus = load_corpus(config(tables))
        names = ("alpha", "beta", "encoder_layers", "encoder_units", "head_layers", "head_units", "learning_rate", "l2")
        values = {name: row[name] for name in names}
        scores = []
        for seed in (0, 1):
            run = train_run(settings.replace(seed=seed, **values), tmp_path / str(seed), corpus=corpus)
            scores.append(json.loads(str(run.read_arrays("last")["state"]))["best"])
        assert [row["val_f1_macro_seed0"], row["val_f1_macro_seed1"]] == scores
        assert row["val_f1_macro"] == pytest.approx(statistics.fmean(scores), abs=1e-12)
        assert row["deviation"] == pytest.approx(abs(scores[0] - scores[1]) / math.sqrt(2), abs=1e-12)

    def test_first_trial_is_the_settings_as_they_stand(self, finished):
        first = finished.rows()[0]
        assert (first["alpha"], first["learning_rate"], first["head_units"]) == (0.5, 1e-3, 5)

    def test_values_are_those_of_the_space(self, finished):
        rows = finished.rows()
        assert len({(row["alpha"], row["learning_rate"]) for row in rows}) == 4
        for row in rows:
            assert 0 <= row["alpha"] <= 1.5 and 0.0003 <= row["learning_rate"] <= 0.01
            assert row["alpha"] == float(f"{row['alpha']:.6g}")
            assert row["head_units"] in (5, 6) and (row["beta"], row["encoder_units"]) == (0.3, 6)

    def test_table_on_disk(self, finished):
        rows = table(finished.folder.path)
        assert [row["trial"] for row in rows] == ["0000", "0001", "0002", "0003"]
        assert [float(row["val_f1_macro"]) for row in rows] == [row["val_f1_macro"] for row in finished.rows()]
        assert {row["status"] for row in rows} == {"completed"} and {row["reason"] for row in rows} == {""}

    def test_best_run_is_the_winner_and_can_be_evaluated(self, finished):
        run = finished.best()
        winner = max(finished.rows(), key=lambda row: row["val_f1_macro"])
        state = json.loads(str(run.read_arrays("last")["state"]))
        assert state["best"] == winner["val_f1_macro_seed0"]
        assert run.config().objective.alpha == winner["alpha"]
        written = (run.path / "best.npz").stat().st_mtime_ns
        assert finished.best().path == run.path
        assert (run.path / "best.npz").stat().st_mtime_ns == written, "it is there already"
        result = command("evaluate", run.path, "--test")
        assert result.returncode == 0, result.stderr
        assert "test" in run.read_json("scores.json")

    @pytest.mark.slow
    def test_test_data_are_never_looked_at(self, finished, tables, tmp_path):
        from tuning.tuners import tuner

        for name in ("audio", "face"):
            lines = (tables / f"{name}.csv").read_text().splitlines()
            scrambled = []
            for line in lines:
                cells = line.split(",")
                if cells[1] == "test":
                    other = {"anger": "joy", "joy": "calm", "calm": "anger"}
                    cells[3], cells[4:] = other[cells[3]], ["9"] * len(cells[4:])
                scrambled.append(",".join(cells))
            (tmp_path / f"{name}.csv").write_text("\n".join(scrambled) + "\n")
        other = tuner(config(tmp_path), tmp_path / "search", kind="random", parameters=TWO, max_trials=4, seeds=2)
        other.search()
        assert results(other) == results(finished)


class TestSettings:
    def test_fixed_parameters_are_trained_with(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        search = tuner(config(tables), tmp_path / "search", parameters=(*TWO, "encoder_units=9"), max_trials=1)
        search.search()
        ((settings, _),) = landscape
        assert (settings.network.encoder_units, search.rows()[0]["encoder_units"]) == (9, 9)

    def test_seeds_begin_with_the_configurations(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        tuner(config(tables, seed=7), tmp_path / "search", parameters=TWO, max_trials=1, seeds=3).search()
        assert [seed for _, seed in landscape] == [7, 8, 9]

    def test_large_grids_must_be_asked_for(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        # Points: alpha 4, beta 4, encoder 2 x 3, head 2 x 3, rate 4, l2 4: 4**4 * 36 = 9216.
        with pytest.raises(InputError, match=r"up to 9,216 combinations; narrow it with --space"):
            tuner(config(tables), tmp_path / "search", kind="grid")
        search = tuner(config(tables), tmp_path / "search", kind="grid", max_trials=3)
        search.search()
        assert len(search.rows()) == 3


class TestFailures:
    def test_are_recorded_with_their_reason_and_end_nothing(self, tables, tmp_path, landscape, monkeypatch, capsys):
        from emobed_tf.training.callbacks import DivergedError
        from tuning.hypermodel import EmoBedHyperModel
        from tuning.tuners import tuner

        good = EmoBedHyperModel.fit

        raised = sys._getframe().f_lineno

        def fit(self, hp, model=None, *, seed=None):
            alpha = self.settings(hp).objective.alpha
            if alpha == 0:
                raise DivergedError("term 'target' of the loss became nan by step 3")
            if alpha == 0.5:
                raise TypeError("two\nlines")
            if alpha == 1.5:
                return good(self, hp, seed=seed) | {self.score: math.nan}
            return good(self, hp, seed=seed)

        monkeypatch.setattr(EmoBedHyperModel, "fit", fit)
        entries = (*TWO, "alpha=0,0.5,0.9,1.2,1.5", "learning_rate=0.001", "head_units=5")
        search = tuner(config(tables), tmp_path / "search", kind="grid", parameters=entries)
        search.search()
        found = {row["alpha"]: (row["status"], row["reason"]) for row in search.rows()}
        assert found[0] == ("failed", "seed 0: term 'target' of the loss became nan by step 3")
        assert found[0.5] == ("failed", f"seed 0: TypeError: two lines (test_tuners.py, line {raised + 7})")
        assert found[1.5] == ("failed", "seed 0: the score is nan")
        assert found[0.9][0] == found[1.2][0] == "completed"
        assert search.winner().hyperparameters.values["alpha"] == 0.9
        search.show()
        assert "trial 0000 failed: seed 0: term 'target' of the loss became nan by step 3" in capsys.readouterr().out
        assert [row["reason"] for row in table(tmp_path / "search")] == [row["reason"] for row in search.rows()]

    def test_a_folder_that_was_removed_ends_the_search_and_does_not_come_back(
        self, tables, tmp_path, landscape, monkeypatch
    ):
        from tuning.hypermodel import EmoBedHyperModel
        from tuning.tuners import tuner

        good = EmoBedHyperModel.fit

        def fit(self, hp, model=None, *, seed=None):
            if len(landscape) == 2:
                shutil.rmtree(tmp_path / "search")
            return good(self, hp, seed=seed)

        monkeypatch.setattr(EmoBedHyperModel, "fit", fit)
        search = tuner(config(tables), tmp_path / "search", kind="random", parameters=TWO, max_trials=5)
        with pytest.raises(InputError, match="the search's folder has been removed, and what was done with it"):
            search.search()
        assert len(landscape) == 3 and not (tmp_path / "search").exists()

    def test_a_diverging_training_is_a_failed_trial(self, tables, tmp_path):
        from tuning.tuners import tuner

        entries = (*TWO, "alpha=0.5", "head_units=5", "learning_rate=0.001,1e30")
        search = tuner(config(tables), tmp_path / "search", kind="grid", parameters=entries)
        search.search()
        assert [row["status"] for row in search.rows()] == ["completed", "failed"]
        assert "by step" in search.rows()[1]["reason"] and "\n" not in search.rows()[1]["reason"]
