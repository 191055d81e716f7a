"""Columns that are probably no features: what tools write beside them, what counts rows, what gives the label away."""

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import reduce

import numpy as np

from emobed_tf.corpora.corpus import PARTITIONS, Recording, Target
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.identity import class_key
from emobed_tf.errors import EmoBedWarning

_NAMES = frozenset(
    ("index", "level_0", "frame", "face_id", "success", "confidence", "start", "end", "segment_id", "timestamp")
    + ("frametime", "frameindex")
)
_PARTS = ("speaker", "gender", "dominance", "liking")
_WORDS = frozenset(("age",))
# What a segment is rather than what is in it. A feature may be called so all the same, and is then trained on.
_OF_SEGMENTS = re.compile(
    r"((file|clip|segment|utterance|turn)_?)?(duration|dur|length|onset|offset|begin|start|stop|end)"
    r"(_?(times?|frames?|s|sec|secs|seconds|ms|msec))?|(n|num|number_of)_?(frames|samples|words)|sampl(e|ing)_?rate|fps",
    re.IGNORECASE,
)
_WILD = frozenset("*?[")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")

_LEAST_ROWS = 10
_DENSE = 1.25  # distinct whole numbers over at most so many times their count number rows, some taken out
_TELLS = 0.95  # share of a feature's variance that lies between the classes, or that the label explains
_MOST_ROWS = 20_000  # of frames that are looked at for it
_CHANCE = 1e-3  # of a feature among so many explaining that share by chance


def matches(name: str, patterns: Iterable[str]) -> bool:
    """Whether a column is meant by `--ignore` or `--keep`.

    Args:
        name: of the column.
        patterns: names, or patterns with `*`, `?` and `[…]`.

    Returns:
        True if one of them fits.
    """
    # Most are plain names, of which there may be thousands, and a pattern takes twenty times as long.
    return any(
        name == pattern or (not _WILD.isdisjoint(pattern) and fnmatchcase(name, pattern)) for pattern in patterns
    )


def by_name(name: str) -> str | None:
    """Why a column is probably no feature, from its name alone.

    Args:
        name: of the column.

    Returns:
        The reason, to stand in brackets; None for a name that says nothing.
    """
    lower = name.lower()
    if lower in _NAMES:
        return "written beside features"
    if any(part in lower for part in _PARTS) or _WORDS & {word.lower() for word in _WORD.findall(name)}:
        return "describes the speaker or the rating"
    return None


def warn_of_segments(modality: str, names: Sequence[str], keep: Sequence[str]) -> None:
    """Names the features that are called like a property of a segment, such as `duration`. They are trained on.

    Args:
        modality: that they are of.
        names: of the features.
        keep: names and patterns of those that are features.

    Warns:
        EmoBedWarning: once for all of them, with the flags that settle it.
    """
    found = [name for name in names if _OF_SEGMENTS.fullmatch(name) and not matches(name, keep)]
    if found:
        warnings.warn(
            f"modality '{modality}': trained on as a feature, although its name says otherwise: {listing(found)}. "
            f"--ignore {found[0]} leaves it out, --keep {found[0]} confirms that it is a feature",
            EmoBedWarning,
            stacklevel=3,
        )


def suspects_in(
    names: Sequence[str], recordings: Sequence[Recording], target: Target, keep: Sequence[str]
) -> dict[str, str]:
    """Features that are called like a class, count rows, or give the label away.

    Args:
        names: of the features.
        recordings: with labels.
        target: what is learnt.
        keep: names and patterns of those that are features.

    Returns:
        The reason by name, to stand in brackets.
    """
    found: dict[str, str] = {}
    classes = {class_key(name) for name in target.classes}
    counts = counters([recording.features for recording in recordings])
    shares = _shares(recordings, target, len(names))
    for index, name in enumerate(names):
        if matches(name, keep):
            continue
        if class_key(name) in classes:
            found[name] = "named after a class"
        elif counts[index]:
            found[name] = "counts rows"
        elif shares[index]:
            found[name] = "predicts the label on its own"
    return found


def warn_of(modality: str, columns: Mapping[str, str]) -> None:
    """Names the columns that were left out because they are probably no features.

    Args:
        modality: that they are of.
        columns: the reason by name; none: nothing is said.

    Warns:
        EmoBedWarning: once for all of them, with the flags that settle it.
    """
    if not columns:
        return
    reasons: dict[str, list[str]] = {}
    for column, reason in columns.items():
        reasons.setdefault(reason, []).append(column)
    said = "; ".join(f"{listing(members)} ({reason})" for reason, members in reasons.items())
    number = "1 column is" if len(columns) == 1 else f"{len(columns)} columns are"
    first = next(iter(columns))
    speaker = next((column for column in columns if "speaker" in column.lower()), None)
    more = ". --ignore and --keep take patterns such as 'a*', and can be repeated" if len(columns) > 1 else ""
    person = f", --column {speaker}=speaker takes it for the speaker" if speaker else ""
    warnings.warn(
        f"modality '{modality}': {number} left out, probably not a feature: {said}. --ignore {first} confirms "
        f"that it should be left out, --keep {first} trains on it{person}{more}",
        EmoBedWarning,
        stacklevel=3,
    )


def counters(features: Sequence[np.ndarray]) -> np.ndarray:
    """Columns that count rows: of the table, or of each recording.

    Args:
        features: float32 `[frames, features]` of each recording.

    Returns:
        Bool `[features]`.
    """
    rows = sum(map(len, features))
    lows = [values.min(axis=0) for values in features]  # NaN where a value is missing
    highs = [values.max(axis=0) for values in features]
    found = np.zeros(len(lows[0]), bool)
    if rows >= _LEAST_ROWS:
        for column in np.flatnonzero(_is_dense(reduce(np.minimum, lows), reduce(np.maximum, highs), rows)):
            found[column] = _are_distinct(np.concatenate([values[:, column] for values in features]))
    framewise = [index for index, values in enumerate(features) if len(values) > 1]
    if any(len(features[index]) >= _LEAST_ROWS for index in framewise):
        dense = np.logical_and.reduce([_is_dense(lows[k], highs[k], len(features[k])) for k in framewise])
        for column in np.flatnonzero(dense & ~found):
            found[column] = all(_are_distinct(features[index][:, column]) for index in framewise)
    return found


def _is_dense(low: np.ndarray, high: np.ndarray, rows: int) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (high - low >= rows - 1) & (high - low <= max(_DENSE * rows, rows + 1))


def _are_distinct(values: np.ndarray) -> bool:
    """Whether all values are whole numbers, each another one."""
    return bool((values == np.rint(values)).all()) and len(np.unique(values)) == len(values)


def telling(features: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """How far each feature gives the label away by itself.

    Args:
        features: float `[rows, features]`, NaN where a value is missing.
        labels: float `[rows]`, or whole numbers below `classes`.
        classes: number of classes; 0 for a regression.

    Returns:
        float64 `[features]` in [0, 1]: the correlation ratio of a classification, the squared correlation of a
        regression, over the rows that have a value; where it is above 0.95 and not to be had by chance from so few of
        them and so many features; else 0.
    """
    rows, columns = features.shape
    if rows < _LEAST_ROWS:
        return np.zeros(columns)
    is_known = ~np.isnan(features)
    known = is_known.astype(np.float64)
    count = known.sum(axis=0)
    means = np.where(is_known, features, 0).sum(axis=0, dtype=np.float64) / np.maximum(count, 1)
    values = np.where(is_known, features - means, 0.0)  # a missing value is in none of the sums
    total = (values**2).sum(axis=0)
    if classes:
        members = (np.arange(classes)[:, None] == labels).astype(np.float64)
        counts = members @ known
        explained = ((members @ values) ** 2 / np.maximum(counts, 1)).sum(axis=0)
        freedom = count - (counts > 0).sum(axis=0)
    else:
        centred = labels - labels.mean()
        spread = centred**2 @ known - (centred @ known) ** 2 / np.maximum(count, 1)
        explained = (centred @ values) ** 2 / np.maximum(spread, np.finfo(float).tiny)
        freedom = count - 2
    share = np.where(total > 0, np.clip(explained / np.where(total > 0, total, 1), 0, 1), 0.0)
    by_chance = columns * (1 - share) ** (np.maximum(freedom, 0) / 2)
    return np.where((share > _TELLS) & (by_chance < _CHANCE) & (count >= _LEAST_ROWS), share, 0.0)


def _shares(recordings: Sequence[Recording], target: Target, features: int) -> np.ndarray:
    """`telling` of what is trained on; of frames with one class, of each recording's mean."""
    known = [r for r in recordings if r.partition == PARTITIONS[0] and target.label in r.labels]
    if not known:
        return np.zeros(features)
    if target.classes:
        values = np.stack([_mean(r.features) for r in known])
        return telling(values, np.array([int(r.labels[target.label]) for r in known]), len(target.classes))
    every = max(1, sum(r.frames for r in known) // _MOST_ROWS)
    labels = np.concatenate([r.labels[target.label][::every] for r in known]).astype(np.float64)
    values = np.concatenate([r.features[::every] for r in known])
    rows = np.isfinite(labels)
    return telling(values[rows], labels[rows], 0)


def _mean(features: np.ndarray) -> np.ndarray:
    if len(features) == 1:
        return features[0]
    known = ~np.isnan(features)
    counts = known.sum(axis=0)
    return np.where(counts, np.where(known, features, 0).sum(axis=0) / np.maximum(counts, 1), np.nan)
