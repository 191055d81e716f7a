"""The budget: what contradicts itself is refused, and what it says of itself."""

import pytest

from emobed_tf.comparison.budget import Budget
from emobed_tf.errors import InputError


class TestCheck:
    @pytest.mark.parametrize(
        ("budget", "message"),
        [
            (Budget(selection_seeds=0), "--selection-seeds: expected 1 or more, found 0"),
            (Budget(rule="one-standard-error"), "a single score has no standard error"),
            (Budget(configurations=4, search="none"), "--search none tries the defaults alone"),
            (Budget(configurations=1, halving=True), "--halving: with a single configuration"),
            (Budget(search="none", selection_seeds=3), "--selection-seeds: with a single configuration"),
            (Budget(halving=True, show_selection=True), "scores of different epochs"),
        ],
    )
    def test_refuses(self, budget, message):
        with pytest.raises(InputError, match=message):
            budget.check()

    @pytest.mark.parametrize(
        "budget", [Budget(), Budget(16, 5), Budget(search="none"), Budget(selection_seeds=2, rule="one-standard-error")]
    )
    def test_takes(self, budget):
        assert budget.check() is budget

    def test_inner_folds_give_a_standard_error(self):
        Budget(rule="one-standard-error").check(inner_folds=3)


def test_positions_stay_what_they_were():
    assert (Budget(3, 2).configurations, Budget(3, 2).seeds) == (3, 2)


def test_one_configuration_without_a_search():
    assert (Budget(search="none").tried, Budget(8).tried) == (1, 8)


class TestText:
    def test_plan(self):
        assert Budget(8).plan_text("development") == "8 settings on development"
        text = Budget(8, selection_seeds=3, halving=True).plan_text("inner folds", 4)
        assert text == "8 settings on inner folds, each on 4 splits and with 3 seeds, by successive halving"

    def test_described(self):
        assert "default settings" in Budget(search="none").described
        assert "the same learning rates" in Budget().described
        assert "a space of its own" in Budget(search="own").described
        many = Budget(selection_seeds=2, rule="one-standard-error", halving=True).described
        assert "mean over 2 seeds" in many and "one standard error" in many and "one in 4" in many
