"""Labels from a table of their own: joined to feature tables by id, or by file and segment, and by time."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emobed_tf.corpora.checks import NUMBER
from emobed_tf.corpora.columns import Columns, is_missing
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.forms.form import ROLES
from emobed_tf.corpora.identity import identity
from emobed_tf.corpora.layout import layout
from emobed_tf.corpora.segments import path_of, times_of
from emobed_tf.corpora.tablefile import Table, read_table, table_of
from emobed_tf.corpora.time import nearest_times
from emobed_tf.errors import InputError
from emobed_tf.settings import Reading

if TYPE_CHECKING:
    import pandas as pd

_GIVEN = ("partition", "speaker", "label")
_SAME_TIME = 0.005  # seconds: tables of segments are rounded to milliseconds, or to hundredths
_EXACT = 1e-6  # seconds: what binary fractions leave


def read_labels(source: "Path | pd.DataFrame", settings: Reading, dimension: str, partitioned: bool) -> Table:
    """Reads a table of labels.

    Args:
        source: a file, or a data frame.
        settings: what the user says of the columns.
        dimension: that is learnt.
        partitioned: whether it has to say which partition a recording is in.

    Returns:
        `texts` has `id` or `file`, and as far as they are there partition, speaker and label; `numbers` has dimensions,
        `time`, `start` and `end` in seconds. No features.

    Raises:
        MissingInputError: if there is no such file.
        InputError: whatever else is wrong, with line and column.
    """
    roles: dict[str, str] = {}
    seconds = 1.0

    def choose(names: Sequence[str], where: str) -> Columns:
        nonlocal seconds
        found = layout(names, where, replace(settings, keep=()), dimension)
        roles.update(found.roles)
        seconds = found.seconds
        if not found.has("id", "file"):
            raise InputError(
                f"{where}: no column 'id' or 'file', by which labels are joined to features; found {listing(names)}; "
                "if another column has it: --column NAME=id"
            )
        if partitioned and not found.has("partition"):
            raise InputError(
                f"{where}: no column 'partition'; found {listing(names)}; crossvalidate and audit don't need it, "
                "because they split by speaker"
            )
        return Columns(texts=tuple(roles), ignored=tuple(name for name in names if name not in roles))

    table = (
        read_table(source, choose, None, features=False)
        if isinstance(source, Path)
        else table_of(source, "data frame of labels", choose, features=False)
    )
    texts = {role: table.texts[name] for name, role in roles.items()}
    numbers = {role: numbers_of(table, role, texts.pop(role)) for role in tuple(texts) if role not in ROLES}
    if "time" in texts:
        numbers["time"] = numbers_of(table, "time", texts.pop("time")) * seconds
    table = replace(table, texts=texts, numbers=numbers)
    for role in ("start", "end"):
        if role in texts:
            table.numbers[role] = times_of(table, role)
            del table.texts[role]
    return table


def with_labels(table: Table, labels: Table) -> tuple[Table, tuple[str, ...]]:
    """A feature table with partitions, speakers and labels of a table of their own, which count before its own.

    Args:
        table: of features, in one form.
        labels: from `read_labels`.

    Returns:
        The rows that have an entry among the labels. Where labels have times, a frame takes those of the nearest time,
        at most half a step away; where they have segments, those of the segment that it is in. NaN where there are
        none. And notes of what had no partner.

    Raises:
        InputError: if nothing fits, or two entries fit one recording.
    """
    entries = _Entries(labels)
    by_id: dict[str, list[int]] = {}
    for row, name in enumerate(table.texts["id"]):
        by_id.setdefault(name, []).append(row)
    partner = np.full(len(table), -1)
    used: dict[int, str] = {}
    for name, rows in by_id.items():
        found = entries.of(table, name, rows[0])
        _check_one_recording(table, name, rows[0], found, used, by_id)
        used |= dict.fromkeys(found, name)
        if not found:
            continue
        if "time" in labels.numbers:
            partner[rows] = _nearest(table, np.array(rows), labels, np.array(found), name)
            continue
        if "time" in table.numbers and "start" in labels.numbers:
            partner[rows] = _around(table, np.array(rows), labels, np.array(found), name)
            continue
        if len(found) > 1:
            raise InputError(
                f"{labels.where(found[1])}: a second entry for '{name}' (first: {labels.where(found[0])}); expected "
                "one for each recording or segment, or a column 'time'"
            )
        partner[rows] = found[0]
    kept = np.flatnonzero(partner > -1)
    if not kept.size:
        if entries.other_segments:
            raise InputError(
                f"{table.title}: the files are those of the labels, the segments aren't: {entries.other_segments[0]}"
            )
        mine = table.texts["file"][0] if "file" in table.texts else next(iter(by_id))
        theirs = labels.texts["id" if "id" in labels.texts else "file"][0]
        raise InputError(
            f"{table.title}: none of its recordings is among the labels of {labels.title}; expected the same names, "
            f"or paths with the same end, found '{mine}' here and '{theirs}' there"
        )
    notes = []
    lost = sum(not any(partner[row] > -1 for row in rows) for rows in by_id.values())
    if lost:
        first = next(name for name, rows in by_id.items() if not any(partner[row] > -1 for row in rows))
        notes.append(f"no labels, so left out: '{first}'" + (f" and {lost - 1} more recordings" if lost > 1 else ""))
    unused = len(labels) - len(used)
    if unused:
        notes.append(f"{unused} of {len(labels)} rows of the labels have no features")
    result = table.take(kept) if len(kept) < len(table) else table
    entry = partner[kept]
    far = entry >= len(labels)  # of a recording with labels, but none near that time
    entry = np.where(far, entry - len(labels), entry)
    texts = {name: values[entry] for name, values in labels.texts.items() if name in _GIVEN}
    numbers = {
        name: np.where(far, np.nan, values[entry])
        for name, values in labels.numbers.items()
        if name not in ("time", "start", "end")
    }
    result = replace(result, texts=result.texts | texts, numbers=result.numbers | numbers, labels=(labels, entry))
    return result, tuple(notes)


class _Entries:
    """Rows of a table of labels, found by id, or by file and segment."""

    def __init__(self, labels: Table) -> None:
        self._labels = labels
        self.other_segments: list[str] = []  # of files that were found, in words
        self._by_id: dict[str, list[int]] = {}
        self._by_stem: dict[str, list[tuple[tuple[str, ...], int]]] = {}
        if "id" in labels.texts:
            for row, name in enumerate(labels.texts["id"]):
                if not name:
                    raise InputError(f"{labels.where(row)}: column 'id' is empty; expected the name of the recording")
                self._by_id.setdefault(identity(name), []).append(row)
        else:
            for row, file in enumerate(labels.texts["file"]):
                if not file:
                    raise InputError(f"{labels.where(row)}: column 'file' is empty; expected the path of the recording")
                path = path_of(file)
                self._by_stem.setdefault(path[0], []).append((path, row))

    def of(self, table: Table, name: str, row: int) -> list[int]:
        file = table.texts["file"][row] if "file" in table.texts else None
        if self._by_id:
            found = self._by_id.get(identity(name))
            if found is None and file is not None:
                found = self._by_id.get(identity(path_of(file)[0])) or self._by_id.get(identity(file))
            found = found or []
        else:
            path = path_of(file if file is not None else name)
            candidates = [(_common(path, other), entry) for other, entry in self._by_stem.get(path[0], ())]
            longest = max((common for common, _ in candidates), default=0)
            found = [entry for common, entry in candidates if common == longest > 0]
            self._check_one_file(found, name)
        return self._of_segment(table, name, row, found)

    def _check_one_file(self, found: Sequence[int], name: str) -> None:
        files = {self._labels.texts["file"][entry] for entry in found}
        if len({path_of(file) for file in files}) > 1:
            raise InputError(
                f"{self._labels.title}: '{name}' may be {listing(sorted(files), 2)}; give both tables paths that tell "
                "them apart"
            )

    def _of_segment(self, table: Table, name: str, row: int, found: list[int]) -> list[int]:
        """Of several segments of a file the one that a row is; the only one, where the row is the whole file."""
        times = self._labels.numbers
        if not found or "start" not in table.numbers or "start" not in times or "time" in times:
            return found
        start, end = table.numbers["start"][row], table.numbers["end"][row]
        same = []
        for entry in found:
            whole = np.isnan(times["end"][entry]) if "end" in times else True
            near = abs(times["start"][entry] - start) <= _SAME_TIME
            ends = whole or abs(times["end"][entry] - end) <= _SAME_TIME
            if (whole and np.isnan(times["start"][entry])) or (near and ends):
                same.append(entry)
        if not same and np.isnan(end) and len(found) == 1:
            return found
        if not same:
            last = times["end"][found[0]] if "end" in times else np.nan
            self.other_segments.append(
                f"'{name}' is {start:g} to {end:g} s in {table.where(row)}, but {times['start'][found[0]]:g} to "
                f"{last:g} s in {self._labels.where(found[0])}"
            )
        return same


def _check_one_recording(
    table: Table, name: str, row: int, found: Sequence[int], used: Mapping[int, str], by_id: Mapping[str, Sequence[int]]
) -> None:
    """Refuses an entry that fits recordings of two files, such as `a/clip.wav` and `b/clip.wav`."""
    files = table.texts.get("file")
    if files is None:
        return
    for entry in found:
        other = used.get(entry)
        if other is not None and path_of(files[by_id[other][0]]) != path_of(files[row]):
            raise InputError(
                f"{table.where(row)}: '{name}' and '{other}' have the same entry among the labels; give both tables "
                "paths that tell them apart"
            )


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How many parts two paths share from their ends on: all of the shorter one, or a folder at least, else 0."""
    pairs = zip(one, other, strict=False)
    common = next((k for k, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
    return common if common == min(len(one), len(other)) or common > 1 else 0


def _nearest(table: Table, rows: np.ndarray, labels: Table, entries: np.ndarray, name: str) -> np.ndarray:
    """Entry for each row; plus the number of entries where the nearest is more than half a step away."""
    if "time" not in table.numbers:
        raise InputError(
            f"{labels.where(entries[0])}: labels have times, but '{name}' in {table.title} is one row without; "
            "expected a column 'time' in both or in none"
        )
    times, given = table.numbers["time"][rows], labels.numbers["time"][entries]
    bad = np.flatnonzero(~np.isfinite(given))
    if bad.size:
        raise InputError(f"{labels.where(entries[bad[0]])}: column 'time' is empty or not finite; expected seconds")
    order = np.argsort(given, kind="stable")
    given, entries = given[order], entries[order]
    doubled = np.flatnonzero(np.diff(given) == 0)
    if doubled.size:
        raise InputError(
            f"{labels.where(entries[doubled[0] + 1])}: '{name}' a second time at {given[doubled[0]]:.10g} s (first: "
            f"{labels.where(entries[doubled[0]])}); expected each time once"
        )
    nearest, far = nearest_times(times, given)
    return entries[nearest] + np.where(far, len(labels), 0)


def _around(table: Table, rows: np.ndarray, labels: Table, entries: np.ndarray, name: str) -> np.ndarray:
    """The segment that each frame is in, as `_nearest`; one without a start or an end has none."""
    times, starts = table.numbers["time"][rows], labels.numbers["start"][entries]
    ends = labels.numbers["end"][entries] if "end" in labels.numbers else np.full(len(entries), np.nan)
    starts, ends = np.where(np.isnan(starts), -np.inf, starts), np.where(np.isnan(ends), np.inf, ends)
    order = np.argsort(starts, kind="stable")
    starts, ends, entries = starts[order], ends[order], entries[order]
    overlap = np.flatnonzero(starts[1:] < ends[:-1] - _SAME_TIME)
    if overlap.size:
        raise InputError(
            f"{labels.where(entries[overlap[0] + 1])}: overlaps with another segment of '{name}' "
            f"({labels.where(entries[overlap[0]])}); expected one label for each frame"
        )
    latest = np.searchsorted(starts, times + _EXACT, side="right") - 1
    inside = (latest >= 0) & (times + _EXACT < ends[latest])
    return entries[np.maximum(latest, 0)] + np.where(inside, 0, len(labels))


def numbers_of(table: Table, role: str, cells: np.ndarray) -> np.ndarray:
    """A text column as numbers.

    Args:
        table: that has it, for messages.
        role: what the column is.
        cells: str `[rows]`.

    Returns:
        float64 `[rows]`, NaN where a value is missing.

    Raises:
        InputError: at the first cell that is no number.
    """
    values = np.empty(len(cells))
    for row, cell in enumerate(cells):
        if not is_missing(cell) and not NUMBER.fullmatch(cell):
            raise InputError(f"{table.where(row)}: column '{role}': expected a number, got '{cell}'")
        values[row] = np.nan if is_missing(cell) else float(cell)
    return values
