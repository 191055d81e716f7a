"""How development and test go together: the mean over folds of the rank correlation, by hand."""

import csv

from emobed_tf.comparison.exploratory import selection_grids, write_selection
from emobed_tf.comparison.protocol import Cell, CellResult
from emobed_tf.comparison.scenario import Scenario


def result(fold, dev, test):
    def look(k, score):
        return {"settings": {"a": k}, "seed": 0, "partitions": {"test": {"scores": {"uar": score}}}}

    tried = tuple({"settings": {"a": k}, "score": score} for k, score in enumerate(dev))
    cell = Cell(Scenario("audio", ("face",), fold, 2), None, "emobed")
    return CellResult(cell, {"a": 1}, tried, (), looks=tuple(look(k, score) for k, score in enumerate(test)))


FOLDS = [result(1, (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)), result(2, (0.1, 0.2, 0.3), (0.5, 0.7, 0.6))]


def test_mean_over_folds():
    # 1 where the order is the same, .5 where two neighbours change places.
    (grid,) = selection_grids(FOLDS, "uar")
    assert grid.title.startswith("EXPLORATORY")
    assert grid.rows == [["audio+face", "emobed", "3", "+.750", "2"]]


def test_nobody_looked(tmp_path):
    bare = CellResult(FOLDS[0].cell, {"a": 1}, FOLDS[0].tried, ())
    assert selection_grids([bare], "uar") == []
    write_selection(tmp_path, [bare], "uar")
    assert not list(tmp_path.iterdir())


def test_file(tmp_path):
    write_selection(tmp_path, FOLDS, "uar")
    with (tmp_path / "selection.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["fold"], row["dev"], row["test"], row["chosen"]) for row in rows[:3]] == [
        ("1", "0.1", "0.5", "False"),
        ("1", "0.2", "0.6", "True"),
        ("1", "0.3", "0.7", "False"),
    ]
