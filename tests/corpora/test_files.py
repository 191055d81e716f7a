"""Bytes of input files, their fingerprints, and the pool that reads many of them."""

import hashlib
import os
import threading

import pytest

from emobed_tf.corpora.files import (
    decode,
    listing,
    need_folder,
    read_all,
    read_bytes,
    sha256,
    sha256_of_file,
    shorten,
    visible_files,
)
from emobed_tf.errors import MissingInputError
from tests.corpora.corpus_writers import fails, write


class TestBytes:
    def test_are_read(self, tmp_path):
        path = write(tmp_path / "x", b"abc")
        assert read_bytes(path) == b"abc"
        # FIPS 180-2, appendix B.1.
        expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        assert sha256(b"abc") == sha256_of_file(path) == expected == hashlib.sha256(b"abc").hexdigest()

    def test_that_are_not_there(self, tmp_path):
        fails(lambda: read_bytes(tmp_path / "x"), "no such file", error=MissingInputError)
        fails(lambda: read_bytes(tmp_path), "expected a file, got a folder")
        fails(lambda: read_bytes(write(tmp_path / "e", "\ufeff \n")), "the file is empty")
        assert sha256_of_file(tmp_path / "x") is None

    def test_of_a_pipe_are_not_waited_for(self, tmp_path):
        os.mkfifo(tmp_path / "p.csv")
        fails(lambda: read_bytes(tmp_path / "p.csv"), "p.csv: expected a file, got a pipe")
        assert sha256_of_file(tmp_path / "p.csv") is None

    def test_that_are_no_text_are_told_with_their_line(self, tmp_path):
        assert decode("é".encode(), tmp_path, 1) == "é"
        fails(lambda: decode(b"a\nb\n\xff", tmp_path, 10), f"{tmp_path}:12:", "0xff")
        fails(lambda: decode(b"a\rb\r\n\xff", tmp_path, 10), f"{tmp_path}:12:", "0xff")


class TestFolders:
    def test_what_is_needed(self, tmp_path):
        write(tmp_path / "full" / "x", "")
        need_folder(tmp_path / "full", "songs")
        (tmp_path / "empty").mkdir()
        fails(
            lambda: need_folder(tmp_path / "none", "songs"), "no such folder; expected songs", error=MissingInputError
        )
        fails(lambda: need_folder(tmp_path / "empty", "songs"), "empty; expected songs", error=MissingInputError)
        fails(lambda: need_folder(tmp_path / "full" / "x", "songs"), "expected a folder with songs, got a file")

    def test_hidden_files_and_folders_are_passed_over(self, tmp_path):
        for name in ("b", "a", "._a", "folder/x"):
            write(tmp_path / name, "")
        assert [path.name for path in visible_files(tmp_path)] == ["a", "b"]


class TestReadAll:
    def test_in_order_whoever_is_first(self):
        later = threading.Event()

        def read(item):
            if item == 0:
                later.wait(10)  # until another one has been read
            else:
                later.set()
            return item * 10

        calls = []
        found = read_all(read, [0, 1, 2], ["a", "b", "c"], lambda *call: calls.append(call))
        assert found == [0, 10, 20]
        assert calls == [(1, 3, "a"), (2, 3, "b"), (3, 3, "c")]

    def test_the_first_error_in_the_order_of_the_items(self):
        def read(item):
            raise ValueError(item)

        with pytest.raises(ValueError, match="^0$"):
            read_all(read, [0, 1, 2], ["a", "b", "c"], None)


def test_quotations_are_short_and_on_one_line():
    assert shorten("a\nb") == "'a\\nb'"
    assert shorten("x" * 50, 5) == "'xxxx…'"
    assert listing("abc") == "a, b, c"
    assert listing("abcdefghij") == "a, b, c, d, e, f, g, h and 2 more"
