"""Files are written whole, or stay as they were."""

import csv
import os

import pytest

from emobed_tf.files import print_csv, write_bytes, write_csv


class TestWriteBytes:
    def test_makes_its_folder_and_replaces(self, tmp_path):
        path = tmp_path / "a" / "b" / "file"
        for content in (b"first", b"second, longer"):
            write_bytes(path, content)
            assert path.read_bytes() == content
        assert os.listdir(path.parent) == ["file"], "nothing is left beside it"

    def test_a_failure_leaves_the_old_file_and_names_it(self, tmp_path, monkeypatch):
        path = tmp_path / "file"
        write_bytes(path, b"old")

        def full(_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left on device") as caught:
            write_bytes(path, b"new")
        assert caught.value.filename == str(path), "not the file beside it, which nobody knows"
        assert path.read_bytes() == b"old"
        assert os.listdir(tmp_path) == ["file"]


class TestWriteCsv:
    def test_columns_in_the_order_of_their_first_appearance(self, tmp_path):
        write_csv(tmp_path / "t.csv", [{"id": "x", "b": 1}, {"id": 'a "quoted", ä', "a": 2.5}])
        text = (tmp_path / "t.csv").read_text(encoding="utf-8")
        assert text.splitlines()[0] == "id,b,a"
        with open(tmp_path / "t.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert rows == [{"id": "x", "b": "1", "a": ""}, {"id": 'a "quoted", ä', "b": "", "a": "2.5"}]
        assert "\r" not in text

    def test_no_rows(self, tmp_path):
        write_csv(tmp_path / "t.csv", [])
        assert (tmp_path / "t.csv").read_text() == "\n"


class TestPrintCsv:
    def test_is_what_a_file_would_hold(self, tmp_path, capsys):
        rows = [{"id": "x", "b": 1}, {"id": 'a "quoted", ä', "a": 2.5}]
        write_csv(tmp_path / "t.csv", rows)
        print_csv(rows)
        assert capsys.readouterr().out == (tmp_path / "t.csv").read_text()
