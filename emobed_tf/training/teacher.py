"""Distillation: a network that sees all modalities teaches one that sees the target alone.

The teacher is a fusion, trained on those recordings that are in all modalities. What it then says of the target's
training recordings, its outputs and its embeddings, is learnt by the student beside the labels: privileged information,
which inference doesn't have. Nothing is said of a training recording that lacks another modality; the student has its
label alone.

Sources: G. Hinton, O. Vinyals, and J. Dean, "Distilling the knowledge in a neural network", 2015 (arXiv:1503.02531);
D. Lopez-Paz, L. Bottou, B. Schölkopf, and V. Vapnik, "Unifying distillation and privileged information", ICLR 2016.
"""

import dataclasses
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from emobed_tf.config import Config
from emobed_tf.corpora.budget import with_steps
from emobed_tf.corpora.corpus import CLASSIFICATION, Corpus, Recording
from emobed_tf.corpora.labels import has_label
from emobed_tf.corpora.pairing import check_alike, frame_steps, in_all, join, joined_corpus, partners
from emobed_tf.errors import InputError
from emobed_tf.models.design import EMOBED, SOFT_TARGETS, TAUGHT, TEACHER_EMBEDDINGS, Design
from emobed_tf.settings import DISTILLED
from emobed_tf.training.session import digest
from emobed_tf.training.streams import training_sequences


@dataclass(frozen=True)
class Lessons:
    """What a teacher says of the target's training sequences.

    Attributes:
        taught: bool `[items]`, which of them it has seen; what it says of others means nothing.
        soft_targets: its outputs: float32 `[items, frames]` (regression), or logits `[items, classes]`.
        embeddings: at the mined frames, float32 `[items, mined, units]`; None where the student's have fewer units.
    """

    taught: np.ndarray
    soft_targets: np.ndarray
    embeddings: np.ndarray | None

    def arrays(self) -> dict[str, np.ndarray]:
        """By the names that they have in a batch, and in a run folder."""
        found = {TAUGHT: self.taught, SOFT_TARGETS: self.soft_targets}
        return found if self.embeddings is None else {**found, TEACHER_EMBEDDINGS: self.embeddings}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Lessons":
        """Back from arrays.

        Args:
            arrays: as `arrays` names them.

        Returns:
            The same lessons.

        Raises:
            ValueError: if they don't have the types and sizes that lessons have.
        """
        taught, soft_targets, embeddings = map(arrays.get, (TAUGHT, SOFT_TARGETS, TEACHER_EMBEDDINGS))
        kinds = [None if array is None else array.dtype.kind for array in (taught, soft_targets, embeddings)]
        if taught is None or soft_targets is None or kinds not in (["b", "f", None], ["b", "f", "f"]):
            raise ValueError("damaged (no lessons of a teacher)")
        items = [array.shape[:1] for array in (taught, soft_targets, embeddings) if array is not None]
        numbers = [array for array in (soft_targets, embeddings) if array is not None]
        if taught.ndim != 1 or len(set(items)) > 1 or not all(np.isfinite(array).all() for array in numbers):
            raise ValueError("damaged (lessons of another number of items, or numbers that are not finite)")
        return cls(taught, soft_targets, embeddings)


@dataclass(frozen=True)
class Teacher:
    """The training of a teacher.

    Attributes:
        config: of a classic training on the joined features.
        corpus: whose only modality is the joined one, of paired recordings alone.
        design: of the network.
        key: all that determines what it will say.
    """

    config: Config
    corpus: Corpus
    design: Design
    key: Hashable


def plan_teacher(config: Config, corpus: Corpus) -> Teacher:
    """The training of a student's teacher: the student's settings, and all modalities at once.

    An epoch of the teacher has as many steps as one of the student, although fewer recordings may be paired; with
    `--epoch target` it passes over the paired ones, which are the teacher's target.

    Args:
        config: of the student, resolved.
        corpus: with target and auxiliaries.

    Returns:
        What is trained.

    Raises:
        InputError: if no labelled recording of the training or the development partition is in all modalities, or some
            have frames and others utterances.
    """
    names, config = _names(config), with_steps(config, corpus)
    check_alike(frame_steps(corpus, names))
    paired: list[Recording] = []
    for partition in ("train", "dev"):
        found = in_all(corpus, names, partition)
        if not any(has_label(recording, corpus.label) for recording in found):
            raise InputError(
                f"--framework {DISTILLED}: no labelled recording of partition '{partition}' is in all of "
                f"{', '.join(names)}; a teacher needs some with the same id, or choose another framework"
            )
        paired += found
    joined = joined_corpus(corpus, names, paired)
    (name,) = joined.modalities
    own = {"alpha": 0.0, "beta": 0.0, "target": name, "auxiliary": ()}
    design = EMOBED
    if config.objective.teacher == "model_level":
        modalities = (corpus.modality(name) for name in names)
        design = Design(parts=tuple((m.name, len(m.feature_names)) for m in modalities))
    teacher = config.of_framework("classic").replace(**own).check()
    content = (digest(joined.modality(name)), digest(corpus.modality(names[0])))
    return Teacher(teacher, joined, design, ("teacher", teacher, config.objective.teacher, content))


def recordings_to_teach(config: Config, corpus: Corpus) -> list[Recording]:
    """What the teacher is asked about: the target's training recordings that are in all modalities, joined.

    Args:
        config: of the student, resolved.
        corpus: with target and auxiliaries.

    Returns:
        With every frame of the target; another modality that doesn't reach one is missing there.
    """
    names = _names(config)
    steps = frame_steps(corpus, names)
    theirs = {name: corpus.modality(name).partition("train") for name in names}
    theirs[names[0]] = in_all(corpus, names, "train")
    return [join(paired, steps, cut=False) for paired in partners(theirs, steps)]


def lessons(config: Config, corpus: Corpus, said: Mapping[str, np.ndarray], units: int) -> Lessons:
    """What a teacher has said, cut and padded as the student's training sequences are.

    Args:
        config: of the student, resolved.
        corpus: with the target.
        said: by training recording float32 `[frames, units + 1]` (regression) or `[units + classes]` (classification),
            embeddings first; see `EmoBed.embedding_and_outputs`.
        units: dimensions of the teacher's embeddings.

    Returns:
        The lessons.
    """
    classes = corpus.task == CLASSIFICATION
    width = next(iter(said.values())).shape[-1]

    def about(recording: Recording) -> Recording:
        frames = 1 if classes else recording.frames
        unknown = np.full((frames, width), np.nan, np.float32)
        return dataclasses.replace(recording, features=np.reshape(said.get(recording.id, unknown), (frames, width)))

    target = corpus.modality(_names(config)[0])
    recordings = tuple(about(recording) for recording in target.partition("train"))
    columns = tuple(str(k) for k in range(width))
    modality = dataclasses.replace(target, recordings=recordings, feature_names=columns)
    blank = [np.zeros((), np.int32) if classes else np.zeros(r.frames, np.float32) for r in recordings]
    sequences = training_sequences(
        modality,
        blank,
        task=corpus.task,
        edges=np.zeros(0),
        hop=config.objective.hop,
        seconds=config.training.sequence_seconds,
    )
    values = np.nan_to_num(sequences.features)
    soft = values[:, 0, units:] if classes else values[..., units]
    mined = values[:, :: sequences.stride, :units]  # of a class, the only one
    taught = ~np.isnan(sequences.features[:, 0, 0])
    return Lessons(taught, soft.copy(), mined.copy() if config.objective.teacher == "early" else None)


def _names(config: Config) -> tuple[str, ...]:
    """Target and auxiliaries, which a resolved configuration names."""
    return (cast(str, config.data.target), *cast(tuple[str, ...], config.data.auxiliary))
