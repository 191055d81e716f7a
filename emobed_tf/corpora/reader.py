"""Readers of data sets in forms of their own: what a module has to offer, and what must hold for what it reads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from emobed_tf.console import Progress
from emobed_tf.corpora.corpus import CLASSIFICATION, PARTITIONS, Modality, Recording, Target
from emobed_tf.datasets import DataSet
from emobed_tf.errors import InputError
from emobed_tf.importing import import_named


class Reader(Protocol):
    """The functions of a module that `DataSet.reader` names.

    Only a `DataSet` with `suffixes` needs `read_features`. All raise `InputError` for what is wrong with the files, in
    one line: where, what was expected, what came, what to do.
    """

    def find_modalities(self, folder: Path) -> Mapping[str, Path]:
        """The modalities that a folder holds, in a fixed order, each with one of its files or folders.

        Args:
            folder: of the data set; whether it is there has not been checked.

        Returns:
            A file or folder by the modality's name.
        """

    def read(
        self, folder: Path, modalities: Sequence[str], dimension: str, progress: Progress | None
    ) -> tuple[list[Modality], dict[str, str]]:
        """Reads some of the modalities.

        Args:
            folder: of the data set.
            modalities: names of those to read, all of them from `find_modalities`; other files are left alone.
            dimension: that a regression is to learn; `arousal` or `valence`.
            progress: may be called as progress(done, total, what) after each file, if it isn't None.

        Returns:
            The modalities. Their recordings have the labels that the record promises: `emotion`, the index in
            `DataSet.classes`, and those of `DataSet.dimensions` that there are. And the SHA-256 of every file that was
            read, by its path: by it a run knows later whether its data have changed.
        """

    def read_features(self, path: Path, modality: str) -> Modality:
        """Reads a file without labels, to predict from.

        Args:
            path: has one of `DataSet.suffixes`.
            modality: that it holds.

        Returns:
            Recordings with the partition "". The columns may have any order; who calls puts them in that of training.
        """


def reader_of(dataset: DataSet) -> Reader:
    """The module that reads a data set.

    Args:
        dataset: with a reader.

    Returns:
        The module.

    Raises:
        InputError: if the data set names no module, or one that can't be imported or lacks a function.
    """
    if dataset.reader is None:
        raise InputError(
            f"data set {dataset.name}: no reader; expected a module that reads files in the data set's own form, see "
            "emobed_tf.corpora.reader.Reader"
        )
    try:
        reader = import_named(dataset.reader)
    except ImportError as error:
        raise InputError(f"data set {dataset.name}: its reader can't be imported: {error}") from None
    needed = ("find_modalities", "read", *(("read_features",) if dataset.suffixes else ()))
    missing = [name for name in needed if not callable(getattr(reader, name, None))]
    if missing:
        raise InputError(
            f"data set {dataset.name}: its reader {dataset.reader} has no function {' and no '.join(missing)}; see "
            "emobed_tf.corpora.reader.Reader"
        )
    return reader


def read_modalities(
    dataset: DataSet,
    folder: Path,
    modalities: Sequence[str],
    dimension: str,
    target: Target,
    progress: Progress | None = None,
) -> tuple[list[Modality], dict[str, str]]:
    """What a data set's reader reads, checked: whoever wrote the reader learns what is wrong, and where.

    Args:
        dataset: with a reader.
        folder: where it lies.
        modalities: names of those to read.
        dimension: `arousal` or `valence`.
        target: what is to be learnt.
        progress: see `Reader.read`.

    Returns:
        As `Reader.read`.

    Raises:
        InputError: if something is wrong with the files, or with what the reader makes of them.
    """
    found, fingerprints = reader_of(dataset).read(folder, modalities, dimension, progress)
    where = f"data set {dataset.name}, as {dataset.reader} reads it"
    names = [modality.name for modality in found]
    if names != list(modalities):
        raise InputError(f"{where}: expected the modalities {', '.join(modalities)}, got {', '.join(names) or 'none'}")
    for modality in found:
        ids: set[str] = set()
        for recording in modality.recordings:
            wrong = _wrong(recording, modality, target)
            if recording.id in ids:
                wrong = "expected each id once"
            if wrong:
                raise InputError(f"{where}: recording '{recording.id}' of '{modality.name}': {wrong}")
            ids.add(recording.id)
    return found, fingerprints


def _wrong(recording: Recording, modality: Modality, target: Target) -> str | None:
    """What is wrong with a recording, in words."""
    features, labels = np.asarray(recording.features), recording.labels.get(target.label)
    if recording.partition not in PARTITIONS:
        return f"partition '{recording.partition}'; expected {', '.join(PARTITIONS)}"
    if not recording.speaker:
        return "no speaker; expected whose voice or face it is"
    if features.ndim != 2 or not len(features) or features.shape[1] != len(modality.feature_names):
        expected = f"[frames, {len(modality.feature_names)}]"
        return f"features of the shape {list(features.shape)}; expected {expected}, one column for each name"
    if features.dtype != np.float32 or np.isinf(features).any():
        return f"features {features.dtype}; expected finite float32, NaN where a value is missing"
    if labels is None:
        only = "only the test partition may lack labels"
        return f"no label '{target.label}'; {only}" if recording.partition != PARTITIONS[-1] else None
    labels = np.asarray(labels)
    if target.task == CLASSIFICATION:
        index = labels.ndim == 0 and np.issubdtype(labels.dtype, np.integer)
        if not index or not 0 <= int(labels) < len(target.classes):
            return f"label '{target.label}' is {labels}; expected an index below {len(target.classes)}, int32"
    elif labels.shape != features.shape[:1] or labels.dtype != np.float32 or np.isinf(labels).any():
        expected = f"finite float32 [{len(features)}], one for each frame, NaN where a frame has none"
        return f"label '{target.label}': expected {expected}"
    elif np.isnan(labels).all():
        return f"label '{target.label}' is NaN in every frame; expected one or more finite, or no such label at all"
    return None
