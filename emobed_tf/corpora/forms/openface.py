"""OpenFace 2 (FeatureExtraction): a CSV file per video, a row per frame."""

from collections.abc import Mapping, Sequence

import numpy as np

from emobed_tf.corpora.forms import plain
from emobed_tf.corpora.forms.form import Form

_KNOWN_BY = ("frame", "confidence", "success")
_BESIDE = ("frame", "face_id", *_KNOWN_BY[1:])


def recognise(names: Sequence[str]) -> Form | None:
    """Knows OpenFace by `frame`, `confidence` and `success`. Keys such as id and label may have been added.

    Args:
        names: of the columns.

    Returns:
        `timestamp` is the time, in seconds; a frame without success is missing. None for another header.
    """
    if not set(_KNOWN_BY) <= set(names):
        return None
    roles = dict(plain.recognise(names).roles)
    beside = [name for name in _BESIDE if name in names]
    if "timestamp" in names:
        if "time" in roles:
            beside.append("timestamp")
        else:
            roles["timestamp"] = "time"
    return Form(
        "OpenFace",
        roles,
        tuple(beside),
        one_recording=True,
        measures=("confidence", "success"),
        missing=_no_face,
    )


def _no_face(columns: Mapping[str, np.ndarray], confidence: float) -> np.ndarray:
    return ~(columns["success"] > 0) | (columns["confidence"] < confidence)
