"""What every header has to keep to."""

import pytest

from emobed_tf.corpora.columns import Columns, check_names, check_spelling, fixed, is_missing
from tests.corpora.corpus_writers import fails


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("0", "1.5", "-2e3", ""), ("t:1", "the first line is numbers (0, 1.5, -2e3)", "is the header missing?")),
        (("id", "f", "f"), ("t:1", "'f' a second time (column 3)")),
        (("", "id", "f"), ("column 1 has no name", "index=False")),
        (("Unnamed: 0", "id", "f"), ("column 1 has no name", "index=False")),
        (("id", "f", ""), ("last column has no name", "separator")),
    ],
)
def test_no_header(names, words):
    fails(lambda: check_names(names, "t:1"), *words)


def test_numbers_beside_names_are_names():
    check_names(("id", "0", "1"), "t")
    check_names(("7",), "t")


def test_many_columns_are_checked_quickly():
    check_names([f"f{k}" for k in range(200_000)], "t")  # in seconds, where each was compared with all: in an hour


def test_spelling():
    fails(lambda: check_spelling(("ID", "f"), ("id",), "t:1"), "t:1: column 'ID': expected 'id'")
    check_spelling(("id", "ID2"), ("id",), "t")


def test_fixed():
    choose = fixed(Columns(texts=("id",), required={"id": "which names the row", "time": ""}))
    assert choose(("id", "time"), "t").texts == ("id",)
    fails(lambda: choose(("time", "f"), "t"), "no column 'id'; found time, f; which names the row")
    fails(lambda: choose(("id;time",), "t"), "no column 'id'", "semicolons or tabs")


def test_missing():
    assert all(map(is_missing, ("", "?", "NaN", "NAN", "-nan", "+NaN", "-nan(ind)", "NA", "null", "1.#QNAN")))
    assert not any(map(is_missing, ("0", "inf", "nano", "-", "None")))
