"""Recordings, modalities and data sets in memory."""

import numpy as np
import pytest

from emobed_tf.corpora import Corpus, Modality, Recording
from tests.corpora.corpus_writers import fails


def recording(name, partition, features=((0.0,),)):
    return Recording(name, partition, name, np.array(features, np.float32))


def test_a_frame_is_missing_where_all_of_its_values_are():
    found = recording("u", "train", [[1, np.nan], [np.nan, np.nan], [0, 0]])
    assert found.frames == 3
    assert found.missing.tolist() == [False, True, False]


@pytest.fixture
def corpus():
    members = tuple(recording(*pair) for pair in (("a", "train"), ("b", "dev"), ("c", "train")))
    modalities = {name: Modality(name, ("x",), members, None, "tables") for name in ("audio", "face")}
    return Corpus("tables", "regression", "arousal", (), modalities, {})


def test_partitions_keep_the_order(corpus):
    assert [r.id for r in corpus.modality("audio").partition("train")] == ["a", "c"]
    assert corpus.modality("audio").partition("test") == ()


def test_modalities_by_name_and_in_turn(corpus):
    assert [modality.name for modality in corpus] == ["audio", "face"]
    assert corpus.modality("face") is corpus.modalities["face"]
    fails(lambda: corpus.modality("gait"), "no modality 'gait' in this data set; it has audio, face")
