"""The plan of a search: how many fits it takes."""

import pytest

from emobed_tf.comparison.budget import Budget
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.search import Cell, plan_searches
from emobed_tf.comparison.trials import OfficialSource
from emobed_tf.config import preset
from emobed_tf.errors import InputError


@pytest.fixture(scope="module")
def cell(tables):
    config = preset("tables").replace(data_dir=tables, target="audio", epochs=60)
    return Cell(Scenario("audio"), OfficialSource(config), "classic")


def plan_search(cell, budget):
    return plan_searches([cell], budget)[cell]


@pytest.mark.parametrize(
    ("budget", "splits", "fits"),
    [
        (Budget(16, 5), 0, 16 + 5),
        (Budget(16, 5, selection_seeds=3), 0, 48 + 5),
        (Budget(16, 5, selection_seeds=3), 2, 96 + 5),
        (Budget(16, 5, halving=True), 0, 16 + 4 + 5),
        (Budget(16, 5, search="none"), 0, 5),  # nothing to choose
        (Budget(1, 5, selection_seeds=3), 2, 5),
        (Budget(16, 5, show_selection=True), 0, 16 + 5 + 15),  # the chosen one is among the five
    ],
)
def test_fits(cell, budget, splits, fits):
    given = Cell(cell.scenario, cell.source, cell.system, (cell.source,) * splits)
    assert plan_search(given, budget).fits == fits


@pytest.mark.parametrize(("selection_seeds", "first"), [(1, [0]), (2, [0, 1]), (9, [0, 1, 2, 3, 4])])
def test_the_only_configuration_is_judged_by_its_final_fits(cell, selection_seeds, first):
    plan = plan_search(cell, Budget(1, 5, selection_seeds=selection_seeds))
    found = plan.trials(0, 0)
    assert [trial.seed for trial in found] == first
    assert found == plan.finals(plan.configurations[0])[: len(first)]


def test_a_problem_is_made_once_for_all_systems(cell, monkeypatch):
    """And plans stand in the order of the cells."""
    made, call = [], OfficialSource.__call__
    monkeypatch.setattr(OfficialSource, "__call__", lambda source: made.append(source) or call(source))
    another = OfficialSource(cell.source.config.replace(epochs=3))
    cells = [Cell(cell.scenario, source, name) for name in ("classic", "svm") for source in (cell.source, another)]
    plans = plan_searches([*cells, cells[0]], Budget(16, 1))
    assert made == [cell.source, another]
    assert list(plans) == cells
    assert [plans[each].epochs for each in cells] == [60, 3, 60, 3]


def test_trials_of_a_rung(cell):
    plan = plan_search(cell, Budget(16, 5, halving=True, selection_seeds=2))
    first, second = plan.trials(3, 0)
    assert (first.seed, second.seed) == (0, 1)
    assert (first.rung, first.epochs, first.reads_test) == (1, 4, False)
    assert first.key["rung"] == 1 and first.key["epochs"] == 4
    assert plan.trials(3, 1)[0].epochs == 15


def test_a_whole_fit_has_the_key_that_it_always_had(cell):
    (trial,) = plan_search(cell, Budget(2, 1)).trials(0, 0)
    settings = {"learning_rate": 0.001, "l2": 0.0001}
    place = {"target": "audio", "auxiliaries": [], "fold": None, "folds": None}
    assert trial.key == {**place, "system": "classic", "settings": settings, "seed": 0, "purpose": "choice"}


class TestWarmUp:
    """16 configurations and 60 epochs are rungs of 4 and 15 epochs; 4 configurations, one rung of 15."""

    def planned(self, cell, system, warmup, budget, **settings):
        config = cell.source.config.replace(beta_warmup=warmup, framework="emobed", **settings)
        return plan_search(Cell(Scenario("audio", ("face",)), OfficialSource(config), system), budget)

    def test_longer_than_the_first_rung(self, cell):
        expected = (
            "--beta-warmup 5: rung 1 of 2 trains 16 configurations of emobed for 4 of 60 epochs, .* "
            "--beta-warmup 4 or less, --epochs 65 or more, or no --halving"
        )
        halving = Budget(16, 1, halving=True)
        with pytest.raises(InputError, match=expected):
            self.planned(cell, "emobed", 5, halving)
        assert self.planned(cell, "emobed", 4, halving).rungs[0].epochs == 4
        # 65 / 16 is more than 4, and 64 / 16 is not.
        assert self.planned(cell, "emobed", 5, halving, epochs=65).rungs[0].epochs == 5
        with pytest.raises(InputError, match="--epochs 65 or more"):
            self.planned(cell, "emobed", 5, halving, epochs=64)

    def test_longer_than_the_only_rung(self, cell):
        with pytest.raises(InputError, match="rung 1 of 1 trains 4 configurations of triplet for 15 of 60 epochs"):
            self.planned(cell, "triplet", 16, Budget(4, 1, halving=True))
        assert self.planned(cell, "triplet", 15, Budget(4, 1, halving=True)).rungs[0].epochs == 15

    def test_where_nothing_is_cut_short_or_beta_weighs_nothing(self, cell):
        for system, budget in (
            ("emobed", Budget(16, 1)),
            ("classic", Budget(16, 1, halving=True)),
            ("joint", Budget(16, 1, halving=True)),
            ("svm", Budget(16, 1, halving=True)),
        ):
            assert self.planned(cell, system, 50, budget).configurations, system
