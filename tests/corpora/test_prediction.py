"""Features to predict from: files without labels, in another order, of another kind."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from emobed_tf.corpora import load_features
from emobed_tf.corpora.prediction import as_manifest_says
from emobed_tf.errors import EmoBedWarning, MissingInputError
from emobed_tf.settings import Reading
from tests.corpora.corpus_writers import arff_text, close, fails, table_text, write


def frames(paths, modality="audio", feature_names=("a", "b"), **more):
    return load_features(paths, modality=modality, feature_names=feature_names, frame_seconds=0.04, **more)


def utterances(paths, feature_names=("a", "b"), **more):
    return load_features(paths, modality="face", feature_names=feature_names, frame_seconds=None, **more)


class TestArff:
    def test_files_are_recordings(self, tmp_path):
        first = write(tmp_path / "interview.arff", arff_text([[1, 2], ["?", 4]], names=["a", "b"]))
        second = write(tmp_path / "monologue.ARFF", arff_text([[5, 6]], names=["a", "b"]))
        found = frames([first, str(second)])
        assert [recording.id for recording in found] == ["interview", "monologue"]
        assert (found[0].partition, found[0].labels, found[0].start) == ("", {}, 0.0)
        np.testing.assert_array_equal(found[0].features, np.float32([[1, 2], [np.nan, 4]]))
        assert frames(first)[0].id == "interview"

    def test_other_order(self, tmp_path):
        path = write(tmp_path / "x.arff", arff_text([[1, 2], [3, 4]], names=["b", "a"]))
        np.testing.assert_array_equal(frames(path)[0].features, [[2, 1], [4, 3]])

    def test_missing_faces(self, tmp_path):
        path = write(tmp_path / "x.arff", arff_text([[0, 0], [3, 0]], names=["a", "b"]))
        np.testing.assert_array_equal(frames(path, "video_geometric")[0].missing, [True, False])
        np.testing.assert_array_equal(frames(path, "audio")[0].missing, [False, False])

    def test_bad(self, tmp_path):
        path = write(tmp_path / "x.arff", arff_text([[1, 2, 3]] * 2, names=["a", "c", "d"]))
        fails(lambda: frames(path), "x.arff", "2 features, got 3", "1 missing: b", "2 unexpected: c, d")
        names = [f"n{index}" for index in range(600)]
        message = fails(lambda: frames(path, feature_names=names), "600 missing: n0, n1", "more")
        assert len(message) < 400
        write(path, arff_text([[1, 2]] * 2, names=["a", "b"]).replace("0.04,1", "0.05,1"))
        fails(lambda: frames(path), "x.arff:11", "every 40 ms")
        fails(lambda: utterances(path), "x.arff", "one row per utterance")
        fails(lambda: frames(tmp_path / "none.arff"), "no such file", error=MissingInputError)
        fails(lambda: frames(write(tmp_path / "x.wav", "x")), "x.wav", ".arff, .csv or .parquet")
        write(path, arff_text([[1, 2]] * 2, names=["a", "b"]))
        again = write(tmp_path / "more" / "x.arff", path.read_bytes())
        fails(lambda: frames([path, again]), "more/x.arff", "'x' a second time")


class TestTables:
    def test_unlabelled_utterances(self, tmp_path):
        path = write(tmp_path / "new.csv", "id,b,a\nu,2,1\nv,,3\n")
        u, v = utterances(path)
        assert (u.id, u.partition, u.labels) == ("u", "", {})
        close(u.features, [[1, 2]])
        np.testing.assert_array_equal(v.features, np.float32([[3, np.nan]]))
        pd.read_csv(path).to_parquet(tmp_path / "new.parquet")
        close(utterances(tmp_path / "new.parquet")[0].features, [[1, 2]])

    def test_frames(self, tmp_path):
        path = write(tmp_path / "new.csv", "id,time,a,b\nu,1.04,3,4\nu,1.0,1,2\nv,0,5,6\n")
        u, v = frames(path)
        close(u.features, [[1, 2], [3, 4]])
        assert (u.start, v.frames) == (1.0, 1)
        single = write(tmp_path / "one.csv", "id,time,a,b\nw,0,5,6\n")
        assert frames(single)[0].frames == 1

    def test_speakers_where_they_are_asked_for(self, tmp_path):
        path = write(tmp_path / "new.csv", "id,speaker,a,b\nu,01,1,2\nv,1,3,4\nw,2,5,6\n")
        assert [r.speaker for r in utterances(path)] == ["u", "v", "w"]
        assert [r.speaker for r in utterances(path, speakers=True)] == ["1", "1", "2"]

    @pytest.mark.parametrize(
        ("text", "which", "speakers"),
        [
            ("id,a,b\nu,1,2\nv,3,4\n", "all recordings", ["u", "v"]),
            ("id,speaker,a,b\nu,anna,1,2\nv,,3,4\nw,unknown,3,4\n", "2 of 3 recordings", ["anna", "v", "w"]),
        ],
    )
    def test_a_recording_of_nobody_is_its_own_speaker(self, tmp_path, text, which, speakers):
        path = write(tmp_path / "new.csv", text)
        with pytest.warns(EmoBedWarning, match=f"new.csv: no speaker of {which}; each of them is standardised by its"):
            assert [r.speaker for r in utterances(path, speakers=True)] == speakers

    def test_a_speaker_who_changes_within_a_recording(self, tmp_path):
        path = write(tmp_path / "new.csv", "id,time,speaker,a,b\nu,0,anna,1,2\nu,0.04,bert,1,2\n")
        assert len(frames(path)) == 1
        fails(lambda: frames(path, speakers=True), "new.csv:3", "'speaker' is 'bert', but 'anna'")

    def test_training_table_and_omg_keys(self, tmp_path):
        assert len(utterances(write(tmp_path / "train.csv", table_text()))) == 6
        path = write(tmp_path / "omg.csv", "video,utterance,a,b\nabc_1,utterance_2.mp4,1,2\n")
        assert utterances(path)[0].id == "abc_1/utterance_2"

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("id,a\nu,1\n", ("new.csv", "2 features, got 1", "1 missing: b")),
            ("a,b\n1,2\n", ("new.csv", "no column 'id'")),
            ("id,time,a,b\nu,0,1,2\n", ("new.csv", "a column 'time'", "one row per utterance")),
            ("id,a,b\nu,1,2\nu,3,4\n", ("new.csv:3", "'u' a second time", "new.csv:2")),
            ("id,a,b\nu,1,2\nv,1,x\n", ("new.csv:3", "column 'b'", "'x'")),
            ("video,utterance,a,b\nx,,1,2\n", ("new.csv:2", "empty")),
        ],
    )
    def test_bad_utterances(self, tmp_path, text, parts):
        path = write(tmp_path / "new.csv", text)
        fails(lambda: utterances(path), *parts)

    @pytest.mark.parametrize(
        ("text", "parts"),
        [
            ("id,a,b\nu,1,2\n", ("new.csv", "no column 'time'", "0.04 s")),
            ("id,time,a,b\nu,0,1,2\nu,0.1,1,2\n", ("new.csv", "every 0.1 s", "0.04 s")),
            ("id,time,a,b\nu,0,1,2\nu,0.04,1,2\nu,0.04,1,2\n", ("new.csv:4", "'u' a second time", "new.csv:3")),
        ],
    )
    def test_bad_frames(self, tmp_path, text, parts):
        path = write(tmp_path / "new.csv", text)
        fails(lambda: frames(path), *parts)


class TestAsManifestSays:
    MANIFEST: ClassVar = {"model": {"target": "audio"}, "features": ["a", "b"], "frame_seconds": 0.04}

    def test_of_an_earlier_version(self):
        found = as_manifest_says(self.MANIFEST)
        assert (found["modality"], found["feature_names"], found["frame_seconds"]) == ("audio", ["a", "b"], 0.04)
        assert (found["label"], found["reading"], found["left_out"], found["zeros_missing"]) == (
            "",
            Reading(),
            (),
            None,
        )

    def test_settings(self):
        settings = {"column": ["subject=speaker"], "resample": 0.1}
        found = as_manifest_says({**self.MANIFEST, "reading": {"settings": settings, "left_out": ["x"]}})
        assert found["reading"] == Reading(column=("subject=speaker",), resample=0.1)
        assert found["left_out"] == ["x"]

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"model": None}, "model: expected dict, found None"),
            ({"model": {}}, "target: expected str, found nothing"),
            ({"features": "a"}, "features: expected list or tuple, found 'a'"),
            ({"features": ["a", 1]}, "features: expected names"),
            ({"frame_seconds": True}, "frame_seconds: expected float or int or null, found True"),
            ({"frame_seconds": -1}, "frame_seconds: expected a time above 0 s, found -1"),
            ({"dimension": 1}, "dimension: expected str"),
            ({"reading": []}, "reading: expected dict"),
            ({"reading": {"left_out": 1}}, "left_out: expected list or tuple"),
            ({"reading": {"zeros_missing": "x"}}, "zeros_missing: expected bool or null"),
            ({"reading": {"settings": {"epochs": 3}}}, "reading: unknown setting 'epochs'"),
            ({"reading": {"settings": {"column": 3}}}, "reading: column: expected"),
            ({"reading": {"settings": {"resample": -1}}}, "reading: --resample: expected more than 0"),
        ],
    )
    def test_damaged(self, changes, words):
        fails(lambda: as_manifest_says({**self.MANIFEST, **changes}), "the model's manifest", words)
