"""Log-mel energies beside SciPy's spectra and TensorFlow's mel weights, and sines whose band is known."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.signal import spectrogram

from emobed_tf.errors import InputError
from emobed_tf.recordings.logmel import LogMel, log_mel
from emobed_tf.recordings.windows import Windows
from tests.recordings.sounds import noise, sine, speech_like


def column(name):
    return LogMel.columns.index(name)


class TestLogMel:
    def test_equals_scipy_and_tensorflow(self, stack):
        samples = speech_like(1).astype(np.float32)
        _, _, power = spectrogram(samples, 16_000, "hann", 400, 240, 512, detrend=False, scaling="spectrum")
        power = power.T * 200**2  # SciPy divides by the sum of the window, 400 / 2, squared
        power[:, 1:-1] /= 2  # and counts negative frequencies
        weights = stack.signal.linear_to_mel_weight_matrix(40, 257, 16_000, 60.0, 7_600.0).numpy()
        found = log_mel(samples)
        assert found.shape == (98, 40)  # 1 + (16000 - 400) // 160
        np.testing.assert_allclose(found, np.log(power @ weights), atol=1e-4)

    @pytest.mark.parametrize("hertz", [200, 1_000, 4_000])
    def test_a_sine_is_in_its_band(self, hertz):
        # bands are equally wide in mel, 2595 log10(1 + f / 700), and overlap by half
        low, high, here = (2_595 * np.log10(1 + f / 700) for f in (60, 7_600, hertz))
        band = (here - low) / (high - low) * 41 - 1
        assert np.abs(log_mel(sine(hertz, 0.5, 16_000)).mean(axis=0).argmax() - band) <= 0.5

    def test_twice_as_loud_is_log_4_more(self):
        samples = noise(0.5)
        np.testing.assert_allclose(log_mel(2 * samples) - log_mel(samples), np.log(4), atol=1e-6)

    def test_silence_has_a_floor(self):
        np.testing.assert_allclose(log_mel(np.zeros(800)), np.log(1e-10))

    def test_many_frames(self, monkeypatch):
        samples = noise(2)
        expected = log_mel(samples)
        monkeypatch.setattr("emobed_tf.recordings.logmel._CHUNK", 7)
        np.testing.assert_allclose(log_mel(samples), expected, rtol=1e-12)


class TestFunctionals:
    def test_by_hand(self):
        samples = speech_like(1)
        band = log_mel(samples)[:, 6]
        found = LogMel().of(samples)
        assert found[column("logmel07_mean")] == pytest.approx(sum(band) / 98)
        variance = sum((value - sum(band) / 98) ** 2 for value in band) / 98
        assert found[column("logmel07_stddev")] == pytest.approx(variance**0.5)
        # 97 steps between 98 values: 20 % of them are 19.4 steps
        ordered = sorted(band)
        expected = ordered[19] + 0.4 * (ordered[20] - ordered[19])
        assert found[column("logmel07_percentile20")] == pytest.approx(expected)
        steps = [b - a for a, b in pairwise(band)]
        expected = (sum(s**2 for s in steps) / 97 - (sum(steps) / 97) ** 2) ** 0.5
        assert found[column("logmel07_delta_stddev")] == pytest.approx(expected)

    def test_one_frame_does_not_move(self):
        found = LogMel().of(noise(0.025))
        assert np.isfinite(found).all()
        assert found[column("logmel07_delta_stddev")] == 0

    def test_too_short(self):
        for windows in (None, Windows(1, 0.5)):
            with pytest.raises(InputError, match=r"0\.006 s are too short; expected 0\.025 s"):
                LogMel(windows).extract(np.zeros(100, np.float32))


@pytest.mark.parametrize("align", ["centre", "causal"])
def test_windows_are_those_that_are_cut_out(align):
    samples = speech_like(3).astype(np.float32)
    windows = Windows(1, 0.1, align)
    times, found = LogMel(windows).extract(samples)
    _, starts, ends = windows.over(len(samples))
    assert found.shape == (30, 200)
    assert times[7] == 0.7
    for row, start, end in zip(found, starts, ends, strict=True):
        first = -(-start // 160) * 160  # frames stay where they are, so a cut begins where one does
        np.testing.assert_allclose(row, LogMel().of(samples[first:end]), atol=1e-4)


def test_causal_windows_see_nothing_that_comes_later():
    samples = speech_like(2).astype(np.float32)
    changed = samples.copy()
    changed[16_000:] = 0
    extractor = LogMel(Windows(0.5, 0.1, "causal"))
    before, after = extractor.extract(samples)[1], extractor.extract(changed)[1]
    np.testing.assert_array_equal(before[:10], after[:10])  # rows of steps that end at 1 s at the latest
    assert (before[10] != after[10]).any()


def test_a_window_without_a_frame_is_missing():
    _, found = LogMel(Windows(0.5, 0.02, "causal")).extract(noise(1).astype(np.float32))
    assert found.shape == (50, 200)
    # the first row sees 20 ms, less than a frame
    assert np.isnan(found).all(axis=1).nonzero()[0].tolist() == [0]
