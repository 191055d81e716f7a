"""Tables of recordings without features as modalities whose features are samples."""

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.corpora import load, load_features
from emobed_tf.corpora.configured import fingerprints, load_corpus
from emobed_tf.corpora.waveforms import check_no_waveform, samples_of
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.settings import Reading
from tests.corpora.sounds import write_clips, write_table, write_wav


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EMOBED_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def counted(tmp_path):
    """A file whose samples are 0, 1, 2, ... for one second."""
    write_wav(tmp_path / "counted.wav", np.arange(16_000, dtype=np.int16))
    return tmp_path


def rows_of(*segments, label="calm", **more):
    """Rows of a table, a pair of each for train and dev."""
    parts = [("train", "a", "calm"), ("train", "b", "joy"), ("dev", "c", "calm"), ("dev", "d", "joy")]
    return [
        {"file": "counted.wav", "start": start, "end": end, "partition": p, "speaker": s, "label": c, **more}
        for (start, end), (p, s, c) in zip(segments, parts, strict=True)
    ]


class TestClips:
    def test_frames_of_640_samples_with_one_label(self, tmp_path):
        modality = load("recordings", tables={"audio": write_clips(tmp_path)}).modality("audio")
        assert (modality.sample_rate, modality.frame_seconds) == (16_000, 0.04)
        assert len(modality.feature_names) == 640
        recording = modality.recordings[0]
        assert recording.features.dtype == np.int16
        assert recording.frames == len(recording.features)
        assert recording.labels["emotion"].shape == ()
        assert not recording.missing.any()

    def test_segments_are_cut_and_times_may_be_audformat_s(self, counted):
        segments = [("0.1", "0.2"), ("0 days 00:00:00.2", "0 days 00:00:00.3"), ("0", ""), ("0.9", "1.5")]
        table = write_table(counted / "t.csv", rows_of(*segments))
        recordings = load("recordings", tables={"audio": table}).modality("audio").recordings
        firsts = [int(np.asarray(recording.features)[0, 0]) for recording in recordings]
        assert firsts == [1600, 3200, 0, 14400]
        assert [recording.frames for recording in recordings] == [2, 2, 25, 2]  # of 0.04 s, the rest is left out

    def test_segments_that_follow_each_other_are_no_frames(self, counted):
        segments = [(0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8)]
        rows = [{**row, "partition": "train", "speaker": "a", "label": "calm"} for row in rows_of(*segments)]
        table = write_table(counted / "t.csv", rows)
        others = write_table(counted / "u.csv", rows_of(*segments))
        assert len(load("recordings", tables={"audio": others}).modality("audio").recordings) == 4
        with pytest.raises(InputError, match="nothing in the partition 'dev'"):
            load("recordings", tables={"audio": table})

    def test_a_table_with_ids_is_one_of_recordings_too(self, counted):
        rows = [{"id": f"r{k}", **row} for k, row in enumerate(rows_of((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8)))]
        recordings = load("recordings", tables={"audio": write_table(counted / "t.csv", rows)}).modality("audio")
        assert [recording.id for recording in recordings.recordings] == ["r0", "r1", "r2", "r3"]
        assert int(np.asarray(recordings.recordings[3].features)[0, 0]) == 9600

    def test_a_number_for_a_clip_is_that_of_all_its_frames(self, counted):
        rows = [{**row, "arousal": k} for k, row in enumerate(rows_of((0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8)))]
        for row in rows:
            del row["label"]
        corpus = load("recordings", tables={"audio": write_table(counted / "t.csv", rows)})
        assert corpus.task == "regression"
        np.testing.assert_array_equal(corpus.modality("audio").recordings[2].labels["arousal"], [2] * 5)

    def test_what_cannot_be_read_is_named_and_left_out(self, tmp_path):
        table = write_clips(tmp_path)
        (tmp_path / "train_0.wav").write_bytes(b"")
        with pytest.warns(EmoBedWarning, match=r"train_0\.wav: the file is empty.*; left out"):
            modality = load("recordings", tables={"audio": table}).modality("audio")
        assert len(modality.recordings) == 11
        assert "left out, because they can't be read: 1" in modality.notes
        with pytest.raises(InputError, match=r"train_0\.wav: the file is empty"):
            load("recordings", tables={"audio": table}, reading=Reading(strict=True))

    def test_nothing_that_can_be_read_is_an_error(self, tmp_path):
        table = write_clips(tmp_path)
        for path in tmp_path.glob("*.wav"):
            path.unlink()
        with (
            pytest.warns(EmoBedWarning, match="left out"),
            pytest.raises(InputError, match="none of its 12 recordings can be read; the first: .*no such file"),
        ):
            load("recordings", tables={"audio": table})


class TestLabelsOverTime:
    def table(self, folder, step, count=8):
        rows = [
            {"file": f"{name}.wav", "time": f"{k * step:.4f}", "partition": part, "speaker": name, "arousal": k}
            for name, part in (("x", "train"), ("y", "dev"))
            for k in range(count)
        ]
        for name in "xy":
            write_wav(folder / f"{name}.wav", np.arange(16_000, dtype=np.int16))
        return write_table(folder / "labels.csv", rows)

    @pytest.mark.parametrize(("step", "samples"), [(0.04, 640), (0.1, 1600), (0.01, 160)])
    def test_a_frame_is_as_long_as_a_label(self, tmp_path, step, samples):
        modality = load("recordings", tables={"audio": self.table(tmp_path, step)}).modality("audio")
        assert modality.frame_seconds == pytest.approx(step)
        recording = modality.recordings[0]
        assert recording.features.shape == (8, samples)
        assert int(np.asarray(recording.features)[3, 0]) == 3 * samples
        np.testing.assert_array_equal(recording.labels["arousal"], range(8))

    def test_labels_without_sound_are_left_out_and_told(self, tmp_path):
        modality = load("recordings", tables={"audio": self.table(tmp_path, 0.04, count=50)}).modality("audio")
        assert modality.recordings[0].frames == 25
        assert len(modality.recordings[0].labels["arousal"]) == 25
        assert "x: labels of 2 s, sound of 1 s" in modality.notes

    def test_a_frame_is_a_whole_number_of_samples(self):
        assert samples_of(0.04, "t.csv") == 640
        with pytest.raises(InputError, match=r"t\.csv: a label every 0.0333 s is every 532.8 samples .* --resample"):
            samples_of(0.0333, "t.csv")


class TestLabelFiles:
    def table(self, folder, rows, step=0.1, count=10):
        for name in "xy":
            write_wav(folder / f"{name}.wav", np.arange(16_000, dtype=np.int16))
            write_table(folder / f"{name}.csv", [{"time": f"{k * step:.2f}", "arousal": k} for k in range(count)])
        return write_table(folder / "clips.csv", rows)

    def row(self, name, partition, **more):
        return {"file": f"{name}.wav", "partition": partition, "speaker": name, "label_file": f"{name}.csv", **more}

    def test_each_frame_has_the_label_of_its_time(self, tmp_path):
        table = self.table(tmp_path, [self.row("x", "train"), self.row("y", "dev")])
        corpus = load("recordings", tables={"audio": table})
        modality = corpus.modality("audio")
        assert (corpus.task, corpus.label) == ("regression", "arousal")
        assert modality.frame_seconds == pytest.approx(0.1)
        assert [recording.id for recording in modality.recordings] == ["x", "y"]
        for recording in modality.recordings:
            assert recording.features.shape == (10, 1600)
            np.testing.assert_array_equal(recording.labels["arousal"], range(10))

    def test_a_segment_has_the_labels_within(self, tmp_path):
        """Times count from the beginning of the file, as they do where features are extracted."""
        parts = [("0.2", "0.5"), ("0.5", "0.9")]
        rows = [self.row("x", "train", start=start, end=end) for start, end in parts]
        rows += [self.row("y", "dev", start=start, end=end) for start, end in parts]
        modality = load("recordings", tables={"audio": self.table(tmp_path, rows)}).modality("audio")
        labels = [recording.labels["arousal"].tolist() for recording in modality.recordings]
        assert labels == [[2, 3, 4], [5, 6, 7, 8]] * 2
        firsts = [int(np.asarray(recording.features)[0, 0]) for recording in modality.recordings]
        assert firsts == [3200, 8000] * 2

    def test_files_of_labels_count_among_what_was_read(self, tmp_path):
        table = self.table(tmp_path, [self.row("x", "train"), self.row("y", "dev")])
        config = preset("recordings").replace(table=(f"audio={table}",), framework="classic", front_end="logmel")
        found = fingerprints(*load_corpus(config))
        assert {f"--table audio: {name}" for name in ("x.csv", "y.csv", "x.wav", "y.wav")} <= found.keys()

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"label_file": ""}, r"clips\.csv:2: column 'label_file' is empty"),
            ({"label_file": "z.csv"}, r"z\.csv"),
            ({"start": 3, "end": 4}, r"clips\.csv:2: no label in .*x\.csv from 3 s to 4 s"),
            ({"f0": 1}, "column 'label_file' names labels of recordings, and the table has features"),
        ],
        ids=["empty", "missing", "outside", "features"],
    )
    def test_what_is_wrong_is_told(self, tmp_path, more, message):
        table = self.table(tmp_path, [self.row("x", "train", **more)])
        with pytest.raises(InputError, match=message):
            load("recordings", tables={"audio": table})


class TestSettings:
    def config(self, table, **changes):
        return preset("recordings").replace(table=(f"audio={table}",), framework="classic", **changes)

    def test_a_waveform_needs_a_front_end(self, tmp_path):
        with pytest.raises(InputError, match="--front-end none: audio is a waveform.*choose logmel or conv"):
            load_corpus(self.config(write_clips(tmp_path)))

    def test_a_front_end_needs_a_waveform(self, tmp_path):
        rows = [{"id": k, "partition": p, "label": "ab"[k % 2], "f0": k} for k, p in enumerate(["train", "dev"] * 2)]
        for row, label in zip(rows, "aabb", strict=True):
            row["label"] = label
        table = write_table(tmp_path / "features.csv", rows)
        with pytest.raises(InputError, match="--front-end conv: no modality is a waveform"):
            load_corpus(self.config(table, front_end="conv"))
        with pytest.raises(InputError, match="--strict: no modality is read from recordings"):
            load_corpus(self.config(table, strict=True))

    def test_what_has_no_use_for_samples_is_refused(self, tmp_path):
        table = write_clips(tmp_path)
        with pytest.raises(InputError, match="--standardise speaker needs features, but audio is a waveform"):
            load_corpus(self.config(table, front_end="conv", standardise="speaker"))
        modality = load("recordings", tables={"audio": table}).modality("audio")
        with pytest.raises(InputError, match="a forest needs features, but audio is a waveform.*emobed_tf.extract"):
            check_no_waveform([modality], "a forest")

    def test_recordings_count_among_what_was_read(self, tmp_path):
        config, corpus = load_corpus(self.config(write_clips(tmp_path), front_end="conv"))
        found = fingerprints(config, corpus)
        assert len(found) == 13
        assert {"--table audio", "--table audio: train_0.wav"} <= found.keys()


class TestPrediction:
    def expected(self, **changes):
        names = tuple(f"sample_{k}" for k in range(1, 641))
        return {"modality": "audio", "feature_names": names, "frame_seconds": 0.04, "waveform": True, **changes}

    def test_files_of_sound_and_tables_that_name_them(self, tmp_path):
        table = write_clips(tmp_path)
        [recording] = load_features(tmp_path / "dev_1.wav", **self.expected())
        assert (recording.id, recording.partition, recording.features.shape[1]) == ("dev_1", "", 640)
        named = load_features(table, **self.expected())
        assert len(named) == 12
        same = next(other for other in named if other.id == "dev_1")
        np.testing.assert_array_equal(same.features, recording.features)

    def test_features_are_no_recordings(self, tmp_path):
        table = write_table(tmp_path / "features.csv", [{"id": "a", "time": k, "f0": 1} for k in range(3)])
        with pytest.raises(InputError, match="the model hears waveforms"):
            load_features(table, **self.expected())
