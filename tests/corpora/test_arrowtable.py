"""Parquet files and data frames, with and without an index."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
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


def test_a_damaged_description_of_a_columns_data_does_not_end_the_process(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ["u", "v"], "f": [1.0, 2.0]}), path)
    # Two histograms of levels, Thrift's lists of i64, behind the size of the texts: none of repetitions, that of
    # definitions. Exchanged, the first has two entries, where a column that isn't nested has none.
    empty, of_two = b"\x06", b"\x26\x00\x04"
    good, bad = b"\x16\x04\x19" + empty + b"\x19" + of_two, b"\x16\x04\x19" + of_two + b"\x19" + empty
    assert path.read_bytes().count(good) == 1
    damaged = path.read_bytes().replace(good, bad)
    fails(lambda: read_parquet(damaged, path, choose), f"{path}: not a readable Parquet file", "histogram")


def test_a_few_bytes_that_stand_for_millions_of_rows_are_refused_by_the_footer(tmp_path):
    path = tmp_path / "t.parquet"
    rows = 20_000_000  # of 4 bytes and of none: two columns of 8 bytes in memory, 320 MB
    indices = pa.array(np.zeros(rows, np.int8))
    ids = pa.DictionaryArray.from_arrays(indices, ["u" * 1000])  # 20 GB as plain texts
    pq.write_table(pa.table({"id": ids, "f": np.zeros(rows, np.float32)}), path, compression="zstd")
    assert path.stat().st_size < 3_000_000
    before = pa.total_allocated_bytes()
    fails(lambda: read_parquet(path.read_bytes(), path, choose), "20000000 rows of 2 columns", "would take 320 MB")
    assert pa.total_allocated_bytes() - before < 10_000_000


def test_a_text_that_is_repeated_is_one_object(tmp_path):
    path = tmp_path / "t.parquet"
    texts = pa.array(["u" * 1000, None, " v "] * 1000)
    pq.write_table(pa.table({"id": texts, "f": np.arange(3000.0)}), path, row_group_size=700)
    _, arrays = read_parquet(path.read_bytes(), path, choose)
    assert arrays["id"].tolist() == ["u" * 1000, "", "v"] * 1000
    assert len(set(map(id, arrays["id"]))) == 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, None, 2], ["1", "", "2"]),
        ([1.0, float("nan"), 2.5], ["1.0", "nan", "2.5"]),
        ([True, False, None], ["True", "False", ""]),
        ([None, None, None], ["", "", ""]),
    ],
)
def test_ids_of_other_types_are_written_as_python_writes_them(tmp_path, values, expected):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": pa.array(values), "f": [1.0, 2.0, 3.0]}), path)
    assert read_parquet(path.read_bytes(), path, choose)[1]["id"].tolist() == expected


def test_texts_have_an_end_and_are_no_lists(tmp_path):
    path = tmp_path / "t.parquet"
    for cells, complaint in ((["u" * 131_073], "more than 131072 characters"), ([["u"]], "expected text")):
        pq.write_table(pa.table({"id": pa.array(cells), "f": [1.0]}), path)
        fails(lambda: read_parquet(path.read_bytes(), path, choose), "column 'id'", complaint)


@pytest.mark.parametrize(
    "dates", [pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), pa.array([2**61]).cast(pa.timestamp("us"))]
)
def test_dates_that_no_calendar_has(tmp_path, dates):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": dates, "f": [1.0]}), path)
    fails(lambda: read_parquet(path.read_bytes(), path, choose), f"{path}: column 'id'", "years 1 to 9999")


def test_a_text_has_no_nul(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"id": ["u", "v\0.wav"], "f": [1.0, 2.0]}), path)
    fails(lambda: read_parquet(path.read_bytes(), path, choose), f"{path}: column 'id'", "a NUL byte")


@pytest.mark.parametrize("name", ["a", "a.b"])
def test_rows_that_a_few_bytes_stand_for(tmp_path, name):
    """A name with a dot is a column of its own, not a part of one."""
    path = tmp_path / "t.parquet"
    rows = pa.DictionaryArray.from_arrays(pa.array(np.zeros(30_000_000, np.int8)), pa.array([0.5]))
    pq.write_table(pa.table({name: rows}), path)
    fails(lambda: read_parquet(path.read_bytes(), path, lambda *_: Columns()), "30000000 rows of 1 columns", "MB")


ONE_ROW = (  # a column f with 0.5
    b"PAR1\x15\x00\x15\x14\x15\x14,\x15\x02\x15\x00\x15\x06\x15\x06\x1c\x18\x04\x00\x00\x00?\x18\x04\x00\x00"
    b"\x00?\x16\x00(\x04\x00\x00\x00?\x18\x04\x00\x00\x00?\x11\x11\x00\x00\x00\x02\x00\x00\x00\x02\x01\x00\x00"
    b"\x00?\x15\x02\x19,5\x00\x18\x06schema\x15\x02\x00\x15\x08%\x02\x18\x01f\x00\x16\x02\x19\x1c\x19\x1c&\x00"
    b"\x1c\x15\x08\x19%\x06\x00\x19\x18\x01f\x15\x00\x16\x02\x16r\x16r&\x08<\x18\x04\x00\x00\x00?\x18\x04\x00"
    b"\x00\x00?\x16\x00(\x04\x00\x00\x00?\x18\x04\x00\x00\x00?\x11\x11\x00\x19\x1c\x15\x00\x15\x00\x15\x02\x00<"
    b")\x06\x19&\x00\x02\x00\x00\x00\x16r\x16\x02&\x08\x16r\x00( parquet-cpp-arrow version 26.0.1\x19\x1c\x1c"
    b"\x00\x00\x00\x98\x00\x00\x00PAR1"
)


@pytest.mark.parametrize(("place", "value"), [(80, 36), (81, 3), (155, 9), (156, 38)])
def test_a_damaged_description_of_a_column_does_not_end_the_process(place, value):
    """Where pyarrow is asked for one, it can't raise what is wrong with it, and aborts."""
    arrays = read_parquet(ONE_ROW, Path("t.parquet"), lambda *_: Columns())[1]
    assert arrays["f"].tolist() == [0.5]
    damaged = ONE_ROW[:place] + bytes([value]) + ONE_ROW[place + 1 :]
    fails(lambda: read_parquet(damaged, Path("t.parquet"), lambda *_: Columns()), "not a readable Parquet file")
