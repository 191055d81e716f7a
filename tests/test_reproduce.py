"""`reproduce`: plans, tables and files; continuing, refusing other data; a row of one's own."""

import csv
import json
import re
import shutil

import numpy as np
import pytest

from emobed_tf.comparison.grids import Grid, to_html, to_markdown
from emobed_tf.comparison.protocol import Result
from emobed_tf.comparison.reproduction import plan as reproduction
from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.reproduction.table import csv_rows, grids, notes
from emobed_tf.config import preset
from emobed_tf.corpora.files import MARKER
from emobed_tf.errors import InputError
from emobed_tf.reproduce import main
from emobed_tf.systems import base as systems

SCORES = {"dev": 0.8, "test": 0.6}


@pytest.fixture(scope="module")
def plan(recola):
    return reproduction.plan(1, preset().replace(data_dir=recola))


def record(seed, raised=0.0, speakers=9, seconds=2.0):
    """A fit that answers with the gold standard plus noise; `raised` takes noise away."""
    from emobed_tf.evaluation.metrics import moments_by_recording

    parts = {}
    for partition in ("dev", "test"):
        rng = np.random.default_rng([seed, partition == "dev"])
        golds = np.random.default_rng(7).normal(size=(speakers, 50))
        sums = moments_by_recording(golds, golds + (1 - raised) * rng.normal(size=golds.shape))
        names = [f"s{k}" for k in range(speakers)]
        parts[partition] = {"scores": {}, "frames": golds.size, "speakers": names, "statistics": sums.tolist()}
    fit = {"settings": {"a": 1}, "seed": seed, "seconds": seconds, "parameters": 1234, "warnings": []}
    return {**fit, "partitions": parts}


def results(plan, better=("emobed",), failed=()):
    found = []
    for cell in plan.cells():
        runs = () if cell.system in failed else tuple(record(s, 0.2 * (cell.system in better)) for s in range(3))
        reason = "no ratings here" if cell.system in failed else None
        found.append(Result(cell, {"a": 1} if runs else None, runs[:1] * 4, runs, reason))
    return found


class TestPlan:
    def test_the_papers_scenarios_that_the_data_allow(self, plan):
        assert [s.name for s in plan.scenarios] == ["audio (+video_appearance)", "video_appearance (+audio)"]
        assert plan.missing == ("video_geometric",)

    def test_rows_in_order(self, plan):
        assert plan.rows[:5] == ("classic", "joint", "triplet", "emobed", "emobed_stable")
        assert plan.rows[-1] == published.END_TO_END
        assert not {"svm", "forest"} & set(plan.rows)
        assert {"svr", "strength", "curriculum", "mtl_pu", "ddat_re", "early", "late", "multi_task"} <= set(plan.rows)

    def test_what_auxiliaries_do_not_help_is_fitted_once_for_a_target(self, recola):
        config = preset().replace(data_dir=recola)
        both = reproduction.plan(
            1, config, ["audio+video_appearance", "audio + video_appearance"], ["classic", "joint", "svr"]
        )
        cells = [(cell.problem, cell.system) for cell in both.cells()]
        assert cells == [("audio", "classic"), ("audio (+video_appearance)", "joint"), ("audio", "svr")]
        assert both.cells()[0].source.config.data.auxiliary == ()

    def test_own_tables_with_three_modalities(self, tables):
        config = preset("tables").replace(data_dir=tables, table=(f"more={tables / 'face.csv'}",))
        shutil.copy(tables / "face.csv", tables.parent / "more.csv")
        config = config.replace(table=(f"more={tables.parent / 'more.csv'}",))
        found = reproduction.plan(3, config)
        assert [s.name for s in found.scenarios] == [
            "audio (+face, more)",
            "face (+audio, more)",
            "more (+audio, face)",
        ]
        assert published.END_TO_END not in found.rows
        chosen = reproduction.plan(3, config, ["audio+more"])
        assert [s.auxiliaries for s in chosen.scenarios] == [("more",)]

    def test_a_mixed_corpus_is_a_scenario(self, recola, tmp_path):
        """RECOLA's audio with a table of other speakers' utterances that have an arousal."""
        table = tmp_path / "talk.csv"
        lines = [f"u{k},{('train', 'dev', 'test')[k % 3]},s{k},{k / 10 - 0.4},{k}" for k in range(9)]
        table.write_text("\n".join(["id,partition,speaker,arousal,loudness", *lines]) + "\n")
        config = preset().replace(data_dir=recola, table=(f"talk={table}",))
        found = reproduction.plan(1, config, ["audio+talk", "audio+video_appearance+talk"], ["classic", "emobed"])
        problems = {cell.problem: cell.source() for cell in found.cells()}
        assert {name: problem.auxiliaries for name, problem in problems.items()} == {
            "audio": (),
            "audio (+talk)": ("talk",),
            "audio (+video_appearance, talk)": ("video_appearance", "talk"),
        }
        assert problems["audio (+talk)"].corpus.modality("talk").frame_seconds is None

    @pytest.mark.parametrize(
        ("more", "complaint"),
        [
            ({"scenarios": ["audio"]}, r"--scenario audio: expected TARGET\+AUX"),
            ({"scenarios": ["audio+audio"]}, "different modalities"),
            ({"scenarios": ["audio+gait"]}, "no modality 'gait'; found audio, video_appearance"),
            ({"rows": ["svm"]}, "row svm learns classification, but table 1 is a regression"),
            ({"rows": ["emobet"]}, "unknown system 'emobet'"),
            ({"rows": ["end_to_end"]}, "name other systems, too"),
            ({"systems": ["nowhere:X"]}, "system nowhere:X"),
        ],
    )
    def test_errors(self, recola, more, complaint):
        with pytest.raises(InputError, match=complaint):
            reproduction.plan(1, preset().replace(data_dir=recola), **more)

    @pytest.mark.parametrize("name", ["target", "dimension", "seed", "framework"])
    def test_flags_that_the_command_sets_itself(self, recola, name):
        value = {"target": "audio", "dimension": "valence", "seed": 1, "framework": "joint"}[name]
        with pytest.raises(InputError, match=f"--{name}: "):
            reproduction.plan(1, preset().replace(data_dir=recola, **{name: value}))


class TestEntries:
    def test_published_beside_the_same_data_only(self, plan):
        real = reproduction.entries(plan, results(plan), "ccc", simulated=False)
        found = {(e.row, e.scenario.target): e.published for e in real}
        assert found["emobed", "audio"] == {"dev": 0.792, "test": 0.644}
        assert found[published.END_TO_END, "video_appearance"] == {"dev": 0.371, "test": 0.435}
        assert found["early", "audio"] == {}
        assert all(not e.published for e in reproduction.entries(plan, results(plan), "ccc", simulated=True))

    def test_no_published_beside_own_tables(self, tables):
        own = reproduction.plan(3, preset("tables").replace(data_dir=tables), rows=["classic", "svm"])
        assert all(not e.published for e in reproduction.entries(own, results(own), "ccc", simulated=False))

    def test_differences_are_from_classic_of_the_same_target(self, plan):
        for entry in reproduction.entries(plan, results(plan), "ccc", simulated=True):
            if entry.row == "emobed":
                assert entry.differences["test"].value > 0.05
                assert entry.differences["test"].swap == 1 / 512  # better on each of nine speakers in every seed
            elif entry.row in ("classic", published.END_TO_END):
                assert entry.differences == {}
            else:
                assert entry.differences["test"].value == 0
                assert entry.differences["test"].swap == 1

    def test_seeds_that_one_lacks_are_not_compared(self, plan):
        given = results(plan)
        for k, result in enumerate(given):
            if result.cell.system == "emobed":
                given[k] = Result(result.cell, result.settings, result.tried, result.runs[1:], "one failed")
        entry = next(e for e in reproduction.entries(plan, given, "ccc", simulated=True) if e.row == "emobed")
        assert len(entry.scores["test"].values) == 2
        assert entry.differences["test"].swap == 1 / 512


@pytest.fixture(scope="module")
def entries(plan):
    return reproduction.entries(plan, results(plan, failed=("mtl_pu",)), "ccc", simulated=False)


class TestTable:
    def test_marks_are_apart(self, plan, entries):
        grid = grids(plan, entries)[0]
        rows = {row[0]: dict(zip(grid.columns, row, strict=True)) for row in grid.rows}
        assert rows["EmoBed"]["p swap"] == ".0020*"
        assert rows["EmoBed"]["p Fisher"].endswith("†")
        assert rows["joint training"]["p swap"] == "1.0000"
        assert rows["joint training"]["p Fisher"] == ".5000"
        assert rows["EmoBed"]["published, RECOLA"] == ".792/.644"
        assert rows["end-to-end"]["dev"] == "-" and rows["end-to-end"]["published, RECOLA"] == ".786/.715"
        assert re.fullmatch(r"\.\d{3}±\.\d{3}", rows["EmoBed"]["test"])
        assert "early fusion ‡" in rows and "classic monomodal" in rows
        assert (rows["EmoBed"]["kept"], rows["EmoBed"]["fit"]) == ("1,234", "2.0 s")

    def test_notes_tell_why_a_row_is_empty(self, plan, entries):
        text = "\n".join(notes(plan, entries, "ccc"))
        assert "MTL (PU) on audio: no ratings here" in text
        assert "end-to-end needs raw recordings" in text and "audio .786/.715" in text
        assert "video_geometric" in text
        assert "seeds, up to 3;" in text and "development, up to 4," in text

    def test_csv_has_everything(self, plan, entries):
        rows = csv_rows(plan, entries, "arousal", "ccc", False)
        found = {(r["system"], r["target"], r["partition"]): r for r in rows}
        row = found["emobed", "audio", "test"]
        assert row["published"] == 0.644
        assert row["p_by_speaker"] == 1 / 512
        assert row["p_as_published"] < 0.05
        assert row["low"] < row["mean"] < row["high"]
        assert row["minus_classic_low"] < row["minus_classic"] < row["minus_classic_high"]
        assert found["mtl_pu", "audio", "dev"]["problem"] == "no ratings here"
        assert len(found) == len(rows)


class TestDocument:
    GRID = Grid("a|b", ["system", "x<y"], [["one_two", "1 & 2"]])

    def test_markdown(self):
        text = to_markdown("title", [self.GRID], ["a note*"])
        assert "| system | x\\<y |\n| --- | ---: |\n| one\\_two | 1 & 2 |" in text
        assert text.endswith("- a note\\*\n")

    def test_html(self):
        text = to_html("t", [self.GRID], ["<b>"])
        assert "<th>x&lt;y</th>" in text and "<td>1 &amp; 2</td>" in text and "<li>&lt;b&gt;</li>" in text


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
