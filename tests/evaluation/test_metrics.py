"""Scores against audmetric, scikit-learn, Eq. 9 written out, and numbers worked by hand."""

import audmetric
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import (
    ccc_from_moments,
    concordance_cc,
    confusion_by_unit,
    confusion_matrix,
    f1_harmonic,
    f1_macro,
    f1_micro,
    mean_concordance_cc,
    moments,
    moments_by_recording,
    pearson_cc,
    pooled_ccc,
    rmse,
    uar,
)

OF_CONFUSIONS = (f1_micro, f1_macro, f1_harmonic, uar)

# Thousandths: differences are then never mere rounding.
NUMBERS = st.integers(-1000, 1000).map(lambda k: k / 1000)
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=40).map(lambda pairs: np.array(pairs).T)


def equation_9(x, y):
    """The paper's formula by its own symbols: r, sigma, mu, with 1/N."""
    r = np.corrcoef(x, y)[0, 1]
    return 2 * r * np.std(x) * np.std(y) / (np.var(x) + np.var(y) + (np.mean(x) - np.mean(y)) ** 2)


def series(seed=0, frames=500):
    rng = np.random.default_rng(seed)
    true = np.cumsum(rng.normal(size=frames)) * 0.02
    return true, 0.6 * true + 0.1 + 0.1 * rng.normal(size=frames)


class TestConcordance:
    def test_by_hand(self):
        # Means 2 and 3; deviations (-1, 0, 1) and (-2, 0, 2): covariance 4/3, variances 2/3 and 8/3, (2 - 3)^2 = 1.
        # 2 * 4/3 / (2/3 + 8/3 + 1) = (8/3) / (13/3).
        assert concordance_cc([1, 2, 3], [1, 3, 5]) == pytest.approx(8 / 13, abs=1e-15)

    def test_opposite_is_minus_one(self):
        assert concordance_cc([-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]) == -1.0

    def test_same_is_one(self):
        true, _ = series()
        assert concordance_cc(true, true) == 1.0

    @pytest.mark.parametrize("seed", range(3))
    def test_equals_equation_9_and_audmetric(self, seed):
        true, pred = series(seed)
        assert concordance_cc(true, pred) == pytest.approx(equation_9(true, pred), abs=1e-13)
        assert concordance_cc(true, pred) == pytest.approx(audmetric.concordance_cc(true, pred), abs=1e-13)

    @given(PAIRS)
    def test_properties(self, pair):
        true, pred = pair
        value = concordance_cc(true, pred)
        assert -1 <= value <= 1
        assert value == pytest.approx(concordance_cc(pred, true), abs=1e-12)
        assert value == pytest.approx(concordance_cc(3 * true + 7, 3 * pred + 7), abs=1e-9)
        assert abs(value) <= abs(pearson_cc(true, pred)) + 1e-12
        if np.ptp(true) > 0 and np.ptp(pred) > 0:
            assert value == pytest.approx(equation_9(true, pred), abs=1e-9)

    def test_survives_a_mean_a_million_deviations_off(self):
        true, pred = series()
        assert concordance_cc(true + 1e6, pred + 1e6) == pytest.approx(concordance_cc(true, pred), abs=1e-8)

    def test_tiny_units_are_not_swallowed(self):
        true, pred = series()
        assert concordance_cc(1e-9 * true, 1e-9 * pred) == pytest.approx(concordance_cc(true, pred), abs=1e-12)

    @pytest.mark.parametrize("constant", [0.0, 0.3, -1e6])
    def test_constant_and_equal_is_zero(self, constant):
        assert concordance_cc(np.full(977, constant), np.full(977, constant)) == 0.0

    def test_one_constant_is_zero(self):
        true, _ = series()
        assert concordance_cc(true, np.full_like(true, 0.3)) == pytest.approx(0, abs=1e-15)
        assert concordance_cc(np.full_like(true, 0.3), true) == pytest.approx(0, abs=1e-15)

    def test_mask_drops_frames_whatever_is_in_them(self):
        true, pred = series()
        padded_true, padded_pred = np.append(true, np.nan), np.append(pred, 99.0)
        mask = np.append(np.ones(len(true), dtype=bool), False)
        assert concordance_cc(padded_true, padded_pred, mask) == concordance_cc(true, pred)

    def test_float32_is_computed_in_float64(self):
        true, pred = (x.astype(np.float32) for x in series())
        expected = equation_9(true.astype(np.float64), pred.astype(np.float64))
        assert concordance_cc(true, pred) == pytest.approx(expected, abs=1e-13)

    @pytest.mark.parametrize(
        ("true", "pred", "mask", "message"),
        [
            ([0.1, np.nan], [0.1, 0.2], None, "1 NaN or infinite of 2 in the gold standard"),
            ([0.1, 0.2], [np.inf, np.nan], None, "2 NaN or infinite of 2 in the predictions"),
            ([], [], None, "at least one frame"),
            ([0.1, 0.2], [0.1, 0.2], [False, False], "at least one frame"),
            ([0.1, 0.2], [0.1], None, r"shape \(2,\), got \(1,\)"),
            ([0.1, 0.2], [0.1, 0.2], [True], r"mask .* \(2,\), got \(1,\)"),
        ],
    )
    def test_refuses(self, true, pred, mask, message):
        with pytest.raises(InputError, match=message):
            concordance_cc(true, pred, mask)


class TestMoments:
    def test_by_hand(self):
        # Centred on 1: true (0, 1, 2), prediction (0, 2, 4).
        assert moments([1, 2, 3], [1, 3, 5], centre=1).tolist() == [3, 3, 6, 5, 20, 10]

    def test_add_up_to_the_pooled_value(self):
        first, second = series(1, 300), series(2, 500)
        trues, preds = zip(first, second, strict=True)
        pooled = pooled_ccc(moments_by_recording(trues, preds).sum(axis=0))
        assert pooled == pytest.approx(equation_9(np.concatenate(trues), np.concatenate(preds)), abs=1e-13)

    def test_two_systems_have_one_centre(self):
        true, pred = series()
        a, b = moments_by_recording([true], [pred]), moments_by_recording([true], [pred + 5])
        assert a[0, [0, 1, 3]].tolist() == b[0, [0, 1, 3]].tolist()

    def test_pooled_is_vectorised(self):
        by_recording = np.stack([moments(*series(seed)) for seed in range(6)])
        values = pooled_ccc(by_recording.reshape(2, 3, 6))
        assert values.shape == (2, 3)
        assert values[1, 2] == pytest.approx(equation_9(*series(5)), abs=1e-12)

    def test_epsilon_of_the_default_is_small_for_labels(self):
        true, pred = series()
        assert ccc_from_moments(*moments(true, pred)) == pytest.approx(equation_9(true, pred), abs=1e-10)

    def test_names_the_recording(self):
        with pytest.raises(InputError, match="recording 1: .*NaN"):
            moments_by_recording([[0.1], [0.2]], [[0.1], [np.nan]])

    def test_refuses_unequal_numbers_of_recordings(self):
        with pytest.raises(InputError, match="got 1 for 2"):
            moments_by_recording([[0.1], [0.2]], [[0.1]])


class TestMeanOfRecordings:
    def test_mean_is_of_the_recordings(self):
        pairs = [series(seed, 50 + seed) for seed in range(4)]
        assert mean_concordance_cc(pairs) == pytest.approx(np.mean([equation_9(*pair) for pair in pairs]), abs=1e-13)

    def test_mean_of_none_is_refused(self):
        with pytest.raises(InputError, match="at least one recording"):
            mean_concordance_cc([])

    def test_pearson_equals_audmetric(self):
        true, pred = series()
        assert pearson_cc(true, pred) == pytest.approx(audmetric.pearson_cc(true, pred), abs=1e-13)
        assert pearson_cc(1e-200 * true, pred) == pytest.approx(audmetric.pearson_cc(true, pred), abs=1e-13)

    def test_pearson_of_a_constant_is_zero(self):
        assert pearson_cc([0.1, 0.1, 0.1], [0.1, 0.2, 0.3]) == 0.0

    def test_rmse_by_hand(self):
        assert rmse([0, 0], [3, 4]) == pytest.approx(np.sqrt(12.5), abs=1e-15)


class TestConfusion:
    def test_rows_are_true(self):
        assert confusion_matrix([0, 0, 1], [0, 2, 1], 3).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]

    def test_is_int64(self):
        assert confusion_matrix([0], [0], 2).dtype == np.int64

    def test_units_are_sorted_and_add_up(self):
        true, pred, units = [0, 1, 1, 0], [0, 1, 0, 0], ["b", "a", "b", "a"]
        by_unit = confusion_by_unit(true, pred, units, 2)
        assert by_unit.tolist() == [[[1, 0], [0, 1]], [[1, 0], [1, 0]]]
        assert by_unit.sum(axis=0).tolist() == confusion_matrix(true, pred, 2).tolist()

    @pytest.mark.parametrize(
        ("true", "pred", "message"),
        [
            ([], [], "at least one"),
            ([0, 1], [0], "got 2, 1 and 2"),
            ([0, 3], [0, 1], "true classes in 0 to 2, got 0 to 3"),
            ([0, 1], [0, -1], "predicted classes in 0 to 2, got -1 to 0"),
            ([0.0, 1.0], [0, 1], "integers as true classes, got float64"),
        ],
    )
    def test_refuses(self, true, pred, message):
        with pytest.raises(InputError, match=message):
            confusion_matrix(true, pred, 3)


class TestClassificationScores:
    # True 0 0 0 1 1 2, predicted 0 0 1 1 1 0: recalls 2/3, 1, 0; precisions 2/3, 2/3, 0 (class 2 never predicted).
    CONFUSION = np.array([[2, 1, 0], [0, 2, 0], [1, 0, 0]])

    def test_by_hand(self):
        assert f1_micro(self.CONFUSION) == pytest.approx(4 / 6)
        # 2 * 2 / (3 + 3), 2 * 2 / (2 + 3), 0.
        assert f1_macro(self.CONFUSION) == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)
        # Mean precision 4/9, mean recall 5/9: 2 * 20/81 / 1.
        assert f1_harmonic(self.CONFUSION) == pytest.approx(40 / 81)
        assert uar(self.CONFUSION) == pytest.approx(5 / 9)

    def test_class_absent_from_the_truth(self):
        confusion = np.array([[3, 1], [0, 0]])
        assert uar(confusion) == pytest.approx(3 / 4)
        # Class 1: neither hits nor recall, and it counts.
        assert f1_macro(confusion) == pytest.approx((6 / 7 + 0) / 2)
        assert f1_harmonic(confusion) == pytest.approx(2 * (1 / 2) * (3 / 8) / (7 / 8))

    @pytest.mark.parametrize("score", OF_CONFUSIONS)
    def test_vectorised_over_leading_axes(self, score):
        many = np.random.default_rng(0).integers(0, 9, size=(4, 2, 3, 3))
        assert score(many).shape == (4, 2)
        assert score(many)[3, 1] == pytest.approx(score(many[3, 1]), abs=1e-15)

    @pytest.mark.parametrize("score", OF_CONFUSIONS)
    def test_empty_and_all_wrong_are_zero(self, score):
        assert score(np.zeros((3, 3))) == 0.0
        assert score(np.array([[0, 2], [3, 0]])) == 0.0

    def test_always_the_largest_class(self):
        # OMG-Emotion, development partition: always happiness is right in 207 of 617.
        confusion = np.zeros((7, 7), dtype=np.int64)
        confusion[:, 3] = [61, 48, 18, 207, 196, 79, 8]
        assert f1_micro(confusion) == pytest.approx(0.335, abs=5e-4)
        assert uar(confusion) == pytest.approx(1 / 7)


@pytest.mark.usefixtures("stack")
class TestTensors:
    """The same formulas inside a TensorFlow graph, with gradients."""

    @staticmethod
    def loss_and_gradient(true, pred, mask=None):
        import tensorflow as tf

        true, pred = tf.constant(true, tf.float32), tf.Variable(pred, dtype=tf.float32)
        mask = tf.ones_like(true) if mask is None else tf.constant(mask, tf.float32)

        @tf.function
        def ccc():
            n = tf.reduce_sum(mask)
            centre = tf.math.divide_no_nan(tf.reduce_sum(mask * true), n)
            x, y = mask * (true - centre), mask * (pred - centre)
            sums = (tf.reduce_sum(z) for z in (x, y, x * x, y * y, x * y))
            return ccc_from_moments(n, *sums)

        with tf.GradientTape() as tape:
            value = ccc()
        return float(value), tape.gradient(value, pred).numpy()

    def test_value_and_gradient(self):
        true, pred = series(frames=60)
        value, gradient = self.loss_and_gradient(true, pred)
        assert value == pytest.approx(equation_9(true, pred), abs=1e-6)
        steps = 1e-6 * np.eye(60)
        expected = [(equation_9(true, pred + h) - equation_9(true, pred - h)) / 2e-6 for h in steps]
        np.testing.assert_allclose(gradient, expected, atol=1e-6)

    @pytest.mark.parametrize("constant", [0.0, 0.3, 1.0])
    def test_constant_and_equal_has_a_finite_gradient(self, constant):
        value, gradient = self.loss_and_gradient(np.full(977, constant), np.full(977, constant))
        assert value == pytest.approx(0, abs=1e-3)
        assert np.abs(gradient).max() < 1

    def test_no_frame_has_a_finite_gradient(self):
        value, gradient = self.loss_and_gradient(np.ones(4), np.zeros(4), np.zeros(4))
        assert value == 0
        assert gradient.tolist() == [0, 0, 0, 0]

    @pytest.mark.parametrize("score", OF_CONFUSIONS)
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_scores_of_a_confusion_matrix(self, score, dtype):
        confusion = np.array([[5, 1, 0, 2], [0, 2, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]])
        import tensorflow as tf

        tensor = tf.function(score)(tf.constant(confusion, dtype))
        assert float(tensor) == pytest.approx(score(confusion), abs=1e-6 if dtype == "float32" else 1e-15)
