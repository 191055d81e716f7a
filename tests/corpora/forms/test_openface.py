"""OpenFace's header, and which of its frames are missing."""

import numpy as np
import pytest

from emobed_tf.corpora import load_features
from emobed_tf.corpora.forms import openface
from emobed_tf.settings import Reading
from tests.corpora.corpus_writers import fails, write

TEXT = """frame, face_id, timestamp, confidence, success, f
1, 0, 0.0, 0.9, 1, 5
2, 0, 0.1, 0.6, 1, 6
3, 0, 0.2, 0.9, 0, 7
4, 0, 0.3, -nan(ind), 1, 8
"""


def missing(path, names=("f",), **settings):
    reading = Reading(**settings)
    (found,) = load_features(path, modality="m", feature_names=names, frame_seconds=0.1, reading=reading)
    return found.missing.tolist() if names == ("f",) else found.features.tolist()


class TestMissing:
    @pytest.fixture
    def path(self, tmp_path):
        return write(tmp_path / "video.csv", TEXT)

    def test_without_success(self, path):
        assert missing(path) == [False, False, True, False]

    def test_below_a_confidence(self, path):
        assert missing(path, confidence=0.6) == [False, False, True, False]  # the least that counts
        assert missing(path, confidence=0.7) == [False, True, True, False]

    def test_columns_that_are_kept_as_features_say_so_still(self, path):
        np.testing.assert_array_equal(
            missing(path, ("confidence", "f")),
            np.float32([[0.9, 5], [0.6, 6], [np.nan, np.nan], [np.nan, 8]]),
        )
        assert missing(path, ignore=("success",)) == [False, False, True, False]

    def test_success_can_be_nothing_else(self, path):
        fails(lambda: missing(path, column=("success=label",)), "video.csv:1", "OpenFace says by it")


def test_a_time_of_ones_own_goes_first():
    form = openface.recognise(("id", "time", "frame", "timestamp", "confidence", "success", "f"))
    assert form.roles == {"id": "id", "time": "time"}
    assert set(form.beside) == {"frame", "timestamp", "confidence", "success"}


@pytest.mark.parametrize("names", [("frame", "confidence"), ("frame", "success"), ("confidence", "success")])
def test_others(names):
    assert openface.recognise(names) is None
