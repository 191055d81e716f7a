"""What every reader returns: a `Corpus` of modalities, each with recordings of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from emobed_tf.corpora.moments import SpeakerPrior
from emobed_tf.corpora.samples import are_samples
from emobed_tf.errors import InputError

PARTITIONS = ("train", "dev", "test")
DIMENSIONS = ("arousal", "valence")
REGRESSION, CLASSIFICATION = "regression", "classification"
EMOTION = "emotion"


@dataclass(frozen=True)
class Recording:
    """One recording (frames) or utterance (a single frame, or frames with one class) of one modality.

    Attributes:
        id: name of the recording; modalities of one corpus that share it are paired.
        partition: `train`, `dev` or `test`.
        speaker: whose voice or face it is (OMG-Emotion: the video's base name). Never in two partitions of a clean
            corpus.
        features: float32 `[frames, features]`, NaN where a value is missing; a frame of nothing but NaN is missing.
            Of a waveform `SampleFrames`, which stand for an array, of which nothing is missing, and nothing in memory.
        labels: by label name. A dimension: float32 `[frames]`, NaN where a frame has none: it is in no loss, no score
            and no statistics, only the recurrence runs through it. The emotion class: int32 scalar array, the index in
            `Corpus.classes`. Empty where labels are withheld.
        ratings: by dimension, float32 `[frames, raters]`: what each rater gave, NaN where one gave nothing. Empty where
            not distributed.
        start: time of the first frame in seconds.
    """

    id: str
    partition: str
    speaker: str
    features: np.ndarray
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    ratings: Mapping[str, np.ndarray] = field(default_factory=dict)
    start: float = 0.0

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.features)

    @property
    def missing(self) -> np.ndarray:
        """Bool `[frames]`: True where every feature of a frame is missing (no face, say)."""
        if are_samples(self.features):
            return np.zeros(self.frames, bool)
        return np.isnan(self.features).all(axis=1)


@dataclass(frozen=True)
class Modality:
    """All recordings of one modality (audio, face, …), from one source.

    Attributes:
        name: name of the modality, as `--target` and `--auxiliary` take it.
        feature_names: names of the feature columns, in order.
        recordings: in the order of the source; ids are unique.
        frame_seconds: time between two frames in seconds; None where a recording is one utterance.
        corpus: name of the data set that it comes from; `tables` where it is a table.
        notes: what was recognised, put in or left out in reading it, for people.
        left_out: why, by column of the source that is no feature.
        zeros_missing: whether a row of nothing but zeros was read as a missing frame.
        unlabelled: further recordings, in no partition. Nothing is learnt from them or scored on them; they count in
            the statistics of their speakers, see `speakers`.
        sample_rate: in Hz; a feature is then a sample of a waveform. None: features are features.
        speaker_prior: what each speaker's features were brought to; None: they are as they were read.
    """

    name: str
    feature_names: tuple[str, ...]
    recordings: tuple[Recording, ...]
    frame_seconds: float | None
    corpus: str
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    zeros_missing: bool = False
    unlabelled: tuple[Recording, ...] = ()
    speaker_prior: SpeakerPrior | None = None
    sample_rate: int | None = None

    def partition(self, name: str) -> tuple[Recording, ...]:
        """The recordings of one partition.

        Args:
            name: `train`, `dev` or `test`.

        Returns:
            In the order of the source; none if the modality has no such partition.
        """
        return tuple(recording for recording in self.recordings if recording.partition == name)


@dataclass(frozen=True)
class Target:
    """What is learnt from a data set.

    Attributes:
        task: `regression` or `classification`.
        label: name of the label.
        classes: names of the classes in the order of their indices; empty for regression.
    """

    task: str
    label: str
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Corpus:
    """A data set in memory. Its modalities need share neither recordings nor lengths, only the label.

    Attributes:
        name: of the data set, `DataSet.name`.
        task: `regression` or `classification`.
        label: the label that is learnt: `arousal`, `valence`, or `emotion` (classification), or `label` (a table's
            numbers without a dimension's name).
        classes: names of the classes in the order of their indices; empty for regression.
        modalities: by name.
        fingerprints: SHA-256 of the bytes of every file that was read, by path.
        simulated: True if any of it is simulated.
    """

    name: str
    task: str
    label: str
    classes: tuple[str, ...]
    modalities: Mapping[str, Modality]
    fingerprints: Mapping[str, str]
    simulated: bool = False

    def __iter__(self) -> Iterator[Modality]:
        return iter(self.modalities.values())

    def modality(self, name: str) -> Modality:
        """The modality of that name.

        Args:
            name: such as `audio`.

        Returns:
            The modality with all its recordings.

        Raises:
            InputError: if the corpus has none of that name.
        """
        if name not in self.modalities:
            raise InputError(f"no modality '{name}' in this data set; it has {', '.join(self.modalities) or 'none'}")
        return self.modalities[name]
