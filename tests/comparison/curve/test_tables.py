"""Tables of a learning curve: what stands in the cells."""

import contextlib
import csv

import numpy as np
import pytest

from emobed_tf.comparison.crossvalidation.plan import CrossValidationSettings
from emobed_tf.comparison.crossvalidation.run import open_folder
from emobed_tf.comparison.curve.curves import Worth
from emobed_tf.comparison.curve.plan import CurveSettings, plan_curve
from emobed_tf.comparison.curve.run import run_curve
from emobed_tf.comparison.curve.tables import report_curve, worth_grid
from emobed_tf.comparison.protocol import Budget
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import preset
from tests.test_crossvalidate import NEAREST


def test_worth_and_rate_are_bounds_where_the_reference_ends():
    points = [Worth(10.0, 100.0, 4.1, 2.0, 9.9, 70.0), Worth(20.0, 100.0, 60.0, 8.0, 60.0, 60.0)]
    grid = worth_grid("audio", "EmoBed", points)
    assert grid.rows == [
        # 100 / 4.1 = 24.4 for one; the more they are worth, the fewer: 100 / 9.9 = 10.1 to 100 / 2 = 50.
        ["10", "4", "2 to 10", "100", "24.4", "10.1 to 50.0"],
        # Worth 60 or more, so 100 / 60 = 1.7 or fewer for one; 100 / 8 = 12.5.
        ["20", ">= 60", "8 to >= 60", "100", "<= 1.7", "<= 1.7 to 12.5"],
    ]


def test_less_than_one_recording_has_no_rate():
    points = [
        Worth(10.0, np.float64(100.0), 0.0, 0.0, 3.0, 70.0),  # 100 / 3 = 33.3 is the fewest that it may take
        Worth(10.0, 100.0, 0.4, 0.0, 70.0, 70.0),  # rounds to 0, and may be more than 70: 100 / 70 = 1.4
        Worth(10.0, 100.0, 0.0, 0.0, 0.4, 70.0),
        Worth(10.0, 100.0, 0.6, 0.4, 8.0, 70.0),  # rounds to 1: 100 / .6 = 166.7, 100 / 8 = 12.5
    ]
    assert worth_grid("audio", "EmoBed", points).rows == [
        ["10", "0", "0 to 3", "100", "", "33.3 to no limit"],
        ["10", "0", "0 to >= 70", "100", "", "<= 1.4 to no limit"],
        ["10", "0", "0 to 0", "100", "", ""],
        ["10", "1", "0 to 8", "100", "166.7", "12.5 to no limit"],
    ]


def report(tables, folder, curve, *, look=False):
    """A curve of two systems without networks into a folder."""
    settings = preset("tables").replace(data_dir=tables, threads=1)
    systems, protocol = ("svm", NEAREST), CrossValidationSettings(targets=("audio",), folds=2)
    budget = Budget(2, 1, show_selection=look)
    with contextlib.closing(open_folder(settings, protocol, budget, systems, folder, Workers())) as validation:
        plan = plan_curve(validation.plan, curve)
        report_curve(validation, plan, run_curve(validation, plan, systems), "svm", NEAREST)


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


@pytest.mark.usefixtures("stack")
def test_a_look_at_test_is_shown(tables, tmp_path, capsys):
    report(tables, tmp_path, CurveSettings(amounts=(2,), draws=1), look=True)
    assert "EXPLORATORY: rank correlation" in (tmp_path / "curve.md").read_text()
    assert "EXPLORATORY: rank correlation" in capsys.readouterr().out
    looks = rows(tmp_path / "curve-selection.csv")
    # The SVM tries two settings in each of two folds.
    assert [row["labels"] for row in looks if row["system"] == "svm"] == ["2 speakers, draw 1"] * 4


@pytest.mark.usefixtures("stack")
def test_withheld_classes_beside_a_curve_in_one_folder(tables, tmp_path, capsys):
    report(tables, tmp_path, CurveSettings(amounts=(1, 2), draws=1))
    kept = {path.name: path.read_bytes() for path in tmp_path.glob("curve*")}
    assert {"curve.csv", "curve-gains.csv", "curve-settings.csv", "curve.md", "curve.html", "curve.png"} <= set(kept)
    assert not list(tmp_path.glob("missing-class*"))
    report(tables, tmp_path, CurveSettings(amounts=(2,), draws=1, missing_class=("joy",)))
    assert {path.name: path.read_bytes() for path in tmp_path.glob("curve*")} == kept
    title = (tmp_path / "missing-class.md").read_text().splitlines()[0].replace("\\", "")
    assert title.endswith(", emotion: classes that the target has no label of")
    assert f"page: {tmp_path}/missing-class.html" in capsys.readouterr().out
    # The nearest mean comes to no result with joy withheld, the SVM never says joy.
    assert [(row["system"], row["withheld"], row["recall"]) for row in rows(tmp_path / "missing-class.csv")] == [
        ("svm", "joy", "0.0")
    ]
    assert {row["amount"] for row in rows(tmp_path / "missing-class-scores.csv")} == {"2"}
    chosen = rows(tmp_path / "missing-class-settings.csv")
    places = [(row["amount"], row["withheld"], row["fold"]) for row in chosen if row["system"] == "svm"]
    assert places == [("2", "", "1"), ("2", "", "2"), ("", "joy", "1"), ("", "joy", "2")]
