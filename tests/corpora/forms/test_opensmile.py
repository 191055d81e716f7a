"""openSMILE's headers."""

import pytest

from emobed_tf.corpora import load_features
from emobed_tf.corpora.forms import opensmile
from tests.corpora.corpus_writers import write


def frames(path):
    return load_features(path, modality="m", feature_names=("F0",), frame_seconds=0.1)


def test_roles():
    form = opensmile.recognise(("name", "frameIndex", "frameTime", "F0", "class"))
    assert form.roles == {"name": "id", "frameTime": "time", "class": "label"}
    assert form.beside == ("frameIndex",)


def test_what_was_added_goes_first():
    form = opensmile.recognise(("id", "name", "frameTime", "label", "F0", "class"))
    assert form.roles == {"id": "id", "frameTime": "time", "label": "label"}
    assert set(form.beside) == {"name", "class"}


@pytest.mark.parametrize("names", [("name", "F0"), ("name", "class", "F0"), ("F0", "name", "class")])
def test_others(names):
    assert opensmile.recognise(names) is None


def test_recordings_without_a_name_are_called_after_their_files(tmp_path):
    """SMILExtract writes 'unknown' where it isn't given -instname."""
    for name in "ab":
        rows = "".join(f"'unknown';{k / 10};{k}\n" for k in range(3))
        write(tmp_path / f"{name}.csv", f"name;frameTime;F0\n{rows}")
    assert [recording.id for recording in frames(tmp_path)] == ["a", "b"]
