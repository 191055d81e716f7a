"""What an exported model takes and says: features checked before they are sent, answers before they are believed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emobed_tf.corpora.checks import check_finite_or_missing
from emobed_tf.corpora.files import listing
from emobed_tf.errors import InputError
from serving.client.connection import unexpected


@dataclass(frozen=True)
class Classification:
    """What a classifier says of one recording, or of a batch of them.

    Attributes:
        probabilities: float32 `[classes]` or `[batch, classes]`, in [0, 1].
        labels: the most probable class: a str, or an array of them `[batch]`.
        classes: names of the classes, in the order of the probabilities.
    """

    probabilities: np.ndarray
    labels: str | np.ndarray
    classes: tuple[str, ...]


def as_batch(
    features: ArrayLike, manifest: Mapping[str, Any], columns: Sequence[str] | None
) -> tuple[np.ndarray, bool]:
    """Features as a model takes them.

    Args:
        features: numbers `[frames, features]` of one recording or `[batch, frames, features]`, or a pandas DataFrame
            of one recording. NaN is a missing value.
        manifest: of the model.
        columns: names of an array's features; a DataFrame brings its own. Where there are names, they may have any
            order. Without, the features must be in the manifest's.

    Returns:
        float32 `[batch, frames, features]`, the features in the manifest's order; and True if it was a recording
        without a batch.

    Raises:
        InputError: if they are not the model's features.
    """
    names = manifest["features"]
    if hasattr(features, "columns"):
        if columns is not None:
            raise InputError("columns: the DataFrame has names of its own; leave columns out")
        columns = features.columns
    order = None if columns is None else _order(list(columns), names)
    values = _float32(features)
    if values.ndim not in (2, 3) or values.shape[-1] != len(names) or 0 in values.shape:
        raise InputError(
            f"features: expected [frames, {len(names)}] or [batch, frames, {len(names)}], got {list(values.shape)}"
        )
    if manifest["frame_seconds"] is None and values.shape[-2] != 1:
        raise InputError(
            f"features: the model takes utterances of one row; expected [1, {len(names)}], or [batch, 1, {len(names)}] "
            f"for several, got {list(values.shape)}"
        )
    if order is not None:
        values = values[..., order]
    frames = values.shape[-2]
    check_finite_or_missing(
        values.reshape(-1, len(names)), names, lambda row: f"recording {row // frames}, frame {row % frames}"
    )
    return values.reshape(-1, frames, len(names)), values.ndim == 2


@dataclass(frozen=True)
class Answer:
    """What a signature said.

    Attributes:
        rows: by recording: an output's value, or several outputs' values by name.
        frames: of each recording.
        single: whether one recording was asked for without a batch: then values have no batch either.
        manifest: of the model.
        url: what was asked, for the error.
    """

    rows: Any
    frames: int
    single: bool
    manifest: Mapping[str, Any]
    url: str

    def numbers(self, name: str, *shape: int | None) -> np.ndarray:
        """An output of numbers.

        Args:
            name: of the output.
            *shape: its sizes for one recording; None is any size.

        Returns:
            float32 `[*shape]`, or `[batch, *shape]` where a batch was asked for.

        Raises:
            ServingError: if the answer has no such output, or not this shape, or a value that is not finite.
        """
        return self._values(name, np.float32, *shape)

    def prediction(self) -> np.ndarray | Classification:
        """Predictions `[frames]` of a regression, or a classification of the recording."""
        classes = tuple(self.manifest.get("classes", ()))
        if not classes:
            return self.numbers("prediction", self.frames)
        return Classification(self.numbers("probabilities", len(classes)), self._values("label", np.str_), classes)

    def _values(self, name: str, dtype: type, *shape: int | None) -> np.ndarray:
        try:
            rows = [row[name] if isinstance(row, dict) else row for row in self.rows]
            values: np.ndarray = np.array(rows, dtype)
            fits = [expected in (None, found) for expected, found in zip(shape, values.shape[1:], strict=True)]
        except (KeyError, TypeError, ValueError):
            fits = [False]
        if not all(fits) or (dtype is np.float32 and not np.isfinite(values).all()):
            wanted = " x ".join("any" if size is None else str(size) for size in shape)
            raise unexpected(f"finite '{name}' of shape [{wanted}]", self.rows, self.url)
        return values[0] if self.single else values


def _order(found: list[str], expected: Sequence[str]) -> list[int]:
    position = {name: index for index, name in enumerate(found)}
    known = set(expected)
    missing = [name for name in expected if name not in position]
    unknown = [str(name) for name in position if name not in known]
    twice = [str(name) for name, count in Counter(found).items() if count > 1]
    parts = [
        f"{len(names)} {what}: {listing(names)}"
        for what, names in (("missing", missing), ("unexpected", unknown), ("twice", twice))
        if names
    ]
    if parts:
        raise InputError(
            f"columns: expected the model's {len(expected)} features, got {len(found)} ({'; '.join(parts)})"
        )
    return [position[name] for name in expected]


def _float32(features: ArrayLike) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which is found out later
            if hasattr(features, "to_numpy"):
                return features.to_numpy(np.float32)
            return np.asarray(features).astype(np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"features: expected numbers, got something else ({error})") from None
