"""What training found in the data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from emobed_tf.corpora.extraction import Extraction
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.moments import SpeakerPrior


@dataclass(frozen=True)
class Facts:
    """What training found in the data, enough to build the model again and to read new features.

    Attributes:
        corpus: name of the data set.
        simulated: True if any of it is simulated.
        task: `regression` or `classification`.
        label: dimension, or `emotion`.
        classes: names by index; empty for regression.
        target: modality that is kept.
        features: names of the feature columns, by modality that has a branch, target first.
        frame_seconds: time between frames by modality; None where a recording is an utterance.
        delay: label delay in frames of the target.
        deviation: standard deviation of the target's training labels (regression).
        edges: between the classes of a continuous label.
        fingerprints: SHA-256 by input file, see `configured.fingerprints`.
        left_out: columns of its source that are no features, by modality; none are known of runs before there was this.
        zeros_missing: modalities in which a row of nothing but zeros is a missing frame; None: RECOLA's video.
        sample_rates: in Hz, by modality that is a waveform, whose features are samples.
        extraction: what made the features, by modality of which it is known.
        speaker_prior: what the target's features are brought to, speaker by speaker; None: they are as they are read.
    """

    corpus: str
    simulated: bool
    task: str
    label: str
    classes: tuple[str, ...]
    target: str
    features: Mapping[str, tuple[str, ...]]
    frame_seconds: Mapping[str, float | None]
    delay: int
    deviation: float
    edges: tuple[float, ...]
    fingerprints: Mapping[str, str]
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    zeros_missing: tuple[str, ...] | None = None
    speaker_prior: SpeakerPrior | None = None
    sample_rates: Mapping[str, int] = field(default_factory=dict)
    extraction: Mapping[str, Extraction] = field(default_factory=dict)

    def unlike(self, other: "Facts") -> tuple[str, str] | None:
        """How what two trainings learnt differs, so that their scores can't be compared.

        Args:
            other: of another training.

        Returns:
            What this one and the other learnt, such as `arousal` and `valence`; None if it is the same.
        """
        if self.task != other.task:
            return f"a {self.task} of {self.label}", f"a {other.task} of {other.label}"
        if self.label != other.label:
            return self.label, other.label
        if self.classes != other.classes:
            return f"the classes {listing(self.classes)}", f"the classes {listing(other.classes)}"
        return None

    @property
    def outputs(self) -> int:
        """Width of the head: 1, or the number of classes."""
        return len(self.classes) or 1
