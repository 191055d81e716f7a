"""Bounds by the sign-flip test: beside the test itself, at either side of the bound, and by hand."""

import itertools

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.evaluation.bounds import excluded_by_both, excluded_gain, lower_bounds
from emobed_tf.evaluation.significance import SECOND_BETTER, sign_flip_test


def p_of(gain, differences):
    """One-sided p of "the true gain is at least so much", by the package's other code, which flips signs."""
    return sign_flip_test(gain - np.asarray(differences), alternative=SECOND_BETTER).p_value


class TestExcludedGain:
    def test_five_units_exclude_what_lies_above_all_of_them(self):
        # 1/32 is the only p below .05: all five differences lie below the gain.
        assert excluded_gain([0.01, 0.03, -0.02, 0.0, 0.01], 0.05) == 0.03

    def test_six_units(self):
        # 3/64 < .05 < 4/64: besides the observed assignment two subsets' means may lie above: {6} and {5, 6}, or {5}.
        # Means in falling order: 6, 5.5, 5 -> the third is the bound.
        assert excluded_gain([1, 2, 3, 4, 5, 6], 0.05) == 5

    def test_four_units_exclude_nothing(self):
        assert excluded_gain([0.0, 0.0, 0.0, 0.0], 0.05) is None

    def test_without_any_difference_it_is_0_and_not_minus_0(self):
        assert str(excluded_gain([0.0] * 5, 0.05)) == "0.0"

    @pytest.mark.parametrize("units", [7, 10, 13])
    def test_the_test_rejects_above_and_not_below(self, units):
        differences = np.random.default_rng(units).normal(0.01, 0.03, units)
        bound = excluded_gain(differences, 0.05)
        assert p_of(bound + 1e-6, differences) < 0.05 <= p_of(bound - 1e-6, differences)

    def test_all_subsets_one_by_one(self):
        differences = np.random.default_rng(5).normal(0, 1, 9)
        subsets = [c for size in range(1, 10) for c in itertools.combinations(differences, size)]
        means = sorted((sum(subset) / len(subset) for subset in subsets), reverse=True)
        # .1 of 512 is 51.2: with the observed one at most 51 may count, so 50 others.
        assert excluded_gain(differences, 0.1) == pytest.approx(means[50])

    def test_many_units_by_drawn_subsets_are_near_students_interval(self):
        from scipy import stats

        differences = np.random.default_rng(0).normal(0.02, 0.05, 40)
        half = stats.t.ppf(0.95, 39) * stats.sem(differences)
        assert excluded_gain(differences, 0.05) == pytest.approx(differences.mean() + half, rel=0.05)

    @pytest.mark.parametrize(("differences", "alpha"), [([], 0.05), ([0.1, float("nan")], 0.05), ([0.1], 1.0)])
    def test_refuses(self, differences, alpha):
        with pytest.raises(InputError, match="expected"):
            excluded_gain(differences, alpha)


class TestExcludedByBoth:
    """Scores are right answers by all answers."""

    @staticmethod
    def share(sums):
        return sums[..., 0] / sums[..., 1]

    def test_by_the_test(self):
        first, second = (np.array([[right, 10.0] for right in each]) for each in ((5, 5, 5, 5, 5), (5, 6, 5, 7, 4)))
        # Five speakers exclude what lies above .2, the largest difference; no mean of drawn ones is larger.
        assert excluded_by_both((second - first)[:, 0] / 10, self.share, first, second) == pytest.approx(0.2)

    def test_by_the_interval(self):
        # 360 of 400 answers are of one speaker, who gains .1; the others gain nothing. All 3,125 ways to draw five:
        counts = np.array([360.0, 10, 10, 10, 10])
        first = np.stack([counts / 2, counts], 1)
        second = first + np.stack([[0.1 * counts[0], 0, 0, 0, 0], np.zeros(5)], 1)
        drawn = np.array(list(itertools.product(range(5), repeat=5)))
        gains = (second - first)[drawn, 0].sum(1) / counts[drawn].sum(1)
        by_speaker = np.array([0.0, -0.1, -0.1, -0.1, 0.05])  # as if speakers' own scores said less
        found = excluded_by_both(by_speaker, self.share, first, second)
        assert found == pytest.approx(np.percentile(gains, 95), abs=0.002) and found > 0.05

    def test_too_few(self):
        sums = np.array([[5.0, 10.0]] * 4)
        assert excluded_by_both(np.zeros(4), self.share, sums, sums) is None


def test_many_data_sets_at_once_are_each_their_own():
    values = np.random.default_rng(2).normal(size=(3, 8))
    found = lower_bounds(values, 0.05)
    assert found == pytest.approx([-excluded_gain(-row, 0.05) for row in values])
