"""Intraclass correlation: the published example, hand-worked groups, and what it does to a variance by simulation."""

import numpy as np
import pytest

from emobed_tf.evaluation.clusters import design_effect, intraclass_correlation

# Shrout and Fleiss, 1979, Table 2: six targets, four judges; Table 4 gives ICC(1, 1) = .17.
JUDGED = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


class TestIntraclassCorrelation:
    def test_published_example(self):
        groups = [k for k in range(6) for _ in range(4)]
        assert intraclass_correlation(np.ravel(JUDGED), groups) == pytest.approx(0.17, abs=0.005)

    def test_unequal_groups_by_hand(self):
        # Groups (0, 2) and (4, 5, 6): means 1 and 5, mean of all 3.4. MSB = 2 (2.4^2) + 3 (1.6^2) = 19.2; MSW =
        # (2 + 2) / 3; n0 = 5 - 13/5 = 2.4. (19.2 - 4/3) / (19.2 + 1.4 * 4/3).
        expected = (19.2 - 4 / 3) / (19.2 + 1.4 * 4 / 3)
        assert intraclass_correlation([0, 4, 2, 5, 6], "abaab"[:2] + "abb") == pytest.approx(expected)

    def test_equal_within_groups_is_one(self):
        assert intraclass_correlation([1, 1, 2, 2, 5, 5], [0, 0, 1, 1, 2, 2]) == 1

    def test_groups_of_equal_means_are_below_zero(self):
        # Two a group: -1 is the least that pairs allow.
        assert intraclass_correlation([0, 1, 0, 1], [0, 0, 1, 1]) == -1

    @pytest.mark.parametrize("groups", [[0, 0, 0], [0, 1, 2]])
    def test_nothing_to_tell(self, groups):
        assert intraclass_correlation([1.0, 2.0, 4.0], groups) is None

    def test_equal_values(self):
        assert intraclass_correlation([1.0] * 4, [0, 0, 1, 1]) is None


def test_design_effect_is_the_ratio_of_variances():
    """Groups of 4, 4 and 2 whose members share a draw of variance .3 beside their own of .7."""
    rng, groups = np.random.default_rng(0), [0] * 4 + [1] * 4 + [2] * 2
    shared = rng.normal(0, np.sqrt(0.3), (200_000, 3))[:, groups]
    means = (shared + rng.normal(0, np.sqrt(0.7), (200_000, 10))).mean(axis=1)
    assert design_effect(0.3, groups) == pytest.approx(means.var() / 0.1, rel=0.02)
    # 1 + (36 / 10 - 1) * .3
    assert design_effect(0.3, groups) == pytest.approx(1.78)
    assert design_effect(-1.0, groups) == 0
