"""Paired streams: recordings of several modalities with the same ids, brought to the target's frames."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from emobed_tf.corpora.corpus import PARTITIONS, Modality, Recording
from emobed_tf.corpora.files import listing
from emobed_tf.errors import InputError
from emobed_tf.systems.base import Problem

Steps = Mapping[str, float | None]


def frame_steps(problem: Problem) -> dict[str, float | None]:
    """Seconds between two frames by modality.

    Args:
        problem: whose target and auxiliaries.

    Returns:
        Target first; None where a recording is an utterance.
    """
    return {name: problem.corpus.modality(name).frame_seconds for name in (problem.target, *problem.auxiliaries)}


def partners(recordings: Mapping[str, Sequence[Recording]], steps: Steps) -> list[tuple[Recording, ...]]:
    """For each of the target's recordings it and those of the same id in the other modalities.

    Args:
        recordings: by modality, target first.
        steps: from `frame_steps`.

    Returns:
        For each of the target's recordings one of every modality, in the order of `recordings`.

    Raises:
        InputError: if a modality lacks some of the target's recordings, or has utterances where the target has frames.
    """
    (target, first), *others = recordings.items()
    columns = [list(first)]
    for name, theirs in others:
        if (steps[name] is None) != (steps[target] is None):
            kinds = {True: "utterances", False: "frames"}
            raise InputError(
                f"fusion: modality '{target}' has {kinds[steps[target] is None]}, but '{name}' has "
                f"{kinds[steps[name] is None]}; expected the same of both"
            )
        by_id = {recording.id: recording for recording in theirs}
        missing = [recording.id for recording in first if recording.id not in by_id]
        if missing:
            raise InputError(
                f"fusion needs paired streams: modality '{name}' lacks {len(missing)} of {len(first)} recordings that "
                f"'{target}' has in partition '{first[0].partition}': {listing(missing)}; add them, or leave fusion out"
            )
        columns.append([by_id[recording.id] for recording in first])
    return list(zip(*columns, strict=True))


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
    """One recording with the features of all, at the target's frames: the nearest frame of every other stream.

    Args:
        paired: from `partners`.
        steps: from `frame_steps`.
        cut: leave out frames that some stream doesn't reach; else its features are missing there.

    Returns:
        The target's recording with more features, float32 `[frames, features of all]`.

    Raises:
        InputError: if nothing is left.
    """
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


def joined_problem(problem: Problem) -> Problem:
    """The same problem with a single modality: the target's and the auxiliaries' features side by side.

    Training recordings are cut to what all streams cover. Elsewhere every frame of the target is there, since each has
    to be predicted; a stream that doesn't reach it is missing.

    Args:
        problem: with auxiliaries.

    Returns:
        A problem without auxiliaries, whose target is called by the names of all: `audio_video`.

    Raises:
        InputError: if streams are not paired.
    """
    steps, corpus = frame_steps(problem), problem.corpus
    recordings = []
    for partition in PARTITIONS:
        theirs = {name: corpus.modality(name).partition(partition) for name in steps}
        recordings += [join(paired, steps, cut=partition == "train") for paired in partners(theirs, steps)]
    name = "_".join(steps)
    columns = tuple(f"{part}:{column}" for part in steps for column in corpus.modality(part).feature_names)
    modality = Modality(name, columns, tuple(recordings), steps[problem.target], problem.modality.corpus)
    config = problem.config.replace(target=name, auxiliary=())
    return dataclasses.replace(problem, config=config, corpus=dataclasses.replace(corpus, modalities={name: modality}))


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
