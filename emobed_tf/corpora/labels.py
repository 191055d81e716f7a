"""Labels with gaps: which frames of a recording have one, and the labels that there are."""

from collections.abc import Sequence

import numpy as np

from emobed_tf.corpora.corpus import Recording


def known(label: np.ndarray) -> np.ndarray:
    """Which frames have a label.

    Args:
        label: a recording's, see `Recording.labels`: float `[frames]`, NaN where a frame has none; or the index of a
            class, which is always known.

    Returns:
        bool, of the label's shape.
    """
    return ~np.isnan(label)


def has_label(recording: Recording, name: str) -> bool:
    """Whether any frame of a recording has a label of that name.

    Args:
        recording: any.
        name: of the label.

    Returns:
        False where labels are withheld, and where all of them are NaN.
    """
    return name in recording.labels and bool(known(recording.labels[name]).any())


def pooled(labels: Sequence[np.ndarray]) -> np.ndarray:
    """The labels of several recordings that there are, one after another.

    Args:
        labels: float `[frames]` each, NaN where a frame has none.

    Returns:
        Finite, `[labelled frames]`, of their dtype.
    """
    together = np.concatenate(labels)
    return together[known(together)]


def labelled_frames(
    labels: Sequence[np.ndarray], values: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Labels, and values beside them, of the frames that have a label: what is scored.

    Args:
        labels: float `[frames]` of each recording, NaN where a frame has none.
        values: of the same frames, `[frames]` of each recording.

    Returns:
        Both, `[labelled frames]` of each recording.

    Raises:
        ValueError: if a recording's values are not as many as its labels.
    """
    labels, values = [np.asarray(label) for label in labels], [np.asarray(series) for series in values]
    for label, series in zip(labels, values, strict=True):
        if label.shape != series.shape:
            raise ValueError(f"Expected values of the labels' shape {label.shape}. Received: {series.shape}")
    kept = [known(label) for label in labels]
    return [x[k] for x, k in zip(labels, kept, strict=True)], [x[k] for x, k in zip(values, kept, strict=True)]
