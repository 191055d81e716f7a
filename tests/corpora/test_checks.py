"""What must hold for every data set: times, names, values, and partitions that share nobody."""

import time

import numpy as np
import pytest

from emobed_tf.corpora import Modality, Recording, csvtable, identity, load, segments
from emobed_tf.corpora.checks import (
    NUMBER,
    check_finite_or_missing,
    check_missing,
    check_partitions,
    check_same_names,
    check_times,
    check_values,
    is_modality_name,
    like_modality_name,
)
from emobed_tf.datasets import OMG, RECOLA
from emobed_tf.errors import EmoBedWarning, InputError, MissingInputError
from tests.corpora.corpus_writers import fails, table_text, write


def where(row):
    return f"x:{row + 2}"


@pytest.mark.parametrize("text", ["0", "-1.5", "+.5", "3.", "1e-3", "2E5", "nan", "-INF"])
def test_numbers(text):
    assert NUMBER.fullmatch(text)
    float(text)  # Python agrees


@pytest.mark.parametrize("text", ["", "1_000", "infinity", "\u0661", "1,5", "0x10", " 1", "1e", "--1", "."])
def test_no_numbers(text):
    assert not NUMBER.fullmatch(text)


class TestTimes:
    def test_even_ones_pass(self):
        check_times(np.arange(5) * 0.04 + 7, 0.04, where)
        check_times(np.array([0.0, 0.033, 0.067, 0.1]), 1 / 30, where, rounding=0.001)

    def test_a_lost_row(self):
        times = np.array([0.0, 0.04, 0.12])
        fails(lambda: check_times(times, 0.04, where), "x:4: time 0.12 s comes after 0.04 s", "every 40 ms")

    def test_a_rate_that_is_a_little_off_shows_in_the_end(self):
        # Each row is late by another 0.0009 s, and by more than half a step, 0.02 s, from the 24th on (23 * 0.0009).
        times = np.arange(100) * 0.0409
        fails(lambda: check_times(times, 0.04, where), "x:25: time 0.9407 s of row 24", "the frame rate is another one")

    def test_a_missing_time(self):
        fails(lambda: check_times(np.array([0, np.nan]), 0.04, where), "x:3: the time of the row is missing")


class TestNamesOfModalities:
    @pytest.mark.parametrize("name", ["audio", "video_appearance", "A-1", "x"])
    def test_allowed(self, name):
        assert is_modality_name(name)
        assert like_modality_name(name) == name

    @pytest.mark.parametrize("name", ["", "1st", "_x", "a b", "a.b", "ä", "a\n", "a/b"])
    def test_others_become_like_them(self, name):
        assert not is_modality_name(name)
        assert is_modality_name(like_modality_name(name))


class TestValues:
    def test_range(self):
        check_values(np.array([-1.0, 0.0, 1.0]), -1, 1, "arousal", where)
        for value in (1.01, np.nan, np.inf):
            values = np.array([0.0, value])
            fails(lambda values=values: check_values(values, -1, 1, "arousal", where), "x:3: arousal is", "[-1, 1]")

    def test_missing_is_no_infinity(self):
        check_finite_or_missing(np.array([[np.nan, 1.0]]), ["a", "b"], where)
        fails(lambda: check_finite_or_missing(np.array([[0, 1], [2, -np.inf]]), ["a", "b"], where), "x:3: column 'b'")

    def test_names_of_features(self):
        check_same_names(["a", "b"], "y", ["a", "b"], "x")
        fails(lambda: check_same_names(["a"], "y", ["a", "b"], "x"), "y: 1 features, but x has 2")
        fails(lambda: check_same_names(["a", "c"], "y", ["a", "b"], "x"), "y: feature 2 is 'c', but 'b' in x")


def modality(*members, name="audio", corpus="omg"):
    """Members: partition, speaker and class of a recording each."""
    recordings = tuple(
        Recording(
            f"{name}{k}", partition, speaker, np.zeros((1, 1), np.float32), {"emotion": np.array(label, np.int32)}
        )
        for k, (partition, speaker, label) in enumerate(members)
    )
    return Modality(name, ("x",), recordings, None, corpus)


class TestPartitions:
    CLEAN = (("train", "a", 0), ("train", "b", 1), ("dev", "c", 0), ("dev", "d", 1))

    def test_clean(self):
        check_partitions([modality(*self.CLEAN)], ("u", "v"), RECOLA)

    def test_train_and_dev_are_needed(self):
        for kept in ("train", "dev"):
            members = [member for member in self.CLEAN if member[0] == kept]
            found = modality(*members)
            fails(
                lambda found=found: check_partitions([found], (), RECOLA),
                "expected train and dev",
                error=MissingInputError,
            )

    def test_classes(self):
        fails(lambda: check_partitions([modality(*self.CLEAN)], ("u", "v", "w"), RECOLA), "no training data", "class w")
        with pytest.warns(EmoBedWarning, match="nothing in the partition 'dev' of the class v"):
            check_partitions([modality(*self.CLEAN[:3])], ("u", "v"), RECOLA)

    def test_a_speaker_in_two_is_an_error_but_where_the_data_set_is_known_for_it(self):
        found = modality(*self.CLEAN, ("dev", "a", 0))
        fails(lambda: check_partitions([found], (), RECOLA), "speaker 'a' is in two partitions")
        with pytest.warns(
            EmoBedWarning, match=r"1 videos are in more than one partition of OMG-Emotion \(the first: a\)"
        ):
            check_partitions([found], (), OMG)
        elsewhere = modality(("train", "e", 0), ("dev", "a", 0), name="gait", corpus="tables")
        fails(lambda: check_partitions([modality(*self.CLEAN), elsewhere], (), OMG), "speaker 'a'", "'gait'")


def test_across_modalities(tmp_path, table):
    other = write(tmp_path / "o.csv", table_text("y").replace("y_dev,", "x_train,"))
    fails(
        lambda: load("tables", tables=[("face", table), ("voice", other)]),
        "speaker 'x_train' is in two partitions: train (modality 'face')",
        "dev (modality 'voice', recording 'y_dev_0')",
    )
    write(other, table_text("y").replace("y_dev_0,", "x_train_0,"))
    fails(
        lambda: load("tables", tables=[("face", table), ("voice", other)]),
        "recording 'x_train_0' is in two partitions: train (modality 'face') and dev (modality 'voice'",
    )


class TestMissing:
    @staticmethod
    def modality(missing, rows=10):
        features = np.ones((rows, 2), np.float32)
        features[:missing] = np.nan
        return Modality("face", ("a", "b"), (Recording("r", "train", "s", features),), 0.1, "tables")

    def test_half_of_it_may_be(self):
        check_missing([self.modality(5)])

    def test_more_is_told(self):
        with pytest.warns(EmoBedWarning, match="'face': 6 of 10 rows of training are missing"):
            check_missing([self.modality(6)])

    def test_all_of_it_is_nothing(self):
        with pytest.raises(InputError, match="'face': all 10 rows of training are missing"):
            check_missing([self.modality(10)])


NUMBER_PARTS = ("1", "0", ".", "e", "+", "1.", "1e", "-")


@pytest.mark.parametrize("repeated", NUMBER_PARTS)
@pytest.mark.parametrize("before", ["", "1", "0.", "1e"])
@pytest.mark.parametrize("pattern", [NUMBER, csvtable._DECIMAL_COMMA, segments._DURATION, identity._WHOLE])
def test_patterns_of_numbers_are_linear(pattern, before, repeated):
    begun = time.process_time()
    assert not pattern.fullmatch(before + repeated * 40_000 + "x")
    assert time.process_time() - begun < 1  # a quadratic one takes a minute
