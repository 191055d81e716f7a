"""The command that reproduces a table: what it leaves, going on with it, refusing other data, a row of one's own."""

import csv
import json
import re
import shutil

import pytest

from emobed_tf.corpora.files import MARKER
from emobed_tf.reproduce import main
from emobed_tf.systems import base as systems

QUICK = ["--configurations", "2", "--seeds", "2", "--threads", "1"]


@pytest.fixture
def own(tables, tmp_path):
    """Copies of the tables, and the arguments of Table 3 on them without any network."""
    folder = tmp_path / "data"
    shutil.copytree(tables, folder)
    output = tmp_path / "out"
    argv = ["3", "--dataset", "tables", "--data-dir", str(folder), "--output", str(output), *QUICK]
    return folder, output, [*argv, "--rows", "svm", "forest"]


@pytest.mark.usefixtures("stack")
class TestCommand:
    def test_a_row_of_ones_own(self, own, tmp_path, monkeypatch, capsys):
        """The example in the docstring, as it stands there."""
        _, output, argv = own
        example = re.search(r"( {4}import numpy.*?\n)\n`python", systems.__doc__, re.S).group(1)
        code = "\n".join(line[4:] for line in example.splitlines())
        (tmp_path / "majority.py").write_text(code)
        monkeypatch.syspath_prepend(tmp_path)
        assert main([*argv, "--system", "majority:Majority"]) == 0
        printed = capsys.readouterr().out
        assert "majority class" in printed and "estimated time" in printed
        rows = list(csv.DictReader((output / "table.csv").open()))
        majority = [row for row in rows if row["system"] == "majority:Majority" and row["partition"] == "test"]
        # Three classes, equally many: one in three is right; of F1's three terms one is 2 / (1 + 3) = .5: .5 / 3.
        assert [float(row["mean"]) for row in majority] == pytest.approx([0.5 / 3] * 2)
        svm = next(row for row in rows if row["system"] == "svm" and row["partition"] == "test")
        assert float(svm["mean"]) > 0.5
        assert "| SVM |" in (output / "table.md").read_text() and "<td>SVM</td>" in (output / "table.html").read_text()

    def test_continues_and_gives_the_same(self, own, capsys):
        _, output, argv = own
        assert main(argv) == 0
        whole = (output / "table.csv").read_text()
        ledger = output / "ledger.jsonl"
        lines = ledger.read_bytes().splitlines(keepends=True)
        ledger.write_bytes(b"".join(lines[:4]) + lines[4][:20])  # killed while it wrote
        (output / "table.csv").unlink()
        assert main(argv) == 0
        assert len(ledger.read_bytes().splitlines()) == len(lines)
        assert without_times(whole) == without_times((output / "table.csv").read_text())
        assert "SIMULATED" not in capsys.readouterr().out

    def test_refuses_other_data_and_settings(self, own, capsys):
        folder, _, argv = own
        assert main(argv) == 0
        assert main([*argv, "--clip", "5"]) == 2
        assert "clip" in capsys.readouterr().err
        text = (folder / "face.csv").read_text()
        (folder / "face.csv").write_text(text.replace("0.1", "0.2", 1))
        assert main(argv) == 2
        complaint = capsys.readouterr().err
        assert "face.csv" in complaint and complaint.count("\n") == 1

    def test_says_that_data_are_simulated(self, recola, tmp_path, capsys):
        argv = ["2", "--data-dir", str(recola), "--rows", "svr", "--output", str(tmp_path / "out"), *QUICK]
        assert main(argv) == 0
        assert "SIMULATED: Table 2: CCC of valence" in capsys.readouterr().out
        assert "SIMULATED" in (tmp_path / "out" / "table.html").read_text()

    def test_published_beside_what_is_not_marked_as_simulated(self, recola, tmp_path, capsys):
        folder = tmp_path / "recola"
        shutil.copytree(recola, folder)
        (folder / MARKER).unlink()
        argv = ["2", "--data-dir", str(folder), "--rows", "svr", "--output", str(tmp_path / "out"), *QUICK]
        assert main(argv) == 0
        assert ".455/.375" in capsys.readouterr().out

    def test_table_3_is_omg_emotions(self, tmp_path, monkeypatch, capsys):
        monkeypatch.setenv("EMOBED_OMG_DIR", str(tmp_path / "nothing"))
        assert main(["3"]) == 2
        assert str(tmp_path / "nothing") in capsys.readouterr().err

    def test_ledger_holds_json_lines(self, own):
        _, output, argv = own
        main(argv)
        lines = (output / "ledger.jsonl").read_text().splitlines()
        assert all(isinstance(json.loads(line), (dict, list)) for line in lines)
        assert len(lines) == 1 + 2 * 2 * (2 + 2)  # its identity; two targets, two systems, two choices and two seeds


def without_times(text):
    rows = list(csv.DictReader(text.splitlines()))
    return [{name: value for name, value in row.items() if name != "training_seconds"} for row in rows]
