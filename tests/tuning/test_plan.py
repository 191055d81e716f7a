"""How long a search is, and what environment variables make of a process."""

import pytest

from emobed_tf.errors import InputError
from tuning.plan import check_numbers, role, trial_limit
from tuning.space import Space, ValueRange, Values


class TestTrialLimit:
    SIX = Space({"alpha": Values((0.0, 0.5, 1.0)), "head_units": Values((5, 6))})  # 3 x 2 combinations

    @pytest.mark.parametrize(
        ("kind", "asked", "limit"),
        [
            ("random", None, 20),
            ("bayesian", 7, 7),
            ("hyperband", None, None),
            ("hyperband", 7, 7),
            ("grid", None, 6),
            ("grid", 4, 4),
            ("grid", 100, 6),
        ],
    )
    def test_by_kind(self, kind, asked, limit):
        assert trial_limit(kind, asked, self.SIX) == limit

    def test_units_of_a_head_without_layers_are_no_combinations(self):
        # No layers, and one layer of 5 or 6 units: three combinations, not four.
        heads = Space({"head_layers": Values((0, 1)), "head_units": Values((5, 6))})
        assert trial_limit("grid", None, heads) == 3

    def test_large_grids_must_be_asked_for(self):
        # Ranges have four points in a grid: 4**5 = 1024, just above the thousand that nobody needs to ask for.
        names = ("alpha", "beta", "learning_rate", "l2", "hop")
        large = Space(dict.fromkeys(names, ValueRange(0.1, 1.0))).grid()
        with pytest.raises(InputError, match=r"up to 1,024 combinations; narrow it with --space"):
            trial_limit("grid", None, large)
        assert trial_limit("grid", 2000, large) == 1024


class TestNumbers:
    def test_one_is_enough(self):
        check_numbers(1, 1, 1)
        check_numbers(None, 1)

    @pytest.mark.parametrize(
        ("numbers", "told"),
        [
            ((0, 1, 1), "--max-trials: expected 1 or more, found 0"),
            ((None, -2, 1), "--seeds: expected 1 or more, found -2"),
            ((3, 1, 0), "--workers: expected 1 or more, found 0"),
        ],
    )
    def test_others_are_refused(self, numbers, told):
        with pytest.raises(InputError, match=f"^{told}$"):
            check_numbers(*numbers)


class TestRole:
    def test_by_tuner_id(self, monkeypatch):
        assert role() == "alone"
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "10.0.0.1")
        monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "8000")
        monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
        assert role() == "chief"
        monkeypatch.setenv("KERASTUNER_TUNER_ID", "host-3")
        assert role() == "worker"

    def test_half_of_the_variables(self, monkeypatch):
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "10.0.0.1")
        with pytest.raises(InputError, match="is set, but not KERASTUNER_TUNER_ID and KERASTUNER_ORACLE_PORT"):
            role()

    @pytest.mark.parametrize("port", ["http", "0", "65536", "-1"])
    def test_a_port_that_is_none(self, monkeypatch, port):
        monkeypatch.setenv("KERASTUNER_ORACLE_IP", "10.0.0.1")
        monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
        monkeypatch.setenv("KERASTUNER_ORACLE_PORT", port)
        with pytest.raises(InputError, match=f"expected a port from 1 to 65535, found '{port}'"):
            role()
