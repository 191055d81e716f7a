"""Paired streams: recordings of several modalities with the same ids, brought to the frames of the first.

A corpus' modalities need not be paired. What has to see several of them at once (a fusion, a teacher of distillation)
finds out here whether they are, and puts their features side by side.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import numpy as np

from emobed_tf.corpora.corpus import PARTITIONS, Corpus, Modality, Recording
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.waveforms import check_no_samples
from emobed_tf.errors import InputError

Steps = Mapping[str, float | None]


def frame_steps(corpus: Corpus, names: Iterable[str]) -> dict[str, float | None]:
    """Seconds between two frames by modality.

    Args:
        corpus: that has them.
        names: of the modalities, the one first whose frames count.

    Returns:
        In the order of the names; None where a recording is an utterance.
    """
    return {name: corpus.modality(name).frame_seconds for name in names}


def partners(recordings: Mapping[str, Sequence[Recording]], steps: Steps) -> list[tuple[Recording, ...]]:
    """For each of the first modality's recordings it and those of the same id in the others.

    Args:
        recordings: by modality.
        steps: from `frame_steps`.

    Returns:
        For each of the first modality's recordings one of every modality, in the order of `recordings`.

    Raises:
        InputError: if a modality lacks some of the recordings, or has utterances where the first has frames.
    """
    check_alike(steps)
    (target, first), *others = recordings.items()
    columns = [list(first)]
    for name, theirs in others:
        by_id = {recording.id: recording for recording in theirs}
        missing = [recording.id for recording in first if recording.id not in by_id]
        if missing:
            raise InputError(
                f"fusion needs paired streams: modality '{name}' lacks {len(missing)} of {len(first)} recordings that "
                f"'{target}' has in partition '{first[0].partition}': {listing(missing)}; add them, or leave fusion out"
            )
        columns.append([by_id[recording.id] for recording in first])
    return list(zip(*columns, strict=True))


def check_alike(steps: Steps) -> None:
    """Makes sure that all modalities have frames, or all have utterances.

    Args:
        steps: from `frame_steps`.

    Raises:
        InputError: if one differs from the first.
    """
    (first, step), *others = steps.items()
    kinds = {True: "utterances", False: "frames"}
    for name, other in others:
        if (other is None) != (step is None):
            raise InputError(
                f"paired streams: modality '{first}' has {kinds[step is None]}, but '{name}' has "
                f"{kinds[other is None]}; expected the same of both"
            )


def in_all(corpus: Corpus, names: Sequence[str], partition: str) -> tuple[Recording, ...]:
    """Recordings of the first modality that all others have, too.

    Args:
        corpus: that has the modalities.
        names: of the modalities.
        partition: `train`, `dev` or `test`, in all of them.

    Returns:
        In the order of the first modality's.
    """
    first, *others = (corpus.modality(name).partition(partition) for name in names)
    ids = [{recording.id for recording in theirs} for theirs in others]
    return tuple(recording for recording in first if all(recording.id in known for known in ids))


def nearest(recording: Recording, step: float | None, other: Recording, other_step: float | None) -> np.ndarray:
    """Position, in another stream, of the frame that is nearest in time to each frame of a recording.

    Args:
        recording: whose frames.
        step: seconds between two of them; None for an utterance.
        other: the stream that is looked into.
        other_step: seconds between two of its frames; None for an utterance, as of the first.

    Returns:
        int `[frames]`; below 0 or `other.frames` and above where the other stream has not begun or is over.
    """
    if step is None:
        return np.zeros(recording.frames, int)
    times = recording.start + step * np.arange(recording.frames)
    # Rounded first: half a step is half a step whatever the last bits of two times are.
    return np.rint(np.round((times - other.start) / cast(float, other_step), 6)).astype(int)


def join(paired: Sequence[Recording], steps: Steps, *, cut: bool) -> Recording:
    """One recording with the features of all, at the first one's frames: the nearest frame of every other stream.

    Args:
        paired: from `partners`.
        steps: from `frame_steps`.
        cut: leave out frames that some stream doesn't reach; else its features are missing there.

    Returns:
        The first recording with more features, float32 `[frames, features of all]`.

    Raises:
        InputError: if nothing is left.
    """
    check_no_samples(paired, "putting modalities side by side")
    target, *others = paired
    step, *other_steps = steps.values()
    columns, covered = [target.features], np.ones(target.frames, bool)
    for other, other_step in zip(others, other_steps, strict=True):
        position = nearest(target, step, other, other_step)
        reached = (position >= 0) & (position < other.frames)
        values = other.features[np.clip(position, 0, other.frames - 1)]
        columns.append(np.where(reached[:, None], values, np.float32(np.nan)))
        covered &= reached
    joined = dataclasses.replace(target, features=np.concatenate(columns, axis=1))
    # Utterances cover each other, so there is time here.
    return _only(joined, covered, cast(float, step)) if cut and not covered.all() else joined


def joined_corpus(corpus: Corpus, names: Sequence[str], recordings: Iterable[Recording] | None = None) -> Corpus:
    """The same corpus with a single modality: the features of several side by side.

    Training recordings are cut to what all streams cover. Elsewhere every frame of the first modality is there, since
    each has to be predicted; a stream that doesn't reach it is missing.

    Args:
        corpus: that has the modalities.
        names: of the modalities, the one first whose frames and labels count.
        recordings: those of the first modality that are joined. Default: all of them.

    Returns:
        A corpus whose only modality is called by the names of all: `audio_video`.

    Raises:
        InputError: if streams are not paired.
    """
    steps = frame_steps(corpus, names)
    first = corpus.modality(names[0])
    wanted = tuple(recordings) if recordings is not None else first.recordings
    joined = []
    for partition in PARTITIONS:
        theirs = {name: corpus.modality(name).partition(partition) for name in steps}
        theirs[names[0]] = tuple(recording for recording in wanted if recording.partition == partition)
        joined += [join(paired, steps, cut=partition == "train") for paired in partners(theirs, steps)]
    name = "_".join(steps)
    columns = tuple(f"{part}:{column}" for part in steps for column in corpus.modality(part).feature_names)
    modality = Modality(name, columns, tuple(joined), first.frame_seconds, first.corpus)
    return dataclasses.replace(corpus, modalities={name: modality})


def _only(recording: Recording, chosen: np.ndarray, step: float) -> Recording:
    """The chosen frames, which are one stretch: streams begin and end, but have no holes."""
    kept = np.flatnonzero(chosen)
    if not kept.size:
        raise InputError(f"fusion: the streams of recording {recording.id} have no time in common; expected some")
    part = slice(kept[0], kept[-1] + 1)
    frames = recording.frames

    def cut(series: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: values[part] if np.shape(values)[:1] == (frames,) else values for name, values in series.items()}

    return dataclasses.replace(
        recording,
        features=recording.features[part],
        labels=cut(recording.labels),
        ratings=cut(recording.ratings),
        start=recording.start + part.start * step,
    )
