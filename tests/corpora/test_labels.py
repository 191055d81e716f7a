"""Labels with gaps: which frames have one, and what is left of several recordings."""

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.labels import has_label, known, labelled_frames, pooled

NAN = np.nan


def test_known():
    assert known(np.array([0.5, NAN, 0.0], np.float32)).tolist() == [True, False, True]
    assert bool(known(np.array(2, np.int32)))


def test_has_label():
    labels = {
        "arousal": np.array([NAN, 0.0], np.float32),
        "valence": np.array([NAN, NAN], np.float32),
        "emotion": np.array(0, np.int32),
    }
    recording = Recording("r", "test", "s", np.zeros((2, 1), np.float32), labels)
    found = {name: has_label(recording, name) for name in (*labels, "dominance")}
    assert found == {"arousal": True, "valence": False, "emotion": True, "dominance": False}


def test_pooled_keeps_the_order():
    assert pooled([np.array([3.0, NAN]), np.array([NAN, NAN]), np.array([1.0, 2.0])]).tolist() == [3, 1, 2]


def test_labelled_frames():
    labels, values = labelled_frames([np.array([1.0, NAN, 3.0]), np.array([NAN])], [np.arange(3), np.arange(1)])
    assert [x.tolist() for x in labels] == [[1, 3], []]
    assert [x.tolist() for x in values] == [[0, 2], []]
    with pytest.raises(ValueError, match="Expected values of the labels' shape"):
        labelled_frames([np.zeros(3)], [np.zeros(2)])
