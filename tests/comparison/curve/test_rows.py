"""Rows of a curve's CSV files: what stands in which column, on constructed results."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from emobed_tf.comparison.curve.curves import Curve, Recall, Worth, area_gain
from emobed_tf.comparison.curve.rows import gain_rows, recall_rows, score_rows, settings_rows, worth_rows
from emobed_tf.comparison.curve.run import CurveResults
from emobed_tf.comparison.protocol import Cell, CellResult
from emobed_tf.comparison.scenario import Scenario


def curve(system, right):
    """Five speakers; of ten utterances of each of two classes so many are right, `[speakers, amounts]`."""
    right = np.asarray(right)[:, :, np.newaxis]
    rows = np.stack([np.stack([right, 10 - right], -1), np.stack([10 - right, right], -1)], -2).astype(float)
    labelled = np.array([10.0, 20.0])
    return Curve("audio", system, system, (1, 2), labelled, tuple("abcde"), ((1, 0),), rows)


@pytest.fixture
def results():
    classic = curve("classic", [[4, 5]] * 5)
    emobed = curve("emobed", [[4, 5], [4, 6], [4, 7], [4, 8], [4, 9]])
    return CurveResults({("audio", "classic"): classic, ("audio", "emobed"): emobed}, {})


def test_scores(results):
    found = score_rows(results, "uar")
    # EmoBed's of all: 20 of 50 right with one speaker, 5 + 6 + 7 + 8 + 9 = 35 of 50 with two.
    assert [(row["system"], row["amount"], row["labelled"], row["uar"]) for row in found] == [
        ("classic", 1, 10.0, 0.4),
        ("classic", 2, 20.0, 0.5),
        ("emobed", 1, 10.0, 0.4),
        ("emobed", 2, 20.0, 0.7),
    ]
    assert {(row["draw"], row["seed"]) for row in found} == {(1, 0)}


def test_gains(results):
    gain = area_gain(*results.curves.values(), "uar")
    (row,) = gain_rows({"audio": [(gain, 0.2)], "face": []}, "emobed")
    # Two amounts weigh 1/2 each: the speakers' areas differ by 0, .05, .1, .15 and .2, the pooled one by .2 / 2.
    assert (row["area"], row["at_1"], row["at_2"]) == pytest.approx((0.1, 0, 0.2))
    assert row["excluded"] == pytest.approx(0.2)  # five speakers exclude what lies above all of them
    assert (row["first"], row["second"], row["contrast"], row["p_holm"]) == ("classic", "emobed", "primary", 0.2)


def test_worth():
    points = [Worth(10.0, 100.0, 5.0, 0.0, 20.0, 20.0), Worth(20.0, 100.0, 0.2, 0.0, 0.3, 10.0)]
    first, second = worth_rows({("audio", "emobed"): points})
    assert first == {
        "target": "audio",
        "system": "emobed",
        "labelled": 10.0,
        "worth": 5.0,
        "low": 0.0,
        "high": 20.0,
        "most": 20.0,
        "auxiliary": 100.0,
        "rate": 20.0,  # 100 / 5
        "rate_low": 5.0,  # 100 / 20
        "rate_high": math.inf,  # they may be worth nothing
    }
    assert (second["rate"], second["rate_low"], second["rate_high"]) == (None, None, None)


def test_settings():
    def result(fold, settings, deal=None, labels=None):
        scenario = Scenario("audio", ("face",), fold, 2, deal=deal, labels=labels)
        return CellResult(Cell(scenario, None, "emobed"), settings, (), ())

    cells = (
        ((1, 2), result(1, {"beta": 0.5}, labels="1 speaker, draw 2")),
        ((2, 1), result(2, None, deal=2)),
        ("joy", result(1, {"beta": 0.1, "l2": 0.01}, labels="without joy")),
    )
    place = {"target": "audio", "system": "emobed"}
    assert settings_rows(CurveResults({}, {}, cells)) == [
        place | {"amount": 1, "draw": 2, "deal": 1, "fold": 1, "settings": "beta 0.5"},
        place | {"amount": 2, "draw": 1, "deal": 2, "fold": 2, "settings": None},
        place | {"withheld": "joy", "deal": 1, "fold": 1, "settings": "beta 0.1, l2 0.01"},
    ]


def test_recalls():
    # Of ten of joy three are found; of ten of calm one is taken for joy.
    confusion = np.array([[9.0, 1.0], [7.0, 3.0]])
    recall = Recall("audio", "emobed", "EmoBed", ("a", "b"), (0,), np.stack([confusion[None, None]] * 2), (1,))
    (row,) = recall_rows(SimpleNamespace(withheld=("joy",)), CurveResults({}, {("audio", "emobed"): recall}))
    assert (row["withheld"], row["recall"], row["named_wrongly"]) == ("joy", 0.3, 0.1)
