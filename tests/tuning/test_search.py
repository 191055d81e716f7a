"""`python -m tuning.search`: from flags to the best run, and one line for what makes no search."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.commands import assert_one_line, command, flags
from tests.conftest import ROOT
from tests.tuning.searches import TWO, config, on_tables, table

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


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

    def test_only_what_is_named(self, tables, tmp_path, search_command, landscape):
        folder = tmp_path / "search"
        line = [*on_tables(tables)[:6], "--epochs", 2, "--threads", 1, "--no-xla", "--diagnostics", 0]
        line += ["--encoder-units", 6, "--batch-size", 16, "--target", "audio"]
        result = search_command(*line, "--space", "alpha", "beta=0:1", "--max-trials", 3, "--output", folder)
        assert result.returncode == 0, result.stderr
        assert "searched: alpha 0:1.5, beta 0:1; fixed: encoder_units 6\n" in result.stdout
        assert {"alpha", "beta", "encoder_units"} & set(table(folder)[0]) and "l2" not in table(folder)[0]
        # The landscape's scores are near 1, and what was really trained is below: the winner is above classic.
        said = " ".join(result.stdout.split())
        assert "the best │" in said and "classic, its other settings │" in said
        page = (folder / "report" / "index.html").read_text()
        assert "best better than classic?" in page
        assert f"report: {folder / 'report' / 'index.html'}\n" in result.stdout
        again = search_command("--resume", "--output", folder)
        assert again.returncode == 0, again.stderr
        assert "searched: alpha 0:1.5, beta 0:1; fixed: encoder_units 6\n" in again.stdout

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


class TestFailures:
    def test_all_of_them(self, tables, tmp_path, search_command):
        lines = on_tables(tables, framework="classic", learning_rate=1e30)
        result = search_command(*lines, "--tuner", "grid", "--space", "l2=0,0.1", "--output", tmp_path / "search")
        assert_one_line(result, "all 2 trials failed, the first with: seed 0: ", "trials.csv")
        assert len(table(tmp_path / "search")) == 2
        assert not (tmp_path / "search" / "best").exists()


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
            (["--space", "gamma=1"], "--space gamma=1: expected default, NAME or NAME=… with a NAME among alpha"),
            (["--space", "alpha=0.5"], "--space fixes all that it names"),
            (["--space", "alpha=1:0"], "empty range"),
            (["--framework", "classic", "--space", "alpha=0:1"], "doesn't use alpha"),
            (["--space", "hop=1,2"], "a classification has no use for it"),
            (["--alpha", "0.3", "--space", "alpha=0:1"], "--alpha fixes alpha, and --space alpha searches it"),
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
