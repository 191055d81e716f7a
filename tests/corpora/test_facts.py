"""What training found in the data."""

import pytest

from emobed_tf.corpora.facts import Facts


def facts(task, label, classes=()):
    return Facts("tables", False, task, label, classes, "audio", {}, {}, 0, 1.0, (), {})


@pytest.mark.parametrize(
    ("others", "words"),
    [
        (facts("classification", "emotion", ("u", "v")), None),
        (facts("classification", "emotion", ("u", "w")), ("the classes u, v", "the classes u, w")),
        (facts("regression", "arousal"), ("a classification of emotion", "a regression of arousal")),
    ],
)
def test_what_differs(others, words):
    assert facts("classification", "emotion", ("u", "v")).unlike(others) == words


def test_another_dimension():
    assert facts("regression", "arousal").unlike(facts("regression", "valence")) == ("arousal", "valence")


@pytest.mark.parametrize(("classes", "outputs"), [((), 1), (("u", "v"), 2), (("u", "v", "w"), 3)])
def test_width_of_the_head(classes, outputs):
    task = "classification" if classes else "regression"
    assert facts(task, "x", classes).outputs == outputs
