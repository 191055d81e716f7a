"""Feature tables as every tool writes them, brought to one form: ids, times in seconds, features."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emobed_tf.corpora.columns import Columns
from emobed_tf.corpora.files import listing, need_folder, visible_files
from emobed_tf.corpora.identity import is_unknown
from emobed_tf.corpora.layout import Layout, layout
from emobed_tf.corpora.omg import utterance_id
from emobed_tf.corpora.segments import are_frames, file_ids, segment_ids, times_of
from emobed_tf.corpora.tablefile import ALL_SUFFIXES, Table, joined, read_table, table_of
from emobed_tf.errors import EmoBedWarning, InputError, MissingInputError
from emobed_tf.settings import Reading

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FeatureTable:
    """A table in one form, whatever wrote it.

    Attributes:
        table: `texts` has `id`, and as far as the file has them `file`, `partition`, `speaker` and `label`; `numbers`
            has `time` in seconds if rows are frames, `start` and `end` in seconds if they are segments of a file, and
            dimensions.
        left_out: why, by column that is no feature and nothing else.
        doubtful: those of them that somebody could want.
        notes: what was recognised, in sentences.
        unit_is_known: whether it is certain that times were seconds, or what they were.
    """

    table: Table
    left_out: Mapping[str, str]
    doubtful: tuple[str, ...]
    notes: tuple[str, ...]
    unit_is_known: bool


def read_features(
    source: "Path | pd.DataFrame",
    name: str,
    settings: Reading,
    dimension: str = "",
    *,
    needs: Mapping[str, str] | None = None,
    features: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> FeatureTable:
    """Reads a table of features.

    Args:
        source: a file; a folder of them, a file for each recording or for several; or a data frame.
        name: of the modality.
        settings: what the user says of the columns.
        dimension: that is learnt; "" where there are no labels.
        needs: roles that have to be there, each with what to say where one isn't.
        features: columns that are features whatever they are called.
        left_out: columns that are none.

    Returns:
        The table in one form.

    Raises:
        MissingInputError: if there is no such file.
        InputError: whatever else is wrong, with line and column.
    """
    if not isinstance(source, Path):
        read = _Reader(settings, dimension, needs or {}, features, left_out, stem=name)
        return read.finished(read.one(table_of(source, f"data frame '{name}'", read.choose)))
    if not source.is_dir():
        read = _Reader(settings, dimension, needs or {}, features, left_out, stem=source.stem)
        return read.finished(read.one(read_table(source, read.choose, None)))
    need_folder(source, "feature tables, one for each recording")
    files = [path for path in visible_files(source) if path.suffix.lower() in ALL_SUFFIXES]
    if not files:
        raise MissingInputError(f"{source}: no table; expected CSV, Parquet or ARFF files, one for each recording")
    tables = []
    for path in files:
        read = _Reader(settings, dimension, needs or {}, features, left_out, stem=path.stem, in_folder=True)
        tables.append(read.one(read_table(path, read.choose, None)))
    return read.finished(joined(source, tables))


@dataclass
class _Reader:
    """One table: its layout is known when its header has been read."""

    settings: Reading
    dimension: str
    needs: Mapping[str, str]
    features: Sequence[str]
    left_out: Sequence[str]
    stem: str
    in_folder: bool = False
    layout: Layout | None = None

    def choose(self, names: Sequence[str], where: str) -> Columns:
        """What the columns of a header are; keys are checked before any value is read."""
        found = layout(names, where, self.settings, self.dimension, features=self.features, left_out=self.left_out)
        if not found.has("id", "file", "video") and not self._is_one_recording(found):
            raise InputError(
                f"{where}: no column 'id' (or 'file'), the name of the recording; found {listing(names)}; if another "
                "column has it: --column NAME=id"
            )
        for role, remark in self.needs.items():
            if not found.has(role):
                raise InputError(f"{where}: no column '{role}'; found {listing(names)}; {remark}")
        self.layout = found
        return found.columns

    def one(self, table: Table) -> Table:
        """The table with roles for names, times in seconds, and missing features where the tool says so."""
        found = self._layout()
        texts = {role: table.texts[name] for name, role in found.roles.items() if name in table.texts}
        numbers = {role: table.numbers[name] for name, role in found.roles.items() if name in table.numbers}
        if "time" in numbers:
            numbers["time"] = numbers["time"] * found.seconds
        features = table.features
        if found.form.missing is not None:
            measures = {name: _column(table, name) for name in found.form.measures}
            gone = found.form.missing(measures, self.settings.confidence)
            if gone.any():
                features = np.where(gone[:, None], np.float32(np.nan), features)
        if "id" in texts and found.form.quoted:
            texts["id"] = np.array([cell.strip("'") for cell in texts["id"]], dtype=object)
            if all(is_unknown(cell) for cell in set(texts["id"])):  # what openSMILE writes where nobody gave a name
                del texts["id"]
        if not {"id", "file", "video"} & set(texts):
            texts["id"] = self._ids(len(table), numbers.get("time"))
        return replace(table, texts=texts, numbers=numbers, features=features)

    def finished(self, table: Table) -> FeatureTable:
        """What is decided over all rows: ids of files, segments or frames, and whether a time says anything."""
        found = self._layout()
        notes = [f"recognised as {found.form.title}"] if found.form.title else []
        for name, role in found.roles.items():
            if name != role and role not in ("file",):
                notes.append(f"'{name}' is the {role}")
        table, how = _with_ids(table)
        notes += how
        one_row_each = len(set(table.texts["id"])) == len(table)
        if found.form.time_may_be_none and "time" in table.numbers and one_row_each:
            table = replace(table, numbers={k: v for k, v in table.numbers.items() if k != "time"})
            notes = [note for note in notes if not note.endswith("is the time")]
        known = self.settings.time_unit != "auto" or found.form.seconds != 1 or bool(found.form.title)
        return FeatureTable(table, found.left_out, found.doubtful, tuple(notes), known)

    def _ids(self, rows: int, times: np.ndarray | None) -> np.ndarray:
        """The file's name; where times begin again, recordings were put together, and get a number each."""
        restarts = np.zeros(rows, int) if times is None else np.concatenate([[0], np.diff(times) < 0]).cumsum()
        if not restarts.any():
            return np.full(rows, self.stem, dtype=object)
        last = restarts[-1] + 1
        warnings.warn(
            f"'{self.stem}' has no ids, and its time begins again: read as {last} recordings, {self.stem}/1 to "
            f"{self.stem}/{last}",
            EmoBedWarning,
            stacklevel=2,
        )
        return np.array([f"{self.stem}/{number}" for number in restarts + 1], dtype=object)

    def _is_one_recording(self, found: Layout) -> bool:
        return self.in_folder or found.form.one_recording

    def _layout(self) -> Layout:
        if self.layout is None:
            raise ValueError("the header has not been read")
        return self.layout


def _column(table: Table, name: str) -> np.ndarray:
    """A column of numbers, whether it is a feature, too, or not."""
    if name in table.feature_names:
        return table.features[:, table.feature_names.index(name)]
    return table.numbers[name]


def _with_ids(table: Table) -> tuple[Table, list[str]]:
    """A table whose rows are named by `file`, `start` and `end` with an id, and a time where they are frames."""
    texts = {name: values for name, values in table.texts.items() if name not in ("start", "end")}
    if "id" in texts:
        segments = {} if table.feature_names or "start" not in table.texts else _segments(table)
        return replace(table, texts=texts, numbers=table.numbers | segments), []
    if "video" in texts:
        return replace(table, texts=_with_utterances(table, texts)), []
    for row, file in enumerate(texts["file"]):
        if not file:
            raise InputError(f"{table.where(row)}: column 'file' is empty; expected the path of the recording")
    names = file_ids(list(texts["file"]))
    ids = np.array([names[file] for file in texts["file"]], dtype=object)
    numbers = dict(table.numbers)
    if "start" not in table.texts:
        return replace(table, texts=texts | {"id": ids}), []
    segments = _segments(table)
    starts, ends = segments["start"], segments["end"]
    groups = _groups(ids)
    windows = bool(table.feature_names) and "time" not in numbers  # recordings without features are no windows
    if windows and _one_value_each(texts, groups) and are_frames(starts, ends, list(groups.values())):
        numbers["time"] = starts
        return replace(table, texts=texts | {"id": ids}, numbers=numbers), ["rows follow each other: they are frames"]
    if max(map(len, groups.values())) > 1 and "time" not in numbers:
        ids = segment_ids(ids, starts, ends)
    numbers |= segments
    return replace(table, texts=texts | {"id": ids}, numbers=numbers), []


def _segments(table: Table) -> dict[str, np.ndarray]:
    """Start and end of each row in seconds; NaN for an end that isn't known."""
    starts = times_of(table, "start")
    ends = times_of(table, "end") if "end" in table.texts else np.full(len(table), np.nan)
    starts = np.where(np.isnan(starts), 0.0, starts)
    wrong = np.flatnonzero(ends < starts)
    if wrong.size:
        raise InputError(
            f"{table.where(wrong[0])}: the segment ends at {ends[wrong[0]]:.10g} s, before it starts at "
            f"{starts[wrong[0]]:.10g} s"
        )
    return {"start": starts, "end": ends}


def _with_utterances(table: Table, texts: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """OMG-Emotion's names of utterances."""
    pairs = list(zip(texts["video"], texts["utterance"], strict=True))
    for row, pair in enumerate(pairs):
        if not all(pair):
            raise InputError(f"{table.where(row)}: column 'video' or 'utterance' is empty; expected both")
    return {**texts, "id": np.array([utterance_id(*pair) for pair in pairs], dtype=object)}


def _one_value_each(texts: Mapping[str, np.ndarray], groups: Mapping[str, np.ndarray]) -> bool:
    """Whether the rows of a file agree in what a recording has one of; segments need not."""
    columns = [texts[name] for name in ("partition", "speaker", "label") if name in texts]
    return all(len(set(column[rows])) == 1 for column in columns for rows in groups.values())


def _groups(ids: np.ndarray) -> dict[str, np.ndarray]:
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(ids):
        groups.setdefault(name, []).append(row)
    return {name: np.array(rows) for name, rows in groups.items()}
