"""CSV files in every dress, by the fast parser and by the slow one."""

import time
from pathlib import Path

import numpy as np
import pytest

from emobed_tf.corpora.columns import Columns
from emobed_tf.corpora.csvtable import read_csv
from tests.corpora.corpus_writers import fails

PATH = Path("t.csv")
COLUMNS = Columns(texts=("id",), numbers=("time",), ignored=("note",))


def read(text, delimiter=None):
    data = text if isinstance(text, bytes) else text.encode()
    return read_csv(data, PATH, lambda names, where: COLUMNS, delimiter)


PLAIN = "id,time,f,note\nu,0.1,1,x\nv,0.2,,y\n"


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        (PLAIN, ","),
        (PLAIN.replace(",", ";"), ";"),
        (PLAIN.replace(",", "\t"), "\t"),
        (PLAIN.replace(",", ", "), ","),
        (PLAIN.replace("\n", "\r\n"), ","),
        (PLAIN.replace("\n", "\r"), ","),
        (PLAIN.replace("\n", "\r", 1), ","),
        (PLAIN.replace("\n", "\r\n", 1), ","),
        (PLAIN.replace("x\n", "x\r"), ","),
        ("\ufeff" + PLAIN, ","),
        ("\n\n" + PLAIN + "\n \n", ","),
        (PLAIN.replace("u", '"u"').replace("time", '"time"'), ","),
        (PLAIN.rstrip(), ","),
        (PLAIN.replace("0.2,,", "2e-1,-nan(ind),"), ","),
        (PLAIN.replace("x", '"x, and ""more"""'), ","),
        (PLAIN.replace("x", '"two\nlines"'), ","),
        (PLAIN.replace(",", ";").replace("note", '"note, or, not"').replace('"note, or, not"', "note"), ";"),
    ],
)
def test_the_same_table(text, delimiter):
    _, arrays, found = read(text)
    assert found == delimiter
    assert list(arrays) == ["id", "time", "f"]
    assert arrays["id"].tolist() == ["u", "v"]
    np.testing.assert_array_equal(arrays["time"], [0.1, 0.2])
    np.testing.assert_array_equal(arrays["f"], np.float32([1, np.nan]))


def test_commas_within_quotes_are_no_delimiters():
    names = '"a, b, c";id;f'
    _, arrays, delimiter = read(f"{names}\n1;u;2\n")
    assert delimiter == ";"
    assert list(arrays) == ["a, b, c", "id", "f"]


def test_what_a_column_of_names_may_be():
    """What no column has been found for comes first: a renamed speaker is no column to leave out."""
    columns = Columns(texts=("id",), unclaimed=("speaker", "label"))
    expected = (
        "if it is the speaker: --column s=speaker; if it is the label: --column s=label; if it is no feature: --ig"
    )
    fails(lambda: read_csv(b"id,s\nu,ann\n", PATH, lambda names, where: columns, None), expected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("t.csv: no header",)),
        ("id,f\n", ("t.csv:1: no rows after the header",)),
        ("sep=;\nid;f\nu;1\n", ("t.csv:1", "'sep=;'", "Excel")),
        ("id;f\nu;0,5\n", ("t.csv:2: column 'f': '0,5' has a decimal comma",)),
        ('id,f\nu,"-1,5e3"\n', ("decimal comma",)),
        ("id,f\nu,x\n", ("t.csv:2: column 'f': expected a number", "'x'", "--ignore f")),
        ("id,time\nu,x\n", ("column 'time': expected a number (or an empty cell where it is missing), got 'x'",)),
        ("id,f\nu,0x10\n", ("got '0x10'",)),
        ("id,f\nu,1_000\n", ("got '1_000'",)),
        ("id,f\nu,٣\n", ("expected a number",)),
        ("id,f\nu,1\n\nid,f\nv,2\n", ("t.csv:4: the header is repeated (first: line 1)",)),
        ("id,f\nu,1,2\n", ("t.csv:2: 3 cells, but the header has 2",)),
        ("id,f\nu\n", ("t.csv:2: 1 cells",)),
        ('id,f\n"u,1\n', ("t.csv:2: not valid CSV",)),
        (b"id,f\n\xfc,1\n", ("t.csv:2: expected text in UTF-8",)),
        ("id,f\nu,1\n".encode("utf-16"), ("another encoding such as UTF-16",)),
    ],
)
def test_wrong(text, words):
    fails(lambda: read(text), *words)


def test_columns_that_are_ignored_may_hold_anything():
    assert list(read("id,f,note\nu,1,decimal 0;5\n")[1]) == ["id", "f"]


def test_both_parsers_read_the_same_numbers():
    rng = np.random.default_rng(0)
    lines = [f"u{k},{rng.normal():.17g},{rng.normal() * 10.0 ** rng.integers(-30, 30):.9g}" for k in range(300)]
    fast = read("id,time,f\n" + "\n".join(lines) + "\n")[1]
    slow = read("id,time,f\n" + "\n".join(line.replace(",", " ,") for line in lines) + "\n")[1]
    np.testing.assert_array_equal(fast["time"], slow["time"])
    np.testing.assert_allclose(fast["f"], slow["f"].astype(np.float32), rtol=2e-7)


def test_a_nul_is_found_wherever_it_is():
    text = "id,time,f,note\n" + "u,0.1,1,x\n" * 10_000 + "v\0,0.2,1,x\n"
    fails(lambda: read(text), "t.csv: expected CSV", "a NUL byte, first in line 10002")


def test_a_cell_of_text_has_an_end():
    fails(lambda: read(f"id,time,f,note\nu,0,1,x\n{'v' * 131_073},1,1,x\n"), "t.csv:3", "more than 131072 characters")


@pytest.mark.parametrize("parser", ["the fast one", "the slow one"])
def test_tens_of_thousands_of_columns_are_looked_up_and_not_searched(parser):
    names = [f"f{k}" for k in range(20_000)]
    cell = "1" if parser == "the fast one" else "1_0"  # of ignored columns; no number
    data = f"id,{','.join(names)},f\nu,{','.join([cell] * len(names))},{'1' if cell == '1' else ' 1'}\n".encode()
    begun = time.process_time()
    _, arrays, _ = read_csv(data, PATH, lambda *_: Columns(texts=("id",), ignored=tuple(names)), ",")
    assert time.process_time() - begun < 2  # 4 s where each was searched for among all
    assert list(arrays) == ["id", "f"]
