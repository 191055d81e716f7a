"""Corpus -> delayed, binned, padded sequences -> one position-addressable tf.data stream per modality.

Batch k of a modality is a function of (seed, modality, k) alone: each modality has its own order, labels and length,
and a run that was killed continues with the very batch that would have come.
"""

import dataclasses
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import tensorflow as tf

from emobed_tf.corpora.corpus import CLASSIFICATION, EMOTION, Modality, Recording
from emobed_tf.corpora.labels import has_label, known, pooled
from emobed_tf.corpora.ratings import rater_deviation, unrated
from emobed_tf.corpora.samples import FULL_SCALE, PaddedSamples, SampleFrames
from emobed_tf.corpora.time import frames_of, shift
from emobed_tf.errors import InputError
from emobed_tf.models.design import LABELLED
from emobed_tf.training.drawing import drawn_items

NOT_MINED = -1


@dataclass(frozen=True)
class Sequences:
    """One modality's sequences, right-padded to one length.

    Attributes:
        modality: its name.
        features: float32 `[items, frames, features]`; NaN where missing and in the padding. Of a waveform
            `PaddedSamples`, which stand for an array, read batch by batch; a batch holds float32 in [-1, 1).
        labels: float32 `[items, frames]` (regression), 0 where there is none, or int32 `[items]` (classification).
        mask: bool `[items, frames]`, True where a frame exists; padding and nothing else is False.
        mined_classes: int32 `[items, mined]`, class of every mined embedding; -1 where there is none to mine.
        mined_times: float32 `[items, mined]`, seconds.
        recording: int32 `[items]`, the same number for the same recording of a corpus in every modality.
        stride: frames between two mined ones.
        mined_weights: float32 `[items, mined]` in [0, 1], how much each mined embedding counts; None: all alike.
        labelled: bool `[items, frames]`, True where a frame has a label; None: where it exists, it has.
        more: further arrays by name, `[items, ...]`, see `models.design`.
        drawn_by: int32 `[items]`, the class by which batches are balanced; None: they are not.
    """

    modality: str
    features: np.ndarray
    labels: np.ndarray
    mask: np.ndarray
    mined_classes: np.ndarray
    mined_times: np.ndarray
    recording: np.ndarray
    stride: int
    mined_weights: np.ndarray | None = None
    labelled: np.ndarray | None = None
    more: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    drawn_by: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.features)

    def arrays(self) -> dict[str, np.ndarray]:
        """What a batch holds, by name; of a waveform but for the samples, which `taken` reads."""
        names = ("features", "labels", "mask", "mined_classes", "mined_times", "recording", "mined_weights", LABELLED)
        arrays = {name: getattr(self, name) for name in names if getattr(self, name) is not None} | dict(self.more)
        if self.is_waveform:
            del arrays["features"]
        return arrays

    @property
    def is_waveform(self) -> bool:
        """Whether features are samples, which are not in memory."""
        return isinstance(self.features, PaddedSamples)

    def taken(self, index: tf.Tensor) -> tf.Tensor:
        """Samples of some items of a waveform, read from disk.

        Args:
            index: int64, of known shape; items beyond the last are silence.

        Returns:
            float32 `[*index.shape, frames, samples]` in [-1, 1).
        """
        features = cast(PaddedSamples, cast(Any, self.features))
        samples = tf.numpy_function(features.take, [index], tf.int16, stateful=False)
        samples.set_shape([*index.shape, *features.shape[1:]])
        return tf.cast(samples, tf.float32) / FULL_SCALE


def class_edges(labels: Sequence[np.ndarray], bins: int) -> np.ndarray:
    """Edges between the classes of a continuous label: quantiles of the pooled training labels.

    Args:
        labels: the target's training labels after the delay, one float `[frames]` per recording, NaN where there is
            none.
        bins: number of classes.

    Returns:
        Float64 `[bins - 1]`, strictly rising. A label belongs to class k where k edges are <= it.

    Raises:
        InputError: if there are no labels, or they have too few distinct values for so many classes.
    """
    every = pooled(labels).astype(np.float64)
    if not every.size:
        raise InputError("no training label, so there are no classes; expected some")
    edges = np.quantile(every, np.arange(1, bins) / bins)
    members = np.bincount(np.searchsorted(edges, every, side="right"), minlength=bins)
    if (np.diff(edges) <= 0).any() or (members == 0).any():
        raise InputError(f"the training labels have too few distinct values for --bins {bins}; choose fewer")
    return edges


def training_labels(modality: Modality, label: str, delay: float) -> list[np.ndarray]:
    """Labels of the training recordings, shifted back by the annotation delay (section 4.2).

    Args:
        modality: whose recordings.
        label: name of the label.
        delay: seconds; nothing is shifted where recordings are single utterances.

    Returns:
        One float32 `[frames]` (a dimension; NaN, where a frame has no label, is shifted along) or int32 scalar (a
        class) per recording.
    """
    recordings = modality.partition("train")
    if label == EMOTION or modality.frame_seconds is None:
        return [recording.labels[label] for recording in recordings]
    frames = frames_of(delay, modality.frame_seconds)
    return [shift(recording.labels[label], -frames) for recording in recordings]


def agreement(modality: Modality, label: str, delay: float) -> list[np.ndarray]:
    """How far raters agree in the training recordings: 1 / (1 + u / mean u), u their standard deviation.

    1 where they are of one mind, 1/2 where they disagree as much as on average or it isn't known; shifted as the labels
    are. Frames without a label have no part in the mean. The paper names annotation uncertainty as future work (section
    6) and says nothing of a form.

    Args:
        modality: whose recordings.
        label: name of the dimension.
        delay: seconds, see `training_labels`.

    Returns:
        One float32 `[frames]` in (0, 1] per recording.

    Raises:
        InputError: without ratings of two raters at least.
    """
    missing = unrated(modality, label)
    if missing:
        raise InputError(f"--disagreement weighed needs {missing}; leave it out for other data")
    frames = frames_of(delay, modality.frame_seconds) if modality.frame_seconds else 0
    deviations = [shift(_deviation(recording, label), -frames) for recording in modality.partition("train")]
    every = pooled(deviations)
    mean = (float(np.mean(every)) if every.size else 0.0) or 1.0
    return [np.where(known(u), 1 / (1 + u / mean), 0.5).astype(np.float32) for u in deviations]


def training_sequences(
    modality: Modality, labels: Sequence[np.ndarray], *, task: str, edges: np.ndarray, hop: float, seconds: float | None
) -> Sequences:
    """The training partition of a modality as sequences, cut into pieces where asked.

    Args:
        modality: whose recordings.
        labels: from `training_labels`, in the same order.
        task: `regression` or `classification`.
        edges: of the classes of a continuous label, from `class_edges`; unused for classification.
        hop: seconds between two mined frames; 0 mines all.
        seconds: length of a piece; None: whole recordings. Utterances of a classification are never cut.

    Returns:
        One item for each piece, features as they are.
    """
    step = modality.frame_seconds
    stride = 1 if step is None else max(1, frames_of(hop, step))
    pieces = list(zip(modality.partition("train"), labels, strict=True))
    if task == CLASSIFICATION:
        return _padded(modality, pieces, lambda recording, label: _mined_utterance(recording, label))
    if seconds is not None and step is not None:
        length = max(1, frames_of(seconds, step))
        pieces = [piece for recording, label in pieces for piece in _cut(recording, label, length, step)]
    return _padded(
        modality, pieces, lambda recording, label: _mined_frames(recording, label, edges, stride, step), stride
    )


def mean_bins(sequences: Sequences, edges: np.ndarray) -> np.ndarray:
    """The class of each sequence of a regression: the bin of the mean of its labels.

    Not its most frequent bin, which would depend on how many frames are mined, and on which of them have features.

    Args:
        sequences: of a regression.
        edges: from `class_edges`.

    Returns:
        int32 `[items]`; `NOT_MINED` where a sequence has no label.
    """
    there = sequences.mask if sequences.labelled is None else sequences.labelled
    number = there.sum(axis=1)
    means = np.where(there, sequences.labels, 0).sum(axis=1, dtype=np.float64) / np.maximum(number, 1)
    return np.where(number, np.searchsorted(edges, means, side="right"), NOT_MINED).astype(np.int32)


def evaluation_sequences(modality: Modality, partition: str, label: str) -> Sequences:
    """Whole labelled recordings of a partition, labels as they are (the delay not applied), nothing mined.

    Args:
        modality: whose recordings.
        partition: `train`, `dev` or `test`.
        label: name of the label; recordings without it are left out.

    Returns:
        One item for each recording, features as they are.

    Raises:
        InputError: if none of them has that label.
    """
    pieces = [(r, r.labels[label]) for r in modality.partition(partition) if has_label(r, label)]
    if not pieces:
        raise InputError(f"modality '{modality.name}': no recording of partition '{partition}' has the label '{label}'")
    return _padded(modality, pieces, lambda recording, label: (np.zeros(0, np.int32), np.zeros(0, np.float32)))


def stream(sequences: Sequences, batch_size: int, seed: int, first: int = 0, steps: int = 1) -> tf.data.Dataset:
    """Batches without end from one modality, see `batch_maker`.

    Args:
        sequences: what to draw from.
        batch_size: items of a batch; fewer where there are fewer sequences.
        seed: of the order.
        first: number of the first batch.
        steps: batches that come at a time. More than one are stacked, `[steps, batch, ...]`.

    Returns:
        A data set of dicts as `Sequences.arrays` names them.
    """
    made = batch_maker(sequences, batch_size, seed, steps)
    return tf.data.Dataset.range(first, np.iinfo(np.int64).max, steps).map(made)


def batch_maker(
    sequences: Sequences, batch_size: int, seed: int, steps: int = 1
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """A modality's batches by number: see `drawn_items`.

    Args:
        sequences: what to draw from.
        batch_size: items of a batch; fewer where there are fewer sequences.
        seed: of the order.
        steps: batches that come at a time. More than one are stacked, `[steps, batch, ...]`.

    Returns:
        A function of the number of the first of them, int64, which gives a dict as `Sequences.arrays` names it.
    """
    size = min(batch_size, len(sequences))
    count = steps * size
    shape = [size] if steps == 1 else [steps, size]
    arrays = {name: tf.constant(values) for name, values in sequences.arrays().items()}
    drawn = drawn_items(sequences.modality, len(sequences), seed, sequences.drawn_by)

    @tf.autograph.experimental.do_not_convert
    def batch(k: tf.Tensor) -> dict[str, tf.Tensor]:
        index = drawn(k * size + tf.range(count, dtype=tf.int64))
        index = tf.reshape(index, shape)
        found = {name: tf.gather(values, index) for name, values in arrays.items()}
        return {"features": sequences.taken(index), **found} if sequences.is_waveform else found

    return batch


def unpaired(streams: dict[str, tf.data.Dataset]) -> tf.data.Dataset:
    """The modalities' streams side by side.

    Args:
        streams: by modality, from `stream`.

    Returns:
        A data set of `{modality: batch}`; it ends with the shortest stream.
    """
    return tf.data.Dataset.zip(streams).prefetch(1)


def in_order(sequences: Sequences, batch_size: int) -> dict[str, dict[str, tf.Tensor]] | tf.data.Dataset:
    """All items once, in order; the last batch is filled up with items that are all padding, so no shape changes.

    Args:
        sequences: what to go through.
        batch_size: items of a batch; fewer where there are fewer sequences.

    Returns:
        All batches, stacked, by modality: arrays `[batches, batch, ...]` as `Sequences.arrays` names them. Of a
        waveform a data set of the batches, which reads one at a time.
    """
    size = min(batch_size, len(sequences))
    fill = -len(sequences) % size
    blank = {"mask": False, "mined_classes": NOT_MINED}

    def in_batches(name: str, values: np.ndarray) -> tf.Tensor:
        rest = np.full((fill, *values.shape[1:]), blank.get(name, 0), values.dtype)
        filled = np.concatenate([values, rest]) if fill else values
        return tf.constant(filled.reshape(len(filled) // size, size, *values.shape[1:]))

    batches = {name: in_batches(name, values) for name, values in sequences.arrays().items()}
    if not sequences.is_waveform:
        return {sequences.modality: batches}
    items = tf.reshape(tf.range(len(sequences) + fill, dtype=tf.int64), [-1, size])

    def batch(index: tf.Tensor, values: dict[str, tf.Tensor]) -> dict[str, dict[str, tf.Tensor]]:
        return {sequences.modality: {"features": sequences.taken(index), **values}}

    return tf.data.Dataset.from_tensor_slices((items, batches)).map(batch).prefetch(1)


def _cut(recording: Recording, label: np.ndarray, length: int, step: float) -> Iterator[tuple[Recording, np.ndarray]]:
    for first in range(0, recording.frames, length):
        part = slice(first, first + length)
        start = recording.start + first * step
        yield (
            Recording(recording.id, recording.partition, recording.speaker, recording.features[part], start=start),
            label[part],
        )


def _mined_utterance(recording: Recording, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mined = NOT_MINED if recording.missing.all() else int(label)
    return np.array([mined], np.int32), np.array([recording.start], np.float32)


def _mined_frames(
    recording: Recording, label: np.ndarray, edges: np.ndarray, stride: int, step: float | None
) -> tuple[np.ndarray, np.ndarray]:
    chosen = slice(None, None, stride)
    classes = np.searchsorted(edges, label[chosen], side="right").astype(np.int32)
    classes[recording.missing[chosen] | ~known(label[chosen])] = NOT_MINED
    times = recording.start + np.arange(recording.frames)[chosen] * (step or 0.0)
    return classes, times.astype(np.float32)


def _deviation(recording: Recording, label: str) -> np.ndarray:
    """Of the raters, where there is a label."""
    return np.where(known(recording.labels[label]), rater_deviation(recording.ratings[label]), np.float32(np.nan))


_Pieces = Sequence[tuple[Recording, np.ndarray]]
_Mine = Callable[[Recording, np.ndarray], tuple[np.ndarray, np.ndarray]]  # classes and times of what is mined


def _padded(modality: Modality, pieces: _Pieces, mine: _Mine, stride: int = 1) -> Sequences:
    items = len(pieces)
    frames = max(recording.frames for recording, _ in pieces)
    mined = [mine(recording, label) for recording, label in pieces]
    widest = max(len(classes) for classes, _ in mined)
    per_frame = np.ndim(pieces[0][1]) == 1
    is_waveform = modality.sample_rate is not None
    if is_waveform:
        padded = PaddedSamples(tuple(cast(SampleFrames, cast(Any, recording.features)) for recording, _ in pieces))
        features = cast(np.ndarray, cast(Any, padded))
    else:
        features = np.full((items, frames, len(modality.feature_names)), np.nan, np.float32)
    labels = np.zeros((items, frames), np.float32) if per_frame else np.zeros(items, np.int32)
    mask = np.zeros((items, frames), bool)
    # Only where it differs from the mask: another array of a batch is another compiled step.
    labelled = None if all(known(label).all() for _, label in pieces) else np.zeros((items, frames), bool)
    mined_classes = np.full((items, widest), NOT_MINED, np.int32)
    mined_times = np.zeros((items, widest), np.float32)
    for i, ((recording, label), (classes, times)) in enumerate(zip(pieces, mined, strict=True)):
        if not is_waveform:
            features[i, : recording.frames] = recording.features
        labels[(i, slice(recording.frames)) if per_frame else i] = np.where(known(label), label, 0)
        if labelled is not None:
            labelled[i, : recording.frames] = known(label)
        mask[i, : recording.frames] = True
        mined_classes[i, : len(classes)] = classes
        mined_times[i, : len(times)] = times
    numbers = [zlib.crc32(f"{modality.corpus}/{r.id}".encode()) & 0x7FFFFFFF for r, _ in pieces]
    return Sequences(
        modality.name,
        features,
        labels,
        mask,
        mined_classes,
        mined_times,
        np.array(numbers, np.int32),
        stride,
        labelled=labelled,
    )
