"""What is drawn, named and explained: data, labels, units, legends; never pixels."""

import numpy as np
import pytest

from emobed_tf import figures
from emobed_tf.errors import InputError
from tests.figures.drawn import line, point, texts, title


class TestSweep:
    # alpha 0: .2, .4 -> mean .3, deviation sqrt(.01 + .01) = .141421; alpha .5: .5, .7 -> .6, the same; 1: one seed, .1
    POINTS = (point(0.5, 0.5), point(0.5, 0.7, 1), point(0.0, 0.2), point(0.0, 0.4, 1), point(1.0, 0.1))

    def test_means_in_the_order_of_values(self):
        axis = figures.sweep(self.POINTS).axes[0]
        drawn = line(axis, "arousal from audio")
        np.testing.assert_allclose(drawn.get_xdata(), [0.0, 0.5, 1.0])
        np.testing.assert_allclose(drawn.get_ydata(), [0.3, 0.6, 0.1])

    def test_band_is_one_sample_deviation(self):
        axis = figures.sweep(self.POINTS).axes[0]
        corners = axis.collections[0].get_paths()[0].vertices
        for value, low, high in ((0.0, 0.158579, 0.441421), (0.5, 0.458579, 0.741421), (1.0, 0.1, 0.1)):
            here = corners[np.isclose(corners[:, 0], value), 1]
            assert here.min() == pytest.approx(low, abs=1e-6)
            assert here.max() == pytest.approx(high, abs=1e-6)

    def test_best_mean_is_marked_and_named(self):
        axis = figures.sweep(self.POINTS).axes[0]
        (star,) = [found for found in axis.lines if found.get_marker() == "*"]
        assert (star.get_xdata(), star.get_ydata()) == (0.5, 0.6)
        assert texts(axis.get_legend()) == ["arousal from audio (best: 0.5, 0.600)"]
        assert "standard deviation over seeds" in axis.get_legend().get_title().get_text()

    def test_scenarios_differ_in_colour_and_marker(self):
        more = [{**found, "scenario": "valence from video"} for found in self.POINTS]
        axis = figures.sweep([*self.POINTS, *more]).axes[0]
        first, second = line(axis, "arousal"), line(axis, "valence")
        assert first.get_color() != second.get_color()
        assert first.get_marker() != second.get_marker()

    def test_diverged_trainings_are_left_out(self):
        axis = figures.sweep([*self.POINTS, point(0.5, None, 2), point(2.0, float("nan"))]).axes[0]
        np.testing.assert_allclose(line(axis, "arousal").get_ydata(), [0.3, 0.6, 0.1])

    def test_nothing_but_diverged_trainings(self):
        assert not figures.sweep([point(0.5, None)]).axes[0].lines

    def test_labels_and_simulated(self):
        figure = figures.sweep([{**found, "simulated": True} for found in self.POINTS])
        assert figure.axes[0].get_xlabel() == r"$\alpha$"
        assert figure.axes[0].get_ylabel() == "development CCC"
        assert title(figure) == "sweep of alpha (SIMULATED data)"
        assert title(figures.sweep(self.POINTS)) == "sweep of alpha"

    def test_wide_ranges_are_logarithmic(self):
        for values, scale in (((1e-4, 1e-2), "log"), ((0.0, 1e-2), "linear"), ((0.01, 0.5), "linear")):
            assert figures.sweep([point(value, 0.1) for value in values]).axes[0].get_xscale() == scale

    def test_values_that_are_no_numbers(self):
        axis = figures.sweep([point("none", 0.1), point("soft", 0.3), point(0.2, 0.2)]).axes[0]
        assert [tick.get_text() for tick in axis.get_xticklabels()] == ["none", "soft", "0.2"]
        np.testing.assert_allclose(line(axis, "arousal").get_ydata(), [0.1, 0.3, 0.2])

    def test_refuses_a_mixture(self):
        with pytest.raises(InputError, match="alpha, beta"):
            figures.sweep([point(0, 1), point(0, 1, parameter="beta")])
        with pytest.raises(InputError, match="at least one"):
            figures.sweep([])
