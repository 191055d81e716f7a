"""What commands leave in a folder: whether every file is whole, and what it says, apart from times."""

import csv
import io
import json
import re

import numpy as np
from pyarrow import parquet

ITS_OWN = {
    "seconds",
    "total_seconds",
    "training_seconds",
    "scoring_seconds",
    "times",
    "started",
    "created",
    "command",
    "commit",
}
DRAWN = {".svg", ".png", ".html", ".md", ".tex"}  # from what is compared here, with times
NOT_COMPARED = {"logs", "report", "workers", "times.csv"}


def is_left(path):
    """Whether a name is one of a file or folder that was being written."""
    return path.name.startswith(".") or path.suffix in (".tmp", ".partial")


def files(folder):
    """All files by their path below a folder, without those that were being written when their process was killed."""
    found = {}
    for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_left(entry):
            continue
        if entry.is_dir():
            found |= {f"{entry.name}/{name}": path for name, path in files(entry).items()}
        else:
            found[entry.name] = entry
    return found


def contents(folder):
    """What the files of a folder say, by path: arrays as bytes, JSON and tables without times, others as they are."""
    return {
        name: content(path)
        for name, path in files(folder).items()
        if not NOT_COMPARED & set(name.split("/")) and path.suffix not in DRAWN
    }


def raw(folder):
    """The bytes of the files of a folder, by path."""
    return {name: path.read_bytes() for name, path in files(folder).items()}


def content(path):
    """Of one file."""
    data = path.read_bytes()
    if path.suffix == ".npz":
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return {name: array(name, arrays[name]) for name in arrays.files}
    if path.suffix == ".json":
        return without_times(json.loads(data))
    if path.suffix == ".jsonl":
        return [without_times(json.loads(line)) for line in data.splitlines()]
    if path.suffix == ".csv":
        return [without_times(row) for row in csv.DictReader(io.StringIO(data.decode()))]
    return data


def array(name, values):
    return without_times(json.loads(str(values))) if name == "state" else (values.dtype, values.shape, values.tobytes())


def without_times(value):
    if isinstance(value, dict):
        return {name: without_times(inner) for name, inner in value.items() if name not in ITS_OWN}
    return [without_times(inner) for inner in value] if isinstance(value, list) else value


def differences(found, expected, where=""):
    """Where two contents differ, and how, a line for each place."""
    if isinstance(found, dict) and isinstance(expected, dict):
        names = [*expected, *(name for name in found if name not in expected)]
        pairs = [(name, found.get(name, "missing"), expected.get(name, "missing")) for name in names]
    elif isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = [(k, *both) for k, both in enumerate(zip(found, expected, strict=True))]
    else:
        return [] if found == expected else [f"{where}: {str(found)[:200]} instead of {str(expected)[:200]}"]
    return [line for name, *both in pairs for line in differences(*both, f"{where}/{name}")]


def assert_whole(folder):
    """Every file that has its name is whole, whenever somebody looks. The last line of a ledger may be half."""
    for name, path in files(folder).items():
        data = path.read_bytes()
        if path.suffix in (".npz", ".json"):
            content(path)
        elif path.suffix == ".parquet":
            parquet.read_table(path)
        elif path.suffix == ".jsonl":
            [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
        elif path.suffix in (".csv", ".arff", ".tex", ".md"):
            assert data.endswith(b"\n"), name
        elif path.suffix in (".svg", ".html"):
            assert re.search(rb"</(svg|html|table)>\s*$", data), name
        elif path.suffix == ".png":
            assert data.endswith(b"IEND\xaeB`\x82"), name
