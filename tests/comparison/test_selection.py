"""Which settings are chosen: both rules by hand, and the rank correlation beside SciPy's."""

import numpy as np
import pytest
from scipy import stats

from emobed_tf.comparison.selection import BEST, ONE_STANDARD_ERROR, Candidate, chosen, rank_correlation


def candidate(alpha, *scores, splits=1, **more):
    return Candidate(
        {"alpha": alpha}, tuple({"score": score, "seed": k, **more} for k, score in enumerate(scores)), splits
    )


def by_alpha(settings):
    return (settings["alpha"],)


class TestCandidate:
    def test_mean_and_standard_error_over_seeds(self):
        # Deviation of 1, 2, 3, 4 is 1.29099; over the root of 4.
        found = candidate(0.5, 1.0, 2.0, 3.0, 4.0)
        assert found.score == 2.5
        assert found.error == pytest.approx(0.645497)

    def test_splits_are_the_units_where_there_are_some(self):
        # Two splits of two seeds: means 1.5 and 5; the error is that of two numbers 3.5 apart, 1.75.
        found = candidate(0.5, 1.0, 2.0, 4.0, 6.0, splits=2)
        assert found.scores == (1.5, 5.0)
        assert (found.score, found.error) == (3.25, pytest.approx(1.75))

    def test_a_single_score_has_no_error(self):
        assert candidate(0.5, 0.7).error == 0

    def test_a_fit_that_failed_fails_it(self):
        record = {"failed": "the loss is not finite"}
        found = Candidate({"alpha": 0.1}, ({"score": 1.0}, record))
        assert found.failed == "the loss is not finite"
        assert found.record() == {"settings": {"alpha": 0.1}, "failed": "the loss is not finite"}

    def test_records(self):
        assert candidate(0.5, 0.7, seconds=3).record() == {"score": 0.7, "seed": 0, "seconds": 3}
        assert candidate(0.5, 0.5, 0.7).record() == {"settings": {"alpha": 0.5}, "score": 0.6, "scores": [0.5, 0.7]}


class TestChosen:
    def test_best(self):
        found = [candidate(0.9, 0.5), candidate(0.1, 0.7), candidate(0.3, 0.6)]
        assert chosen(found, BEST, by_alpha) is found[1]

    def test_between_equals_the_earlier(self):
        found = [candidate(0.9, 0.5, 0.7), candidate(0.1, 0.6, 0.6)]
        assert chosen(found, BEST, by_alpha) is found[0]

    def test_the_simplest_within_one_standard_error(self):
        # The best has mean .70 and error .02 (.68 and .72): .68 is the least that counts.
        best = candidate(0.9, 0.68, 0.72)
        near, nearer = candidate(0.4, 0.68, 0.68), candidate(0.6, 0.69, 0.69)
        far = candidate(0.0, 0.67, 0.68)
        assert chosen([best, nearer, near, far], ONE_STANDARD_ERROR, by_alpha) is near
        assert chosen([best, nearer, far], ONE_STANDARD_ERROR, by_alpha) is nearer
        assert chosen([best, far], ONE_STANDARD_ERROR, by_alpha) is best

    def test_failures_are_left_out(self):
        broken = Candidate({"alpha": 0.0}, ({"failed": "NaN"},))
        assert chosen([broken], BEST, by_alpha) is None
        whole = candidate(0.5, 0.1)
        assert chosen([broken, whole], BEST, by_alpha) is whole


class TestRankCorrelation:
    @pytest.mark.parametrize("seed", range(3))
    def test_is_spearmans(self, seed):
        rng = np.random.default_rng(seed)
        first, second = rng.normal(size=12), np.round(rng.normal(size=12))  # the second has ties
        assert rank_correlation(first, second) == pytest.approx(stats.spearmanr(first, second).statistic)

    def test_by_hand(self):
        # Differences of ranks 0, 1, -1: 1 - 6 * 2 / (3 * 8) = .5
        assert rank_correlation([1, 2, 3], [10, 30, 20]) == pytest.approx(0.5)

    @pytest.mark.parametrize("values", [([1, 2], [1, 2]), ([1, 1, 1], [1, 2, 3])])
    def test_nothing_to_tell(self, values):
        assert rank_correlation(*values) is None
