"""Parquet files and data frames, with and without an index."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emobed_tf.corpora.arrowtable import read_frame, read_parquet
from emobed_tf.corpora.columns import Columns
from tests.corpora.corpus_writers import fails

COLUMNS = Columns(texts=("id",), numbers=("start",), ignored=("note",))


def choose(names, where):
    return COLUMNS


def of_frame(frame):
    return read_frame(frame, "data frame 'm'", choose)[1]


def of_parquet(frame, folder):
    path = folder / "t.parquet"
    frame.to_parquet(path)
    return read_parquet(path.read_bytes(), path, choose)[1]


@pytest.fixture
def frame():
    return pd.DataFrame({"id": ["u", "v"], "start": pd.to_timedelta(["0s", "1.25s"]), "f": [1.5, np.nan], "note": "x"})


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame,
        lambda frame: frame.set_index("id"),
        lambda frame: frame.set_index(["id", "start"]),
        lambda frame: frame.set_index([frame["id"].rename(None), "start"]).assign(
            id=["u", "v"]
        ),  # a level without name
        lambda frame: frame.assign(id=frame["id"].astype("category")),
        lambda frame: frame.assign(id=frame["id"].astype("string")),
        lambda frame: frame.assign(start=[0, 1.25]),
        lambda frame: frame.assign(f=[1.5, None]),
        lambda frame: frame.assign(f=pd.array([1.5, None], dtype="Float64")),
        lambda frame: frame[::-1].set_axis([3, 9])[::-1],
    ],
)
def test_the_same_table(frame, tmp_path, change):
    for arrays in (of_frame(change(frame)), of_parquet(change(frame), tmp_path)):
        assert set(arrays) == {"id", "start", "f"}
        assert arrays["id"].tolist() == ["u", "v"]
        np.testing.assert_array_equal(arrays["start"], [0, 1.25])
        np.testing.assert_array_equal(arrays["f"], [1.5, np.nan])


def test_names_that_are_whole_numbers_are_text(frame):
    assert list(of_frame(frame[["id", "f"]].rename(columns={"f": 0}))) == ["id", "0"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame[:0], ("the table has no rows",)),
        (lambda frame: frame.assign(f=["x", "y"]), ("column 'f' is of the type", "expected numbers", "--ignore f")),
        (lambda frame: frame.assign(f=[1, "y"]), ("column of mixed values", "column f")),
        (lambda frame: frame.assign(f=[[1], [2]]), ("column 'f' is of the type list",)),
        (lambda frame: frame.assign(start=pd.Timestamp("2020")), ("column 'start' is of the type timestamp",)),
        (lambda frame: pd.concat([frame, frame[["f"]]], axis=1), ("'f' a second time",)),
        (lambda frame: frame.assign(**{"0": 1}).rename(columns={"f": 0}), ("'0' a second time",)),
        (lambda frame: pd.concat({"a": frame}, axis=1), ("columns of 2 levels",)),
        (lambda frame: frame.set_index(frame["id"]), ("'id' is a column and names the index",)),
    ],
)
def test_wrong_frames(frame, change, words):
    fails(lambda: of_frame(change(frame)), "data frame 'm'", *words)


def test_damaged_parquet(frame, tmp_path):
    frame.to_parquet(tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    for damaged in (data[:-9], data[: len(data) // 2], b"id,f\nu,1\n", data[:40] + b"\xff" * 60 + data[100:]):
        fails(lambda damaged=damaged: read_parquet(damaged, Path("t.parquet"), choose), "t.parquet", "Parquet file")
