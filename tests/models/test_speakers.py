"""Standardisation by speaker in the graph, beside brute force on all frames so far."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.corpora.moments import STATISTICS, moments_of, prior_of
from tests.oracles import speakers

pytestmark = pytest.mark.usefixtures("stack")

WEIGHTS = [0, 4, 50]


def frames(seed, *shape):
    """`[batch, frames, 3]` with gaps; the first column of the first sequence is missing to begin with."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(*shape, 3)) * [1, 20, 0.1] + [3, -500, 40] + rng.normal(size=(shape[0], 1, 3)) * [2, 9, 1]
    values[rng.random(values.shape) < 0.1] = np.nan
    values[0, :3, 0] = np.nan
    return values.astype(np.float32)


TRAINING = frames(9, 5, 40).reshape(-1, 3)


def statistics_of(sequences):
    """What a client would send of each sequence."""
    each = [moments_of(sequence) for sequence in sequences]
    values = zip(*((m.count, m.mean, m.deviation) for m in each), strict=True)
    return {name: np.stack(value).astype(np.float32) for name, value in zip(STATISTICS, values, strict=True)}


def nobody(batch):
    return {name: np.zeros((batch, 3), np.float32) for name in STATISTICS}


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-4)


class TestBrought:
    @pytest.mark.parametrize("weight", WEIGHTS)
    def test_equals_brute_force(self, weight):
        from emobed_tf.models.speakers import brought

        said = frames(0, 4, 30)
        found = brought(said, statistics_of(said), prior_of([TRAINING], 3, weight)).numpy()
        assert found.dtype == np.float32
        for sequence, values in zip(said, found, strict=True):
            close(values, speakers.brought(sequence, sequence, TRAINING, weight))

    @pytest.mark.parametrize("weight", WEIGHTS)
    def test_of_nobody_features_stay(self, weight):
        from emobed_tf.models.speakers import brought

        said = frames(0, 4, 30)
        close(brought(said, nobody(4), prior_of([TRAINING], 3, weight)), said)

    def test_the_largest_numbers_stay_finite(self):
        from emobed_tf.models.speakers import brought

        said = np.array([[[np.finfo(np.float32).max, np.nan, 0]]], np.float32)
        quiet = {**nobody(1), "speaker_count": np.ones((1, 3)), "speaker_deviation": np.full((1, 3), 1e-3)}
        found = brought(said, quiet, prior_of([TRAINING], 3, 0)).numpy()
        assert np.isfinite(found[..., [0, 2]]).all()
        assert np.isnan(found[0, 0, 1])

    def test_equals_numpy_on_what_training_never_varied(self):
        from emobed_tf.models.speakers import brought

        prior = prior_of([np.full((4, 3), 7.0)], 3, 2)
        said = frames(3, 2, 6)
        found = brought(said, statistics_of(said), prior).numpy()
        for sequence, values in zip(said, found, strict=True):
            close(values, prior.apply(sequence, moments_of(sequence)))


class TestBroughtSoFar:
    @pytest.mark.parametrize("weight", [4, 50])
    @pytest.mark.parametrize("chunks", [(30,), (1,) * 30, (1, 12, 2, 15)], ids=["whole", "frames", "chunks"])
    def test_each_frame_is_what_all_frames_so_far_make_of_it(self, weight, chunks):
        from emobed_tf.models.speakers import brought_so_far

        said, prior, states, parts = frames(0, 2, 30), prior_of([TRAINING], 3, weight), nobody(2), []
        for chunk in np.split(said, np.cumsum(chunks)[:-1], axis=1):
            values, states = brought_so_far(chunk, states, prior)
            parts.append(values)
        found = np.concatenate(parts, axis=1)
        for sequence, values in zip(said, found, strict=True):
            for t in range(30):
                close(values[t : t + 1], speakers.brought(sequence[t : t + 1], sequence[: t + 1], TRAINING, weight))

    def test_in_the_end_statistics_are_those_of_all_frames(self):
        from emobed_tf.models.speakers import brought_so_far

        said, states = frames(0, 2, 30), nobody(2)
        for chunk in np.split(said, [3, 4, 20], axis=1):
            _, states = brought_so_far(chunk, states, prior_of([TRAINING], 3, 4))
        for name, expected in statistics_of(said).items():
            np.testing.assert_allclose(states[name], expected, rtol=1e-5)

    def test_goes_on_from_what_is_known(self):
        """Of a speaker who has said something before, the last frame is that of both recordings together."""
        from emobed_tf.models.speakers import brought_so_far

        before, now = frames(0, 1, 30), frames(1, 1, 8)
        values, _ = brought_so_far(now, statistics_of(before), prior_of([TRAINING], 3, 4))
        said = np.concatenate([before[0], now[0]])
        close(values[:, -1], speakers.brought(now[0, -1:], said, TRAINING, 4))

    def test_the_first_frames_are_as_by_the_corpus(self):
        """After one frame in a corpus that counts as 10,000, next to nothing has changed."""
        from emobed_tf.models.speakers import brought_so_far

        said = frames(0, 2, 1)
        np.testing.assert_allclose(brought_so_far(said, nobody(2), prior_of([TRAINING], 3, 1e4))[0], said, rtol=1e-3)

    def test_without_a_prior_a_first_frame_is_the_mean(self):
        from emobed_tf.models.speakers import brought_so_far

        prior = prior_of([TRAINING], 3, 0)
        found = brought_so_far(frames(4, 1, 1)[:, :, 1:], {n: v[:, 1:] for n, v in nobody(1).items()}, part(prior))[0]
        close(found[0, 0], prior.mean[1:])

    def test_far_away_and_for_long(self):
        """A thousand frames at 461 deviations that vary by a hundredth: no digits are lost on the way."""
        from emobed_tf.models.speakers import brought_so_far

        prior = prior_of([np.array([[-1.0], [1.0]])], 1, 0)
        states = {name: np.zeros((1, 1), np.float32) for name in STATISTICS}
        said = (461 + 0.01 * np.random.default_rng(0).normal(size=(1, 1000, 1))).astype(np.float32)
        for chunk in np.split(said, 50, axis=1):
            _, states = brought_so_far(chunk, states, prior)
        assert float(states["speaker_mean"][0, 0]) == pytest.approx(said.mean(dtype=float), abs=1e-4)
        assert float(states["speaker_deviation"][0, 0]) == pytest.approx(said.std(dtype=float), rel=1e-2)


def part(prior):
    """The prior without the first column, which is missing to begin with."""
    return dataclasses.replace(prior, mean=prior.mean[1:], deviation=prior.deviation[1:])
