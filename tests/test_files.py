"""Files are written whole, or stay as they were."""

import csv
import io
import math
import os
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.files import at_home, check_is_file, parse_json, plain_number, print_csv, write_bytes, write_csv


class TestPaths:
    def test_home(self, monkeypatch):
        monkeypatch.setenv("HOME", "/home/ann")
        assert at_home("~/a.csv") == Path("/home/ann/a.csv")
        assert at_home(Path("a/~b.csv")) == Path("a/~b.csv")

    def test_of_a_user_that_nobody_knows(self):
        with pytest.raises(InputError, match=r"^~nobody-here/a\.csv: no home folder of a user 'nobody-here'; .*\./~n"):
            at_home("~nobody-here/a.csv")

    def test_what_is_no_file(self, tmp_path):
        os.mkfifo(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "socket"))
        (tmp_path / "loop").symlink_to(tmp_path / "loop")
        for name, words in (
            (tmp_path, "expected a table, got a folder"),
            (tmp_path / "pipe", "expected a table, got a pipe"),
            (tmp_path / "socket", "expected a table, got a socket"),
            (Path("/dev/zero"), "expected a table, got a device"),
            (tmp_path / "loop", "can't be read: Too many levels of symbolic links"),
            (tmp_path / ("x" * 300), "can't be read: File name too long"),
        ):
            with pytest.raises(InputError, match=words):
                check_is_file(name, "a table")

    def test_what_others_alone_may_read(self, tmp_path, monkeypatch):
        (tmp_path / "f").write_bytes(b"abc")
        monkeypatch.setattr(os, "access", lambda path, mode: mode != os.R_OK)  # root may read everything
        with pytest.raises(InputError, match="f: can't be read: Permission denied"):
            check_is_file(tmp_path / "f")

    def test_a_file_and_none(self, tmp_path):
        (tmp_path / "f").write_bytes(b"abc")
        assert check_is_file(tmp_path / "f") == 3
        for name in ("none", "f/none"):
            with pytest.raises(MissingInputError, match="no such file"):
                check_is_file(tmp_path / name)


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

    def test_an_encoding_without_its_characters(self, monkeypatch):
        """Names stay what they are: none is written in other characters."""
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "latin-1", errors="backslashreplace"))
        print_csv([{"id": "jöy"}])
        with pytest.raises(InputError, match=r"latin-1, which can't hold '\\u2603'; write to a file with --output"):
            print_csv([{"id": "snow ☃"}])
        assert written.getvalue().decode("latin-1") == "id\njöy\n"


class TestPlainNumber:
    """float32 has 24 bits: nine digits at most tell all of its numbers apart, and repr of a float64 writes 17."""

    def test_no_more_than_the_type_has(self):
        third = np.float32(1) / np.float32(3)
        assert repr(plain_number(third)) == "0.33333334"
        assert repr(plain_number(np.float64(1) / 3)) == "0.3333333333333333"

    def test_it_is_the_same_number(self):
        values = np.random.default_rng(0).normal(size=1000).astype(np.float32)
        assert all(np.float32(plain_number(value)) == value for value in values)


class TestJson:
    def test_what_json_has(self):
        assert parse_json('{"a": [1, -2.5, true, null]}') == {"a": [1, -2.5, True, None]}
        assert parse_json('["é\\u00e9\\ud83d\\ude00"]') == ["éé😀"]
        assert parse_json(b"-9223372036854775808") == -(2**63)
        assert math.isnan(parse_json("NaN", finite=False))
        assert parse_json("[" * 100 + "]" * 100)

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("[" * 102 + "]" * 102, "nested"),
            ("[" * 100_000 + "]" * 100_000, "nested"),
            ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested"),
            ("1" * 5000, "5000 digits"),
            ("1" * 400, "400 digits"),
            ("NaN", "no finite number"),
            ("-Infinity", "no finite number"),
            ("1e400", "no finite number"),
            ('"\\ud800"', "half a character"),
            ('{"\\u0000": 1}', "NUL"),
            (b'"\xff"', "utf-8"),
            ("{", "Expecting"),
            ("", "Expecting"),
        ],
    )
    def test_others(self, text, reason):
        with pytest.raises(ValueError, match=reason):
            parse_json(text)
