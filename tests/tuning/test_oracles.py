"""Kinds of search: what they try, in which order, and that a kill at any moment changes nothing of it."""

import functools
import json
import shutil

import pytest

from tests.tuning.searches import TWO, config, results, table

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


class TestKinds:
    def test_grid_tries_every_combination_once(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        entries = (*TWO, "alpha=0,0.5,1", "learning_rate=0.001,0.01")
        search = tuner(config(tables), tmp_path / "search", kind="grid", parameters=entries)
        search.search()
        found = [(row["alpha"], row["head_units"], row["learning_rate"]) for row in search.rows()]
        assert found == [(a, u, r) for a in (0, 0.5, 1) for u in (5, 6) for r in (0.001, 0.01)]
        assert search.oracle.finished
        (state,) = (tmp_path / "search").rglob("oracle.json")
        tried = json.loads(state.read_text())["tried_so_far"]
        assert tried == sorted(tried), "the same search is the same file"
        assert search.winner().hyperparameters.values["alpha"] == 1

    def test_bayesian_finds_the_top_of_a_hill(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        entries = (*TWO, "head_units=5", "learning_rate=0.001")
        search = tuner(config(tables), tmp_path / "search", parameters=entries, max_trials=8)
        search.search()
        # The top is alpha 1. Three trials are drawn; each of five more would be that near once in fifteen by chance.
        assert abs(search.winner().hyperparameters.values["alpha"] - 1) < 0.05

    def test_bayesian_tries_nothing_twice(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        entries = (*TWO, "alpha=0,0.5,1", "learning_rate=0.001")
        search = tuner(config(tables), tmp_path / "search", parameters=entries, max_trials=9)
        search.search()
        # 3 x 2 combinations and no more.
        found = [(row["alpha"], row["head_units"]) for row in search.rows()]
        assert len(found) == len(set(found)) <= 6
        assert search.oracle.finished

    def test_hyperband_trains_the_better_third_longer(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        search = tuner(config(tables, epochs=9), tmp_path / "search", kind="hyperband", parameters=TWO)
        search.search()
        # Brackets of 9 epochs by thirds: 1, 3 and 9 epochs; 3 and 9; 9 only.
        assert {row["at_most_epochs"] for row in search.rows()} == {1, 3, 9}
        assert {row["epochs"] for row in search.rows()} == {1.0, 3.0, 9.0}
        by_length = {n: [row for row in search.rows() if row["at_most_epochs"] == n] for n in (1, 3, 9)}
        shortest = sorted((row["val_f1_macro"], row["alpha"]) for row in by_length[1])
        promoted = {row["alpha"] for row in by_length[3]} & {alpha for _, alpha in shortest}
        assert promoted == {alpha for _, alpha in shortest[-len(promoted) :]}, "the best of the short ones went on"
        assert search.winner().hyperparameters.values["tuner/epochs"] == 9


class Killed(BaseException):
    """What ends a process at once."""


class TestKill:
    """Killed before each of its writes in turn, a search that is continued ends like one that was never killed."""

    @pytest.mark.parametrize(
        ("kind", "more"),
        [
            ("random", {"max_trials": 3}),
            ("grid", {"parameters": (*TWO, "alpha=0,1", "learning_rate=0.001")}),
            ("hyperband", {"max_trials": 7}),
        ],
    )
    def test_at_any_write(self, tables, tmp_path, landscape, monkeypatch, kind, more):
        whole, writes = self.searched(tables, tmp_path / "whole", monkeypatch, kind, more)
        assert writes > 12
        for k in range(0, writes, 1 if kind == "random" else 5):
            folder = tmp_path / str(k)
            with pytest.raises(Killed):
                self.searched(tables, folder, monkeypatch, kind, more, kill=k)
            begun = (folder / "search.json").exists()
            found, _ = self.searched(tables, folder, monkeypatch, kind, more, resume=begun)
            assert found == whole, f"killed before write {k}"
            shutil.rmtree(folder)

    @pytest.mark.slow
    def test_bayesian(self, tables, tmp_path, landscape, monkeypatch):
        more = {"max_trials": 5, "parameters": (*TWO, "head_units=5", "learning_rate=0.001")}
        whole, writes = self.searched(tables, tmp_path / "whole", monkeypatch, "bayesian", more)
        for k in (writes - 5, writes - 9):
            folder = tmp_path / str(k)
            with pytest.raises(Killed):
                self.searched(tables, folder, monkeypatch, "bayesian", more, kill=k)
            found, _ = self.searched(tables, folder, monkeypatch, "bayesian", more, resume=True)
            assert found == whole, f"killed before write {k}"

    def test_trials_that_have_ended_are_not_trained_again(self, tables, tmp_path, landscape, monkeypatch):
        more = {"max_trials": 4}
        with pytest.raises(Killed):
            self.searched(tables, tmp_path / "search", monkeypatch, "random", more, kill=20)
        ended = len(table(tmp_path / "search"))
        assert ended >= 1
        landscape.clear()
        self.searched(tables, tmp_path / "search", monkeypatch, "random", more, resume=True)
        assert len(landscape) == 4 - ended

    def test_more_trials_than_before(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        tuner(config(tables), tmp_path / "search", kind="random", parameters=TWO, max_trials=2).search()
        more = tuner(config(tables), tmp_path / "search", kind="random", parameters=TWO, max_trials=11, resume=True)
        more.search()
        at_once = tuner(config(tables), tmp_path / "at once", kind="random", parameters=TWO, max_trials=11)
        at_once.search()
        assert results(more) == results(at_once)
        assert len(landscape) == 22

    @staticmethod
    @functools.cache
    def read(tables):
        from emobed_tf.corpora.configured import load_corpus

        return load_corpus(config(tables, epochs=9))

    def searched(self, tables, folder, monkeypatch, kind, more, *, kill=None, resume=False):
        """Results of a search, and how many files it wrote; killed before write number `kill`."""
        from emobed_tf.runs import folder as runs
        from tuning import folder as tuning_folder
        from tuning import oracles
        from tuning import search_results as trials
        from tuning.tuners import tuner

        count = iter(range(10**6))
        written = runs.write_bytes

        def write(path, content):
            if next(count) == kill:
                raise Killed
            written(path, content)

        with monkeypatch.context() as patch:
            for module in (oracles, trials, tuning_folder, runs):
                patch.setattr(module, "write_bytes", write)
            settings, corpus = self.read(tables)
            more = {"parameters": TWO, **more}
            search = tuner(settings, folder, kind=kind, corpus=corpus, resume=resume, **more)
            search.search()
        assert [row["trial"] for row in table(folder)] == [row["trial"] for row in search.rows()]
        assert {path.name for path in (folder / "logs").iterdir() if path.is_dir()} == {
            r["trial"] for r in table(folder)
        }
        return results(search), next(count)


class TestTrialThatEndsTwice:
    def test_counts_once(self, tables, tmp_path, landscape):
        """By a worker that was thought dead, and by the one that got its trial after the chief came back."""
        from keras_tuner.engine.trial import Trial

        from tuning.tuners import tuner

        search = tuner(config(tables), tmp_path / "search", kind="random", parameters=TWO, max_trials=2)
        oracle = search.oracle
        trial = oracle.create_trial("worker-1")
        oracle.update_trial(trial.trial_id, {"val_f1_macro": 0.5})
        oracle._retry_queue.append(trial.trial_id)
        oracle.end_trial(Trial(trial.hyperparameters, trial.trial_id, "COMPLETED"))
        assert oracle.ongoing_trials == {} and oracle._retry_queue == []
        oracle.update_trial(trial.trial_id, {"val_f1_macro": 0.9})
        oracle.end_trial(Trial(trial.hyperparameters, trial.trial_id, "FAILED", "late"))
        (row,) = table(tmp_path / "search")
        assert (row["status"], row["val_f1_macro"], row["reason"]) == ("completed", "0.5", "")
        assert oracle.end_order == ["0000"]
