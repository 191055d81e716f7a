"""What each column is: by its name, by the tool, and by what the user says."""

import time

import pytest

from emobed_tf.corpora.layout import layout
from emobed_tf.settings import Reading
from tests.corpora.corpus_writers import fails

NAMES = ("id", "partition", "label", "arousal", "dominance", "age", "f", "g")


def features(names, settings=None, dimension="arousal", **more):
    found = layout(names, "t:1", settings or Reading(), dimension, **more)
    return [
        name for name in names if name not in (*found.columns.texts, *found.columns.numbers, *found.columns.ignored)
    ]


def test_by_name():
    found = layout(NAMES, "t", Reading(), "arousal")
    assert features(NAMES) == ["f", "g"]
    assert found.columns.texts == ("id", "partition", "label")
    assert found.columns.numbers == ("arousal",)
    assert found.doubtful == ("dominance", "age")
    assert features(NAMES, dimension="g") == ["f"]
    assert layout(NAMES, "t", Reading(), "dominance").roles["dominance"] == "dominance"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"ignore": ("f",)}, ["g"]),
        ({"keep": ("age",)}, ["age", "f", "g"]),
        ({"keep": ("*",)}, ["dominance", "age", "f", "g"]),  # a role stays one
        ({"ignore": ("*",), "keep": ("g",), "column": ("f=speaker",)}, ["g"]),
        ({"column": ("g=speaker",)}, ["f"]),
        ({"column": ("g=label",)}, ["f"]),  # `label`, which it replaces, is no feature
    ],
)
def test_what_the_user_says(settings, expected):
    assert features(NAMES, Reading(**settings)) == expected


def test_what_a_model_takes_are_features_whatever_they_are_called():
    assert features(NAMES, features=("age", "arousal", "f")) == ["arousal", "age", "f", "g"]
    assert features(NAMES, features=("f",), left_out=("g",)) == ["f"]


def test_names_in_other_letters():
    names = ("ID", "Label", "partition", "f")
    fails(lambda: layout(names, "t:1", Reading(), ""), "t:1: column 'ID': expected 'id'")
    said = Reading(column=("ID=id",), ignore=("Label",))
    assert features(names, said) == ["f"]


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (("f=sbeaker",), ("--column f=sbeaker", "expected one of id, file, time", "--dimension")),
        (("f=speaker", "g=speaker"), ("columns 'f' and 'g' are both to be the speaker",)),
    ],
)
def test_wrong(column, words):
    fails(lambda: layout(NAMES, "t:1", Reading(column=column), "arousal"), "t:1", *words)


def test_tens_of_thousands_of_columns_are_looked_up_and_not_searched():
    names = ["id", *(f"f{k}" for k in range(20_000))]
    begun = time.process_time()
    assert len(layout(names, "t", Reading(ignore=("f*",)), "arousal").columns.ignored) == 20_000
    assert len(features(["id", "speaker1", "f0"], features=names[1:])) == 1
    assert time.process_time() - begun < 3  # 30 s where a set of them was made for each
