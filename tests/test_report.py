"""`python -m emobed_tf.report`: where the page goes, and one line for every mistake."""

import json
import shutil

import pytest

from tests.commands import assert_one_line, command

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_without_an_output_it_stands_in_the_run_folder(arousal_run, tmp_path):
    folder = shutil.copytree(arousal_run[0], tmp_path / "run")
    shutil.rmtree(folder / "report", ignore_errors=True)
    result = command("report", folder)
    # Other tests may have scored this run on test, which the command would say before.
    assert result.stdout.splitlines()[-1] == f"report: {folder / 'report' / 'index.html'}"
    assert (folder / "report" / "index.html").is_file()


@pytest.fixture
def sweep(tmp_path):
    """What a report reads of a sweep."""
    folder = tmp_path / "sweep"
    folder.mkdir()
    rows = "".join(f"alpha,{v},emotion from face,0,{v},uar,False\n" for v in (0, 0.5))
    (folder / "sweep.csv").write_text(f"parameter,value,scenario,seed,score,score_name,simulated\n{rows}")
    return folder


class TestSweeps:
    def test_alone(self, sweep):
        result = command("report", "--sweep", sweep)
        assert result.stdout == f"report: {sweep / 'report' / 'index.html'}\n", result.stderr
        page = (sweep / "report" / "index.html").read_text()
        assert "EmoBed report: sweep of alpha" in page and "Sweep of alpha" in page
        assert "Configuration" not in page and (sweep / "report" / "sweep1.png").is_file()

    @pytest.mark.parametrize("order", ["before", "after", "between"])
    def test_runs_are_runs_wherever_they_stand(self, arousal_run, classic_run, sweep, tmp_path, order):
        runs, flag = [arousal_run[0], classic_run], ["--sweep", sweep]
        line = {"before": [*flag, *runs], "after": [*runs, *flag], "between": [runs[0], *flag, runs[1]]}[order]
        result = command("report", *line, "--output", tmp_path / "page")
        assert result.returncode == 0, result.stderr
        names = {path.stem for path in (tmp_path / "page").glob("*.png")}
        assert {"sweep1", "run1-learning", "run2-learning"} <= names and "sweep2" not in names

    def test_several(self, sweep, tmp_path):
        result = command("report", "--sweep", sweep, sweep, "--sweep", sweep, "--output", tmp_path / "page")
        assert result.returncode == 0, result.stderr
        assert len(list((tmp_path / "page").glob("sweep*.png"))) == 3


def test_made_again_after_test_was_read(arousal_run, tmp_path):
    """What `train` left says that test has not been read; made again, the page shows it, and says when it was read."""
    folder = shutil.copytree(arousal_run[0], tmp_path / "run")
    (folder / "test_reads.json").unlink(missing_ok=True)
    scores = json.loads((folder / "scores.json").read_text())
    (folder / "scores.json").write_text(json.dumps({k: v for k, v in scores.items() if k != "test"}))
    assert command("report", folder).stdout == f"report: {folder / 'report' / 'index.html'}\n"
    assert "a report never computes them" in (folder / "report" / "index.html").read_text()
    assert command("evaluate", folder, "--test").returncode == 0
    said = command("report", folder).stdout
    assert said.startswith(f"{folder}: test is shown, too, because evaluate --test has scored it\n")
    page = (folder / "report" / "index.html").read_text()
    (read,) = json.loads((folder / "test_reads.json").read_text())["reads"]
    assert "a report never computes them" not in page and read["when"] in page
    assert f"{json.loads((folder / 'scores.json').read_text())['test']['ccc']:.3f}" in page


class TestMistakes:
    def test_no_run(self, tmp_path):
        assert_one_line(command("report"), "run", "--sweep")
        assert_one_line(command("report", tmp_path / "none"), "no such run folder")

    def test_unfinished(self, arousal_run, tmp_path):
        folder = shutil.copytree(arousal_run[0], tmp_path / "run")
        (folder / "scores.json").unlink()
        assert_one_line(command("report", folder), "training has not finished")

    @pytest.mark.parametrize(("name", "content"), [("history.csv", "loss\n1\n"), ("scores.json", '{"dev": 3}')])
    def test_damaged_run(self, arousal_run, tmp_path, name, content):
        folder = shutil.copytree(arousal_run[0], tmp_path / "run")
        (folder / name).write_text(content)
        assert_one_line(command("report", folder, "--output", tmp_path / "page"), name, "damaged")

    def test_no_sweep(self, arousal_run, tmp_path):
        result = command("report", arousal_run[0], "--sweep", tmp_path, "--output", tmp_path / "page")
        assert_one_line(result, "sweep.csv", "no such file", "tuning.sweep")

    def test_output_is_a_file(self, arousal_run, tmp_path):
        (tmp_path / "file").write_text("x")
        assert_one_line(command("report", arousal_run[0], "--output", tmp_path / "file"), str(tmp_path / "file"))
