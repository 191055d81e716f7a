"""`python -m emobed_tf.report`: where the page goes, and one line for every mistake."""

import shutil

import pytest

from tests.commands import assert_one_line, command

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_without_an_output_it_stands_in_the_run_folder(arousal_run, tmp_path):
    folder = shutil.copytree(arousal_run[0], tmp_path / "run")
    shutil.rmtree(folder / "report")
    result = command("report", folder)
    assert result.stdout == f"report: {folder / 'report' / 'index.html'}\n"
    assert (folder / "report" / "index.html").is_file()


class TestMistakes:
    def test_no_run(self, tmp_path):
        assert_one_line(command("report"), "run")
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
