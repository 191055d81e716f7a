"""`egemaps`: the 88 features of eGeMAPS, by openSMILE."""

import importlib.metadata
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.errors import InputError
from emobed_tf.recordings.audio import SAMPLE_RATE
from emobed_tf.recordings.extractors import Extractor
from emobed_tf.recordings.extras import needed
from emobed_tf.recordings.windows import Windows, frames_within

_FRAME, _HOP = 960, 160  # samples: the longest frames of openSMILE's descriptors, of pitch, and their step
_LEAST = _FRAME + 1  # samples of which openSMILE still makes features


class EGeMAPS(Extractor):
    """eGeMAPSv02 (Eyben et al., 2016): functionals of pitch, loudness, timbre and rhythm.

    Windows are lists of the frames of one pass, so that 300 s in windows of 4 s every 40 ms take not 7,500 times as
    long as 4 s. What openSMILE smooths over frames sees beyond a window's edges there: such a window differs from one
    that was cut out of the recording, by less than 1 % of a value (median).

    Args:
        windows: None: one row for a recording.

    Raises:
        InputError: if openSMILE is not installed, or TensorFlow is in this process, which would then be killed.
    """

    shortest = (_FRAME + _HOP) / SAMPLE_RATE  # one frame lies in it wherever it begins
    version = "eGeMAPSv02/1"  # with openSMILE's own, once that is known to be there
    licence = (
        "openSMILE is for non-commercial use only (audEERING's research licence), features and models made with it "
        "included"
    )

    def __init__(self, windows: Windows | None = None) -> None:
        super().__init__(windows)
        if "tensorflow" in sys.modules:
            raise InputError(
                "egemaps: TensorFlow is in this process already, and openSMILE beside it would kill the process; "
                "extract in another process, or start Dask's workers anew"
            )
        self._opensmile = needed("opensmile", "audio", "egemaps")
        self.version = f"{type(self).version}, opensmile {importlib.metadata.version('opensmile')}"
        self._whole = self._smile()
        self.columns = tuple(self._whole.feature_names)

    def of(self, samples: np.ndarray) -> np.ndarray:
        """Functionals of all of the sound.

        Args:
            samples: float32 `[samples]` at 16,000 Hz.

        Returns:
            float32 `[88]`.

        Raises:
            InputError: if it is too short for openSMILE.
        """
        _check_length(samples)
        return self._whole.process_signal(samples, SAMPLE_RATE).to_numpy(np.float32)[0]

    def extract(self, samples: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """As any extractor does, but in one pass over all windows.

        Args:
            samples: float32 `[samples]` at 16,000 Hz.

        Returns:
            See `Extractor.extract`. A window without a whole frame of 60 ms is a row of NaN.

        Raises:
            InputError: if all is too short for openSMILE.
        """
        if self.windows is None:
            return super().extract(samples)
        _check_length(samples)
        times, starts, ends = self.windows.over(len(samples))
        first, last = frames_within(starts, ends, _FRAME, _HOP)
        filled = np.flatnonzero(first < last)
        rows = np.full((len(times), len(self.columns)), np.nan, np.float32)
        if filled.size:
            rows[filled] = self._listed(samples, list(zip(first[filled], last[filled], strict=True)))
        return times, rows

    def _listed(self, samples: np.ndarray, spans: Sequence[tuple[int, int]]) -> np.ndarray:
        """Functionals of spans of frames, float32 `[spans, 88]`."""
        frames = ",".join(f"{first}-{last - 1}" for first, last in spans)
        with tempfile.TemporaryDirectory() as folder:
            mode = Path(folder) / "windows.conf"
            mode.write_text(f"frameMode = list\nframeList = {frames}\n")
            found = self._smile(frameModeFunctionalsConf=str(mode)).process_signal(samples, SAMPLE_RATE)
        if len(found) != len(spans):
            raise InputError(f"openSMILE made {len(found)} rows of {len(spans)} windows")
        return found.to_numpy(np.float32)

    def _smile(self, **options: str) -> Any:
        library = self._opensmile
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of what is said by an error here
            return library.Smile(
                library.FeatureSet.eGeMAPSv02, library.FeatureLevel.Functionals, options=options or None
            )


def _check_length(samples: np.ndarray) -> None:
    if len(samples) < _LEAST:
        raise InputError(f"{len(samples) / SAMPLE_RATE:.3f} s are too short; expected more than 0.06 s")
