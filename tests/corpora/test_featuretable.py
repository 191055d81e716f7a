"""Tables in one form, whatever wrote them; and rows that know where they come from."""

import numpy as np
import pandas as pd
import pytest

from emobed_tf.corpora.featuretable import read_features
from emobed_tf.errors import EmoBedWarning
from emobed_tf.settings import Reading
from tests.corpora.corpus_writers import fails, write


def read(source, **settings):
    return read_features(source, "m", Reading(**settings), "arousal")


class TestOneRecordingAFile:
    def test_a_folder(self, tmp_path):
        write(tmp_path / "b.csv", "time,f\n0,3\n1,4\n")
        write(tmp_path / "a.csv", "time;f\n0;1\n1;2\n")
        write(tmp_path / "notes.txt", "no table")
        pd.DataFrame({"time": [0], "f": [5]}).to_parquet(tmp_path / "c.parquet")
        table = read(tmp_path).table
        assert table.texts["id"].tolist() == ["a", "a", "b", "b", "c"]
        assert table.features[:, 0].tolist() == [1, 2, 3, 4, 5]
        assert [table.where(row).rpartition("/")[2] for row in range(5)] == [
            "a.csv:2",
            "a.csv:3",
            "b.csv:2",
            "b.csv:3",
            "c.parquet: row 1",
        ]
        assert len(table.files) == 3

    def test_folders_that_are_none(self, tmp_path):
        write(tmp_path / "a.csv", "time,f\n0,1\n")
        write(tmp_path / "b.csv", "time,g\n0,1\n")
        fails(lambda: read(tmp_path), "b.csv: feature 1 is 'g', but 'f' in", "a.csv")
        write(tmp_path / "b.csv", "time,arousal,f\n0,1,1\n")
        fails(lambda: read(tmp_path), "b.csv: other columns than", "(arousal)")
        write(tmp_path / "b.csv", "time,f\n")
        fails(lambda: read(tmp_path), "b.csv:1: no rows")

    def test_times_that_begin_again_are_another_recording(self, tmp_path):
        header = "frame,timestamp,confidence,success,f"
        path = write(tmp_path / "v.csv", f"{header}\n1,0,1,1,5\n2,0.1,1,1,6\n1,0,1,1,7\n2,0.1,1,1,8\n")
        with pytest.warns(EmoBedWarning, match="its time begins again: read as 2 recordings, v/1 to v/2"):
            assert read(path).table.texts["id"].tolist() == ["v/1", "v/1", "v/2", "v/2"]


class TestRows:
    """Lines in messages are those of the file, however rows were sorted, taken out or put together."""

    @pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
    def test_after_taking_some(self, tmp_path, end):
        lines = ["id,f", *(f'"u\n{k}",{k}' if k == 2 else f"u{k},{k}" for k in range(6))]
        path = write(tmp_path / "t.csv", end.join(lines) + end)
        table = read(path).table
        data = path.read_bytes().decode()
        line = {k: data[: data.index(f'"u\n{k}"' if k == 2 else f"u{k},")].count("\n") + 1 for k in range(6)}
        rows = np.array([5, 2, 3, 0])
        some = table.take(rows)
        assert [some.where(k) for k in range(4)] == [f"{path}:{line[row]}" for row in rows]
        fewer = some.take(np.array([2, 1]))
        assert [fewer.where(k) for k in range(2)] == [f"{path}:{line[row]}" for row in (3, 2)]
        assert fewer.features[:, 0].tolist() == [3, 2]

    def test_without_columns(self, tmp_path):
        table = read(write(tmp_path / "t.csv", "id,f,g,h\nu,1,2,3\n")).table
        fewer = table.without(["g"])
        assert (fewer.feature_names, fewer.features.tolist()) == (("f", "h"), [[1, 3]])
        assert table.without([]) is table
        fails(lambda: table.without(["f", "g", "h"]), "t.csv: no feature columns but f, g, h", "--keep")


class TestTimes:
    def test_units(self, tmp_path):
        path = write(tmp_path / "t.csv", "id,time,f\nu,0,1\nu,250,2\n")
        assert read(path, time_unit="ms").table.numbers["time"].tolist() == [0, 0.25]
        assert (read(path).unit_is_known, read(path, time_unit="s").unit_is_known) == (False, True)

    def test_functionals_have_no_time(self, tmp_path):
        path = write(tmp_path / "t.csv", "name;frameTime;f\n'u';0;1\n'v';0;2\n")
        assert "time" not in read(path).table.numbers
        write(path, path.read_text() + "'v';0.1;3\n")
        assert read(path).table.numbers["time"].tolist() == [0, 0, 0.1]

    def test_keys_are_checked_before_values(self, tmp_path):
        path = write(tmp_path / "t.csv", "who,f\nann,x\n")
        fails(lambda: read(path), "t.csv:1: no column 'id' (or 'file')", "found who, f", "--column NAME=id")
