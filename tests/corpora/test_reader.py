"""Readers of one's own: the functions that a module needs, and what is said of one that reads wrongly."""

import sys
import types
from dataclasses import replace

import numpy as np
import pytest

from emobed_tf.corpora.corpus import CLASSIFICATION, EMOTION, REGRESSION, Modality, Recording, Target
from emobed_tf.corpora.reader import read_modalities, reader_of
from emobed_tf.datasets import DataSet
from tests.corpora.corpus_writers import fails

MINE = DataSet("mine", "mine", reader="my_reader", classes=("calm", "angry"))
CLASSES = Target(CLASSIFICATION, EMOTION, MINE.classes)
AROUSAL = Target(REGRESSION, "arousal")


def recording(name="u", partition="train", speaker="ann", frames=2, **changes):
    labels = {EMOTION: np.array(1, np.int32), "arousal": np.zeros(frames, np.float32)}
    features = np.zeros((frames, 3), np.float32)
    return replace(Recording(name, partition, speaker, features, labels), **changes)


@pytest.fixture
def reads(monkeypatch):
    """A reader that reads what it is told; what it was asked for."""
    module, asked = types.ModuleType("my_reader"), []
    monkeypatch.setitem(sys.modules, "my_reader", module)

    def read(*recordings, name="voice"):
        def answer(*arguments):
            asked.append(arguments)
            return [Modality(name, ("a", "b", "c"), recordings, 0.1, "mine")], {"x.json": "abc"}

        module.read, module.find_modalities = answer, lambda folder: {name: folder}
        return asked

    return read


def read(target=CLASSES):
    return read_modalities(MINE, "DIR", ["voice"], "arousal", target)


class TestReader:
    def test_functions_that_are_missing_are_named(self, monkeypatch):
        module = types.ModuleType("my_reader")
        monkeypatch.setitem(sys.modules, "my_reader", module)
        fails(lambda: reader_of(MINE), "its reader my_reader has no function find_modalities and no read;")
        module.read = module.find_modalities = len
        assert reader_of(MINE) is module
        fails(lambda: reader_of(replace(MINE, suffixes=(".json",))), "no function read_features;")

    def test_a_module_that_is_not_there(self):
        fails(lambda: reader_of(replace(MINE, reader="nobody.here")), "can't be imported: No module named 'nobody'")

    def test_no_module_at_all(self):
        fails(lambda: reader_of(replace(MINE, reader=None, suffixes=(".json",))), "data set mine: no reader; expected")


class TestWhatItReads:
    def test_is_handed_on(self, reads):
        asked = reads(recording())
        (voice,), fingerprints = read()
        assert (voice.name, voice.recordings[0].id, fingerprints) == ("voice", "u", {"x.json": "abc"})
        assert asked == [("DIR", ["voice"], "arousal", None)]

    def test_missing_values_and_unlabelled_test_data_are_right(self, reads):
        reads(recording(), recording("v", "test", features=np.full((1, 3), np.nan, np.float32), labels={}))
        for target in (CLASSES, AROUSAL):
            assert len(read(target)[0][0].recordings) == 2

    def test_other_modalities_than_asked_for(self, reads):
        reads(recording(), name="face")
        fails(read, "as my_reader reads it: expected the modalities voice, got face")

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"partition": "devel"}, ("partition 'devel'", "train, dev, test")),
            ({"speaker": ""}, ("no speaker",)),
            ({"features": np.zeros((2, 4), np.float32)}, ("shape [2, 4]", "expected [frames, 3]")),
            ({"features": np.zeros(3, np.float32)}, ("shape [3]",)),
            ({"features": np.zeros((0, 3), np.float32)}, ("shape [0, 3]",)),
            ({"features": np.zeros((2, 3))}, ("float64", "finite float32")),
            ({"features": [[0.0, 0.0, 0.0]]}, ("float64",)),
            ({"features": np.full((2, 3), np.inf, np.float32)}, ("finite float32",)),
            ({"labels": {}}, ("no label 'emotion'", "only the test partition")),
            ({"labels": {EMOTION: np.array(2, np.int32)}}, ("'emotion' is 2", "index below 2")),
            ({"labels": {EMOTION: np.array(1.0)}}, ("'emotion' is 1.0", "int32")),
            ({"labels": {EMOTION: "angry"}}, ("'emotion' is angry",)),
            ({"labels": {EMOTION: np.zeros(2, np.int32)}}, ("index below 2",)),
        ],
    )
    def test_wrong(self, reads, changes, words):
        reads(recording(), recording("v", **changes))
        fails(read, "data set mine, as my_reader reads it: recording 'v' of 'voice': ", *words)

    @pytest.mark.parametrize(
        "labels",
        [np.zeros(3, np.float32), np.zeros(2), np.array(0.5, np.float32), np.array([np.nan, np.inf], np.float32)],
        ids=["a label too many", "float64", "one for all", "infinite"],
    )
    def test_wrong_numbers(self, reads, labels):
        reads(recording(labels={"arousal": labels}))
        fails(lambda: read(AROUSAL), "label 'arousal': expected finite float32 [2], one for each frame")

    def test_frames_without_a_label(self, reads):
        reads(recording(labels={"arousal": np.array([np.nan, 0.5], np.float32)}))
        assert read(AROUSAL)[0][0].recordings[0].labels["arousal"][1] == 0.5

    @pytest.mark.parametrize("partition", ["train", "dev", "test"])
    def test_no_frame_with_a_label(self, reads, partition):
        reads(recording(partition=partition, labels={"arousal": np.full(2, np.nan, np.float32)}))
        fails(lambda: read(AROUSAL), "recording 'u' of 'voice': label 'arousal' is NaN in every frame; expected one")

    def test_an_id_twice(self, reads):
        reads(recording(), recording(speaker="eve"))
        fails(read, "recording 'u' of 'voice': expected each id once")
