"""A new version that clients of the one before would not expect is one that a warning names."""

import json
import warnings

import pytest

from emobed_tf.errors import EmoBedWarning
from emobed_tf.saved_model.predecessor import differences, warn_of_another_model

EMOTION = {"task": "classification", "classes": ["anger", "joy"], "features": ["loudness", "pitch"]}
AROUSAL = {"task": "regression", "dimension": "arousal", "features": ["loudness", "pitch"]}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (EMOTION, EMOTION, []),
        (EMOTION, {**EMOTION, "classes": ("anger", "joy"), "features": ("loudness", "pitch")}, []),  # not from JSON
        (AROUSAL, {**AROUSAL, "scores": {}}, []),
        (EMOTION, AROUSAL, ["it learnt classes, this run arousal"]),
        (AROUSAL, {**AROUSAL, "dimension": "valence"}, ["it learnt arousal, this run valence"]),
        (
            EMOTION,
            {**EMOTION, "classes": ["anger", "calm"]},
            ["its classes are anger, joy, this run's are anger, calm"],
        ),
        (EMOTION, {**EMOTION, "features": ["pitch"]}, ["it takes 2 features, this run 1"]),
        # Columns of another order are other columns to whoever sends an array.
        (
            EMOTION,
            {**EMOTION, "features": ["pitch", "loudness"]},
            ["it takes the features loudness, pitch, this run pitch, loudness"],
        ),
        ({}, AROUSAL, ["it learnt classes, this run arousal", "it takes 0 features, this run 2"]),
    ],
)
def test_differences(before, now, expected):
    assert differences(before, now) == expected


def write(folder, number, text):
    (folder / number).mkdir()
    (folder / number / "manifest.json").write_text(text)


def test_the_latest_version_counts(tmp_path):
    write(tmp_path, "9", json.dumps(AROUSAL))
    write(tmp_path, "10", json.dumps(EMOTION))
    with pytest.warns(EmoBedWarning, match=r"/10 is another kind of model: it learnt classes, this run arousal\. .*"):
        warn_of_another_model(tmp_path, AROUSAL, "manifest.json")


@pytest.mark.parametrize("text", [None, "{", "[]", json.dumps(AROUSAL)])
def test_nothing_to_say(tmp_path, text):
    """No folder, another program's model, a damaged manifest, and the same kind of model."""
    folder = tmp_path / "model"
    if text is not None:
        folder.mkdir()
        write(folder, "1", text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_another_model(folder, AROUSAL, "manifest.json")
