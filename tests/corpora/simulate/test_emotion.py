"""Simulated emotions and raters: lags, errors, shapes of distributions."""

import numpy as np
import pytest

from emobed_tf.corpora import gold_standard_from_ratings
from emobed_tf.corpora.simulate.emotion import frames_of, generator, ratings, scene, smooth_process

DIMENSIONS = ("arousal", "valence")


class TestEmotionAndRaters:
    @pytest.mark.parametrize("dimension", DIMENSIONS)
    def test_raters_lag_behind_the_emotion(self, dimension):
        what = scene(0, "train", 1, frames_of(600))
        emotion, given = what.now(dimension), ratings(0, "train", 1, dimension, what)
        lags = np.arange(0, 126, 2)

        def lag(series):
            return 0.04 * max(
                lags, key=lambda d: np.corrcoef(emotion[: len(emotion) - d], series[d : len(series) or None])[0, 1]
            )

        each = [lag(series) for series in given.T]
        assert all(1.3 <= value <= 3.8 for value in each)
        assert max(each) - min(each) > 0.8
        assert 2.0 <= lag(gold_standard_from_ratings(given)) <= 2.9

    def test_raters_err_more_where_it_is_hard_to_read(self):
        what = scene(0, "train", 1, frames_of(900))
        given = ratings(0, "train", 1, "arousal", what)
        spread = (given - given.mean(axis=0)).std(axis=1)
        assert spread[what.speech < 0.05].mean() > 1.1 * spread[what.speech > 0.95].mean()

    def test_emotion_is_skewed_for_arousal_and_correlated(self):
        scenes = [scene(0, "train", number, frames_of(300)) for number in range(1, 21)]
        arousal = np.concatenate([one.now("arousal") for one in scenes])
        valence = np.concatenate([one.now("valence") for one in scenes])
        third = ((arousal - arousal.mean()) ** 3).mean() / arousal.std() ** 3
        assert third > 0.7
        assert abs(((valence - valence.mean()) ** 3).mean() / valence.std() ** 3) < 0.5
        assert 0.1 < np.corrcoef(arousal, valence)[0, 1] < 0.45

    def test_smooth_process(self):
        process = smooth_process(generator(0, "t"), 200_000, 1.0)[:, 0]
        assert abs(process.mean()) < 0.1
        assert abs(process.var() - 1) < 0.1
        # (1 + u) exp(-u) at u = 1 time constant, 25 frames: 2 / e.
        assert abs(np.corrcoef(process[:-25], process[25:])[0, 1] - 2 / np.e) < 0.03
