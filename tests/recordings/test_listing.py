"""The table of recordings in all of its forms, and every cell that can be wrong."""

import math
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.recordings.listing import read_listing
from emobed_tf.settings import Reading
from tests.conftest import SHARED


def read(folder, text, **more):
    path = folder / "clips.csv"
    path.write_text(text)
    return read_listing(path, **more)


class TestForms:
    def test_everything(self, tmp_path):
        text = (
            "file,start,end,partition,speaker,label,arousal,note\n"
            "a/1.wav,0.5,1.25,training,anna,joy,0.5,hm\n"
            "a/1.wav,0 days 00:00:01.5,00:01:30,devel,anna,anger,,hm\n"
            "/b/2.flac,,,test,ben,joy,-1,hm\n"
        )
        found = read(tmp_path, text)
        one, two, three = found.entries
        assert (one.id, one.start, one.end) == ("1/0.5-1.25", 0.5, 1.25)
        assert one.path == tmp_path / "a/1.wav"
        assert one.texts == {"partition": "train", "speaker": "anna", "label": "joy"}
        assert one.numbers == {"arousal": 0.5}
        assert (two.start, two.end, two.texts["partition"]) == (1.5, 90.0, "dev")
        assert math.isnan(two.numbers["arousal"])
        assert (three.id, three.path, three.start, three.end) == ("2", Path("/b/2.flac"), 0.0, None)
        assert (found.segmented, found.texts, found.numbers) == (True, ("partition", "speaker", "label"), ("arousal",))
        assert found.left_out == ("note",)
        assert found.where(two) == f"{tmp_path / 'clips.csv'}:3"

    def test_files_alone(self, tmp_path):
        found = read(tmp_path, "file\na/1.wav\nb/1.wav\n")
        assert [entry.id for entry in found.entries] == ["a/1", "b/1"]
        assert not found.segmented

    def test_own_ids(self, tmp_path):
        assert [e.id for e in read(tmp_path, "id,file\nx,1.wav\ny,1.flac\n").entries] == ["x", "y"]

    def test_label_files(self, tmp_path):
        one, two = read(tmp_path, "file,label_file\n1.wav,labels/1.csv\n2.wav,\n").entries
        assert one.labels == tmp_path / "labels/1.csv"
        assert two.labels is None

    def test_columns_that_are_called_something_else(self, tmp_path):
        settings = Reading(column=("path=file", "subject=speaker"))
        found = read(tmp_path, "path,subject,dominance\n1.wav,anna,3\n", settings=settings, dimension="dominance")
        (entry,) = found.entries
        assert (entry.file, entry.texts, entry.numbers) == ("1.wav", {"speaker": "anna"}, {"dominance": 3.0})

    def test_backslashes_of_windows(self, tmp_path):
        assert read(tmp_path, "file\na\\1.wav\n").entries[0].path == tmp_path / "a/1.wav"

    def test_audformat(self):
        if not (SHARED / "cases").is_dir():
            pytest.skip("no example files beside the repository (shared/cases)")
        first = read_listing(SHARED / "cases/audformat_segmented.csv").entries[0]
        assert (first.id, first.path, first.start, first.end) == ("clip0", Path("/data/wav/clip0.wav"), 0.0, 1.24)

    def test_audformat_with_an_open_end(self, tmp_path):
        text = "file,start,end,emotion\n1.wav,0 days 00:00:00.500000,NaT,joy\n"
        (entry,) = read(tmp_path, text).entries
        assert (entry.start, entry.end, entry.texts) == (0.5, None, {"label": "joy"})

    def test_nkululeko(self, tmp_path):
        found = read(tmp_path, "file,speaker,gender,emotion\n1.wav,anna,female,joy\n")
        assert found.entries[0].texts == {"speaker": "anna", "label": "joy"}
        assert found.left_out == ("gender",)

    def test_parquet(self, tmp_path):
        table = pa.table({"file": ["1.wav"], "start": [0.5], "speaker": ["anna"]})
        parquet.write_table(table, tmp_path / "clips.parquet")
        (entry,) = read_listing(tmp_path / "clips.parquet").entries
        assert (entry.start, entry.texts) == (0.5, {"speaker": "anna"})


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("path\n1.wav\n", ":1: no column 'file', the path of a recording; found path"),
            ("file,speaker\n1.wav,anna\n,ben\n", ":3: column 'file' is empty"),
            ("file,start\n1.wav,soon\n", ":2: column 'start': expected seconds or a time such as 0 days .*got 'soon'"),
            ("file,start\n1.wav,-1\n", ":2: column 'start': expected 0 s or more, got -1 s"),
            ("file,start,end\n1.wav,2,1\n", ":2: column 'end': expected a time after its start, got 1 s"),
            ("file,end\n1.wav,0\n", ":2: column 'end': expected a time after its start, got 0 s"),
            ("file,partition\n1.wav,eval\n", r":2: column 'partition': expected train \(or .*got 'eval'"),
            ("file,arousal\n1.wav,high\n", ":2: column 'arousal': expected a number, got 'high'"),
            ("file\n1.wav\n1.wav\n", r":3: '1' a second time \(first: .*clips\.csv:2\)"),
            ("file,start,end\n1.wav,0,1\n1.wav,0,1\n", ":3: '1/0-1' a second time"),
            ("file\n1.wav\n1.mp3\n", r":3: '1\.mp3' and '1\.wav' \(.*:2\) would both be called '1'; add a column 'id'"),
            ("file\n1.wav\n~nobody-here/1.wav\n", ":3: ~nobody-here/1.wav: no home folder of a user 'nobody-here'"),
            ("id,file\n,1.wav\n", ":2: column 'id' is empty"),
            ("File\n1.wav\n", ":1: column 'File': expected 'file'"),
        ],
    )
    def test_one_line_with_file_row_and_column(self, tmp_path, text, message):
        with pytest.raises(InputError, match=rf"clips\.csv{message}"):
            read(tmp_path, text)

    def test_missing(self, tmp_path):
        with pytest.raises(MissingInputError, match="no such file"):
            read_listing(tmp_path / "clips.csv")
