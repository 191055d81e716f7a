"""Resampling block by block beside SciPy's of the whole, and beside sines that are known at any rate."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from emobed_tf.recordings import resampling
from emobed_tf.recordings.resampling import resampled
from tests.recordings.sounds import noise, sine

RATES = (8_000, 11_025, 22_050, 44_100, 48_000, 96_000)


def blocks_of(samples, size):
    return [samples[k : k + size] for k in range(0, len(samples), size)]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [777, 10_000, 10**6])
def test_blocks_equal_the_whole(rate, size, monkeypatch):
    monkeypatch.setattr(resampling, "_BLOCK", 5_000)
    samples = noise(1.234, rate).astype(np.float32)
    found = np.concatenate(list(resampled(blocks_of(samples, size), rate, 16_000)))
    expected = resample_poly(samples, 16_000, rate)
    assert len(found) == -(-len(samples) * 16_000 // rate)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_a_sine_is_the_same_sine(rate):
    found = np.concatenate(list(resampled([sine(440, 1, rate).astype(np.float32)], rate, 16_000)))
    inner = slice(200, -200)  # at the edges there is silence beside it
    np.testing.assert_allclose(found[inner], sine(440, 1, 16_000)[inner], atol=2e-3)


def test_what_16_khz_can_t_hold_does_not_come_back_as_something_else():
    found = np.concatenate(list(resampled([sine(12_000, 1, 48_000).astype(np.float32)], 48_000, 16_000)))
    assert np.abs(found[200:-200]).max() < 0.005  # as an alias it would be 0.5 at 4 kHz


def test_the_same_rate_is_passed_on():
    given = [np.ones(3, np.float32), np.zeros(2, np.float32)]
    assert list(resampled(given, 16_000, 16_000)) == given


def test_nothing_gives_nothing():
    assert not list(resampled([], 48_000, 16_000))
