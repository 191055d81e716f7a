"""What a client knows of a speaker, as a model that is standardised by speaker takes it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emobed_tf.corpora.moments import STATISTICS, Moments, moments_of
from emobed_tf.errors import InputError
from emobed_tf.settings import SPEAKER
from serving.client.payload import Batch

Speakers = Moments | Sequence[Moments]
"""One speaker of everything that is asked, or one for each recording or utterance."""


def statistics_of(batch: Batch) -> Moments:
    """Statistics of one speaker.

    Args:
        batch: all that the speaker has said, as far as it is at hand.

    Returns:
        Moments of all frames.
    """
    return moments_of(batch.values.reshape(-1, batch.values.shape[-1]))


def as_inputs(speakers: Speakers, batch: Batch, manifest: Mapping[str, Any]) -> list[dict[str, list[float]]]:
    """Statistics of speakers beside features.

    Args:
        speakers: of the batch.
        batch: of features.
        manifest: of the model.

    Returns:
        Inputs by name, for each recording or utterance.

    Raises:
        InputError: if there are not as many as recordings, they are of other features, or the model takes none.
    """
    check_takes_speakers(manifest)
    if not isinstance(speakers, (Moments, Sequence)):
        raise InputError(f"speaker: expected what Client.speaker gives, got {type(speakers).__name__}")
    each = [speakers] * len(batch.values) if isinstance(speakers, Moments) else list(speakers)
    if len(each) != len(batch.values):
        raise InputError(f"speaker: expected one, or {len(batch.values)}, one for each recording; got {len(each)}")
    return [as_states(speaker, manifest) for speaker in each]


def as_states(speaker: Moments, manifest: Mapping[str, Any]) -> dict[str, list[float]]:
    """Statistics of one speaker, as a signature takes them.

    Args:
        speaker: from `Client.speaker`.
        manifest: of the model.

    Returns:
        Numbers by name.

    Raises:
        InputError: if they are of other features, or the model takes none.
    """
    check_takes_speakers(manifest)
    if not isinstance(speaker, Moments):
        raise InputError(f"speaker: expected what Client.speaker gives, got {type(speaker).__name__}")
    values = (speaker.count, speaker.mean, speaker.deviation)
    width = len(manifest["features"])
    if any(np.shape(value) != (width,) for value in values):
        raise InputError(f"speaker: expected statistics of the model's {width} features, got {len(speaker.mean)}")
    return {name: value.astype(np.float32).tolist() for name, value in zip(STATISTICS, values, strict=True)}


def check_takes_speakers(manifest: Mapping[str, Any]) -> None:
    """Refuses statistics of a speaker where a model doesn't ask for any.

    Args:
        manifest: of the model.

    Raises:
        InputError: if the model standardises by its corpus.
    """
    if manifest.get("standardise") != SPEAKER:
        raise InputError("speaker: the model standardises by its corpus and knows no speakers; leave speaker out")
