"""A feature table from extracted recordings, written row group by row group: it may be larger than memory."""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from pyarrow import parquet

from emobed_tf.corpora.extraction import METADATA, sidecar
from emobed_tf.errors import InputError
from emobed_tf.files import write_bytes
from emobed_tf.recordings.labelfiles import LabelTrack
from emobed_tf.recordings.listing import Entry, Listing
from emobed_tf.recordings.store import Rows

SUFFIXES = (".parquet", ".csv")
_GROUP = 1 << 15  # rows that are written at a time, about


def check_output(path: Path, recordings: Path) -> None:
    """Makes sure that a table can be written there.

    Args:
        path: of the table.
        recordings: the table of recordings.

    Raises:
        InputError: if its suffix says no format that can be written, or it would replace the table of recordings.
    """
    if path.absolute() == recordings.absolute():
        raise InputError(f"--output {path}: this is the table of recordings; expected another file")
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--output {path}: expected the suffix .parquet or .csv")


def write_table(
    path: Path,
    listing: Listing,
    columns: Sequence[str],
    extracted: Iterable[tuple[Entry, Rows]],
    *,
    frames: bool,
    labels: Mapping[Path, LabelTrack],
    metadata: Mapping[str, Any],
) -> int:
    """Writes features with what the table of recordings knows, as `--table` reads it.

    Args:
        path: of the table, which is replaced as a whole; its suffix is `.parquet` or `.csv`.
        listing: of which columns come.
        columns: names of the features.
        extracted: recordings and their rows, in the order in which they are to stand.
        frames: whether rows are frames, with a column `time`.
        labels: labels over time, by file.
        metadata: what made the features; JSON can hold it.

    Returns:
        Number of rows.

    Raises:
        InputError: if a feature has the name of a column that stands beside features.
        OSError: if it can't be written.
    """
    dimensions = tuple(dict.fromkeys((*listing.numbers, *(name for track in labels.values() for name in track.values))))
    keys = _keys(listing, dimensions, frames)
    taken = sorted(set(keys) & set(columns))
    if taken:
        raise InputError(f"features called {', '.join(taken)}: expected names that no other column of the table has")
    schema = pa.schema([*keys.items(), *((name, pa.float32()) for name in columns)])
    text = json.dumps(metadata, ensure_ascii=False, indent=2, sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    rows = 0
    try:
        with _writer(beside, path, schema.with_metadata({METADATA: text.encode()})) as writer:
            for batch in _batches(extracted, schema, labels):
                writer.write_table(batch)
                rows += len(batch)
        os.replace(beside, path)
    except InputError:
        raise
    except OSError as error:  # of the hidden file, or with no name
        raise OSError(error.errno, os.strerror(error.errno), str(path)) if error.errno else error from None
    finally:
        beside.unlink(missing_ok=True)
    if path.suffix.lower() == ".csv":
        write_bytes(sidecar(path), f"{text}\n".encode())
    return rows


def _keys(listing: Listing, dimensions: Sequence[str], frames: bool) -> dict[str, pa.DataType]:
    """Columns that stand before the features."""
    keys = {"id": pa.string(), "file": pa.string()}
    if frames:
        keys["time"] = pa.float64()
    elif listing.segmented:
        keys |= {"start": pa.float64(), "end": pa.float64()}
    return keys | dict.fromkeys(listing.texts, pa.string()) | dict.fromkeys(dimensions, pa.float64())


def _writer(file: Path, path: Path, schema: pa.Schema) -> Any:
    return pa.csv.CSVWriter(file, schema) if path.suffix.lower() == ".csv" else parquet.ParquetWriter(file, schema)


def _batches(
    extracted: Iterable[tuple[Entry, Rows]], schema: pa.Schema, labels: Mapping[Path, LabelTrack]
) -> Iterator[pa.Table]:
    """Tables of many recordings each, so that a group of a Parquet file is not one row."""
    waiting: list[pa.Table] = []
    count = 0
    for entry, rows in extracted:
        waiting.append(_table(entry, rows, schema, labels))
        count += len(rows.features)
        if count >= _GROUP:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, count = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _table(entry: Entry, rows: Rows, schema: pa.Schema, labels: Mapping[Path, LabelTrack]) -> pa.Table:
    times, features = rows.times, rows.features
    known: dict[str, Any] = {"id": entry.id, "file": entry.file, "start": entry.start, "end": entry.end}
    known |= entry.texts | {name: None if np.isnan(value) else value for name, value in entry.numbers.items()}
    arrays: dict[str, Any] = {}
    if times is not None:
        arrays["time"] = times
        if entry.labels is not None:
            arrays |= labels[entry.labels].at(times)
    count = features.shape[1]
    for index, name in enumerate(schema.names):
        kind = schema.field(index).type
        if index >= len(schema) - count:
            arrays[name] = pa.array(features[:, index - len(schema) + count], kind, from_pandas=True)
        elif name in arrays:
            arrays[name] = pa.array(arrays[name], kind, from_pandas=True)
        else:
            arrays[name] = pa.array([known.get(name)] * len(features), kind)
    return pa.table([arrays[name] for name in schema.names], schema=schema.remove_metadata())
