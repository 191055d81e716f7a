"""Standardisation by speaker: each speaker's features are brought to the mean and the deviation of the corpus.

It is transductive: a speaker's statistics are those of all of the speaker's frames at hand, whatever their partition
and with or without a label. Labels are never read. What the corpus adds, see `moments.SpeakerPrior`, comes from
training frames alone.
"""

import dataclasses
import warnings
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.corpora.moments import Moments, SpeakerPrior, moments_of, prior_of
from emobed_tf.corpora.waveforms import check_no_waveform
from emobed_tf.datasets import TABLES
from emobed_tf.errors import EmoBedWarning
from emobed_tf.settings import SPEAKER, Data


def speakerless(modality: Modality) -> bool:
    """Whether nobody knows who is heard or seen in a modality.

    Args:
        modality: any.

    Returns:
        True of a table without a column of speakers: its reader takes the ids of the recordings.
    """
    return modality.corpus == TABLES.name and all(r.speaker == r.id for r in modality.recordings)


def weight_in_frames(data: Data, frame_seconds: float | None) -> float:
    """How many frames the corpus counts as in a speaker's statistics.

    Args:
        data: whose `speaker_prior` is in utterances, or in seconds of frames.
        frame_seconds: time between two frames; None where a recording is an utterance.

    Returns:
        0 or more.
    """
    return data.speaker_prior if frame_seconds is None else data.speaker_prior / frame_seconds


def speaker_moments(recordings: Iterable[Recording]) -> dict[str, Moments]:
    """Statistics of each speaker's frames.

    Args:
        recordings: of one modality.

    Returns:
        Moments of all frames by speaker.
    """
    return {speaker: moments_of(_frames(theirs)) for speaker, theirs in _of_speakers(recordings).items()}


def brought(
    recordings: Sequence[Recording], prior: SpeakerPrior, speakers: Mapping[str, Moments] | None = None
) -> tuple[Recording, ...]:
    """Recordings with each speaker's features brought to the corpus.

    Args:
        recordings: of one modality.
        prior: of the corpus that a system was trained on.
        speakers: moments by speaker, of everybody in the recordings. Default: those of the recordings.

    Returns:
        New ones, in the same order; labels and all else are the same objects.
    """
    known = speaker_moments(recordings) if speakers is None else speakers
    features: dict[int, np.ndarray] = {}
    for speaker, theirs in _of_speakers(recordings).items():
        together = prior.apply(_frames(theirs), known[speaker])
        ends = np.cumsum([recording.frames for recording in theirs])[:-1]
        features |= {id(r): part for r, part in zip(theirs, np.split(together, ends), strict=True)}
    return tuple(dataclasses.replace(r, features=features[id(r)]) for r in recordings)


def as_configured(data: Data, corpus: Corpus) -> Corpus:
    """A corpus standardised as the settings say.

    Args:
        data: with `standardise` and `speaker_prior`.
        corpus: with its final partitions.

    Returns:
        The corpus itself, or what `by_speaker` makes of it.

    Warns:
        EmoBedWarning: see `by_speaker`.
    """
    return by_speaker(data, corpus) if data.standardise == SPEAKER else corpus


def by_speaker(data: Data, corpus: Corpus) -> Corpus:
    """A corpus in which each speaker's features are brought to the corpus.

    Args:
        data: for `speaker_prior`.
        corpus: with its final partitions: the prior is that of its training recordings.

    Returns:
        A new corpus, whose modalities hold the prior. One that has been standardised stays as it is.

    Warns:
        EmoBedWarning: of modalities that don't tell who is heard or seen: each recording then has statistics of its
            own.
    """
    modalities = {name: _by_speaker(data, modality) for name, modality in corpus.modalities.items()}
    return dataclasses.replace(corpus, modalities=modalities)


def _of_speakers(recordings: Iterable[Recording]) -> dict[str, list[Recording]]:
    found: dict[str, list[Recording]] = {}
    for recording in recordings:
        found.setdefault(recording.speaker, []).append(recording)
    return found


def _frames(recordings: Iterable[Recording]) -> np.ndarray:
    return np.concatenate([recording.features for recording in recordings])


def _by_speaker(data: Data, modality: Modality) -> Modality:
    if modality.speaker_prior is not None:
        return modality
    check_no_waveform([modality], f"--standardise {SPEAKER}")
    if speakerless(modality):
        warnings.warn(
            f"modality '{modality.name}': no speakers, or they are called like the recordings; each recording is "
            "standardised by its own frames alone; add a column 'speaker' to use all that a speaker said",
            EmoBedWarning,
            stacklevel=4,
        )
    weight = weight_in_frames(data, modality.frame_seconds)
    training = [recording.features for recording in modality.partition("train")]
    prior = prior_of(training, len(modality.feature_names), weight)
    speakers = speaker_moments((*modality.recordings, *modality.unlabelled))
    recordings = brought(modality.recordings, prior, speakers)
    note = (
        f"standardised by speaker ({len({r.speaker for r in recordings})} speakers, labels unread); the corpus counts "
        f"as {data.speaker_prior:g} {'utterances' if modality.frame_seconds is None else 's'} of each"
    )
    return dataclasses.replace(
        modality, recordings=recordings, unlabelled=(), speaker_prior=prior, notes=(*modality.notes, note)
    )
