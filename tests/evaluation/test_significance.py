"""Tests of significance against the paper's own marks, brute force, SciPy, and numbers worked by hand."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from emobed_tf.errors import InputError
from emobed_tf.evaluation import significance
from emobed_tf.evaluation.metrics import (
    concordance_cc,
    confusion_by_unit,
    f1_macro,
    f1_micro,
    moments_by_recording,
    pooled_ccc,
    uar,
)
from emobed_tf.evaluation.significance import (
    SECOND_BETTER,
    bootstrap_interval,
    fisher_z_test,
    holm,
    proportions_z_test,
    sign_flip_test,
    swap_test,
)

# EmoBed, Tables 1 (arousal) and 2 (valence), rows "classic monomodal" and "EmoBed": dev, test, dev, test, …
CLASSIC = [.766, .605, .512, .411, .766, .605, .499, .399, .504, .381, .545, .525, .504, .381, .619, .529]  # fmt: skip
EMOBED = [.792, .644, .549, .475, .793, .639, .527, .417, .514, .434, .564, .516, .521, .439, .645, .520]  # fmt: skip
STARS = [True] * 11 + [False] + [True] * 3 + [False]
# Nine recordings of 7500 frames.
FRAMES = 67_500
# EmoBed, Table 3: F1 on the development partition's 617 utterances.
UTTERANCES = 617


def regression(seed, units=5, frames=40, better=0.0):
    """Gold standards and two systems' predictions by recording; the second has less noise if `better` > 0."""
    rng = np.random.default_rng(seed)
    trues = [np.cumsum(rng.normal(size=frames)) * 0.1 for _ in range(units)]
    first = [t + rng.normal(size=frames) * 0.3 for t in trues]
    second = [t + rng.normal(size=frames) * 0.3 * (1 - better) for t in trues]
    return trues, first, second


def correlated_noise(rng, units, frames, memory=0.98):
    """First-order autoregressive noise of variance 1, `[units, frames]`: how errors of emotion predictions look."""
    innovations = rng.normal(size=(units, frames)) * np.sqrt(1 - memory**2)
    innovations[:, 0] = rng.normal(size=units)
    out = np.empty_like(innovations)
    out[:, 0] = innovations[:, 0]
    for t in range(1, frames):
        out[:, t] = memory * out[:, t - 1] + innovations[:, t]
    return out


class TestPaper:
    def test_stars_of_tables_1_and_2(self):
        marked = [fisher_z_test(c, FRAMES, e, FRAMES) < 0.05 for c, e in zip(CLASSIC, EMOBED, strict=True)]
        assert marked == STARS
        assert sum(marked) == 14

    @pytest.mark.parametrize(("classic", "emobed", "p"), [(0.365, 0.417, 0.031), (0.379, 0.439, 0.016)])
    def test_stars_of_table_3(self, classic, emobed, p):
        assert proportions_z_test(classic, UTTERANCES, emobed, UTTERANCES) == pytest.approx(p, abs=5e-4)

    @pytest.mark.parametrize(("classic", "other"), [(0.365, 0.402), (0.379, 0.421), (0.365, 0.407), (0.379, 0.410)])
    def test_joint_and_triplet_training_have_none(self, classic, other):
        assert proportions_z_test(classic, UTTERANCES, other, UTTERANCES) > 0.05


class TestFisher:
    def test_by_hand(self):
        # atanh 0.5 = ln(3) / 2 = 0.5493; standard error sqrt(1/100 + 1/100) = 0.1414; z = 3.884.
        assert fisher_z_test(0.0, 103, 0.5, 103) == pytest.approx(stats.norm.sf(np.log(3) / 2 / np.sqrt(0.02)))

    @given(st.floats(-1, 1), st.floats(-1, 1), st.integers(4, 10**6), st.integers(4, 10**6))
    def test_complement(self, r1, r2, n1, n2):
        p = fisher_z_test(r1, n1, r2, n2)
        assert 0 <= p <= 1
        assert p + fisher_z_test(r2, n2, r1, n1) == pytest.approx(1)

    @pytest.mark.parametrize(
        ("r1", "r2", "p"), [(1, 1, 0.5), (-1, -1, 0.5), (0.9, 1, 0), (1, 0.9, 1), (-1, 1, 0), (0.3, 0.3, 0.5)]
    )
    def test_edges(self, r1, r2, p):
        assert fisher_z_test(r1, 50, r2, 60) == p

    @pytest.mark.parametrize("arguments", [(1.1, 50, 0, 50), (0, 50, float("nan"), 50), (0, 3, 0, 50), (0, 50, 0, 0)])
    def test_refuses(self, arguments):
        with pytest.raises(InputError, match="expected"):
            fisher_z_test(*arguments)

    def test_is_anti_conservative_on_frames(self):
        # Two equally good systems on nine recordings: the frame-wise test finds the second "better" far more often
        # than in 5 of 100 cases, the exchange of recordings doesn't.
        rng = np.random.default_rng(0)
        runs, units, frames = 200, 9, 750
        frame_wise = by_recording = 0
        for _ in range(runs):
            true = correlated_noise(rng, units, frames)
            first, second = (true + correlated_noise(rng, units, frames) for _ in range(2))
            a, b = moments_by_recording(true, first), moments_by_recording(true, second)
            scores = [float(pooled_ccc(system.sum(axis=0))) for system in (a, b)]
            frame_wise += fisher_z_test(scores[0], units * frames, scores[1], units * frames) < 0.05
            by_recording += swap_test(pooled_ccc, a, b, alternative=SECOND_BETTER).p_value < 0.05
        assert 0.3 < frame_wise / runs < 0.5
        # 0.05 and three standard errors of a proportion in 200 runs.
        assert by_recording / runs < 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)


class TestProportions:
    def test_by_hand(self):
        # Pooled 0.5; standard error sqrt(0.25 * (1/100 + 1/100)) = 0.0707; z = 0.2 / 0.0707 = 2.828.
        assert proportions_z_test(0.4, 100, 0.6, 100) == pytest.approx(stats.norm.sf(0.2 / np.sqrt(0.005)))

    def test_square_is_the_chi_squared_of_a_table(self):
        table = [[30, 70], [52, 88]]
        chi2 = stats.chi2_contingency(table, correction=False)
        p = proportions_z_test(30 / 100, 100, 52 / 140, 140)
        assert 2 * p == pytest.approx(chi2.pvalue)

    @pytest.mark.parametrize(("p1", "p2", "p"), [(0, 0, 0.5), (1, 1, 0.5), (0.2, 0.2, 0.5)])
    def test_edges(self, p1, p2, p):
        assert proportions_z_test(p1, 10, p2, 20) == p

    @given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 10**6), st.integers(1, 10**6))
    def test_complement(self, p1, p2, n1, n2):
        p = proportions_z_test(p1, n1, p2, n2)
        assert 0 <= p <= 1
        assert p + proportions_z_test(p2, n2, p1, n1) == pytest.approx(1)

    @pytest.mark.parametrize("arguments", [(-0.1, 10, 0.5, 10), (0.5, 10, 41.7, 10), (0.5, 0, 0.5, 10)])
    def test_refuses(self, arguments):
        with pytest.raises(InputError, match="expected"):
            proportions_z_test(*arguments)


class TestSwap:
    @pytest.mark.parametrize(("seed", "better"), [(0, 0.0), (1, 0.0), (2, 0.4)])
    def test_concordance_equals_brute_force(self, seed, better):
        trues, first, second = regression(seed, better=better)
        true = np.concatenate(trues)

        def difference(swapped):
            a = np.concatenate([s if x else f for f, s, x in zip(first, second, swapped, strict=True)])
            b = np.concatenate([f if x else s for f, s, x in zip(first, second, swapped, strict=True)])
            return concordance_cc(true, b) - concordance_cc(true, a)

        observed = difference([False] * 5)
        every = np.array([difference(swapped) for swapped in product([False, True], repeat=5)])
        a, b = moments_by_recording(trues, first), moments_by_recording(trues, second)
        result = swap_test(pooled_ccc, a, b)
        assert result.difference == pytest.approx(observed, abs=1e-12)
        assert result.p_value == np.mean(np.abs(every) >= abs(observed) - 1e-12)
        assert (result.exact, result.assignments, result.units) == (True, 32, 5)
        one_sided = swap_test(pooled_ccc, a, b, alternative=SECOND_BETTER)
        assert one_sided.p_value == np.mean(every >= observed - 1e-12)
        assert one_sided.p_two_sided == result.p_value

    @pytest.mark.parametrize("score", [f1_micro, f1_macro, uar])
    def test_classification_equals_brute_force(self, score):
        rng = np.random.default_rng(3)
        true, first, second, speakers = rng.integers(0, 3, size=(4, 60))
        second = np.where(rng.random(60) < 0.3, true, second)
        a, b = (confusion_by_unit(true, pred, speakers, 3) for pred in (first, second))

        def difference(swapped):
            here = np.array(swapped)[speakers]
            systems = np.where(here, second, first), np.where(here, first, second)
            one, two = (score(confusion_by_unit(true, s, np.zeros(60), 3)[0]) for s in systems)
            return two - one

        every = np.array([difference(swapped) for swapped in product([False, True], repeat=3)])
        result = swap_test(score, a, b)
        assert result.difference == pytest.approx(every[0], abs=1e-12)
        assert result.p_value == np.mean(np.abs(every) >= abs(every[0]) - 1e-12)

    def test_nine_recordings_are_enumerated(self):
        trues, first, second = regression(0, units=9, better=0.8)
        result = swap_test(pooled_ccc, moments_by_recording(trues, first), moments_by_recording(trues, second))
        # The smallest two-sided p-value that nine recordings allow.
        assert (result.exact, result.assignments, result.p_value) == (True, 512, 2 / 512)

    def test_equal_systems(self):
        trues, first, _ = regression(0)
        a = moments_by_recording(trues, first)
        result = swap_test(pooled_ccc, a, a, alternative=SECOND_BETTER)
        assert (result.difference, result.p_value, result.p_two_sided) == (0.0, 1.0, 1.0)

    def test_order_of_the_systems_changes_the_sign_only(self):
        trues, first, second = regression(4)
        a, b = moments_by_recording(trues, first), moments_by_recording(trues, second)
        there, back = swap_test(pooled_ccc, a, b), swap_test(pooled_ccc, b, a)
        assert there.difference == -back.difference
        assert there.p_value == back.p_value

    def test_sampled_is_near_exact_repeatable_and_never_zero(self):
        trues, first, second = regression(5, units=10, better=0.1)
        a, b = moments_by_recording(trues, first), moments_by_recording(trues, second)
        exact = swap_test(pooled_ccc, a, b, exact_up_to=1024)
        sampled = swap_test(pooled_ccc, a, b, exact_up_to=1023)
        assert (exact.exact, exact.assignments) == (True, 1024)
        assert (sampled.exact, sampled.assignments) == (False, 10_000)
        # Four standard errors of a proportion in 10,000 draws.
        assert sampled.p_value == pytest.approx(exact.p_value, abs=4 * np.sqrt(0.25 / 10_000))
        assert sampled == swap_test(pooled_ccc, a, b, exact_up_to=1023)
        assert sampled != swap_test(pooled_ccc, a, b, exact_up_to=1023, seed=1)
        clear = swap_test(lambda sums: sums, np.zeros(100), np.ones(100))
        assert clear.p_value == 1 / 10_001
        assert (
            swap_test(lambda sums: sums, np.zeros(100), np.ones(100), alternative=SECOND_BETTER).p_value == 1 / 10_001
        )

    def test_p_values_are_uniform_under_the_null(self):
        # With continuous data and 2^6 assignments, the one-sided p is uniform on 1/64, 2/64, …, 1.
        rng = np.random.default_rng(6)
        p_values = []
        for _ in range(800):
            true, first, second = rng.normal(size=(3, 6, 12))
            a, b = moments_by_recording(true, true + first), moments_by_recording(true, true + second)
            p_values.append(swap_test(pooled_ccc, a, b, alternative=SECOND_BETTER).p_value)
        p_values = np.array(p_values)
        assert set(np.round(p_values * 64, 9) % 1) == {0.0}
        counts = np.bincount(((p_values * 64 - 1) // 8).astype(int), minlength=8)
        assert stats.chisquare(counts).pvalue > 0.001

    @pytest.mark.parametrize(
        ("a", "b", "options", "message"),
        [
            (np.zeros((2, 6)), np.zeros((3, 6)), {}, r"\(2, 6\) and \(3, 6\)"),
            (np.zeros((0, 6)), np.zeros((0, 6)), {}, "same units"),
            (np.zeros(3), np.array([0, np.nan, 1]), {}, "finite statistics"),
            (np.zeros(3), np.ones(3), {"alternative": "less"}, "'less'"),
            (np.zeros(3), np.ones(3), {"draws": 0}, "at least one draw"),
        ],
    )
    def test_refuses(self, a, b, options, message):
        with pytest.raises(InputError, match=message):
            swap_test(lambda sums: sums, a, b, **options)


class TestSignFlip:
    def test_by_hand(self):
        # The sums of ±1 ±2 ±4 are -7, -5, -3, -1, 1, 3, 5, 7. Observed 7: two of eight are as far from 0.
        result = sign_flip_test([1, 2, 4])
        assert (result.difference, result.p_value, result.assignments) == (pytest.approx(7 / 3), 2 / 8, 8)
        # Observed 5: four are as far or further, two as high or higher.
        assert sign_flip_test([-1, 2, 4]).p_value == 4 / 8
        assert sign_flip_test([-1, 2, 4], alternative=SECOND_BETTER).p_value == 2 / 8
        # Observed -1: all are as far or further, five as high or higher.
        assert sign_flip_test([1, 2, -4]).p_value == 1.0
        assert sign_flip_test([1, 2, -4], alternative=SECOND_BETTER).p_value == 5 / 8

    def test_ties_count(self):
        # The sums of ±0.1 ±0.1 ±0.1 are 0.3 once, 0.1 three times, and their negatives, with rounding that differs.
        assert sign_flip_test([0.1, 0.1, -0.1]).p_value == 1.0
        assert sign_flip_test([0.1, 0.1, -0.1], alternative=SECOND_BETTER).p_value == 4 / 8

    @pytest.mark.parametrize("seed", range(4))
    def test_equals_scipy(self, seed):
        rng = np.random.default_rng(seed)
        first, second = rng.normal(size=8), rng.normal(size=8) + 0.5
        for ours, theirs in (("two-sided", "two-sided"), (SECOND_BETTER, "greater")):
            expected = stats.permutation_test(
                (second, first),
                lambda x, y, axis: np.mean(x - y, axis=axis),
                permutation_type="samples",
                vectorized=True,
                n_resamples=np.inf,
                alternative=theirs,
            )
            result = sign_flip_test(second - first, alternative=ours)
            assert result.p_value == pytest.approx(expected.pvalue, abs=1e-12)
            assert result.difference == pytest.approx(expected.statistic, abs=1e-12)

    def test_refuses_a_table(self):
        with pytest.raises(InputError, match=r"shape \(2, 2\)"):
            sign_flip_test(np.zeros((2, 2)))


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


class TestBootstrap:
    def test_mean_equals_scipy(self):
        values = np.random.default_rng(7).gamma(2.0, size=30)
        ours = bootstrap_interval(lambda sums: sums / 30, values, draws=40_000)
        theirs = stats.bootstrap(
            (values,), np.mean, n_resamples=40_000, method="percentile", rng=np.random.default_rng(8)
        )
        low, high = theirs.confidence_interval
        # Both ends are estimated from draws: within a few hundredths of the standard error.
        assert ours.low == pytest.approx(low, abs=0.05 * theirs.standard_error)
        assert ours.high == pytest.approx(high, abs=0.05 * theirs.standard_error)
        assert ours.estimate == pytest.approx(values.mean())

    def test_difference_equals_scipy(self):
        trues, first, second = regression(9, units=12, better=0.5)
        a, b = moments_by_recording(trues, first), moments_by_recording(trues, second)
        ours = bootstrap_interval(pooled_ccc, a, b, draws=20_000, confidence=0.9)

        def statistic(index, axis):
            # SciPy's axis is of `index`, the last one; `b[index]` has the moments behind it.
            index = np.moveaxis(index, axis, -1)
            return pooled_ccc(b[index].sum(axis=-2)) - pooled_ccc(a[index].sum(axis=-2))

        theirs = stats.bootstrap(
            (np.arange(12),),
            statistic,
            n_resamples=20_000,
            method="percentile",
            confidence_level=0.9,
            vectorized=True,
            rng=np.random.default_rng(10),
        )
        low, high = theirs.confidence_interval
        assert ours.low == pytest.approx(low, abs=0.06 * theirs.standard_error)
        assert ours.high == pytest.approx(high, abs=0.06 * theirs.standard_error)
        pooled = [concordance_cc(np.concatenate(trues), np.concatenate(system)) for system in (first, second)]
        assert ours.estimate == pytest.approx(pooled[1] - pooled[0], abs=1e-12)

    def test_single_system_is_a_difference_from_nothing(self):
        values = np.random.default_rng(11).normal(size=(9,))
        single = bootstrap_interval(lambda sums: sums, values)
        assert single == bootstrap_interval(lambda sums: sums, np.zeros(9), values)

    def test_confusion_matrices(self):
        rng = np.random.default_rng(12)
        true, pred, speakers = rng.integers(0, 3, size=(3, 90))
        result = bootstrap_interval(f1_macro, confusion_by_unit(true, pred, speakers, 3), draws=200)
        assert 0 <= result.low <= result.estimate <= result.high <= 1
        assert (result.units, result.draws, result.confidence) == (3, 200, 0.95)

    def test_is_repeatable(self):
        values = np.random.default_rng(13).normal(size=9)
        first, again, other = (bootstrap_interval(lambda sums: sums, values, seed=seed) for seed in (0, 0, 1))
        assert first == again
        assert first != other

    def test_kept_draws_are_those_that_are_drawn_anew(self, monkeypatch):
        values = np.random.default_rng(15).normal(size=9)
        kept = bootstrap_interval(lambda sums: sums, values)
        monkeypatch.setattr(significance, "_WEIGHTS_KEPT", 0)
        assert bootstrap_interval(lambda sums: sums, values) == kept

    def test_wider_with_more_confidence(self):
        values = np.random.default_rng(14).normal(size=20)
        narrow, wide = (bootstrap_interval(lambda sums: sums, values, confidence=c) for c in (0.5, 0.99))
        assert wide.low < narrow.low < narrow.high < wide.high

    @pytest.mark.parametrize(
        ("a", "options", "message"),
        [
            (np.zeros(1), {}, "at least 2 units"),
            (np.zeros(3), {"draws": 0}, "at least one draw"),
            (np.zeros(3), {"confidence": 95}, "confidence in 0 to 1"),
            (np.zeros(3), {"b": np.zeros(4)}, r"\(3,\) and \(4,\)"),
        ],
    )
    def test_refuses(self, a, options, message):
        with pytest.raises(InputError, match=message):
            bootstrap_interval(lambda sums: sums, a, **options)
