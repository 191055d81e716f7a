"""What an exported model takes and says: features checked before they are sent, answers before they are believed."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from emobed_tf.corpora.checks import check_finite_or_missing
from emobed_tf.corpora.files import listing
from emobed_tf.errors import InputError
from emobed_tf.saved_model.manifest import PACKED
from serving.client.connection import unexpected


@dataclass(frozen=True)
class Classification:
    """What a classifier says of one recording or utterance, or of several; plain values, ready for JSON.

    Attributes:
        labels: the most probable class; of several, a list of them.
        probabilities: of each class, in [0, 1]; of several, a list of such lists.
        classes: names of the classes, in the order of the probabilities.
        version: number of the model's version that answered.
    """

    labels: str | list[str]
    probabilities: list[Any]
    classes: tuple[str, ...]
    version: int


@dataclass(frozen=True)
class Heard:
    """What a regression says of a recording of sound.

    Attributes:
        prediction: float32 `[frames]`, in the time of the sound: the label delay is not undone.
        postprocessed: float32 `[frames]`, in the gold standard's time, post-processed as learnt on development.
        version: number of the model's version that answered.
    """

    prediction: np.ndarray
    postprocessed: np.ndarray
    version: int


@dataclass(frozen=True)
class Batch:
    """Features as a model takes them, and the form in which they came: answers have the same.

    Attributes:
        values: float32 `[batch, frames, features]`.
        one: whether they came without a batch: one recording, or one utterance.
        flat: whether they came without frames: utterances.
    """

    values: np.ndarray
    one: bool
    flat: bool

    @property
    def frames(self) -> int:
        """Frames of each recording."""
        return self.values.shape[1]


def as_batch(features: ArrayLike, manifest: Mapping[str, Any], columns: Sequence[str] | None) -> Batch:
    """Features as a model takes them.

    Args:
        features: numbers. Of a model of recordings `[frames, features]` of one, `[batch, frames, features]` of several,
            or a pandas DataFrame of one. Of a model of utterances `[features]` or a Series of one,
            `[utterances, features]` or a DataFrame of several, or `[batch, 1, features]`. NaN is a missing value.
        manifest: of the model.
        columns: names of an array's features; a DataFrame or a Series brings its own. Where there are names, they may
            have any order. Without, the features must be in the manifest's.

    Returns:
        The features in the manifest's order, and their form.

    Raises:
        InputError: if they are not the model's features.
    """
    names = manifest["features"]
    own = _own_names(features)
    if own is not None:
        if columns is not None:
            raise InputError(f"columns: the {type(features).__name__} has names of its own; leave columns out")
        columns = own
    order = None if columns is None else _order([str(name) for name in columns], names)
    values = _float32(features)
    of_utterances = manifest["frame_seconds"] is None
    _check_shape(values.shape, len(names), of_utterances)
    if order is not None:
        values = values[..., order]
    one, flat = values.ndim == (1 if of_utterances else 2), of_utterances and values.ndim < 3
    frames = 1 if flat else values.shape[-2]
    check_finite_or_missing(
        values.reshape(-1, len(names)),
        names,
        lambda row: f"utterance {row}" if of_utterances else f"recording {row // frames}, frame {row % frames}",
    )
    return Batch(values.reshape(-1, frames, len(names)), one, flat)


def as_packed(batch: Batch) -> list[dict[str, Any]]:
    """Features as bytes: digits take twenty times as long, to write and to read.

    Args:
        batch: of features.

    Returns:
        The input of the signature `packed`, for each recording.
    """
    encoded = (base64.b64encode(values.astype("<f4").tobytes()).decode() for values in batch.values)
    return [{PACKED: {"b64": text}} for text in encoded]


def of_one_recording() -> Batch:
    """What stands for the features of a recording of which only the model knows them."""
    return Batch(np.zeros((1, 0, 0), np.float32), one=True, flat=False)


@dataclass(frozen=True)
class Answer:
    """What a signature said.

    Attributes:
        rows: by recording: an output's value, or several outputs' values by name.
        batch: what was asked.
        manifest: of the model.
        version: number of the model's version.
        url: that was asked, for the error.
    """

    rows: Any
    batch: Batch
    manifest: Mapping[str, Any]
    version: int
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
        values = self._finite(name, *shape).astype(np.float32)
        return values[0] if self.batch.one else values

    def by_frame(self, name: str, *shape: int | None) -> np.ndarray | float:
        """An output with a value for each frame.

        Args:
            name: of the output.
            *shape: the value's sizes; None is any size.

        Returns:
            float32 `[frames, *shape]` or `[batch, frames, *shape]`; of utterances that came as a table
            `[utterances, *shape]`, of a single one `[*shape]`, or a float.

        Raises:
            ServingError: see `numbers`.
        """
        if not self.batch.flat:
            return self.numbers(name, self.batch.frames, *shape)
        values = self._finite(name, 1, *shape)[:, 0]
        if not self.batch.one:
            return values.astype(np.float32)
        return values[0].astype(np.float32) if shape else float(values[0])

    def prediction(self) -> np.ndarray | float | Classification:
        """Predictions of a regression, see `by_frame`, or a classification of the recordings."""
        classes = tuple(self.manifest.get("classes", ()))
        if not classes:
            return self.by_frame("prediction")
        probabilities = self._finite("probabilities", len(classes)).tolist()
        labels = self._rows("label")
        if not all(isinstance(label, str) for label in labels):
            raise unexpected("'label' of type string", self.rows, self.url)
        if self.batch.one:
            return Classification(labels[0], probabilities[0], classes, self.version)
        return Classification(labels, probabilities, classes, self.version)

    def heard(self) -> Heard | Classification:
        """What is said of one recording of sound, whose number of frames the model knows best."""
        if self.manifest.get("classes"):
            return cast(Classification, self.prediction())
        prediction = self.numbers("prediction", None)
        return Heard(prediction, self.numbers("postprocessed", len(prediction)), self.version)

    def _rows(self, name: str) -> list[Any]:
        try:
            return [row[name] if isinstance(row, dict) else row for row in self.rows]
        except (KeyError, TypeError):
            raise unexpected(f"an output '{name}'", self.rows, self.url) from None

    def _finite(self, name: str, *shape: int | None) -> np.ndarray:
        """float64 `[batch, *shape]`."""
        wanted = " x ".join("any" if size is None else str(size) for size in shape)
        try:
            values: np.ndarray = np.array(self._rows(name), np.float64)
            fits = [expected in (None, found) for expected, found in zip(shape, values.shape[1:], strict=True)]
        except (OverflowError, TypeError, ValueError):
            fits = [False]
        if not all(fits) or not np.isfinite(values).all():
            raise unexpected(f"finite '{name}' of shape [{wanted}]", self.rows, self.url)
        return values


def _own_names(features: Any) -> list[str] | None:
    """Names that a DataFrame or a Series has for its features; None for anything else."""
    if hasattr(features, "columns"):
        return list(features.columns)
    if hasattr(features, "to_numpy") and getattr(features, "ndim", None) == 1:
        return list(features.index)
    return None


def _check_shape(shape: tuple[int, ...], width: int, of_utterances: bool) -> None:
    fits = len(shape) in ((1, 2, 3) if of_utterances else (2, 3)) and shape[-1] == width and 0 not in shape
    if not fits:
        forms = (
            f"[{width}] of one utterance, or [utterances, {width}]"
            if of_utterances
            else f"[frames, {width}] or [batch, frames, {width}]"
        )
        raise InputError(f"features: expected {forms}, got {list(shape)}")
    if of_utterances and len(shape) == 3 and shape[1] != 1:
        raise InputError(
            f"features: the model takes utterances of one row; expected [utterances, {width}], or [batch, 1, {width}], "
            f"got {list(shape)}"
        )


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
    """float32 of the same shape, NaN where an array is masked."""
    try:
        found = features.to_numpy() if hasattr(features, "to_numpy") else np.ma.asanyarray(features)
        if found.dtype.kind in "cmM":  # NumPy would make numbers of them without a word
            raise TypeError(found.dtype)
        with np.errstate(over="ignore"):  # too large for float32 becomes infinite, which is found out later
            if hasattr(features, "to_numpy"):
                return features.to_numpy(np.float32)
            return np.ma.filled(found.astype(np.float32), np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"features: expected numbers, got something else ({error})") from None
