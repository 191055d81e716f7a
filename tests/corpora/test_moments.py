"""Moments of frames, and a speaker's features brought to the corpus, by brute force and by hand."""

import numpy as np
import pytest

from emobed_tf.corpora.moments import Moments, SpeakerPrior, moments_of, moments_together, prior_of, usable_deviation
from tests.oracles import speakers


def frames(seed, count, width=4):
    """With gaps, far from 0, and each column at another scale."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(count, width)) * 10.0 ** np.arange(width) + rng.normal(size=width) * 100
    values[rng.random(values.shape) < 0.15] = np.nan
    return values.astype(np.float32)


class TestMoments:
    def test_of_what_is_there(self):
        found = moments_of(np.array([[1, np.nan], [3, np.nan], [np.nan, np.nan]]))
        assert (found.count.tolist(), found.mean.tolist(), found.deviation.tolist()) == ([2, 0], [2, 0], [1, 0])

    def test_of_nothing(self):
        found = moments_of(np.zeros((0, 2), np.float32))
        assert (found.count.tolist(), found.mean.tolist(), found.deviation.tolist()) == ([0, 0], [0, 0], [0, 0])

    def test_what_does_not_vary_is_only_centred(self):
        found = moments_of(np.array([[5.0, 1.0], [5.0, 3.0]]))
        assert usable_deviation(found).tolist() == [1, 1]
        assert usable_deviation(moments_of(np.array([[5.0], [9.0]]))).tolist() == [2]


class TestPrior:
    @pytest.mark.parametrize("weight", [0, 2, 10, 200])
    def test_equals_brute_force(self, weight):
        training, said = frames(0, 60), frames(1, 25)
        prior = prior_of([training[:20], training[20:]], 4, weight)
        found = prior.apply(said, moments_of(said))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, speakers.brought(said, said, training, weight), rtol=2e-5, atol=1e-3)

    def test_without_a_prior_every_speaker_has_the_corpus_moments(self):
        training, said = frames(0, 60), frames(1, 25)
        found, corpus = prior_of([training], 4, 0).apply(said, moments_of(said)), moments_of(training)
        np.testing.assert_allclose(np.nanmean(found, axis=0), corpus.mean, rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(np.nanstd(found, axis=0), corpus.deviation, rtol=1e-4)

    def test_by_hand(self):
        """The corpus: mean 10, deviation 2. Anna says 14 twice: z = 2, v = 0. With k = 2 her mean is 1 and her variance
        (0 + 2) / 4 + 2 * 2 * 2^2 / 4^2 = 1.5, so that 14 becomes 10 + 2 (2 - 1) / sqrt(1.5)."""
        prior = SpeakerPrior((10.0,), (2.0,), 2.0)
        said = np.array([[14.0], [14.0]], np.float32)
        assert prior.apply(said, moments_of(said)).ravel() == pytest.approx(10 + 2 / np.sqrt(1.5))

    def test_of_a_speaker_who_says_nothing_it_is_the_corpus(self):
        training, other = frames(0, 60), frames(2, 5)
        for weight in (0.0, 3.0):
            found = prior_of([training], 4, weight).apply(other, moments_of(other[:0]))
            np.testing.assert_allclose(found, other, rtol=1e-6)

    def test_the_more_the_corpus_counts_the_closer_features_stay(self):
        training = frames(0, 60)
        spread = usable_deviation(moments_of(training))
        said = (training[:25] + spread).astype(np.float32)
        priors = [prior_of([training], 4, weight) for weight in (5, 500, 5e6)]
        changes = [np.nanmax(np.abs(p.apply(said, moments_of(said)) - said) / spread) for p in priors]
        assert changes[0] > 5 * changes[1] > 500 * changes[2]

    @pytest.mark.parametrize("weight", [0.0, 5.0])
    def test_what_a_speaker_never_changes_is_centred_and_stays_finite(self, weight):
        training = np.array([[1.0], [3.0]], np.float32)
        said = np.full((7, 1), 900.0, np.float32)
        found = prior_of([training], 1, weight).apply(said, moments_of(said))
        assert np.isfinite(found).all()
        # Without a prior, 900 is the speaker's mean and nothing else; with one, it is a little above.
        assert found[0, 0] == pytest.approx(2.0, abs=1e-6 if weight == 0 else 2.0)

    def test_a_column_that_does_not_vary_in_training(self):
        prior = prior_of([np.full((4, 1), 7.0)], 1, 2)
        assert (prior.mean, prior.deviation) == ((7.0,), (1.0,))
        said = np.array([[7.0], [7.0]], np.float32)
        assert prior.apply(said, moments_of(said)).tolist() == [[7.0], [7.0]]

    def test_a_column_that_training_lacks(self):
        prior = prior_of([np.full((4, 1), np.nan)], 1, 2)
        assert (prior.mean, prior.deviation) == ((0.0,), (1.0,))

    @pytest.mark.filterwarnings("error")
    def test_the_largest_numbers_stay_finite(self):
        """A quiet speaker's deviation is a tenth of the corpus', so that what is far away goes ten times as far."""
        prior, said = SpeakerPrior((0.0,), (1.0,), 0.0), Moments(np.ones(1), np.zeros(1), np.full(1, 0.1))
        largest = np.finfo(np.float32).max
        found = prior.apply(np.array([[largest], [-largest], [np.nan]], np.float32), said)
        np.testing.assert_array_equal(found, np.float32([[largest], [-largest], [np.nan]]))

    def test_no_training_recording(self):
        assert prior_of([], 2, 1).mean == (0.0, 0.0)

    def test_a_speaker_far_away_keeps_what_varies(self):
        """Values at 461 deviations, as real audio has them, that vary by a thousandth of one."""
        prior = SpeakerPrior((0.0,), (1.0,), 0.0)
        said = Moments(np.array([100.0]), np.array([461.0]), np.array([1e-3]))
        shift, scale = prior.shift_and_scale(said)
        assert (shift[0], scale[0]) == (461.0, pytest.approx(1e-3))


class TestMomentsTogether:
    def test_parts_are_the_whole(self):
        """Parts of any size, one without frames, and a feature that is missing in some of them."""
        frames = np.random.default_rng(0).normal(3, [1, 50, 0], (100, 3))
        frames[:60, 1] = np.nan
        found = moments_of(frames[:0])
        for part in np.split(frames, [1, 37, 37, 80]):
            found = moments_together(found, moments_of(part))
        for name in ("count", "mean", "deviation"):
            np.testing.assert_allclose(getattr(found, name), getattr(moments_of(frames), name), rtol=1e-12, atol=1e-12)

    def test_by_hand(self):
        """1 and 3 beside 8: mean 4, and squares 9 + 1 + 16 = 26."""
        found = moments_together(moments_of(np.array([[1.0], [3.0]])), moments_of(np.array([[8.0]])))
        assert (found.count[0], found.mean[0]) == (3, 4)
        assert found.deviation[0] == pytest.approx((26 / 3) ** 0.5)
