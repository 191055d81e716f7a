"""The table of recordings: which files, which segments of them, and what is known of each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emobed_tf.corpora.columns import Columns
from emobed_tf.corpora.corpus import DIMENSIONS
from emobed_tf.corpora.files import listing, shorten
from emobed_tf.corpora.identity import PARTITION_SPELLINGS, partition_of
from emobed_tf.corpora.labelling import numbers_of
from emobed_tf.corpora.layout import Layout, layout
from emobed_tf.corpora.segments import file_ids, segment_ids, times_of
from emobed_tf.corpora.tablefile import Table, read_table
from emobed_tf.corpora.waveforms import LABEL_FILE
from emobed_tf.errors import InputError
from emobed_tf.files import at_home
from emobed_tf.settings import Reading

_TEXTS = ("partition", "speaker", "label")


@dataclass(frozen=True)
class Entry:
    """A recording, or a segment of one.

    Attributes:
        id: its name, which no other entry has.
        file: as it stands in the table.
        path: where that is: what is relative begins at the table's folder.
        start: of the segment in seconds, 0 where the table says nothing.
        end: in seconds; None: to the end.
        texts: partition, speaker and label, as far as there are such columns; a partition by the name that it has here.
        numbers: dimensions, as far as there are such columns; NaN where a cell is empty.
        labels: its table of labels over time; None if it has none.
        row: in the table, from 0.
    """

    id: str
    file: str
    path: Path
    start: float
    end: float | None
    texts: dict[str, str]
    numbers: dict[str, float]
    labels: Path | None
    row: int


@dataclass(frozen=True)
class Listing:
    """A table of recordings.

    Attributes:
        table: as it was read.
        entries: in the table's order, one at least.
        texts: names of its text columns: of partition, speaker and label those that are there.
        numbers: names of its dimensions.
        segmented: whether it has starts or ends.
        left_out: names of columns that mean nothing here.
    """

    table: Table
    entries: tuple[Entry, ...]
    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    segmented: bool
    left_out: tuple[str, ...]

    def where(self, entry: Entry) -> str:
        """Where an entry stands, for messages.

        Args:
            entry: one of these.

        Returns:
            File and line.
        """
        return self.table.where(entry.row)


def read_listing(path: Path, settings: Reading | None = None, dimension: str = "arousal") -> Listing:
    """Reads a table of recordings, also in the forms of audformat and nkululeko.

    Args:
        path: CSV or Parquet with a column `file`, and as far as known `id`, `start`, `end` (seconds, or times such as
            0 days 00:00:01.5), `partition`, `speaker`, `label`, dimensions, or `label_file`.
        settings: what the user says of the columns.
        dimension: a column of that name is a label, besides arousal and valence.

    Returns:
        What it says. Whether the recordings are there has not been looked at.

    Raises:
        MissingInputError: if there is no such table.
        InputError: whatever else is wrong, with line and column.
    """
    found: Layout | None = None

    def choose(names: Sequence[str], where: str) -> Columns:
        nonlocal found
        found = layout(names, where, settings or Reading(), dimension)
        if not found.has("file"):
            raise InputError(
                f"{where}: no column 'file', the path of a recording; found {listing(names)}; if another column has "
                "it: --column NAME=file"
            )
        return Columns(texts=tuple(found.roles), ignored=tuple(name for name in names if name not in found.roles))

    table = read_table(path, choose, None, features=False)
    roles = {} if found is None else found.roles
    by_role = {roles.get(name, name): values for name, values in table.texts.items()}
    table = replace(table, texts=by_role)
    dimensions = tuple(name for name in by_role if name in (*DIMENSIONS, dimension))
    _check_files(table)
    starts, ends = _segments(table)
    ids = _ids(table, starts, ends)
    numbers = {name: numbers_of(table, name, by_role[name]) for name in dimensions}
    texts = {name: by_role[name] for name in _TEXTS if name in by_role}
    if "partition" in texts:
        texts["partition"] = _partitions(table)
    labels = by_role.get(LABEL_FILE)
    entries = tuple(
        Entry(
            ids[row],
            file,
            _path(path, table, row, file),
            0.0 if np.isnan(starts[row]) else float(starts[row]),
            None if np.isnan(ends[row]) else float(ends[row]),
            {name: values[row] for name, values in texts.items()},
            {name: float(values[row]) for name, values in numbers.items()},
            _path(path, table, row, labels[row]) if labels is not None and labels[row] else None,
            row,
        )
        for row, file in enumerate(by_role["file"])
    )
    left_out = tuple(sorted(table.header - set(roles)))
    return Listing(table, entries, tuple(texts), dimensions, bool({"start", "end"} & set(by_role)), left_out)


def _path(path: Path, table: Table, row: int, file: str) -> Path:
    try:
        return path.parent / at_home(file.replace("\\", "/"))
    except InputError as error:
        raise InputError(f"{table.where(row)}: {error}") from None


def _check_files(table: Table) -> None:
    for row, file in enumerate(table.texts["file"]):
        if not file:
            raise InputError(f"{table.where(row)}: column 'file' is empty; expected the path of the recording")


def _segments(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends in seconds, NaN where there are none."""
    nothing = np.full(len(table.texts["file"]), np.nan)
    starts = times_of(table, "start") if "start" in table.texts else nothing
    ends = times_of(table, "end") if "end" in table.texts else nothing
    wrong = np.flatnonzero((starts < 0) | (ends <= np.where(np.isnan(starts), 0, starts)))
    if wrong.size:
        row = int(wrong[0])
        column, cell = ("start", starts[row]) if starts[row] < 0 else ("end", ends[row])
        expected = "0 s or more" if column == "start" else "a time after its start"
        raise InputError(f"{table.where(row)}: column '{column}': expected {expected}, got {cell:.10g} s")
    return starts, ends


def _ids(table: Table, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    files = list(table.texts["file"])
    if "id" in table.texts:
        ids = table.texts["id"]
    else:
        names = file_ids(files)
        ids = np.array([names[file] for file in files], dtype=object)
        if len(set(ids)) < len(ids):
            parts = segment_ids(ids, np.where(np.isnan(starts), 0.0, starts), ends)
            ids = np.where(np.isnan(starts) & np.isnan(ends), ids, parts)
    first: dict[str, int] = {}
    for row, name in enumerate(ids):
        if not name:
            raise InputError(f"{table.where(row)}: column 'id' is empty; expected the name of the recording")
        if first.setdefault(name, row) != row:
            if "id" not in table.texts and files[row] != files[first[name]]:
                raise InputError(
                    f"{table.where(row)}: '{files[row]}' and '{files[first[name]]}' ({table.where(first[name])}) would "
                    f"both be called '{name}'; add a column 'id' that tells them apart"
                )
            raise InputError(
                f"{table.where(row)}: '{name}' a second time (first: {table.where(first[name])}); expected each "
                "recording once, or segments of it with start and end"
            )
    return ids


def _partitions(table: Table) -> np.ndarray:
    known = {cell: partition_of(cell) for cell in dict.fromkeys(table.texts["partition"])}
    for row, cell in enumerate(table.texts["partition"]):
        if known[cell] is None:
            raise InputError(
                f"{table.where(row)}: column 'partition': expected {PARTITION_SPELLINGS}, got {shorten(cell)}"
            )
    return np.array([known[cell] for cell in table.texts["partition"]], dtype=object)
