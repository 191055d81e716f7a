"""Files and times as audformat writes them."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emobed_tf.corpora.segments import are_frames, file_ids, path_of, seconds_of, segment_ids
from tests.corpora.corpus_writers import fails, only, write


class TestSeconds:
    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("1.5", 1.5),
            ("0 days", 0),
            ("1 day, 0:00:01", 86401),
            ("2 days 01:02:03.25", 2 * 86400 + 3723.25),
            ("00:01:30", 90),
        ],
    )
    def test_times(self, text, seconds):
        assert seconds_of(text) == seconds

    @pytest.mark.parametrize("text", ["", "NaT", "nan"])
    def test_missing(self, text):
        assert math.isnan(seconds_of(text))

    @pytest.mark.parametrize(
        "text",
        ["x", "inf", "1:2:3", "0 days ", "0 days00:00:01", "-1 days +23:59:59", "1,5", "1" * 5000 + " days"],
    )
    def test_others(self, text):
        assert seconds_of(text) is None

    @given(st.integers(0, 10**12))
    def test_as_pandas_writes_them(self, microseconds):
        time = pd.Timedelta(microseconds, unit="us")
        assert seconds_of(str(time)) == pytest.approx(time.total_seconds(), abs=1e-6)


class TestFiles:
    def test_paths(self):
        assert path_of(r"C:\data\a.b.wav") == ("a.b", "data", "C:")
        assert path_of("/clip.2") == ("clip.2",)  # a number is no suffix
        assert path_of("./x/clip.mp4") == ("clip", "x")

    def test_as_few_folders_as_tell_them_apart(self):
        assert file_ids(["/d/a.wav", "/d/b.wav"]) == {"/d/a.wav": "a", "/d/b.wav": "b"}
        assert file_ids(["/d/1/a.wav", "/d/2/a.wav"]) == {"/d/1/a.wav": "1/a", "/d/2/a.wav": "2/a"}
        assert file_ids(["a.wav", "x/a.wav"]) == {"a.wav": "a", "x/a.wav": "x/a"}
        assert file_ids(["a.wav", "a.flac"]) == {"a.wav": "a", "a.flac": "a"}  # one recording in two formats


class TestFrames:
    @staticmethod
    def frames(starts, ends):
        return are_frames(np.array(starts, float), np.array(ends, float), [np.arange(len(starts))])

    def test_windows(self):
        assert self.frames([0, 1, 2], [1, 2, 3])
        assert self.frames([2, 0, 1], [4, 2, 3])  # overlapping, in any order

    def test_segments(self):
        assert not self.frames([0, 1], [1, 2])  # too few to tell
        assert not self.frames([0, 1, 2], [0.5, 1.5, 2.5])  # with pauses
        assert not self.frames([0, 1, 3], [1, 3, 4])  # uneven
        assert not self.frames([0, 0, 1], [1, 1, 2])
        assert not self.frames([0, 1, math.nan], [1, 2, 3])

    def test_what_differs_within_a_file_are_segments(self, tmp_path):
        rows = [f"{name}.wav,{k},{k + 1},{name},{'uv'[k % 2]},0.{k}" for name in ("train", "dev") for k in range(4)]
        path = write(tmp_path / "t.csv", "\n".join(["file,start,end,partition,label,f", *rows]) + "\n")
        _, modality = only(path)
        assert modality.frame_seconds is None
        assert [recording.id for recording in modality.recordings][:2] == ["train/0-1", "train/1-2"]

    def test_an_end_before_the_start(self, tmp_path):
        path = write(tmp_path / "t.csv", "file,start,end,partition,label,f\na.wav,2,1,train,u,1\n")
        fails(lambda: only(path), "t.csv:2", "ends at 1 s", "starts at 2 s")


def test_segments_are_named_by_milliseconds():
    names = segment_ids(["a", "b/c"], np.array([0.0, 1.23456]), np.array([0.5, 10.0]))
    assert names.tolist() == ["a/0-0.5", "b/c/1.235-10"]
