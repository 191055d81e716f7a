"""Holm's correction: by hand, and what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emobed_tf.errors import InputError
from emobed_tf.evaluation.significance import holm


class TestHolm:
    def test_by_hand(self):
        # 4 * .01 = .04; 3 * .02 = .06; 2 * .02 = .04, but not below .06; 1 * .9. In the order that came.
        assert holm([0.9, 0.02, 0.01, 0.02]) == pytest.approx([0.9, 0.06, 0.04, 0.06])

    def test_never_above_one(self):
        assert holm([0.6, 0.7]) == [1.0, 1.0]

    def test_one_is_left_alone_and_none_is_none(self):
        assert holm([0.03]) == [0.03]
        assert holm([]) == []

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.sampled_from([0.01, 0.05, 0.2]))
    def test_rejects_what_the_step_down_procedure_rejects(self, p_values, level):
        # Holm's own words: from the smallest on, reject while p < level / (number of hypotheses left).
        order = np.argsort(p_values, kind="stable")
        rejected = [False] * len(p_values)
        for rank, k in enumerate(order):
            if not p_values[k] * (len(p_values) - rank) < level:
                break
            rejected[k] = True
        assert [p < level for p in holm(p_values)] == rejected

    @pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
    def test_refuses(self, p):
        with pytest.raises(InputError, match="p-values in 0 to 1"):
            holm([0.5, p])
