"""One file and its segments, in this process."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.audio import decode
from emobed_tf.recordings.extraction import Job, extract_file
from emobed_tf.recordings.extractors import Extractor
from emobed_tf.recordings.windows import Windows
from tests.recordings.sounds import noise, write

HERE = "tests.recordings.test_extraction"


class Means(Extractor):
    version = "1"
    columns = ("mean", "length")

    def of(self, samples):
        if len(samples) < 1_600:
            raise InputError("too short for a mean")
        return [samples.mean(), len(samples)]


class TooMany(Means):
    def of(self, samples):
        return [1, 2, 3]


class Infinite(Means):
    def of(self, samples):
        return [1, np.inf]


def job(path, *segments, features="Means", windows=None):
    return Job(str(path), segments or ((0.0, None),), f"{HERE}:{features}", windows)


@pytest.fixture
def path(tmp_path):
    return write(tmp_path / "a.wav", noise(2))


def test_segments_of_a_file(path):
    found = extract_file(job(path, (0.0, None), (0.5, 1.0), (1.5, 3.0)))
    assert found.problems == []
    whole, segment, cut_short = found.rows
    np.testing.assert_allclose(whole.features, [[decode(path).mean(), 32_000]], rtol=1e-5)
    np.testing.assert_allclose(segment.features, [[decode(path, 0.5, 1.0).mean(), 8_000]], rtol=1e-5)
    assert whole.notes == segment.notes == ()
    assert cut_short.notes == ("a segment is to end at 3 s, and its sound ends at 2.00 s",)


def test_times_are_those_of_the_file(path):
    (rows,) = extract_file(job(path, (0.5, 1.5), windows=Windows(0.25, 0.25, "causal"))).rows
    assert rows.times.tolist() == [0.5, 0.75, 1.0, 1.25]


def test_a_segment_that_nothing_can_be_made_of(path):
    found = extract_file(job(path, (0.0, 0.05), (5.0, None), (0.0, None)))
    assert [rows is None for rows in found.rows] == [True, True, False]
    assert found.problems == [
        f"{path} from 0 s to 0.05 s: too short for a mean",
        f"{path}: nothing from 5 s to the end; the recording is 2.00 s long",
    ]


def test_a_file_that_can_t_be_read_is_one_problem(tmp_path):
    found = extract_file(job(tmp_path / "none.wav", (0.0, 1.0), (1.0, 2.0)))
    assert found.rows == [None, None]
    assert found.problems == [f"{tmp_path / 'none.wav'}: no such file"]


def test_silence_is_noted(tmp_path):
    (rows,) = extract_file(job(write(tmp_path / "a.wav", np.zeros(16_000)))).rows
    assert rows.notes == ("digital silence, 1.00 s of zeros, kept",)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("TooMany", r"expected features \[1, 2\], got \[1, 3\]"),
        ("Infinite", "'length' is infinite; expected NaN where it is missing"),
        ("Missing", "has no attribute 'Missing'"),
    ],
)
def test_an_extractor_that_breaks_its_promises_ends_it(path, features, message):
    with pytest.raises(InputError, match=message):
        extract_file(job(path, features=features))


def test_a_job_is_called_after_its_file(path):
    assert str(job(path)) == str(path)
