"""Random fields: their variances and correlations worked out by hand, and classes that are equally frequent."""

import numpy as np
import pytest

from emobed_tf.corpora.simulate.fields import blended, draw_fields, equally_frequent


class TestFields:
    def test_variance(self):
        # A wave cos(k z + phase) with a phase at random has a variance of 1/2; 64 of them with heights of variance 2/64
        # have 1. A plane with slopes of deviation 3 at the point (1, 2) has 9 (1 + 4) = 45.
        rng = np.random.default_rng(0)
        point = np.array([[1.0, 2.0]])
        values = np.array([draw_fields(rng, 2, 5, 3.0, 2.5)(point) for _ in range(2000)])
        assert np.var(values) == pytest.approx(46, rel=0.06)  # 10,000 values: a deviation of sqrt(2 / 10^4) = .014

    def test_without_planes_and_far_apart_fields_are_unrelated(self):
        rng = np.random.default_rng(0)
        points = np.array([[0.0], [4.0]])  # 10 wave lengths of deviation apart: exp(-(2.5 x 4)^2 / 2) = e^-50
        values = np.array([draw_fields(rng, 1, 5, 0.0, 2.5)(points) for _ in range(2000)])
        assert abs(np.corrcoef(values[:, 0].ravel(), values[:, 1].ravel())[0, 1]) < 0.04


class TestBlended:
    def test_correlation_with_the_first(self):
        rng = np.random.default_rng(0)
        point = np.array([[0.5, -1.0]])
        first, mixed = [], []
        for _ in range(1500):
            fields = [draw_fields(rng, 2, 4, 2.0, 2.5) for _ in range(2)]
            first.append(fields[0](point))
            mixed.append(blended(*fields, 0.6)(point))
        assert np.corrcoef(np.ravel(first), np.ravel(mixed))[0, 1] == pytest.approx(0.6, abs=0.03)
        assert np.var(mixed) == pytest.approx(np.var(first), rel=0.1)

    def test_ends(self):
        rng = np.random.default_rng(0)
        first, second = (draw_fields(rng, 2, 4, 2.0, 2.5) for _ in range(2))
        points = rng.standard_normal((50, 2))
        np.testing.assert_array_equal(blended(first, second, 1.0)(points), first(points))
        np.testing.assert_array_equal(blended(first, second, 0.0)(points), second(points))


class TestEquallyFrequent:
    @pytest.mark.parametrize("slope", [0.0, 2.0, 500.0])
    def test_shares(self, slope):
        rng = np.random.default_rng(1)
        sample = rng.standard_normal((4000, 2))
        classes = equally_frequent(draw_fields(rng, 2, 8, slope, 2.5), sample)
        np.testing.assert_allclose(np.bincount(classes(sample)) / 4000, 1 / 8, atol=0.02)

    def test_two_lines_meet_at_the_median(self):
        # Fields 0 and z: without an offset the second has 1/8 of these points, with -z = median it has half of them.
        sample = np.array([[-7.0], [-6.0], [-5.0], [-4.0], [-3.0], [-2.0], [-1.0], [1.0]])
        classes = equally_frequent(lambda z: np.hstack([np.zeros_like(z), z]), sample)
        assert classes(sample).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
        assert 3 < classes.offsets[1] - classes.offsets[0] < 4
