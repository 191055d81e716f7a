"""Tables of any corpus: what becomes of their columns, and which label is learnt."""

import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emobed_tf.corpora import load
from emobed_tf.errors import EmoBedWarning
from tests.corpora.corpus_writers import FRAMES, close, fails, only, replace, table_text, write

RAVDESS = Path(__file__).parents[2].parent / "shared" / "data" / "ravdess"


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
        np.testing.assert_array_equal(only(path)[1].partition("test")[0].labels["arousal"], np.float32([np.nan, 0.5]))

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
        labels = {recording.id: recording.labels["label"] for recording in only(path)[1].recordings}
        np.testing.assert_array_equal(labels["u"], np.float32([0.0, np.nan, 0.2]))
        replace(path, "eve,0.5", f"eve,{missing}")
        replace(path, "eve,0.4", f"eve,{missing}")
        fails(lambda: only(path), "t.csv:6", "column 'label' is empty or marked as missing")

    def test_class_missing(self, tmp_path, table):
        other = write(tmp_path / "o.csv", table_text("y", classes=("joy",)))
        message = fails(
            lambda: load("tables", tables=[("face", table), ("voice", other)]), "'voice'", "no training data"
        )
        assert "anger" in message
        three = ("anger", "calm", "joy")
        write(table, table_text("x", classes=three))
        write(other, table_text("y", classes=three, partitions=("train",)) + "d1,dev,d,joy,1,2\nd2,dev,d,calm,1,2\n")
        with pytest.warns(EmoBedWarning, match="'voice': nothing in the partition 'dev' of the class anger"):
            load("tables", tables=[("face", table), ("voice", other)])

    def test_one_class_is_nothing_to_learn(self, table):
        for partition in ("train", "dev"):
            text = table_text().replace(f"x_{partition},joy", f"x_{partition},anger")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", EmoBedWarning)
                message = fails(lambda text=text: only(write(table, text)), "")
            assert "partition" in message or "no training data of the class joy" in message
        text = table_text().replace(",joy,", ",anger,")
        fails(lambda: only(write(table, text)), "all recordings of the partition 'train' are 'anger'")
        fails(lambda: only(write(table, text), partitioned=False), "are 'anger'")

    def test_no_label(self, tmp_path):
        path = write(tmp_path / "t.csv", "id,partition,f\nu,train,1\nv,dev,1\n")
        fails(lambda: only(path), "t.csv: no label", "'label', 'arousal' or 'valence'")
        fails(lambda: only(path, task="regression"), "no column 'label'", "none")
        fails(lambda: only(path, task="classification"), "no column 'label'")
        names = self.table(tmp_path, "label", "u", "u", name="n")
        fails(lambda: only(names, task="regression"), "n.csv:2", "expected a number", "'u'")


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
