"""What is made of raters' traces: the gold standard by hand and by brute force; how far raters disagree."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from emobed_tf.corpora import Modality, Recording
from emobed_tf.corpora.ratings import gold_standard_from_ratings, rater_deviation, unrated
from emobed_tf.errors import InputError
from tests.corpora.corpus_writers import close


def brute_force_gold(ratings):
    """The definition, rater by rater and frame by frame."""
    frames, raters = ratings.shape

    def mean(values):
        return sum(values) / len(values)

    def ccc(x, y):
        covariance = mean([(a - mean(x)) * (b - mean(y)) for a, b in zip(x, y, strict=True)])
        variances = mean([(a - mean(x)) ** 2 for a in x]) + mean([(b - mean(y)) ** 2 for b in y])
        return 2 * covariance / (variances + (mean(x) - mean(y)) ** 2)

    columns = [ratings[:, rater].tolist() for rater in range(raters)]
    weights = [mean([ccc(columns[r], columns[s]) for s in range(raters) if s != r]) for r in range(raters)]
    level = mean([mean(x) for x in columns])
    if sum(weights) > 0:  # else raters contradict each other, and the weights mean nothing
        level = sum(w * mean(x) for w, x in zip(weights, columns, strict=True)) / sum(weights)
    return [mean([x[frame] - mean(x) for x in columns]) + level for frame in range(frames)]


class TestGoldStandardFromRatings:
    def test_by_hand(self):
        # x1 = (0, 2), x2 = (1, 3), x3 = (2, 4): means 1, 2, 3; every variance and covariance is 1.
        # CCC = 2 / (1 + 1 + (difference of means)^2): 2/3 for neighbours, 2/6 = 1/3 for x1 and x3.
        # c1 = c3 = (2/3 + 1/3) / 2 = 1/2, c2 = 2/3. Level: (1/2 * 1 + 2/3 * 2 + 1/2 * 3) / (5/3) = (10/3) / (5/3) = 2.
        # Each rater's deviation is (-1, 1).
        close(gold_standard_from_ratings(np.array([[0, 1, 2], [2, 3, 4]])), [1, 3])
        # Uneven: x3 = (4, 6), mean 5. CCC12 = 2/3, CCC13 = 2 / (2 + 16) = 1/9, CCC23 = 2 / (2 + 9) = 2/11.
        # c1 = (2/3 + 1/9) / 2 = 7/18, c2 = (2/3 + 2/11) / 2 = 14/33, c3 = (1/9 + 2/11) / 2 = 29/198.
        # Over 198: 77, 84, 29, sum 190; level = (77 * 1 + 84 * 2 + 29 * 5) / 190 = 390 / 190 = 39/19.
        close(gold_standard_from_ratings(np.array([[0, 1, 4], [2, 3, 6]])), [39 / 19 - 1, 39 / 19 + 1])

    @settings(max_examples=50, deadline=None)
    @given(seed=st.integers(0, 10_000), frames=st.integers(2, 9), raters=st.integers(2, 6))
    def test_brute_force(self, seed, frames, raters):
        rng = np.random.default_rng(seed)
        # A common signal, so that the raters agree and the sum of the weights is far from zero.
        ratings = rng.uniform(-0.4, 0.4, (frames, 1)) + np.linspace(0, 0.5, frames)[:, None]
        ratings = ratings + rng.uniform(-0.1, 0.1, (frames, raters))
        np.testing.assert_allclose(gold_standard_from_ratings(ratings), brute_force_gold(ratings), rtol=1e-6, atol=1e-9)

    @settings(max_examples=30, deadline=None)
    @given(arrays.arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 4)), elements=st.floats(-1, 1)))
    def test_always_finite_where_raters_are_constant(self, ratings):
        ratings = np.tile(ratings[:1], (len(ratings), 1))
        close(gold_standard_from_ratings(ratings), np.full(len(ratings), ratings[0].mean()))

    def test_order_of_raters_is_no_matter(self):
        ratings = np.random.default_rng(1).normal(size=(20, 3)) + np.arange(20)[:, None]
        for order in itertools.permutations(range(3)):
            close(gold_standard_from_ratings(ratings[:, order]), gold_standard_from_ratings(ratings))

    @pytest.mark.parametrize("ratings", [np.zeros(3), np.zeros((0, 6)), np.zeros((5, 0)), np.full((2, 2), np.nan)])
    def test_bad(self, ratings):
        with pytest.raises(InputError, match="ratings"):
            gold_standard_from_ratings(ratings)


class TestDisagreement:
    def test_by_hand(self):
        # Two raters: half their distance. Three of (0, 0, 3): mean 1, variance (1 + 1 + 4) / 3 = 2.
        close(rater_deviation(np.array([[1.0, 1.0], [0.0, 3.0]])), [0, 1.5])
        found = rater_deviation(np.array([[0.0, 0.0, 3.0]], np.float32))
        close(found, [2**0.5])
        assert found.dtype == np.float32

    @pytest.mark.parametrize(
        ("ratings", "named"),
        [
            ({"arousal": np.zeros((5, 2))}, None),
            ({"arousal": np.zeros((5, 1))}, "train_2"),
            ({"valence": np.zeros((5, 6))}, "train_2"),
            ({}, "train_2"),
        ],
    )
    def test_who_is_unrated(self, ratings, named):
        features, both = np.zeros((5, 1), np.float32), {"arousal": np.zeros((5, 6))}
        recordings = (
            Recording("train_1", "train", "a", features, {}, both),
            Recording("train_2", "train", "b", features, {}, ratings),
            Recording("dev_1", "dev", "c", features),  # nobody learns from it
        )
        found = unrated(Modality("audio", ("x",), recordings, 0.04, "recola"), "arousal")
        assert found is None if named is None else f"'audio' has no ratings in {named};" in found
