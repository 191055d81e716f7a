"""Names that are the same in other spellings."""

import time

import numpy as np
import pytest

from emobed_tf.corpora.identity import (
    PARTITION_SPELLINGS,
    Spellings,
    class_key,
    identity,
    is_unknown,
    partition_of,
    renamed,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1", "01", True),
        ("1", "1.0", True),
        ("0", "00.", True),
        ("100000000000000001", "100000000000000002", False),  # equal as floats
        ("10", "1", False),
        ("1.5", "1.50", False),  # sessions and takes are counted like this: 1.5 and 1.50 are two
        ("1e3", "1000", False),
        ("-1", "1", False),
        ("A", "a", False),
        ("é", "e\u0301", True),
        ("a b", "a  b", False),
        ("²", "2", False),
    ],
)
def test_identity(one, other, same):
    assert (identity(one) == identity(other)) is same


def test_the_first_spelling_is_kept_over_all_tables():
    spellings = Spellings()
    assert spellings(np.array(["01", "2", "1"], dtype=object)).tolist() == ["01", "2", "01"]
    assert spellings(np.array(["1.0", "02"], dtype=object)).tolist() == ["01", "2"]


@pytest.mark.parametrize(
    ("speaker", "unknown"), [("", True), ("Unknown", True), ("NA", True), ("0", False), ("Una", False)]
)
def test_unknown(speaker, unknown):
    assert is_unknown(speaker) is unknown


def test_class_key():
    assert class_key(" Very  Happy ") == class_key("very happy") != class_key("veryhappy")


def test_renamed():
    assert renamed(("a=b=c", "x=y", "x=z")) == {"a=b": "c", "x": "z"}


@pytest.mark.parametrize(
    ("name", "known"),
    [
        *((name, "train") for name in ("train", "Training")),
        *((name, "dev") for name in ("dev", "devel", "development", "val", "VALID", "validation")),
        ("Test", "test"),
        *((name, None) for name in ("eval", "", "tests", "0")),  # the first may be either
    ],
)
def test_partitions(name, known):
    assert partition_of(name) == known
    assert known is None or name.casefold() in PARTITION_SPELLINGS


@pytest.mark.parametrize("name", ["0" * 40_000 + "x", "0" * 20_000 + "1" * 20_000 + "x"])
def test_a_long_name_takes_no_longer_than_its_length(name):
    # Where the pattern tried every way to part zeros from digits, each took a minute.
    begun = time.process_time()
    assert identity(name) == name
    assert time.process_time() - begun < 1
