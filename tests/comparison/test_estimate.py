"""Estimates by hand, from a ledger of constructed times."""

import pytest

from emobed_tf.comparison.budget import Budget
from emobed_tf.comparison.estimate import Pilots, estimate_text, fit_pilots, remaining_seconds
from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.search import Cell, plan_searches
from emobed_tf.comparison.trials import OfficialSource
from emobed_tf.config import preset


@pytest.fixture
def searches(tables):
    source = OfficialSource(preset("tables").replace(data_dir=tables, target="audio", epochs=60))
    cells = [Cell(Scenario(name), source, "classic") for name in ("audio", "face")]
    return lambda budget: plan_searches(cells, budget)


def estimated(plans, tmp_path, epochs=None):
    """Seconds of what is left after two fits: the first took 30 s, the second 10 s, 8 of them of fitting."""
    ledger, times = Ledger(tmp_path / "ledger.jsonl", {}), iter(((30.0, 20.0), (10.0, 8.0)))

    def do(trials):
        for trial in trials:
            total, fitting = next(times)
            ledger.add(trial.key, {"settings": dict(trial.settings), "total_seconds": total, "seconds": fitting})

    pilots = fit_pilots(plans, do, ledger)
    return remaining_seconds(plans, pilots, ledger)


def test_whole_fits(searches, tmp_path):
    # The first cell has 14 of 16 choices and 5 finals left, the second 16 and 5 and begins 20 s later than it goes on.
    assert estimated(searches(Budget(16, 5)), tmp_path) == {"classic": (14 + 5 + 16 + 5) * 10 + 20}


def test_rungs(searches, tmp_path):
    # 8 s for 4 epochs: 30 s for 15, 120 s for 60, each with 2 s around. 14 and 16 fits of 10 s, 2 * 4 of 32 s, 2 * 5 of
    # 122 s, and 20 s of the second cell's beginning.
    expected = 30 * 10 + 8 * 32 + 10 * 122 + 20
    assert estimated(searches(Budget(16, 5, halving=True)), tmp_path) == {"classic": pytest.approx(expected)}


def test_looks(searches, tmp_path):
    found = estimated(searches(Budget(16, 5, show_selection=True)), tmp_path)
    assert found == {"classic": (14 + 5 + 15 + 16 + 5 + 15) * 10 + 20}


def test_pilot():
    assert Pilots(first=9, fitting=3, around=1, epochs=6).seconds(12) == 7


def test_text():
    assert estimate_text({"classic": 720.0, "emobed": 1800.0, "svm": 0.2}) == "42 min (emobed 30 min, classic 12 min)"
    assert estimate_text({"svm": 0.2}) == "0 s"
