"""`python -m emobed_tf.compare`: one's own table, from flags to files, and one line for every mistake."""

import csv

import pytest

from tests.commands import assert_one_line, command, flags
from tests.tiny import TINY

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


@pytest.fixture
def own(tables):
    """Arguments of a comparison on two tables that takes seconds."""
    named = [word for name in ("audio", "face") for word in ("--table", f"{name}={tables / name}.csv")]
    budget = flags(configurations=2, seeds=2)
    return ["--dataset", "tables", *named, *flags(**{**TINY, "epochs": 2, "batch_size": 8}), *budget]


def written(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


class TestTable:
    def test_of_own_tables(self, own, tmp_path):
        line = [*own, "--target", "audio", "--systems", "classic", "emobed", "svm", "--primary", "svm"]
        line += ["--output", tmp_path / "out"]
        result = command("compare", *line)
        assert result.returncode == 0, result.stderr
        assert "only then evaluated on the test set" in result.stdout
        said = " ".join(result.stdout.split())
        assert "Comparison: F1 macro of emotion, audio.csv and face.csv" in said
        assert "Table 3" not in said and "OMG" not in said
        rows = written(tmp_path / "out" / "table.csv")
        assert [row["system"] for row in rows if row["partition"] == "test"] == ["classic", "emobed", "svm"]
        assert {row["seeds"] for row in rows} == {"2"}
        assert all(row["settings"].startswith("{") for row in rows)
        text = (tmp_path / "out" / "table.md").read_text()
        page = (tmp_path / "out" / "table.html").read_text()
        latex = (tmp_path / "out" / "table.tex").read_text()
        assert r"\caption{Comparison: F1 macro of emotion, audio.csv and face.csv; audio (+face)}" in latex
        for form in (text, page, latex, result.stdout):
            assert "complexity 1" in form and "smallest possible p" in form
            assert all(word in form for word in ("Primary contrast: SVM", "primary", "exploratory", "excluded"))
        assert [row["contrast"] for row in rows if row["partition"] == "test"] == ["", "exploratory", "primary"]
        before = (tmp_path / "out" / "ledger.jsonl").read_bytes()
        assert command("compare", *line).returncode == 0
        assert (tmp_path / "out" / "ledger.jsonl").read_bytes() == before, "what is done is not done again"

    def test_is_what_reproduce_finds(self, own, tmp_path):
        """The same protocol and the same code: the same numbers."""
        named = own[: own.index("--configurations")]
        budget = flags(configurations=2, seeds=2)
        both = ("svm", "forest")
        assert command("compare", *named, *budget, "--systems", *both, "--output", tmp_path / "a").returncode == 0
        assert command("reproduce", "3", *named, *budget, "--rows", *both, "--output", tmp_path / "b").returncode == 0
        keys = ("target", "system", "partition", "mean", "low", "high", "settings")
        ours, theirs = ([[row[key] for key in keys] for row in written(tmp_path / x / "table.csv")] for x in "ab")
        # Without an auxiliary a system stands once for a target in either.
        assert sorted(ours) == sorted(theirs)


class TestMistakes:
    @pytest.mark.parametrize(
        ("more", "words"),
        [
            (["--systems", "svr"], "row svr learns regression, but the data are a classification"),
            (["--seeds", "0"], "--seeds: expected 1 or more"),
            (["--workers", "0"], "--workers"),
            (["--seed", "1"], "--seed: "),
            (["--primary", "svm"], "--primary svm: expected one of the systems that are compared with classic: "),
        ],
    )
    def test_one_line(self, own, more, words):
        assert_one_line(command("compare", *own, *more), words)
