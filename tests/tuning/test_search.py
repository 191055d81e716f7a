"""`python -m tuning.search` in one process: its trials, their table, kills at any moment, failures, bad input."""

import csv
import functools
import json
import math
import shutil
import statistics
import subprocess
import sys
import urllib.request

import pytest

from emobed_tf.config import preset
from emobed_tf.errors import InputError
from tests.commands import assert_one_line, command, flags
from tests.conftest import ROOT
from tests.tiny import TINY

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]

SMALL = {**TINY, "epochs": 2, "batch_size": 16}


@pytest.fixture
def search_command(monkeypatch):
    """The command in this process."""
    import importlib

    real = importlib.import_module

    def run(*arguments):
        monkeypatch.setattr(importlib, "import_module", lambda name: real(name.replace("emobed_tf.s", "tuning.s")))
        try:
            return command("search", *arguments)
        finally:
            monkeypatch.setattr(importlib, "import_module", real)

    return run


def config(tables, **changes):
    named = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
    return preset("tables").replace(table=named, target="audio", **{**SMALL, **changes})


def on_tables(tables, **changes):
    named = [word for name in ("audio", "face") for word in ("--table", f"{name}={tables / name}.csv")]
    return ["--dataset", "tables", *named, "--target", "audio", *flags(**{**SMALL, **changes})]


# What has a value of its own in SMALL is fixed by its flag; this leaves two ranges and a choice.
TWO = ("encoder_layers=1", "encoder_units=6", "head_layers=1", "head_units=5,6", "beta=0.3", "l2=1e-4")


def table(folder):
    with open(folder / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def results(search):
    """Trials without the seconds they took."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in search.rows()]


@pytest.fixture
def landscape(monkeypatch):
    """Trainings that take no time: the score is a function of the settings, highest at alpha 1 and a rate of 1e-3."""
    from tuning.hypermodel import EmoBedHyperModel

    trained = []

    def fit(self, hp, model=None, *, seed=None):
        settings = self.settings(hp)
        trained.append((settings, seed))
        alpha, rate = settings.objective.alpha, settings.training.learning_rate
        score = 1 - (alpha - 1) ** 2 - 0.1 * math.log10(rate / 1e-3) ** 2 + 0.01 * seed
        score -= 1 / settings.training.epochs + (settings.network.head_units == 6) / 100
        measured = {"epochs": settings.training.epochs, "best_epoch": 1, "seconds": 0.5, "parameters": 10}
        return {self.score: score, **measured}

    monkeypatch.setattr(EmoBedHyperModel, "fit", fit)
    monkeypatch.setattr("tuning.folder.provenance", lambda config: {})  # it asks for the commit, which takes a while
    return trained


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
        result = command("evaluate", run.path)
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

    @pytest.mark.slow
    def test_one_compiled_step_for_all_of_a_shape(self, tables, tmp_path, monkeypatch):
        from emobed_tf.models.emobed import EmoBed
        from emobed_tf.training.session import Session
        from tuning.tuners import tuner

        traced, step = [], EmoBed.train_step
        monkeypatch.setattr(EmoBed, "train_step", lambda self, batch: (traced.append(1), step(self, batch))[1])
        entries = (*TWO, "head_units=5")
        asked = {"kind": "random", "parameters": entries, "max_trials": 5}
        with Session() as session:
            search = tuner(config(tables), tmp_path / "search", session=session, **asked)
            search.search()
        assert len(search.ended()) == 5
        assert len(traced) == 1

    def test_hypermodel_serves_keras_tuners_own_tuners(self, tables, tmp_path):
        import keras_tuner

        from emobed_tf.corpora.configured import load_corpus
        from tuning.hypermodel import EmoBedHyperModel
        from tuning.space import space

        settings, corpus = load_corpus(config(tables))
        hypermodel = EmoBedHyperModel(settings, corpus, space(settings, corpus, (*TWO, "head_units=5")))
        search = keras_tuner.RandomSearch(
            hypermodel, objective=hypermodel.objective, max_trials=2, directory=tmp_path, project_name="own", seed=1
        )
        search.search(verbose=0)
        trials = search.oracle.get_best_trials(2)
        assert [trial.status for trial in trials] == ["COMPLETED"] * 2
        assert all(0 < trial.score < 1 for trial in trials)


class TestKinds:
    def test_grid_tries_every_combination_once(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        entries = (*TWO, "alpha=0,0.5,1", "learning_rate=0.001,0.01")
        search = tuner(config(tables), tmp_path / "search", kind="grid", parameters=entries)
        search.search()
        found = [(row["alpha"], row["head_units"], row["learning_rate"]) for row in search.rows()]
        assert found == [(a, u, r) for a in (0, 0.5, 1) for u in (5, 6) for r in (0.001, 0.01)]
        assert search.oracle.finished
        assert search.winner().hyperparameters.values["alpha"] == 1

    def test_large_grids_must_be_asked_for(self, tables, tmp_path, landscape):
        from tuning.tuners import tuner

        # Points: alpha 4, beta 4, encoder 2 x 3, head 2 x 3, rate 4, l2 4: 4**4 * 36 = 9216.
        with pytest.raises(InputError, match=r"up to 9,216 combinations; narrow it with --space"):
            tuner(config(tables), tmp_path / "search", kind="grid")
        search = tuner(config(tables), tmp_path / "search", kind="grid", max_trials=3)
        search.search()
        assert len(search.rows()) == 3

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
        assert found[0.5] == ("failed", f"seed 0: TypeError: two lines (test_search.py, line {raised + 7})")
        assert found[1.5] == ("failed", "seed 0: the score is nan")
        assert found[0.9][0] == found[1.2][0] == "completed"
        assert search.winner().hyperparameters.values["alpha"] == 0.9
        search.show()
        assert "trial 0000 failed: seed 0: term 'target' of the loss became nan by step 3" in capsys.readouterr().out
        assert [row["reason"] for row in table(tmp_path / "search")] == [row["reason"] for row in search.rows()]

    def test_a_diverging_training_is_a_failed_trial(self, tables, tmp_path):
        from tuning.tuners import tuner

        entries = (*TWO, "alpha=0.5", "head_units=5", "learning_rate=0.001,1e30")
        search = tuner(config(tables), tmp_path / "search", kind="grid", parameters=entries)
        search.search()
        assert [row["status"] for row in search.rows()] == ["completed", "failed"]
        assert "by step" in search.rows()[1]["reason"] and "\n" not in search.rows()[1]["reason"]

    def test_all_of_them(self, tables, tmp_path, search_command):
        lines = on_tables(tables, framework="classic", learning_rate=1e30)
        result = search_command(*lines, "--tuner", "grid", "--space", "l2=0,0.1", "--output", tmp_path / "search")
        assert_one_line(result, "all 2 trials failed, the first with: seed 0: ", "trials.csv")
        assert len(table(tmp_path / "search")) == 2
        assert not (tmp_path / "search" / "best").exists()


class TestCommand:
    def test_from_flags_to_the_best_run(self, tables, tmp_path, search_command, landscape):
        lines = on_tables(tables, beta=0.3, l2=1e-4, head_units=5)
        folder = tmp_path / "search"
        result = search_command(*lines, "--max-trials", 3, "--output", folder)
        assert result.returncode == 0, result.stderr
        assert "3 trials, 0 failed" in result.stdout and f"run folder: {folder / 'best'}" in result.stdout
        # Flags of parameters fix them; alpha and the rate are left.
        assert {row["beta"] for row in table(folder)} == {"0.3"} and {r["encoder_units"] for r in table(folder)} == {
            "6"
        }
        assert len({row["alpha"] for row in table(folder)}) == 3
        landscape.clear()
        again = search_command("--resume", "--output", folder)
        assert again.returncode == 0, again.stderr
        assert landscape == [], "all trials have ended"
        more = search_command(*lines, "--max-trials", 4, "--resume", "--output", folder)
        assert more.returncode == 0, more.stderr
        assert len(landscape) == 1 and "4 trials, 0 failed" in more.stdout

    @pytest.mark.slow
    def test_simulated_data_is_called_so(self, recola, tmp_path, search_command):
        from tests.tiny import TINY

        settings = flags(**{**TINY, "epochs": 1})
        folder = tmp_path / "search"
        lines = ["--data-dir", recola, *settings, "--space", "hop=1,2", "--tuner", "grid", "--bins", 2, "--alpha", 0.5]
        lines += ["--beta", 1, "--l2", 0, "--learning-rate", 0.001]
        result = search_command(*lines, "--output", folder)
        assert result.returncode == 0, result.stderr
        assert "SIMULATED: arousal from audio, trials by val_ccc" in " ".join(result.stdout.split())
        assert {row["simulated"] for row in table(folder)} == {"True"}
        assert [row["hop"] for row in table(folder)] == ["1.0", "2.0"]
        assert b"SIMULATED" in next((folder / "logs").glob("events*")).read_bytes()

    def test_help_imports_nothing_heavy(self):
        line = [sys.executable, "-X", "importtime", "-m", "tuning.search", "--help"]
        result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert result.returncode == 0
        assert "--max-trials" in result.stdout and "--alpha" in result.stdout
        for heavy in ("tensorflow", "keras", "keras_tuner", "pandas", "sklearn", "grpc"):
            assert f" {heavy}\n" not in result.stderr, heavy


@pytest.fixture(scope="module")
def begun(tables, tmp_path_factory):
    """A search of one trial, from the command line's settings."""
    from tuning.tuners import tuner

    folder = tmp_path_factory.mktemp("begun") / "search"
    tuner(config(tables), folder, kind="random", parameters=TWO, max_trials=1).search()
    return folder


class TestMistakes:
    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (["--space", "gamma=1"], "--space gamma=1: expected NAME=… with a NAME among alpha"),
            (["--space", "alpha=1:0"], "empty range"),
            (["--framework", "classic", "--space", "alpha=0:1"], "doesn't use alpha"),
            (["--space", "hop=1,2"], "a classification has no use for it"),
            (["--alpha", "0.3", "--space", "alpha=0:1"], "--alpha fixes alpha, and --space alpha=… searches it"),
            (["--max-trials", "0"], "--max-trials: expected 1 or more, found 0"),
            (["--seeds", "0"], "--seeds: expected 1 or more, found 0"),
            (["--workers", "0"], "--workers: expected 1 or more, found 0"),
            (["--tuner", "luck"], "luck"),
            (["--resume", "--output", "nowhere"], "no search to continue: search.json is missing"),
            (["--resume"], "--resume continues what stands in --output"),
        ],
    )
    def test_one_line(self, tables, tmp_path, search_command, monkeypatch, more, words):
        monkeypatch.chdir(tmp_path)
        assert_one_line(search_command(*on_tables(tables)[:6], *more), words)
        assert not list(tmp_path.iterdir()), "nothing is left behind"

    def test_another_searchs_folder(self, tables, begun, search_command):
        result = search_command(*on_tables(tables), "--output", begun)
        assert_one_line(result, "not empty; continue a search with --resume")

    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (["--tuner", "bayesian"], "was begun with --tuner random, not bayesian"),
            (["--seeds", "2"], "was begun with --seeds 1, not 2"),
            (["--space", "beta=0:1"], "was begun with --space beta=0.3, not beta=0:1"),
            (["--batch-size", "8"], "was begun with --batch-size 16, not 8"),
            (["--threads", "1", "--epochs", "3"], "was begun with --epochs 2, not 3"),
            (["--config", "x.json"], "leave --config out"),
        ],
    )
    def test_continued_as_something_else(self, begun, search_command, more, words):
        assert_one_line(search_command("--resume", "--output", begun, *more), words)

    def test_continued_on_other_data(self, begun, tables, tmp_path, search_command):
        text = (tables / "face.csv").read_text()
        (tmp_path / "face.csv").write_text(text.rstrip("\n") + "1\n")
        result = search_command("--resume", "--output", begun, "--table", f"face={tmp_path / 'face.csv'}")
        assert_one_line(result, "was begun on other data: --table face differs")

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"format": 99}, "written by another version (format 99"),
            ({"versions": {"emobed-tf": "0.0.1"}}, "was begun with emobed-tf 0.0.1, and this is"),
            ({"space": None}, "damaged"),
        ],
    )
    def test_another_version(self, begun, tmp_path, search_command, change, words):
        folder = tmp_path / "search"
        shutil.copytree(begun, folder)
        values = json.loads((folder / "search.json").read_text())
        values = {name: value for name, value in {**values, **change}.items() if value is not None}
        (folder / "search.json").write_text(json.dumps(values))
        assert_one_line(search_command("--resume", "--output", folder), words)


class TestTensorBoard:
    def test_hparams_show_every_trial_and_its_metrics(self, tables, tmp_path, landscape, monkeypatch):
        """Asked over HTTP of TensorBoard itself."""
        from tuning.hypermodel import EmoBedHyperModel
        from tuning.tuners import tuner

        good = EmoBedHyperModel.fit

        def fit(self, hp, model=None, *, seed=None):
            if self.settings(hp).objective.alpha == 0:
                raise ValueError("on purpose")
            return good(self, hp, seed=seed)

        monkeypatch.setattr(EmoBedHyperModel, "fit", fit)
        entries = (*TWO, "alpha=0,0.5,1", "learning_rate=0.001")
        search = tuner(config(tables), tmp_path / "search", kind="grid", parameters=entries, seeds=2)
        search.search()

        from tensorboard import program

        board = program.TensorBoard()
        board.configure(argv=["tensorboard", "--logdir", str(tmp_path / "search" / "logs"), "--load_fast", "false"])
        board.flags.port, board.flags.host = 0, "127.0.0.1"
        server = board._make_server()
        import threading

        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            experiment, groups = self.asked(server.get_url(), sessions=6)
        finally:
            server.shutdown()
            server.server_close()
            thread.join(60)
        assert {info["name"] for info in experiment["hparamInfos"]} == {"alpha", "head_units"}
        shown = {}
        for group in groups["sessionGroups"]:
            measured = {value["name"]["tag"]: value["value"] for value in group["metricValues"]}
            shown[group["hparams"]["alpha"], group["hparams"]["head_units"]] = measured
            status = group["sessions"][0]["status"]
            assert status == ("STATUS_FAILURE" if group["hparams"]["alpha"] == 0 else "STATUS_SUCCESS")
        assert len(shown) == 6
        for row in search.rows():
            measured = shown[row["alpha"], row["head_units"]]
            if row["status"] == "failed":
                assert measured == {}
                continue
            for name in ("val_f1_macro", "deviation", "epochs", "best_epoch", "seconds", "parameters"):
                assert measured[name] == pytest.approx(row[name], rel=1e-6), name

    def asked(self, url, sessions):
        """What the plugin answers, once it has read all sessions."""
        import time

        def post(route, body):
            request = urllib.request.Request(
                f"{url}data/plugin/hparams/{route}", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=60) as answer:
                return json.load(answer)

        until = time.monotonic() + 120
        while True:
            try:
                experiment = post("experiment", {"experimentName": ""})
            except urllib.error.HTTPError:  # nothing read yet
                experiment = {}
            if experiment.get("metricInfos"):
                columns = {"colParams": [{"metric": info["name"]} for info in experiment["metricInfos"]]}
                body = {"experimentName": "", "allowedStatuses": ["STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_UNKNOWN"]}
                groups = post("session_groups", {**body, **columns, "startIndex": 0, "sliceSize": 100})
                if len(groups.get("sessionGroups", [])) == sessions:
                    return experiment, groups
            assert time.monotonic() < until, "TensorBoard didn't show the trials"
            time.sleep(0.5)
