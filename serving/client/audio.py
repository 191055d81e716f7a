"""Recordings as a served model takes them: a file's bytes, or the features that its manifest names. No TensorFlow."""

import importlib.util
import io
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.extraction import Extraction
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.missing import missing_rows
from emobed_tf.errors import InputError
from emobed_tf.recordings.audio import SAMPLE_RATE, check_is_there, decode
from emobed_tf.recordings.extraction import Job, extract_file
from emobed_tf.recordings.extractors import EXTRACTORS, find_extractor
from emobed_tf.recordings.looking import Looking
from emobed_tf.recordings.waveforms import as_integers
from emobed_tf.recordings.windows import Windows

_BYTES = 2  # of a sample


def wav_of(path: Path, manifest: Mapping[str, Any]) -> bytes:
    """A recording as a model of waveforms takes it.

    Args:
        path: of sound, or of a video.
        manifest: of the model.

    Returns:
        A WAV file: 16-bit PCM, one channel, at the model's rate. Where nothing is installed that could read sound, a
        WAV file is passed on as it is, and the model says what is wrong with it.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it can't be read, or the model takes sound at another rate than this package's.
    """
    rate = manifest["waveform"]["sample_rate"]
    if rate != SAMPLE_RATE:
        raise InputError(f"the model takes sound at {rate:,} Hz; this client brings recordings to {SAMPLE_RATE:,} Hz")
    if path.suffix.lower() == ".wav" and importlib.util.find_spec("soundfile") is None:
        check_is_there(path)
        return path.read_bytes()
    return as_wav(as_integers(decode(path)), rate)


def as_wav(samples: np.ndarray, rate: int) -> bytes:
    """Samples as the bytes of a WAV file.

    Args:
        samples: int16 `[samples]`.
        rate: in Hz.

    Returns:
        The file.
    """
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_BYTES)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return buffer.getvalue()


def extraction_in(manifest: Mapping[str, Any], allowed: str | None) -> Extraction:
    """What made the features that a model was trained on, once it is known to be here, too.

    Args:
        manifest: of the model.
        allowed: name of an extractor of the user's own. Others of that kind are not imported: a server must not choose
            which code runs here.

    Returns:
        Extractor, version and settings.

    Raises:
        InputError: if the manifest names none, or one that is not here in the same version and with the same settings.
    """
    if "extraction" not in manifest:
        raise InputError(
            "--audio: the model takes features, and its manifest doesn't say what made them; extract them as those it "
            "was trained on, and send them with --features"
        )
    made = Extraction(**manifest["extraction"])
    if made.extractor not in EXTRACTORS and made.extractor != allowed:
        raise InputError(
            f"--audio: the model's features come from {made.extractor}, which is not one of {', '.join(EXTRACTORS)}; "
            f"if it is yours, allow it with --extractor {made.extractor}"
        )
    extractor = find_extractor(made.extractor, _windows(made), _looking(made))
    if extractor.version != made.version:
        raise InputError(
            f"--audio: the model's features come from {made.extractor}, version {made.version}; here is version "
            f"{extractor.version}, whose numbers are others; install that version, or train again"
        )
    if dict(extractor.settings) != dict(made.settings):
        raise InputError(
            f"--audio: the model's features come from {made.extractor} with the settings {dict(made.settings)}; here "
            f"it has {dict(extractor.settings)}"
        )
    _check_step(made, manifest)
    return made


def features_of(paths: Sequence[Path], manifest: Mapping[str, Any], made: Extraction) -> list[Recording]:
    """The features of recordings, as the model was trained on.

    Args:
        paths: of sound, or of videos.
        manifest: of the model.
        made: from `extraction_in`.

    Returns:
        A recording for each, named by the file's stem, with the partition "" and no labels.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if one can't be read, two have one name, or the extractor doesn't give the model's features.
    """
    extractor = find_extractor(made.extractor, _windows(made), _looking(made))
    columns = {name: k for k, name in enumerate(extractor.columns)}
    missing = [name for name in manifest["features"] if name not in columns]
    if missing:
        raise InputError(f"--audio: {made.extractor} doesn't give the model's features {listing(missing)}")
    order = [columns[name] for name in manifest["features"]]
    check_names(paths)
    return [_recording(path, manifest, made, order) for path in paths]


def check_names(paths: Sequence[Path]) -> None:
    """Refuses recordings that would be called the same.

    Args:
        paths: of the recordings.

    Raises:
        InputError: if two files have one stem.
    """
    seen: dict[str, Path] = {}
    for path in paths:
        if path.stem in seen:
            raise InputError(f"{path}: recording '{path.stem}' a second time (first: {seen[path.stem]})")
        seen[path.stem] = path


def _recording(path: Path, manifest: Mapping[str, Any], made: Extraction, order: Sequence[int]) -> Recording:
    check_is_there(path)
    done = extract_file(Job(str(path), ((0.0, None),), made.extractor, _windows(made), _looking(made)))
    (rows,) = done.rows
    if rows is None:
        raise InputError(done.problems[0])
    features = rows.features[:, order]
    if manifest.get("reading", {}).get("zeros_missing"):
        features = missing_rows(features)
    start = 0.0 if rows.times is None else float(rows.times[0])
    return Recording(path.stem, "", path.stem, features, start=start)


def _windows(made: Extraction) -> Windows | None:
    known = {name: made.settings[name] for name in ("window", "step", "align") if name in made.settings}
    return Windows(**known) if known else None


def _looking(made: Extraction) -> Looking:
    """As pictures were looked at, by the model that the environment names: its SHA-256 is among the settings."""
    return Looking(made.settings.get("picture_step"), made.settings.get("face"))


def _check_step(made: Extraction, manifest: Mapping[str, Any]) -> None:
    windows, step = _windows(made), manifest["frame_seconds"]
    given = None if windows is None else windows.step
    if given != step and (given is None or step is None or abs(given - step) > 1e-6 * step):
        rates = ["one row for a recording" if s is None else f"a row every {s:g} s" for s in (step, given)]
        raise InputError(
            f"--audio: the model takes {rates[0]}, and its extractor gives {rates[1]}: features were changed between "
            "extraction and training; do that again, and send them with --features"
        )
