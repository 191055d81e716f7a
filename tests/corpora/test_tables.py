from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emobed_tf.corpora import load
from emobed_tf.errors import EmoBedWarning, InputError, MissingInputError
from tests.corpora.corpus_writers import close, fails, replace, table_text, write

RAVDESS = Path(__file__).parents[2].parent / "shared" / "data" / "ravdess"


def only(path, **kwargs):
    """The corpus of one table, and its one modality."""
    corpus = load("tables", tables=[("m", path)], **kwargs)
    return corpus, corpus.modality("m")


@pytest.fixture
def table(tmp_path):
    return write(tmp_path / "face.csv", table_text())


class TestUtterances:
    def test_what_is_read(self, table):
        corpus, modality = only(table)
        assert (corpus.name, corpus.task, corpus.label) == ("tables", "classification", "emotion")
        assert corpus.classes == ("anger", "joy")
        assert (modality.feature_names, modality.frame_seconds, modality.corpus) == (("a", "b"), None, "tables")
        joy = modality.recordings[3]
        assert (joy.id, joy.partition, joy.speaker) == ("x_dev_1", "dev", "x_dev")
        close(joy.features, [[1.0, 1.1]])
        assert (joy.labels["emotion"].dtype, int(joy.labels["emotion"])) == (np.int32, 1)

    def test_folder(self, tmp_path, table):
        pd.read_csv(table).to_parquet(tmp_path / "voice.parquet")
        write(tmp_path / "README.md", "notes")
        calls = []
        corpus = load("tables", tmp_path, progress=lambda *call: calls.append(call))
        assert list(corpus.modalities) == ["face", "voice"]
        assert calls == [(1, 2, "face"), (2, 2, "voice")]
        close(corpus.modality("voice").recordings[3].features, [[1.0, 1.1]])
        assert load("tables", tmp_path, modalities=["voice"]).fingerprints.keys() == {str(tmp_path / "voice.parquet")}
        assert not corpus.simulated
        write(tmp_path / "simulated.json", "{}")
        assert load("tables", tmp_path).simulated
        assert load("tables", tables=[f"f={table}"]).simulated

    def test_folder_and_tables_are_added_up(self, tmp_path, table):
        other = write(tmp_path / "elsewhere" / "o.csv", table_text("other"))
        assert list(load("tables", tmp_path, tables=[f"o={other}"]).modalities) == ["face", "o"]
        fails(lambda: load("tables", tmp_path, tables=[f"face={other}"]), "'face' already")

    def test_without_partitions_it_is_a_whole_and_labels_may_lack(self, table):
        pd.read_csv(table).drop(columns="partition").to_csv(table, index=False)
        replace(table, "joy,1.0,1.1", ",1.0,1.1")
        recordings = only(table, partitioned=False)[1].recordings
        assert {recording.partition for recording in recordings} == {"train"}
        assert [len(recording.labels) for recording in recordings][:3] == [1, 0, 1]

    def test_missing_values(self, table):
        replace(table, "joy,1.0,1.1", "joy,?,")
        features = only(table)[1].recordings[1].features
        assert np.isnan(features).all()

    def test_speaker_is_the_id_by_default(self, tmp_path):
        text = "id,partition,label,a\n" + "".join(
            f"{partition}{label},{partition},{label},1\n" for partition in ("train", "dev") for label in "uv"
        )
        assert only(write(tmp_path / "t.csv", text))[1].recordings[0].speaker == "trainu"

    def test_quotes_commas_in_names_and_column_order(self, tmp_path):
        text = 'a,label,"b, c",partition,id\n' + "".join(
            f'1,"{label}",2,{partition},"{partition}, {label}"\r\n'
            for partition in ("train", "dev")
            for label in ("u", 'v ""w""')
        )
        corpus, modality = only(write(tmp_path / "t.csv", text))
        assert modality.feature_names == ("a", "b, c")
        assert corpus.classes == ("u", 'v "w"')
        assert modality.recordings[0].id == "train, u"

    def test_unpaired_modalities_of_different_lengths(self, tmp_path, table):
        other = write(tmp_path / "o.csv", table_text("y", classes=("joy", "anger", "joy"), features=("g",)))
        corpus = load("tables", tables=[("face", table), ("voice", other)])
        assert [len(modality.recordings) for modality in corpus] == [6, 9]
        # One label set for both, whatever order the classes come in.
        assert corpus.modality("voice").recordings[0].labels["emotion"] == 1

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.tuples(
                st.text("abcäß 'é-", min_size=1, max_size=6).map(str.strip).filter(bool),
                st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6, width=32)), min_size=3, max_size=3),
            ),
            min_size=4,
            max_size=12,
            unique_by=lambda row: row[0],
        )
    )
    def test_round_trip(self, tmp_path, rows):
        lines, expected = ["id,partition,label,x,y,z"], []
        for index, (name, values) in enumerate(rows):
            partition = ("train", "dev")[index // 2 % 2]
            cells = ",".join("" if value is None else f"{value:.9g}" for value in values)
            lines.append(f"{name},{partition},{'uv'[index % 2]},{cells}")
            expected.append([np.nan if value is None else value for value in values])
        modality = only(write(tmp_path / "t.csv", "\n".join(lines) + "\n"))[1]
        assert [recording.id for recording in modality.recordings] == [name for name, _ in rows]
        found = np.concatenate([recording.features for recording in modality.recordings])
        np.testing.assert_array_equal(found, np.float32(expected))


FRAMES = """id,time,partition,speaker,arousal,f
v,0.1,dev,eve,0.5,5
u,0.2,train,ann,0.2,2

u,0.0,train,ann,0.0,0
v,0.0,dev,eve,0.4,4
u,0.1,train,ann,0.1,1
"""


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
        lost = lines.pop(50)
        write(path, "\n".join(lines) + "\n")
        fails(lambda: only(path), "t.csv:51", f"time {float(lines[50].split(',')[1]):g} s comes after", "missing")
        assert lost not in lines

    def test_uneven_by_a_digit_is_no_rounding(self, tmp_path):
        path = self.frames(tmp_path, 100, 25, "{:.2f}".format)
        replace(path, "train,0.40,", "train,0.41,")
        fails(lambda: only(path), "t.csv:12", "0.41 s comes after 0.36 s", "every 40 ms")

    def test_a_row_that_is_missing_does_not_change_the_step(self, tmp_path):
        path = self.frames(tmp_path, 20, 25, "{:.2f}".format)
        replace(path, "train,0.40,train,0.5,1\n", "")
        fails(lambda: only(path), "t.csv:12", "0.44 s comes after 0.36 s", "every 40 ms")

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
            ("u,0.2,train", "u,0.3,train", ("t.csv:3", "0.3 s comes after 0.1 s", "100 ms")),
            ("v,0.1,dev", "v,0.2,dev", ("t.csv:2", "0.2 s comes after 0 s", "100 ms")),
            ("u,0.1,train", "u,0.0,train", ("t.csv:7", "'u' a second time at 0 s", "t.csv:5")),
            ("u,0.1,train", "u,,train", ("t.csv:7", "'time' is empty")),
            ("u,0.1,train", "u,soon,train", ("t.csv:7", "column 'time'", "'soon'")),
            ("u,0.1,train,ann", "u,0.1,dev,ann", ("t.csv:", "'partition'", "'u'")),
            ("u,0.1,train,ann", "u,0.1,train,eve", ("t.csv:7", "'speaker' is 'eve', but 'ann'")),
            ("ann,0.1,1", "ann,,1", ("t.csv:7", "'arousal' is empty")),
            ("ann,0.1,1", "ann,NaN,1", ("t.csv:7", "'arousal' is empty or marked as missing")),
            ("ann,0.1,1", "ann,?,1", ("t.csv:7", "'arousal' is empty or marked as missing")),
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


class TestLabels:
    @staticmethod
    def table(tmp_path, columns, *values, name="t"):
        lines = [f"id,partition,{columns},f"]
        lines += [f"{name}{index},{('train', 'dev')[index % 2]},{value},1" for index, value in enumerate(values)]
        return write(tmp_path / f"{name}.csv", "\n".join(lines) + "\n")

    def test_numbers_that_are_not_whole(self, tmp_path):
        corpus, modality = only(self.table(tmp_path, "label", "0.5", "2", "-1e1", "3"))
        assert (corpus.task, corpus.label) == ("regression", "label")
        close(modality.recordings[2].labels["label"], [-10])
        assert modality.recordings[2].labels["label"].dtype == np.float32

    def test_whole_numbers_need_the_task(self, tmp_path):
        path = self.table(tmp_path, "label", "10", "10", "9", "9.0")
        fails(lambda: only(path), "t.csv", "--task classification or --task regression")
        corpus, modality = only(path, task="classification")
        assert corpus.classes == ("9", "10")  # by number, not by letter
        assert [int(recording.labels["emotion"]) for recording in modality.recordings] == [1, 1, 0, 0]
        corpus, modality = only(path, task="regression")
        close(modality.recordings[3].labels["label"], [9])

    def test_dimensions(self, tmp_path):
        path = self.table(tmp_path, "arousal,valence", "0.1,0.2", "0.3,0.4")
        assert only(path)[0].label == "arousal"
        corpus, modality = only(path, dimension="valence")
        assert corpus.label == "valence"
        assert modality.feature_names == ("f",)  # the other dimension would give the label away
        close(modality.recordings[0].labels["valence"], [0.2])
        close(modality.recordings[0].labels["arousal"], [0.1])  # for systems that learn both

    def test_the_other_dimension_may_have_gaps(self, tmp_path):
        _, modality = only(self.table(tmp_path, "arousal,valence", "0.1,0.2", "0.3,"))
        assert [set(recording.labels) for recording in modality.recordings] == [{"arousal", "valence"}, {"arousal"}]

    def test_names_beside_dimensions(self, tmp_path):
        path = self.table(tmp_path, "label,valence", "u,0.2", "u,0.4", "v,0", "v,0")
        assert only(path)[0].task == "classification"
        corpus, modality = only(path, task="regression", dimension="valence")
        assert (corpus.task, corpus.label, modality.feature_names) == ("regression", "valence", ("f",))
        fails(lambda: only(path, task="regression"), "no column 'arousal'", "--dimension valence")

    def test_number_label_where_the_dimension_is_another(self, tmp_path):
        corpus, modality = only(self.table(tmp_path, "label,valence", "0.5,0.2", "1,0.4"), task="regression")
        assert corpus.label == "label"
        close(modality.recordings[0].labels["label"], [0.5])

    def test_withheld_in_test_only(self, tmp_path, table):
        for index, label in enumerate(("anger", "joy")):
            replace(table, f"x_test_{index},test,x_test,{label}", f"x_test_{index},test,x_test,")
        modality = only(table)[1]
        assert [recording.labels for recording in modality.partition("test")] == [{}, {}]
        replace(table, "x_dev,joy", "x_dev,")
        fails(lambda: only(table), "face.csv:5", "'label' is empty", "test")
        rows = FRAMES + "w,0.0,test,pat,,1\nw,0.1,test,pat,,1\n"
        path = write(tmp_path / "t.csv", rows)
        assert only(path)[1].partition("test")[0].labels == {}
        replace(path, "w,0.1,test,pat,", "w,0.1,test,pat,0.5")
        fails(lambda: only(path), "t.csv:8", "'arousal' is empty")

    @pytest.mark.parametrize("missing", ["", "NaN", "nan", "NAN", "-nan", "NA", "?", "null"])
    def test_marks_of_missing_labels_are_no_labels(self, tmp_path, missing):
        path = self.table(tmp_path, "label", "0", "0", "1", "1")
        write(path, path.read_text() + f"w,test,{missing},1\n")
        fails(lambda: only(path), "--task classification or --task regression")
        corpus, modality = only(path, task="classification")
        assert corpus.classes == ("0", "1")
        assert modality.partition("test")[0].labels == {}
        assert only(path, task="regression")[1].partition("test")[0].labels == {}
        names = self.table(tmp_path, "label", "u", "u", "v", "v", name="n")
        write(names, names.read_text() + f"w,test,{missing},1\n")
        assert only(names)[0].classes == ("u", "v")
        replace(names, "dev,u", f"dev,{missing}")
        fails(lambda: only(names), "n.csv:3", "column 'label' is empty or marked as missing")

    def test_missing_labels_of_parquet(self, tmp_path):
        frame = pd.read_csv(self.table(tmp_path, "label", "0", "0", "1", "1"))
        frame = pd.concat([frame, frame[:1].assign(id="w", partition="test", label=np.nan)])
        frame.to_parquet(tmp_path / "t.parquet")
        fails(lambda: only(tmp_path / "t.parquet"), "--task classification or --task regression")
        assert only(tmp_path / "t.parquet", task="classification")[0].classes == ("0", "1")

    @pytest.mark.parametrize("missing", ["", "NaN", "?"])
    def test_frames_without_a_number(self, tmp_path, missing):
        path = write(tmp_path / "t.csv", FRAMES.replace("arousal", "label"))
        assert only(path)[1].recordings[0].frames == 2
        replace(path, "ann,0.1,1", f"ann,{missing},1")
        fails(lambda: only(path), "t.csv:7", "column 'label' is empty or marked as missing")

    def test_class_missing(self, tmp_path, table):
        other = write(tmp_path / "o.csv", table_text("y", classes=("joy",)))
        message = fails(
            lambda: load("tables", tables=[("face", table), ("voice", other)]), "'voice'", "no training data"
        )
        assert "anger" in message
        write(other, table_text("y", partitions=("train",)) + "y_dev,dev,y_dev,joy,1,2\n")
        with pytest.warns(EmoBedWarning, match="'voice': nothing in the partition 'dev' of the class anger"):
            load("tables", tables=[("face", table), ("voice", other)])

    def test_no_label(self, tmp_path):
        path = write(tmp_path / "t.csv", "id,partition,f\nu,train,1\nv,dev,1\n")
        fails(lambda: only(path), "t.csv: no label", "'label', 'arousal' or 'valence'")
        fails(lambda: only(path, task="regression"), "no column 'label'", "none")
        fails(lambda: only(path, task="classification"), "no column 'label'")
        names = self.table(tmp_path, "label", "u", "u", name="n")
        fails(lambda: only(names, task="regression"), "n.csv:2", "expected a number", "'u'")


def rewrite(text):
    return lambda path: write(path, text)


def change(old, new):
    return lambda path: replace(path, old, new)


BAD = {
    "empty": (rewrite(""), ("empty",)),
    "only blank lines and a mark": (rewrite("\ufeff\n\r\n"), ("empty",)),
    "no header": (rewrite('""\n'), ("no header",)),
    "header and blank lines": (rewrite("id,partition,label,a\n\r\n\r"), (":1", "no rows")),
    "only a header": (rewrite("id,partition,label,a\n"), (":1", "no rows")),
    "binary": (rewrite(b"id\0\xff"), ("binary",)),
    "utf-16": (lambda path: write(path, path.read_text().encode("utf-16")), ("UTF-16",)),
    "latin-1 header": (lambda path: write(path, "id,é\n".encode("latin-1")), (":1", "UTF-8", "0xe9")),
    "latin-1 cell": (lambda path: write(path, path.read_bytes().replace(b"joy", b"joi\xe9")), (":3", "UTF-8")),
    "folder": (lambda path: (path.unlink(), path.mkdir()), ("expected a file, got a folder",)),
    "none": (Path.unlink, ("no such file",)),
    "no features": (rewrite("id,partition,label\nu,train,x\n"), ("no feature columns", "id, partition, label")),
    "no partition": (change("partition", "part"), (":1", "no column 'partition'", "crossvalidate")),
    "no id": (change("id,", "name,"), (":1", "no column 'id'")),
    "semicolons": (lambda path: write(path, path.read_text().replace(",", ";")), (":1", "semicolons")),
    "column twice": (change(",a,b", ",a,a"), (":1", "column 'a' a second time")),
    "column without name": (change("id,", ",id,"), (":1", "column 1 has no name", "index=False")),
    "pandas' index": (change("id,", "Unnamed: 0,id,"), (":1", "column 1", "index=False")),
    "capital": (change("label", "Label"), (":1", "'Label'", "'label'")),
    "ragged": (change("joy,1.0,1.1", "joy,1.0"), (":3", "5 cells", "6")),
    "cut short": (lambda path: write(path, path.read_bytes().rstrip()[:-5]), (":7", "5 cells")),
    "text among numbers": (change("joy,1.0,1.1", "joy,1.0,x y"), (":3", "column 'b'", "'x y'")),
    "decimal comma": (change("joy,1.0,1.1", 'joy,1.0,"1,1"'), (":3", "column 'b'", "'1,1'")),
    "infinite": (change("joy,1.0,1.1", "joy,1.0,-inf"), (":3", "column 'b'", "infinite")),
    "too large": (change("joy,1.0,1.1", "joy,1e40,1.1"), (":3", "column 'a'", "float32")),
    "unknown partition": (change("x_dev_0,dev", "x_dev_0,devel"), (":4", "'devel'", "train, dev, test")),
    "no dev": (rewrite(table_text(partitions=("train", "test"))), ("'m'", "partition 'dev'")),
    "no train": (rewrite(table_text(partitions=("dev", "test"))), ("'m'", "partition 'train'")),
    "id twice": (change("x_dev_1,dev", "x_dev_0,dev"), (":5", "id 'x_dev_0' a second time", ":4")),
    "id empty": (change("x_dev_1,dev", ",dev"), (":5", "'id' is empty")),
    "speaker empty": (change("x_dev_1,dev,x_dev", "x_dev_1,dev,"), (":5", "'speaker' is empty")),
    "speaker in two partitions": (
        change("x_dev_1,dev,x_dev", "x_dev_1,dev,x_train"),
        ("speaker 'x_train' is in two partitions", "train", "dev"),
    ),
    "open quote": (change("x_dev_1", '"x_dev_1'), (":5", "not valid CSV", "quotes")),
    "row of commas": (lambda path: write(path, path.read_text() + ",,,,,\n"), (":8", "empty cells")),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_csv(table, case):
    spoil, parts = BAD[case]
    spoil(table)
    fails(
        lambda: only(table),
        "face.csv" if case not in ("no dev", "no train", "speaker in two partitions") else "",
        *parts,
    )


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


class TestParquet:
    def test_types(self, tmp_path, table):
        frame = pd.read_csv(table)
        frame["id"] = range(len(frame))
        frame["label"] = frame["label"].astype("category")
        frame["a"] = [1, 2, 3, 4, 5, 2**25 + 1]  # can't be a float32 exactly
        frame["flag"] = [True, False] * 3
        frame["none"] = None
        frame.index = [7, 8, 9, 7, 8, 9]
        frame.to_parquet(tmp_path / "t.parquet")
        corpus, modality = only(tmp_path / "t.parquet")
        assert corpus.classes == ("anger", "joy")
        assert modality.feature_names == ("a", "b", "flag", "none")  # and not the index
        assert modality.recordings[5].id == "5"
        np.testing.assert_array_equal(modality.recordings[5].features, np.float32([[2**25, 1.1, 0, np.nan]]))

    @pytest.mark.parametrize(
        ("spoil", "parts"),
        [
            (lambda frame: frame.assign(a="x"), ("column 'a'", "string", "expected numbers")),
            (lambda frame: frame.assign(a=np.inf), ("row 1", "column 'a'", "infinite")),
            (lambda frame: frame.drop(columns="id"), ("no column 'id'",)),
            (lambda frame: frame.iloc[:0], ("no rows",)),
            (lambda frame: frame.assign(id="u"), ("row 2", "'u' a second time", "row 1")),
            (lambda frame: frame.assign(partition="tune"), ("row 1", "'tune'")),
        ],
    )
    def test_bad(self, tmp_path, table, spoil, parts):
        path = tmp_path / "t.parquet"
        spoil(pd.read_csv(table)).to_parquet(path)
        fails(lambda: only(path), "t.parquet", *parts)

    def test_damaged(self, tmp_path, table):
        path = tmp_path / "t.parquet"
        pd.read_csv(table).to_parquet(path)
        whole = path.read_bytes()
        for content in (whole[:-20], whole[:4] + b"x" * (len(whole) - 4), b"id,a\n1,2\n"):
            write(path, content)
            fails(lambda: only(path), "t.parquet", "not a readable Parquet file")
        rng = np.random.default_rng(0)
        for _ in range(200):  # one byte off anywhere: it loads, or it is told in one line
            content = bytearray(whole)
            content[rng.integers(len(content))] ^= rng.integers(1, 256)
            write(path, bytes(content))
            message = None
            try:
                only(path)
            except InputError as error:
                message = str(error)
            assert message is None or "\n" not in message


class TestDataFrames:
    def test_are_what_the_same_files_are(self, tmp_path, table):
        frames = write(tmp_path / "frames.csv", FRAMES)
        for path, dimension in ((table, "arousal"), (frames, "arousal")):
            from_file = only(path, dimension=dimension)[1]
            frame = pd.read_csv(path)
            corpus = load("tables", tables={"m": frame}, dimension=dimension)
            found = corpus.modality("m")
            assert (found.feature_names, found.frame_seconds) == (from_file.feature_names, from_file.frame_seconds)
            for one, other in zip(found.recordings, from_file.recordings, strict=True):
                assert (one.id, one.partition, one.speaker) == (other.id, other.partition, other.speaker)
                np.testing.assert_array_equal(one.features, other.features)
                assert one.labels.keys() == other.labels.keys()
                assert all(np.array_equal(one.labels[name], other.labels[name]) for name in one.labels)
            assert not corpus.simulated

    def test_beside_files_and_data_sets(self, tmp_path, table):
        frame = pd.read_csv(table)
        assert list(load("tables", tables={"f": frame, "g": table, "h": str(table)}).modalities) == ["f", "g", "h"]
        assert list(load("tables", table.parent, tables={"f": frame}).modalities) == ["face", "f"]
        again = {"face": frame}
        fails(lambda: load("tables", table.parent, tables=again), "data frame 'face'", "already", "such as face2")

    def test_the_fingerprint_is_of_the_values(self, table):
        def fingerprint(frame):
            return load("tables", tables={"m": frame}).fingerprints

        frame = pd.read_csv(table)
        first = fingerprint(frame)
        assert first.keys() == {"--table m"}
        assert fingerprint(frame.set_index(pd.Index(range(10, 10 + len(frame))))) == first  # rows' names are no values
        frame.loc[5, "b"] += 1
        assert fingerprint(frame) != first

    def test_missing_values_and_kinds_of_columns(self, table):
        frame = pd.read_csv(table)
        frame["label"] = frame["label"].astype("category")
        frame.loc[1, "a"] = None
        frame["flag"] = [True, False] * 3
        modality = load("tables", tables={"m": frame}).modality("m")
        np.testing.assert_array_equal(modality.recordings[1].features, np.float32([[np.nan, 1.1, 0]]))

    @pytest.mark.parametrize(
        ("spoil", "parts"),
        [
            (lambda frame: frame.assign(a="x"), ("column 'a'", "expected numbers")),
            (lambda frame: frame.assign(a=[1, "x"] * 3), ("mixed values",)),
            (lambda frame: frame.assign(a=np.inf), ("row 1", "column 'a'", "infinite")),
            (lambda frame: frame.drop(columns="id"), ("no column 'id'",)),
            (lambda frame: frame.iloc[:0], ("no rows",)),
            (lambda frame: frame.assign(id="u"), ("row 2", "'u' a second time", "row 1")),
            (lambda frame: frame.assign(partition="tune"), ("row 1", "'tune'")),
            (lambda frame: frame[["id", "partition", "label"]], ("no feature columns",)),
            (lambda frame: frame.assign(label=None), ("no label",)),
        ],
    )
    def test_bad(self, table, spoil, parts):
        frame = spoil(pd.read_csv(table))
        fails(lambda: load("tables", tables={"m": frame}), "data frame 'm'", *parts)

    def test_other_things(self, table):
        fails(lambda: load("tables", tables={"m": [1]}), "table 'm': expected a path or a data frame, got a list")
        fails(lambda: load("tables", tables={"my face": pd.read_csv(table)}), "'my face'", "name it my_face")


def test_bad_arguments(tmp_path, table):
    fails(lambda: load("tables"), "neither a folder nor a table", error=MissingInputError)
    fails(lambda: load("tables", tmp_path / "none"), "no such folder", error=MissingInputError)
    write(tmp_path / "notes" / "README", "x")
    fails(lambda: load("tables", tmp_path / "notes"), "no table", error=MissingInputError)
    fails(lambda: load("tables", tables=["face"]), "'face'", "NAME=PATH")
    fails(lambda: load("tables", tables=["=x.csv"]), "NAME=PATH")
    fails(lambda: load("tables", tables=[f"f={table}", f"f={table}"]), "'f' a second time")
    fails(lambda: load("tables", tables=[f"f={tmp_path / 'f.xlsx'}"]), "f.xlsx", ".csv or .parquet")
    fails(lambda: load("tables", tables=[f"f={table}"], modalities=["g"]), "no modality 'g'", "found f")
    pd.read_csv(table).to_parquet(tmp_path / "face.parquet")
    fails(lambda: load("tables", tmp_path), "modality 'face' a second time")


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("face.v2", "face_v2"),
        ("my face", "my_face"),
        ("../face", "face"),
        ("2d", "d"),
        ("_face", "face"),
        ("Gesichtszüge", "Gesichtszuge"),
        ("脸", "modality"),
        ("face\n", "face"),
    ],
)
def test_names_of_modalities(tmp_path, table, name, good):
    allowed = "ASCII letters, digits, '_' and '-' that begins with a letter"
    fails(lambda: load("tables", tables=[f"{name}={table}"]), allowed, f"--table {good}={table}")
    fails(lambda: load("tables", tables=[(name, table)]), allowed, f"--table {good}={table}")
    if "/" in name:
        return
    path = table.rename(tmp_path / f"{name}.csv")
    with pytest.raises(InputError) as caught:  # its path may have a line end
        load("tables", tmp_path)
    assert f"--table {good}={path}" in str(caught.value)
    # What the message says helps.
    assert list(load("tables", tmp_path, tables=[(good, path)]).modalities) == [good]
    write(tmp_path / "voice-1_B.csv", table_text())
    assert list(load("tables", tmp_path, modalities=["voice-1_B"]).modalities) == ["voice-1_B"]


@pytest.mark.skipif(not RAVDESS.is_dir(), reason="no RAVDESS features beside the repository (shared/data/ravdess)")
def test_ravdess():
    corpus = load("tables", RAVDESS)
    assert corpus.classes == ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    audio, face = corpus.modality("audio"), corpus.modality("face")
    assert (len(audio.recordings), len(audio.feature_names)) == (1198, 88)  # as its README has it
    assert (len(face.recordings), len(face.feature_names)) == (300, 42)
    counts = Counter(corpus.classes[recording.labels["emotion"]] for recording in audio.partition("train"))
    assert counts == Counter(anger=112, disgust=112, fear=112, happiness=110, neutral=168, sadness=112, surprise=112)
    assert {recording.speaker for recording in face.partition("test")} == {"actor_18", "actor_19", "actor_20"}
    frame = pd.read_csv(RAVDESS / "face.csv")
    found = np.concatenate([recording.features for recording in face.recordings])
    np.testing.assert_allclose(found, frame.iloc[:, 4:].to_numpy(np.float32), rtol=1e-6)
