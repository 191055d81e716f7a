"""Tables of any corpus: what becomes of their columns, and which label is learnt."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from emobed_tf.corpora import load
from emobed_tf.corpora.extraction import METADATA
from tests.corpora.corpus_writers import close, fails, only, replace, table_text, write

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
        lines, expected = ["id,partition,label,x,y,z,always"], []
        for index, (name, values) in enumerate(rows):
            partition = ("train", "dev")[index // 2 % 2]
            cells = ",".join("" if value is None else f"{value:.9g}" for value in values)
            lines.append(f"{name},{partition},{'uv'[index % 2]},{cells},1")
            expected.append([np.nan if value is None else value for value in values])
        modality = only(write(tmp_path / "t.csv", "\n".join(lines) + "\n"))[1]
        assert [recording.id for recording in modality.recordings] == [name for name, _ in rows]
        found = np.concatenate([recording.features for recording in modality.recordings])
        np.testing.assert_array_equal(found[:, :3], np.float32(expected))


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


class TestExtracted:
    """What `emobed_tf.extract` wrote comes from recordings: it hides no label, however well it tells classes apart."""

    @pytest.mark.parametrize(("metadata", "left"), [(True, ("pitch",)), (False, ())])
    def test_a_feature_that_tells_the_classes_apart(self, tmp_path, recwarn, metadata, left):
        rows = pa.table(
            {
                "id": [f"clip{k}" for k in range(30)],
                "partition": ["train"] * 20 + ["dev"] * 10,
                "label": ["anger", "joy"] * 15,
                "pitch": np.array([100.0, 200.0] * 15) + np.random.default_rng(0).normal(size=30),
                "loudness": np.random.default_rng(1).normal(size=30),
            }
        )
        made = {"extractor": "logmel", "version": "1", "settings": {}, "licence": ""}
        said = {METADATA: json.dumps(made).encode()} if metadata else {}
        path = tmp_path / "audio.parquet"
        parquet.write_table(rows.replace_schema_metadata(said), path)
        modality = load("tables", tables=[f"audio={path}"]).modality("audio")
        assert modality.feature_names == (*left, "loudness")
        assert any("predicts the label" in str(one.message) for one in recwarn) != metadata
