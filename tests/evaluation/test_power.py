"""Power: the detectable gain against brute force by another code, Student's test and numbers worked by hand."""

from itertools import product

import numpy as np
import pytest
from scipy import optimize, stats

from emobed_tf.errors import InputError
from emobed_tf.evaluation.power import detectable_by_rule, detectable_gain, deviation_by_chance, smallest_p
from emobed_tf.evaluation.significance import SECOND_BETTER, bootstrap_interval, sign_flip_test


def share_found(deviations, gain, alpha, data_sets, seed):
    """Share of drawn data sets that SciPy's or a plain enumeration's sign-flip test calls a gain."""
    rng = np.random.default_rng(seed)
    signs = np.array(list(product((1, -1), repeat=len(deviations))))
    found = 0
    for _ in range(data_sets):
        differences = rng.normal(gain, deviations)
        found += np.mean(signs @ differences >= differences.sum() - 1e-9) < alpha
    return found / data_sets


class TestDetectableGain:
    @pytest.mark.parametrize("deviations", [[0.05] * 8, [0.02, 0.02, 0.02, 0.02, 0.05, 0.1, 0.1]])
    def test_brute_force_finds_it_in_four_of_five_cases(self, deviations):
        gain = detectable_gain(deviations, 0.025)
        # 3,000 data sets of another seed: the standard error of a share of .8 is .007, and the gain's own .009.
        assert share_found(deviations, gain, 0.025, 3000, seed=1) == pytest.approx(0.8, abs=0.03)

    def test_scipy_finds_it_in_four_of_five_cases_where_signs_are_drawn(self):
        units, data_sets = 16, 400
        gain = detectable_gain(np.ones(units), 0.05)
        rng = np.random.default_rng(2)
        found = 0
        for _ in range(data_sets):
            test = stats.permutation_test(
                (rng.normal(gain, 1, units),),
                np.mean,
                permutation_type="samples",
                alternative="greater",
                n_resamples=999,
                rng=rng,
            )
            found += test.pvalue < 0.05
        assert found / data_sets == pytest.approx(0.8, abs=0.06)  # three standard errors of .02

    @pytest.mark.parametrize("units", [15, 40])
    def test_is_near_students_test(self, units):
        def power(gain):
            return stats.nct.sf(stats.t.isf(0.05, units - 1), units - 1, gain * np.sqrt(units))

        expected = optimize.brentq(lambda gain: power(gain) - 0.8, 0.01, 5)
        assert detectable_gain(np.ones(units), 0.05) == pytest.approx(expected, rel=0.05)

    def test_scales_with_the_deviation(self):
        assert detectable_gain([0.1] * 10, 0.05) == pytest.approx(0.1 * detectable_gain([1.0] * 10, 0.05))

    def test_too_few_units_find_nothing(self):
        # Five speakers who all gain have p = 1/32 = .031: never below .025, but below .05.
        assert smallest_p(5) == 1 / 32
        assert detectable_gain([0.1] * 5, 0.025) is None
        assert detectable_gain([0.1] * 5, 0.05) > 0

    def test_without_deviation_any_gain_is_found(self):
        assert detectable_gain([0.0] * 10, 0.05) == 0

    @pytest.mark.parametrize(
        ("deviations", "alpha", "power"),
        [([], 0.05, 0.8), ([-1.0, 1], 0.05, 0.8), ([np.nan], 0.05, 0.8), ([1.0] * 9, 0, 0.8), ([1.0] * 9, 0.05, 1)],
    )
    def test_refuses(self, deviations, alpha, power):
        with pytest.raises(InputError, match="expected"):
            detectable_gain(deviations, alpha, power)


class TestDeviationByChance:
    def test_by_hand(self):
        # Two classes of 4 and 8 utterances, a fifth answered differently: sqrt(.2 * (1/4 + 1/8)) / 2 = .1369.
        # One class alone, of 5: sqrt(.2 / 5) / 1 = .2. Nobody: left out.
        found = deviation_by_chance(np.array([[4, 8], [5, 0], [0, 0]]), 0.2)
        assert found == pytest.approx([np.sqrt(0.075) / 2, 0.2])

    def test_simulated_answers(self):
        rng = np.random.default_rng(0)
        counts = np.array([3, 6, 9])
        draws = []
        for _ in range(20_000):
            # Either system is right where the other is wrong, in 15 % of the cases each.
            recalls = [rng.choice([1, -1, 0], n, p=[0.15, 0.15, 0.7]).mean() for n in counts]
            draws.append(np.mean(recalls))
        assert deviation_by_chance(counts[None], 0.3)[0] == pytest.approx(np.std(draws), rel=0.03)


class TestDetectableByRule:
    def test_of_one_system_is_the_gain_of_the_test(self):
        """With the interval's part taken away by a tiny confidence, only the sign-flip test decides."""
        differences = np.random.default_rng(0).normal(0, 0.05, (1, 12))
        found = detectable_by_rule(differences, 0.05, confidence=0.01)
        assert found == pytest.approx(detectable_gain(np.full(12, differences.std(ddof=1)), 0.05), rel=0.06)

    def test_the_whole_rule_holds_in_four_of_five_data_sets(self):
        """By another code: the tests themselves, on data sets drawn with NumPy's multivariate normal."""
        observed = np.random.default_rng(1).normal(0, 0.04, (3, 10)) + np.random.default_rng(2).normal(0, 0.04, 10)
        gain, rng, held = detectable_by_rule(observed, 0.05), np.random.default_rng(3), 0
        for _ in range(200):
            drawn = rng.multivariate_normal(np.full(3, gain), np.cov(observed), size=10).T
            tests = all(sign_flip_test(d, alternative=SECOND_BETTER).p_value < 0.05 for d in drawn)
            zero = np.zeros(10)
            intervals = (bootstrap_interval(lambda sums: sums / 10, zero, d, draws=500).low > 0 for d in drawn)
            held += tests and all(intervals)
        assert held / 200 == pytest.approx(0.8, abs=0.09)

    def test_more_systems_need_more(self):
        differences = np.random.default_rng(4).normal(0, 0.05, (5, 12))
        assert detectable_by_rule(differences, 0.05) > detectable_by_rule(differences[:1], 0.05)

    def test_equal_differences_are_one_comparison(self):
        one = np.random.default_rng(5).normal(0, 0.05, (1, 9))
        assert detectable_by_rule(np.repeat(one, 4, axis=0), 0.05) == pytest.approx(
            detectable_by_rule(one, 0.05), rel=0.06
        )

    def test_too_few_units(self):
        assert detectable_by_rule(np.zeros((2, 4)), 0.05) is None

    @pytest.mark.parametrize("shape", [(3,), (2, 1)])
    def test_refuses(self, shape):
        with pytest.raises(InputError, match="expected differences"):
            detectable_by_rule(np.zeros(shape), 0.05)
