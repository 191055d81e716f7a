"""Rows of CSV files with their lines, beside Python's own csv module on whole files."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emobed_tf.corpora.csvfile import csv_header, csv_rows
from tests.corpora.corpus_writers import fails

PATH = Path("x.csv")


def rows(text, delimiter=","):
    return list(csv_rows(text.encode(), PATH, delimiter))


def test_lines_are_those_of_the_file():
    # The second row's quotation goes on over two lines, and the line after it is blank.
    assert rows('a,b\n"1\n2",3\n\n4,5\n') == [(1, ["a", "b"]), (2, ["1\n2", "3"]), (5, ["4", "5"])]


def test_byte_order_mark_blanks_and_other_delimiters():
    assert rows("\ufeffa ; b\r\n 1;2 \r\n", ";") == [(1, ["a", "b"]), (2, ["1", "2"])]


CELLS = st.text("ab1 ,;\"'\n", min_size=1, max_size=5).map(str.strip).filter(bool)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=6))
def test_cells_are_what_was_written(table):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    assert [cells for _, cells in rows(text.getvalue())] == table


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n,\n", ("x.csv:2: a row of empty cells",)),
        (b'a,b\n1,"2\n', ("x.csv:2: not valid CSV",)),
        (b"a,b\n1,\xe9\n", ("x.csv:2: expected text in UTF-8, got the byte 0xe9",)),
        (b"a\0", ("x.csv: expected CSV in UTF-8, got a binary file",)),
    ],
)
def test_bad(content, words):
    fails(lambda: list(csv_rows(content, PATH)), *words)


def test_header():
    assert csv_header(csv_rows(b"\na,b\n1,2\n", PATH), PATH) == (2, ["a", "b"])
    fails(lambda: csv_header(csv_rows(b"\n", PATH), PATH), "x.csv: no header")


def test_a_cell_that_never_ends_is_a_quotation_mark_that_is_missing():
    text = 'id,f\nu,1\nv,"2\n' + "w,3\n" * 40_000
    fails(lambda: rows(text), "x.csv:3", "more than 131072 characters", "quotation mark missing")
    assert rows("id,f\n" + "u" * 131_072 + ",1\n")[1] == (2, ["u" * 131_072, "1"])
