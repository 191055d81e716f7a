"""Labels over time: read with the line of what is wrong, and joined to the nearest times."""

import numpy as np
import pytest

from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.recordings.labelfiles import read_label_file


def written(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return path


def test_values_and_gaps(tmp_path):
    track = read_label_file(written(tmp_path, "time,arousal,note\n0,0.5,1\n1,,2\n2,-0.25,3\n"), "arousal")
    assert list(track.values) == ["arousal"]
    found = track.at(np.array([0, 0.4, 0.6, 1.9, 2.5, 2.6, 9]))["arousal"]
    # half a step, 0.5 s, is the farthest; the label at 1 s is empty
    np.testing.assert_array_equal(found, [0.5, 0.5, np.nan, -0.25, -0.25, np.nan, np.nan])


def test_another_dimension(tmp_path):
    track = read_label_file(written(tmp_path, "time,valence,dominance\n0,1,2\n"), "dominance")
    assert {name: values.tolist() for name, values in track.values.items()} == {"valence": [1], "dominance": [2]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arousal\n1\n", r"labels\.csv:1: expected a column 'time' in seconds and arousal or valence; found arousal"),
        ("time,x\n1,2\n", r"labels\.csv:1: expected a column 'time'"),
        ("time,arousal\n0,1\n,2\n", r"labels\.csv:3: column 'time' is empty"),
        ("time,arousal\n0,1\n1e300,2\n", r"labels\.csv:3: column 'time' is beyond 1e\+15 s"),
        ("time,arousal\n0,1\n0,2\n", r"labels\.csv:3: column 'time': expected more than 0 s.*got 0 s"),
        ("time,arousal\n0,1\n1,high\n", r"labels\.csv:3: column 'arousal'"),
    ],
)
def test_errors(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_label_file(written(tmp_path, text), "arousal")


def test_missing(tmp_path):
    with pytest.raises(MissingInputError, match="no such file"):
        read_label_file(tmp_path / "none.csv", "arousal")
