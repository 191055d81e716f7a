"""Log-mel energies against a discrete Fourier transform and triangles written out."""

import math

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("stack")


def plain_logmel(samples, window, step, points=512, bands=40, rate=16_000):
    """Window by window, frequency by frequency, in double precision: the last window ends with the last sample."""
    weights = [0.5 - 0.5 * math.cos(2 * math.pi * n / window) for n in range(window)]
    spectrum = np.exp(-2j * np.pi * np.outer(np.arange(points // 2 + 1), np.arange(window)) / points)
    mel = [2595 * math.log10(1 + f / 700) for f in (20, 8000)]
    edges = [mel[0] + (mel[1] - mel[0]) * k / (bands + 1) for k in range(bands + 2)]
    rows = []
    padded = np.concatenate([np.zeros(window), samples])
    for end in range(step, len(samples) + 1, step):
        piece = padded[end : end + window] * weights
        power = np.abs(spectrum @ piece) ** 2
        row = []
        for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
            energy = 0.0
            for k in range(points // 2 + 1):
                at = 2595 * math.log10(1 + k * rate / points / 700)
                if low < at <= middle:
                    energy += power[k] * (at - low) / (middle - low)
                elif middle < at < high:
                    energy += power[k] * (high - at) / (high - middle)
            row.append(math.log(energy + 1e-8))
        rows.append(row)
    return np.array(rows)


@pytest.fixture(scope="module")
def speech():
    """0.2 s: a tone that rises, and noise."""
    time = np.arange(3200) / 16_000
    noise = np.random.default_rng(0).normal(0, 0.01, 3200)
    return (0.3 * np.sin(2 * np.pi * (200 + 4000 * time) * time) + noise).astype(np.float32)


class TestLogMel:
    @pytest.mark.parametrize(("samples", "step"), [(640, 160), (320, 160), (160, 160), (800, 160), (533, 41)])
    def test_is_that_of_a_plain_transform(self, speech, samples, step):
        """533 samples (nearly 30 frames a second) are 13 steps of 41, for of their divisors 41 is nearest to 160."""
        from emobed_tf.models.front_ends.logmel import LogMel

        frames = len(speech) // samples
        cut = speech[: frames * samples]
        found = LogMel()(cut.reshape(1, frames, samples)).numpy()
        expected = plain_logmel(cut.astype(np.float64), 400, step)
        np.testing.assert_allclose(found[0], expected.reshape(frames, -1), atol=2e-3)

    def test_a_tone_is_loudest_in_its_own_band(self):
        """1 kHz is 1000 mel. Bands are 68.5 mel apart from 31.7: the 14th has its peak at 991 mel."""
        from emobed_tf.models.front_ends.logmel import LogMel

        tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
        energies = LogMel()(tone.reshape(1, 25, 640)).numpy().reshape(25 * 4, 40)
        assert set(energies[3:].argmax(axis=1)) == {13}

    def test_silence_is_the_floor(self):
        from emobed_tf.models.front_ends.logmel import LogMel

        energies = LogMel()(np.zeros((1, 3, 640), np.float32)).numpy()
        np.testing.assert_allclose(energies, math.log(1e-8), rtol=1e-6)

    def test_bands_are_those_of_tensorflow(self):
        """Which leaves out the first frequency and is otherwise the same formula."""
        import tensorflow as tf

        from emobed_tf.models.front_ends.logmel import mel_weights

        theirs = tf.signal.linear_to_mel_weight_matrix(40, 257, 16_000, 20.0, 8_000.0).numpy()
        np.testing.assert_allclose(mel_weights(40), theirs, atol=1e-4)
