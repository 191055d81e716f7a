"""What must hold for every data set, whichever reader it came from: times, partitions, speakers, classes."""

import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from emobed_tf.corpora.corpus import EMOTION, PARTITIONS, Modality
from emobed_tf.datasets import DataSet
from emobed_tf.errors import EmoBedWarning, InputError, MissingInputError

# float() also takes 1_000, infinity and digits of other scripts: none of them is meant in a file of numbers.
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?inf|[+-]?nan", re.IGNORECASE | re.ASCII)

_MODALITY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")

# Times may be rounded when they are written; a lost or doubled row is off by a whole step.
STEP_TOLERANCE = 0.05
LATEST = 1e15
"""Seconds: no time is later, also where nanoseconds since 1970 were taken for something else."""
_REQUIRED_PARTITIONS = ("train", "dev")

Where = Callable[[int], str]


def check_times(times: np.ndarray, step: float, where: Where, rounding: float = 0.0) -> None:
    """Checks that a recording's rows are one every `step` seconds.

    Args:
        times: float64 `[frames]`, seconds.
        step: expected time between two rows in seconds.
        where: file and line of a row, for the message.
        rounding: seconds that the difference of two times may be off because they have few decimals.

    Raises:
        InputError: at the first row that is off.
    """
    missing = np.flatnonzero(~(np.abs(times) <= LATEST))
    if missing.size:
        raise InputError(
            f"{where(missing[0])}: the time of the row is missing, not finite or beyond {LATEST:g} s; expected seconds"
        )
    wrong = np.flatnonzero(np.abs(np.diff(times) - step) > max(STEP_TOLERANCE * step, rounding))
    if wrong.size:
        row = wrong[0] + 1
        raise InputError(
            f"{where(row)}: time {times[row]:.10g} s comes after {times[row - 1]:.10g} s; expected a row every "
            f"{step * 1000:.6g} ms: rows are missing, doubled or out of order (of tables, --resample {step:.3g} puts "
            "missing frames in)"
        )
    drifted = np.flatnonzero(np.abs(times - times[0] - step * np.arange(len(times))) > step / 2 + rounding)
    if drifted.size:
        row = drifted[0]
        raise InputError(
            f"{where(row)}: time {times[row]:.10g} s of row {row + 1}; expected {times[0] + step * row:.10g} s at a "
            f"row every {step * 1000:.6g} ms: the frame rate is another one (of tables, --resample {step:.3g} makes "
            "them equal)"
        )


def is_modality_name(name: str) -> bool:
    """Whether a modality can have that name, which becomes part of flags, layers and files.

    Args:
        name: any text.

    Returns:
        True for an ASCII letter, then ASCII letters, digits, `_` or `-`.
    """
    return _MODALITY.fullmatch(name) is not None


def like_modality_name(name: str) -> str:
    """A name that is allowed, as much like that one as can be.

    Args:
        name: any text.

    Returns:
        One that `is_modality_name` takes.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "_", plain).lstrip("0123456789_-").rstrip("_-") or "modality"


def check_values(values: np.ndarray, low: float, high: float, name: str, where: Where) -> None:
    """Checks that labels are finite and in [low, high].

    Args:
        values: `[rows]`.
        low: least legal value.
        high: greatest legal value.
        name: of the label, for the message.
        where: file and line of a row.

    Raises:
        InputError: at the first label that is not.
    """
    wrong = np.flatnonzero(~((values >= low) & (values <= high) & np.isfinite(values)))
    if wrong.size:
        raise InputError(
            f"{where(wrong[0])}: {name} is {values[wrong[0]]:.8g}; expected a number in [{low:g}, {high:g}]"
        )


def check_finite_or_missing(features: np.ndarray, names: Sequence[str], where: Where) -> None:
    """Checks that no feature is infinite; NaN is a missing value.

    Args:
        features: `[rows, features]`.
        names: of the features.
        where: file and line of a row, for the message.

    Raises:
        InputError: at the first value that is.
    """
    infinite = np.isinf(features)
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise InputError(
            f"{where(row)}: column '{names[column]}' is infinite or too large for float32; "
            "expected a finite number (leave the value out if it is missing)"
        )


def check_same_names(names: Sequence[str], where: str, reference: Sequence[str], reference_where: str) -> None:
    """Checks that two files of one modality have the same features in the same order.

    Args:
        names: of the features in a file.
        where: the file, for the message.
        reference: names of the features in another file of the modality.
        reference_where: that file.

    Raises:
        InputError: if the files differ in the number, names or order of their features.
    """
    if len(names) != len(reference):
        raise InputError(
            f"{where}: {len(names)} features, but {reference_where} has {len(reference)}; "
            "all files of a modality must have the same"
        )
    for position, (name, expected) in enumerate(zip(names, reference, strict=True), start=1):
        if name != expected:
            raise InputError(
                f"{where}: feature {position} is '{name}', but '{expected}' in {reference_where}; "
                "all files of a modality must have the same features in the same order"
            )


def check_partitions(modalities: Iterable[Modality], classes: Sequence[str], dataset: DataSet) -> None:
    """Checks that every modality can be trained on and that no speaker is on both sides of a split.

    Args:
        modalities: of one data set.
        classes: names of the classes; empty for regression.
        dataset: theirs; its own modalities may have `shared_speakers`.

    Raises:
        MissingInputError: if a modality has no train or no dev partition.
        InputError: if a speaker or a recording is in two partitions, or a modality's training data lacks a class.

    Warns:
        EmoBedWarning: if dev or test lack a class, or partitions of the data set share speakers as it is known to.
    """
    modalities = list(modalities)
    for modality in modalities:
        for partition in _REQUIRED_PARTITIONS:
            if not modality.partition(partition):
                raise MissingInputError(
                    f"modality '{modality.name}': nothing in the partition '{partition}'; expected train and dev"
                )
        if classes:
            _check_classes(modality, classes)
    _check_split(modalities, "speaker", dataset)
    _check_split(modalities, "id", dataset)


def check_missing(modalities: Iterable[Modality]) -> None:
    """Checks that there is something to see: not every row of training is missing.

    Args:
        modalities: of one data set.

    Raises:
        InputError: if nothing is left of a modality's training data.

    Warns:
        EmoBedWarning: if more than half of it is missing.
    """
    for modality in modalities:
        rows = sum(recording.frames for recording in modality.partition("train"))
        missing = sum(int(recording.missing.sum()) for recording in modality.partition("train"))
        if rows and missing == rows:
            raise InputError(
                f"modality '{modality.name}': all {rows} rows of training are missing; is --confidence too high?"
            )
        if missing > rows / 2:
            warnings.warn(
                f"modality '{modality.name}': {missing:,} of {rows:,} rows of training are missing",
                EmoBedWarning,
                stacklevel=2,
            )


def check_classes(modalities: Iterable[Modality], classes: Sequence[str]) -> None:
    """Checks that there are several classes to train and to choose by: with one there is nothing to tell apart.

    Args:
        modalities: of one data set.
        classes: names of the classes; empty for regression.

    Raises:
        InputError: if all labelled recordings of training or development are of one class.
    """
    for modality in modalities if classes else ():
        for partition in _REQUIRED_PARTITIONS:
            found = {int(r.labels[EMOTION]) for r in modality.partition(partition) if r.labels}
            if len(found) == 1:
                raise InputError(
                    f"modality '{modality.name}': all recordings of the partition '{partition}' are "
                    f"'{classes[found.pop()]}'; expected two classes at least: with one, every score is 1"
                )


def _check_classes(modality: Modality, classes: Sequence[str]) -> None:
    for partition in PARTITIONS:
        counts = Counter(
            int(recording.labels[EMOTION]) for recording in modality.partition(partition) if recording.labels
        )
        absent = [name for index, name in enumerate(classes) if not counts[index]]
        if partition == "train" and absent:
            raise InputError(
                f"modality '{modality.name}': no training data of the class {', '.join(absent)}; "
                f"expected all of {', '.join(classes)}"
            )
        if counts and absent:
            warnings.warn(
                f"modality '{modality.name}': nothing in the partition '{partition}' of the class {', '.join(absent)}",
                EmoBedWarning,
                stacklevel=2,
            )


def _check_split(modalities: Sequence[Modality], attribute: str, dataset: DataSet) -> None:
    seen: dict[str, tuple[str, str, str]] = {}
    shared = set()
    for modality in modalities:
        for recording in modality.recordings:
            who = getattr(recording, attribute)
            partition, corpus, name = seen.setdefault(who, (recording.partition, modality.corpus, modality.name))
            if partition == recording.partition:
                continue
            if attribute == "speaker" and dataset.shared_speakers and corpus == modality.corpus == dataset.name:
                shared.add(who)
                continue
            what = "speaker" if attribute == "speaker" else "recording"
            raise InputError(
                f"{what} '{who}' is in two partitions: {partition} (modality '{name}') and {recording.partition} "
                f"(modality '{modality.name}', recording '{recording.id}'); expected each in one"
            )
    if shared:
        warnings.warn(
            f"{len(shared)} {dataset.shared_speakers} are in more than one partition of {dataset.title} (the first: "
            f"{min(shared)}); scores may be too good",
            EmoBedWarning,
            stacklevel=2,
        )
