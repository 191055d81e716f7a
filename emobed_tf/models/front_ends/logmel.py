"""Log-mel energies of a waveform, in the graph."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from emobed_tf.models.front_ends.signal_layer import SignalLayer, nearest_divisor, windows
from emobed_tf.settings import Network

_RATE = 16_000
_WINDOW, _STEP = 400, 160  # 25 and 10 ms
_FOURIER = 512
_LOWEST, _HIGHEST = 20.0, 8_000.0
_FLOOR = 1e-8


def logmel(network: Network, modality: str, xla: bool) -> list[keras.layers.Layer]:
    """Log-mel energies: windows of 25 ms every 10 ms, 40 bands, those of a frame side by side.

    Nothing is learnt, so the energies are standardised as features are.

    Args:
        network: without effect.
        modality: whose front end it is.
        xla: without effect.

    Returns:
        One layer, `LogMel`.
    """
    return [LogMel(name=f"{modality}.logmel")]


@keras.saving.register_keras_serializable(package="emobed_tf")
class LogMel(SignalLayer):
    """Natural logarithms of the energies in mel bands, whose last window ends with the frame.

    A window is weighted by a periodic Hann window; its energies are those of a Fourier transform of 512 points, in
    triangular bands that are evenly spaced on the mel scale (2595 lg(1 + f / 700 Hz)) between 20 Hz and 8 kHz. 1e-8 is
    added before the logarithm, about what the rounding to 16 bits leaves in a band. A frame of 40 ms has 4 windows and
    160 channels, window by window, and sees 240 samples before its own. Where 10 ms don't divide a frame, the nearest
    step that does is taken.

    Input float32 `[batch, frames, samples]` at 16 kHz in [-1, 1), output float32 `[batch, frames, windows * bands]`.

    Args:
        bands: number of mel bands.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, bands: int = 40, **kwargs: Any):
        super().__init__(**kwargs)
        self.bands = bands

    def build(self, input_shape: tuple[int | None, int | None, int]) -> None:
        """Finds the step.

        Args:
            input_shape: of `[batch, frames, samples]`; the last size has to be known.
        """
        super().build(input_shape)
        self.step = nearest_divisor(self.samples, _STEP)

    @property
    def tail(self) -> int:
        """Samples before a frame that its channels depend on."""
        return max(0, _WINDOW - self.step)

    @property
    def channels(self) -> int:
        """Channels of a frame: windows times bands."""
        return self.samples // self.step * self.bands

    def channels_of(self, signal: tf.Tensor) -> tf.Tensor:
        """Log-mel energies.

        Args:
            signal: float32 `[batch, tail + frames * samples]`.

        Returns:
            float32 `[batch, frames, channels]`.
        """
        unseen = max(0, self.step - _WINDOW)  # at the beginning of each step, where steps are longer than windows
        framed = windows(signal[:, unseen:, tf.newaxis], _WINDOW, self.step)
        spectrum = tf.signal.rfft(framed * _hann(), [_FOURIER])
        energies = tf.square(tf.math.real(spectrum)) + tf.square(tf.math.imag(spectrum))
        logarithms = tf.math.log(tf.tensordot(energies, mel_weights(self.bands), 1) + _FLOOR)
        return tf.reshape(logarithms, [tf.shape(signal)[0], -1, self.channels])

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes.

        Returns:
            The arguments by name.
        """
        return {**super().get_config(), "bands": self.bands}


def mel_weights(bands: int) -> np.ndarray:
    """How much each frequency of the Fourier transform counts in each band.

    Args:
        bands: number of bands.

    Returns:
        float32 `[257, bands]`, triangles of height 1.
    """
    edges = np.linspace(_mel(np.array(_LOWEST)), _mel(np.array(_HIGHEST)), bands + 2)
    of_bins = _mel(np.arange(_FOURIER // 2 + 1) * _RATE / _FOURIER)[:, np.newaxis]
    rising = (of_bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - of_bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _hann() -> np.ndarray:
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)


def _mel(frequency: np.ndarray) -> np.ndarray:
    return 2595 * np.log10(1 + frequency / 700)
