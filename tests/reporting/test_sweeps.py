"""What a report reads of a sweep."""

import csv

import pytest

from emobed_tf.errors import InputError
from tests.reporting.pages import report

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


class TestSweeps:
    COLUMNS = ("parameter", "value", "scenario", "target", "label", "seed", "score_name", "score", "simulated")

    def written(self, folder, *rows):
        folder.mkdir(exist_ok=True)
        with open(folder / "sweep.csv", "w", newline="") as file:
            csv.writer(file).writerows([self.COLUMNS, *rows])
        return folder

    def test_points(self, tmp_path):
        from emobed_tf.reporting import read_sweep

        row = ("margin", "0.2", "emotion from face", "face", "emotion", "3", "uar", "0.5", "True")
        folder = self.written(tmp_path / "a", row, (*row[:1], "none", *row[2:7], "", "False"))
        first, second = read_sweep(folder).points
        assert (first["value"], first["score"], first["simulated"], first["seed"]) == (0.2, 0.5, True, "3")
        assert (second["value"], second["score"], second["simulated"]) == ("none", None, False)

    def test_on_the_page(self, runs, tmp_path):
        rows = [("alpha", v, "x from y", "y", "x", 0, "ccc", v / 2, True) for v in (0, 0.5)]
        folders = [self.written(tmp_path / name, *rows) for name in "ab"]
        page = report(tmp_path / "page", runs["classic-audio"], "--sweep", *folders)
        assert "sweeps" in {found["id"] for found in page.all("section")}
        assert (tmp_path / "page" / "sweep2.svg").is_file()
        assert f"SIMULATED data in {folders[0]}, {folders[1]}:" in page.text

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (None, ["no such file", "tuning.sweep"]),
            ("a,b\n1,2\n", ["parameter", "missing"]),
            ("parameter,value,scenario,seed,score,score_name,simulated\n", ["missing"]),
            ("parameter,value,scenario,seed,score,score_name,simulated\na,1,s,0,x,ccc,True\n", ["line 2", "'x'"]),
            ("parameter,value,scenario,seed,score,score_name,simulated\na,1,s\n", ["line 2", "cut off"]),
        ],
    )
    def test_mistakes(self, tmp_path, text, words):
        from emobed_tf.reporting.sweeps import read_sweep

        if text is not None:
            (tmp_path / "sweep.csv").write_text(text)
        with pytest.raises(InputError) as caught:
            read_sweep(tmp_path)
        for word in ("sweep.csv", *words):
            assert word in str(caught.value)
