"""Rows of a table as recordings: by id, in the order of times whose step is found out."""

import numpy as np
import pytest

from tests.corpora.corpus_writers import FRAMES, close, fails, only, replace, write


class TestFrames:
    def test_sorted_by_time_within_each_id(self, tmp_path):
        corpus, modality = only(write(tmp_path / "t.csv", FRAMES))
        assert (corpus.task, corpus.label, modality.frame_seconds) == ("regression", "arousal", 0.1)
        v, u = modality.recordings
        assert (v.id, u.id) == ("v", "u")
        close(u.features, [[0], [1], [2]])
        close(u.labels["arousal"], [0, 0.1, 0.2])
        close(v.features, [[4], [5]])

    def test_rounded_times(self, tmp_path):
        # 30 frames a second, written with three digits: steps of 33 and 34 ms.
        rows = "".join(
            f"{name},{frame / 30:.3f},{partition},{frame}\n"
            for name, partition in (("u", "train"), ("v", "dev"))
            for frame in range(300)
        )
        modality = only(
            write(
                tmp_path / "t.csv",
                "id,time,partition,label\n".replace("label", "valence,f") + rows.replace("\n", ",1\n"),
            ),
            dimension="valence",
        )[1]
        # 299 / 30 rounded to 9.967
        close(modality.frame_seconds, 9.967 / 299)

    @staticmethod
    def frames(tmp_path, frames, rate, form, dev_rate=None):
        lines = ["id,time,partition,arousal,f"]
        for partition, per_second in (("train", rate), ("dev", dev_rate or rate)):
            lines += [f"{partition},{form(frame / per_second)},{partition},0.5,1" for frame in range(frames)]
        return write(tmp_path / "t.csv", "\n".join(lines) + "\n")

    @pytest.mark.parametrize("form", [repr, "{:.3f}".format, "{:.2f}".format, lambda time: int(time * 1000) / 1000])
    def test_thirty_a_second_for_half_an_hour(self, tmp_path, form):
        # A step of 0.033333 s is 60,000 / 3e6 = 0.02 s late in the end: more than half a step of 1 / 30 s.
        modality = only(self.frames(tmp_path, 60_000, 30, form))[1]
        # The first and the last time are off by one digit of two decimals at most.
        assert abs(modality.frame_seconds - 1 / 30) <= 0.01 / 59_999
        assert modality.recordings[0].frames == 60_000

    def test_step_without_noise(self, tmp_path):
        for form in (repr, lambda time: float(np.float32(time))):
            assert only(self.frames(tmp_path, 2000, 25, form))[1].frame_seconds == 0.04

    @pytest.mark.parametrize(("rate", "form"), [(120, "{:.3f}".format), (30, "{:.2f}".format), (75, "{:.3f}".format)])
    def test_digits_that_are_coarse_for_the_step(self, tmp_path, rate, form):
        # 120 a second: steps of 8 and 9 ms for 8.33, which is 8 % off.
        path = self.frames(tmp_path, 100, rate, form)
        # Both ends of 99 steps are off by half a digit at most.
        np.testing.assert_allclose(only(path)[1].frame_seconds, 1 / rate, atol=0.01 / 99)
        lines = path.read_text().splitlines()
        del lines[50]  # the header is line 0, so it is frame 49
        write(path, "\n".join(lines) + "\n")
        recording = only(path)[1].recordings[0]
        assert recording.frames == 100
        assert list(np.flatnonzero(recording.missing)) == [49]

    def test_uneven_by_a_digit_is_no_rounding(self, tmp_path):
        path = self.frames(tmp_path, 100, 25, "{:.2f}".format)
        replace(path, "train,0.40,", "train,0.41,")
        fails(lambda: only(path), "t.csv:12", "0.41 s comes after 0.36 s", "every 40 ms")

    def test_a_row_that_is_missing_does_not_change_the_step(self, tmp_path):
        path = self.frames(tmp_path, 20, 25, "{:.2f}".format)
        replace(path, "train,0.40,train,0.5,1\n", "")
        modality = only(path)[1]
        assert (modality.frame_seconds, modality.recordings[0].frames) == (0.04, 20)
        assert list(np.flatnonzero(modality.recordings[0].missing)) == [10]

    def test_other_rate_in_one_recording(self, tmp_path):
        # 2 % faster: after 26 frames half a step ahead.
        fails(lambda: only(self.frames(tmp_path, 100, 25, repr, 25.5)), "t.csv:128", "the frame rate is another one")

    def test_class_of_frames(self, tmp_path):
        text = "id,time,partition,label,f\n" + "".join(
            f"{partition}{label},{frame},{partition},{label},1\n"
            for partition in ("train", "dev")
            for label in "ab"
            for frame in range(2)
        )
        path = write(tmp_path / "t.csv", text)
        recording = only(path)[1].recordings[1]
        assert (recording.frames, int(recording.labels["emotion"])) == (2, 1)
        replace(path, "trainb,1,train,b", "trainb,1,train,a")
        fails(lambda: only(path), "t.csv:5", "'label' is 'a', but 'b'", "'trainb'")

    @pytest.mark.parametrize(
        ("old", "new", "parts"),
        [
            (
                "u,0.2,train",
                "u,0.6,train",
                ("t.csv:3", "0.6 s comes after 0.1 s", "100 ms"),
            ),
            ("v,0.1,dev", "v,0.4,dev", ("t.csv:2", "0.4 s comes after 0 s", "100 ms")),
            ("v,0.1,dev", "v,0.13,dev", ("t.csv:2", "0.13 s comes after 0 s", "100 ms")),
            ("u,0.1,train", "u,0.0,train", ("t.csv:7", "'u' a second time at 0 s", "t.csv:5")),
            ("u,0.1,train", "u,,train", ("t.csv:7", "'time' is empty")),
            ("u,0.1,train", "u,soon,train", ("t.csv:7", "column 'time'", "'soon'")),
            ("u,0.1,train,ann", "u,0.1,dev,ann", ("t.csv:", "'partition'", "'u'")),
            ("u,0.1,train,ann", "u,0.1,train,eve", ("t.csv:7", "'speaker' is 'eve', but 'ann'")),
            ("ann,0.1,1", "ann,inf,1", ("t.csv:7", "'arousal' is infinite")),
            ("ann,0.1,1", "ann,low,1", ("t.csv:7", "column 'arousal'", "'low'")),
            ("ann,0.1,1", "ann,0.1,inf", ("t.csv:7", "column 'f'", "infinite")),
        ],
    )
    def test_bad(self, tmp_path, old, new, parts):
        path = replace(write(tmp_path / "t.csv", FRAMES), old, new)
        fails(lambda: only(path), *parts)

    def test_time_for_utterances(self, tmp_path):
        path = write(tmp_path / "t.csv", "id,time,partition,arousal,f\nu,0,train,0,1\nv,0,dev,0,1\n")
        fails(lambda: only(path), "t.csv", "'time'", "every id has one row")
