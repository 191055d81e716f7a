"""One table: what is wrong with a CSV file, with its line; Parquet and data frames, with their types."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emobed_tf.corpora import load
from emobed_tf.errors import InputError
from tests.corpora.corpus_writers import FRAMES, fails, only, replace, table_text, write


def rewrite(text):
    return lambda path: write(path, text)


def change(old, new):
    return lambda path: replace(path, old, new)


BAD = {
    "empty": (rewrite(""), ("empty",)),
    "only blank lines and a mark": (rewrite("\ufeff\n\r\n"), ("empty",)),
    "no header": (rewrite('""\n'), ("no header",)),
    "header and blank lines": (rewrite("id,partition,label,a\n\r\n\r"), (":1", "no rows")),
    "only a header": (rewrite("id,partition,label,a\n"), (":1", "no rows")),
    "binary": (rewrite(b"id\0\xff"), ("binary",)),
    "utf-16": (lambda path: write(path, path.read_text().encode("utf-16")), ("UTF-16",)),
    "latin-1 header": (lambda path: write(path, "id,é\n".encode("latin-1")), (":1", "UTF-8", "0xe9")),
    "latin-1 cell": (lambda path: write(path, path.read_bytes().replace(b"joy", b"joi\xe9")), (":3", "UTF-8")),
    "folder": (lambda path: (path.unlink(), path.mkdir()), ("the folder is empty", "one for each recording")),
    "none": (Path.unlink, ("no such file",)),
    "no features": (rewrite("id,partition,label\nu,train,x\n"), ("no feature columns", "id, partition, label")),
    "no partition": (change("partition", "part"), (":1", "no column 'partition'", "crossvalidate")),
    "no id": (change("id,", "who,"), (":1", "no column 'id'", "--column NAME=id")),
    "numbers for a header": (rewrite("0,1,0.5\n1,1,0.7\n"), (":1", "is the header missing?")),
    "Excel's first line": (lambda path: write(path, "sep=,\n" + path.read_text()), (":1", "a line for Excel")),
    "files put together": (lambda path: write(path, path.read_text() * 2), (":8", "the header is repeated", "line 1")),
    "column twice": (change(",a,b", ",a,a"), (":1", "column 'a' a second time")),
    "column without name": (change("id,", ",id,"), (":1", "column 1 has no name", "index=False")),
    "pandas' index": (change("id,", "Unnamed: 0,id,"), (":1", "column 1", "index=False")),
    "capital": (change("label", "Label"), (":1", "'Label'", "'label'")),
    "ragged": (change("joy,1.0,1.1", "joy,1.0"), (":3", "5 cells", "6")),
    "cut short": (lambda path: write(path, path.read_bytes().rstrip()[:-5]), (":7", "5 cells")),
    "text among numbers": (change("joy,1.0,1.1", "joy,1.0,x y"), (":3", "column 'b'", "'x y'")),
    "decimal comma": (change("joy,1.0,1.1", 'joy,1.0,"1,1"'), (":3", "column 'b'", "'1,1'", "a decimal comma")),
    "infinite": (change("joy,1.0,1.1", "joy,1.0,-inf"), (":3", "column 'b'", "infinite")),
    "too large": (change("joy,1.0,1.1", "joy,1e40,1.1"), (":3", "column 'a'", "float32")),
    "unknown partition": (
        change("x_dev_0,dev", "x_dev_0,eval"),
        (":4", "'eval'", "expected train (or training); dev (or devel,"),
    ),
    "no dev": (rewrite(table_text(partitions=("train", "test"))), ("'m'", "partition 'dev'")),
    "no train": (rewrite(table_text(partitions=("dev", "test"))), ("'m'", "partition 'train'")),
    "id twice": (change("x_dev_1,dev", "x_dev_0,dev"), (":5", "id 'x_dev_0' a second time", ":4")),
    "id empty": (change("x_dev_1,dev", ",dev"), (":5", "'id' is empty")),
    "speaker empty": (change("x_dev_1,dev,x_dev", "x_dev_1,dev,"), (":5", "'speaker' is empty")),
    "speaker in two partitions": (
        change("x_dev_1,dev,x_dev", "x_dev_1,dev,x_train"),
        ("speaker 'x_train' is in two partitions", "train", "dev"),
    ),
    "open quote": (change("x_dev_1", '"x_dev_1'), (":5", "not valid CSV", "quotes")),
    "row of commas": (lambda path: write(path, path.read_text() + ",,,,,\n"), (":8", "empty cells")),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_csv(table, case):
    spoil, parts = BAD[case]
    spoil(table)
    fails(
        lambda: only(table),
        "face.csv" if case not in ("no dev", "no train", "speaker in two partitions") else "",
        *parts,
    )


class TestParquet:
    def test_types(self, tmp_path, table):
        frame = pd.read_csv(table)
        frame["id"] = range(len(frame))
        frame["label"] = frame["label"].astype("category")
        frame["a"] = [1, 2, 3, 4, 5, 2**25 + 1]  # can't be a float32 exactly
        frame["flag"] = [True, False] * 3
        frame["none"] = None
        frame.index = [7, 8, 9, 7, 8, 9]
        frame.to_parquet(tmp_path / "t.parquet")
        corpus, modality = only(tmp_path / "t.parquet")
        assert corpus.classes == ("anger", "joy")
        assert modality.feature_names == ("a", "b", "flag", "none")  # and not the index
        assert modality.recordings[5].id == "5"
        np.testing.assert_array_equal(modality.recordings[5].features, np.float32([[2**25, 1.1, 0, np.nan]]))

    @pytest.mark.parametrize(
        ("spoil", "parts"),
        [
            (lambda frame: frame.assign(a="x"), ("column 'a'", "string", "expected numbers")),
            (lambda frame: frame.assign(a=np.inf), ("row 1", "column 'a'", "infinite")),
            (lambda frame: frame.drop(columns="id"), ("no column 'id'",)),
            (lambda frame: frame.iloc[:0], ("no rows",)),
            (lambda frame: frame.assign(id="u"), ("row 2", "'u' a second time", "row 1")),
            (lambda frame: frame.assign(partition="tune"), ("row 1", "'tune'")),
        ],
    )
    def test_bad(self, tmp_path, table, spoil, parts):
        path = tmp_path / "t.parquet"
        spoil(pd.read_csv(table)).to_parquet(path)
        fails(lambda: only(path), "t.parquet", *parts)

    def test_damaged(self, tmp_path, table):
        path = tmp_path / "t.parquet"
        pd.read_csv(table).to_parquet(path)
        whole = path.read_bytes()
        for content in (whole[:-20], whole[:4] + b"x" * (len(whole) - 4), b"id,a\n1,2\n"):
            write(path, content)
            fails(lambda: only(path), "t.parquet", "not a readable Parquet file")
        rng = np.random.default_rng(0)
        for _ in range(200):  # one byte off anywhere: it loads, or it is told in one line
            content = bytearray(whole)
            content[rng.integers(len(content))] ^= rng.integers(1, 256)
            write(path, bytes(content))
            message = None
            try:
                only(path)
            except InputError as error:
                message = str(error)
            assert message is None or "\n" not in message


class TestDataFrames:
    def test_are_what_the_same_files_are(self, tmp_path, table):
        frames = write(tmp_path / "frames.csv", FRAMES)
        for path, dimension in ((table, "arousal"), (frames, "arousal")):
            from_file = only(path, dimension=dimension)[1]
            frame = pd.read_csv(path)
            corpus = load("tables", tables={"m": frame}, dimension=dimension)
            found = corpus.modality("m")
            assert (found.feature_names, found.frame_seconds) == (from_file.feature_names, from_file.frame_seconds)
            for one, other in zip(found.recordings, from_file.recordings, strict=True):
                assert (one.id, one.partition, one.speaker) == (other.id, other.partition, other.speaker)
                np.testing.assert_array_equal(one.features, other.features)
                assert one.labels.keys() == other.labels.keys()
                assert all(np.array_equal(one.labels[name], other.labels[name]) for name in one.labels)
            assert not corpus.simulated

    def test_beside_files_and_data_sets(self, tmp_path, table):
        frame = pd.read_csv(table)
        assert list(load("tables", tables={"f": frame, "g": table, "h": str(table)}).modalities) == ["f", "g", "h"]
        assert list(load("tables", table.parent, tables={"f": frame}).modalities) == ["face", "f"]
        again = {"face": frame}
        fails(lambda: load("tables", table.parent, tables=again), "data frame 'face'", "already", "such as face2")

    def test_the_fingerprint_is_of_the_values(self, table):
        def fingerprint(frame):
            return load("tables", tables={"m": frame}).fingerprints

        frame = pd.read_csv(table)
        first = fingerprint(frame)
        assert first.keys() == {"--table m"}
        assert fingerprint(frame.set_index(pd.Index(range(10, 10 + len(frame))))) == first  # rows' names are no values
        frame.loc[5, "b"] += 1
        assert fingerprint(frame) != first

    def test_missing_values_and_kinds_of_columns(self, table):
        frame = pd.read_csv(table)
        frame["label"] = frame["label"].astype("category")
        frame.loc[1, "a"] = None
        frame["flag"] = [True, False] * 3
        modality = load("tables", tables={"m": frame}).modality("m")
        np.testing.assert_array_equal(modality.recordings[1].features, np.float32([[np.nan, 1.1, 0]]))

    @pytest.mark.parametrize(
        ("spoil", "parts"),
        [
            (lambda frame: frame.assign(a="x"), ("column 'a'", "expected numbers")),
            (lambda frame: frame.assign(a=[1, "x"] * 3), ("mixed values",)),
            (lambda frame: frame.assign(a=np.inf), ("row 1", "column 'a'", "infinite")),
            (lambda frame: frame.drop(columns="id"), ("no column 'id'",)),
            (lambda frame: frame.iloc[:0], ("no rows",)),
            (lambda frame: frame.assign(id="u"), ("row 2", "'u' a second time", "row 1")),
            (lambda frame: frame.assign(partition="tune"), ("row 1", "'tune'")),
            (lambda frame: frame[["id", "partition", "label"]], ("no feature columns",)),
            (lambda frame: frame.assign(label=None), ("no label",)),
        ],
    )
    def test_bad(self, table, spoil, parts):
        frame = spoil(pd.read_csv(table))
        fails(lambda: load("tables", tables={"m": frame}), "data frame 'm'", *parts)

    def test_other_things(self, table):
        fails(lambda: load("tables", tables={"m": [1]}), "table 'm': expected a path or a data frame, got a list")
        fails(lambda: load("tables", tables={"my face": pd.read_csv(table)}), "'my face'", "name it my_face")
