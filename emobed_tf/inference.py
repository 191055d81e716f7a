"""Predictions of a monomodal model for recordings of any length."""

from collections.abc import Sequence

import keras
import numpy as np

from emobed_tf.corpora.corpus import Recording
from emobed_tf.errors import InputError

_FRAMES_AT_A_TIME = 100_000


def predict(model: keras.Model, recordings: Sequence[Recording]) -> list[np.ndarray]:
    """What a model from `EmoBed.monomodal` says of each recording.

    Args:
        model: float32 `[batch, frames, features]` -> `[batch, ...]`.
        recordings: with features of that modality.

    Returns:
        float32 per recording, in their order: `[frames]` in the features' time (regression), or class probabilities
        `[classes]`.

    Raises:
        InputError: if the model's output is not finite.
    """
    outputs: list[np.ndarray] = [np.empty(0)] * len(recordings)
    by_length: dict[int, list[int]] = {}
    for k, recording in enumerate(recordings):
        by_length.setdefault(recording.frames, []).append(k)
    for frames, members in by_length.items():
        size = max(1, _FRAMES_AT_A_TIME // frames)
        for first in range(0, len(members), size):
            chosen = members[first : first + size]
            values = model.predict_on_batch(np.stack([recordings[k].features for k in chosen]))
            for k, value in zip(chosen, values, strict=True):
                if not np.isfinite(value).all():
                    raise InputError(f"the prediction for recording {recordings[k].id} is not finite; train again")
                outputs[k] = value
    return outputs
