"""Settings spread over their ranges."""

import numpy as np
import pytest

from emobed_tf.systems.spread import Choice, Range, spread


class TestSpread:
    def test_one_is_the_default(self):
        assert spread({"alpha": Range(0, 1.5)}, {"alpha": 0.3}, 1) == [{"alpha": 0.3}]

    def test_a_line_has_both_ends(self):
        found = [point["alpha"] for point in spread({"alpha": Range(0, 1.5)}, {"alpha": 0.4}, 5)]
        assert found == [0.4, 0.0, 0.5, 1.0, 1.5]

    def test_where_the_default_is_on_the_line_another_comes(self):
        found = [point["alpha"] for point in spread({"alpha": Range(0, 1.5)}, {"alpha": 0.5}, 5)]
        assert len(set(found)) == 5
        assert {0.5, 0.0, 1.0, 1.5} < set(found)

    def test_logarithmic(self):
        found = [point["l2"] for point in spread({"l2": Range(1e-6, 1e-2, True)}, {"l2": 1.0}, 6)]
        assert found == [1.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2]

    @pytest.mark.parametrize("number", [9, 17, 33, 65])
    def test_a_plane_is_covered(self, number):
        """No empty quarter, and no part of nine without a point from 33 on: by counting."""
        points = spread({"a": Range(0, 1), "b": Range(0, 1)}, {"a": 2.0, "b": 2.0}, number)[1:]
        values = np.array([[point["a"], point["b"]] for point in points])
        assert len({tuple(value) for value in values.tolist()}) == number - 1
        quarters = np.histogram2d(*values.T, bins=2, range=[[0, 1], [0, 1]])[0]
        assert quarters.min() >= (number - 1) // 4 - 2
        if number >= 33:
            assert np.histogram2d(*values.T, bins=3, range=[[0, 1], [0, 1]])[0].min() > 0

    def test_choices_end_with_the_whole_grid(self):
        axes = {"c": Choice((1, 2, 3)), "d": Choice(tuple(range(7)))}
        found = spread(axes, {"c": 2, "d": 6}, 100)
        assert found[0] == {"c": 2, "d": 6}
        assert sorted((p["c"], p["d"]) for p in found) == [(c, d) for c in (1, 2, 3) for d in range(7)]

    def test_the_same_each_time_and_fewer_are_the_first_ones(self):
        axes = {"a": Range(0, 1), "b": Choice("xyz")}
        default = {"a": 0.5, "b": "x"}
        assert spread(axes, default, 20)[:7] == spread(axes, default, 7)
