"""The table that is written: read again by the readers of feature tables."""

import json
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from emobed_tf.corpora import load
from emobed_tf.corpora.extraction import METADATA
from emobed_tf.errors import InputError
from emobed_tf.recordings.labelfiles import LabelTrack
from emobed_tf.recordings.listing import read_listing
from emobed_tf.recordings.output import check_output, write_table
from emobed_tf.recordings.store import Rows

FACTS = {"extractor": "logmel", "version": "1"}


def listed(folder, text):
    (folder / "clips.csv").write_text(text)
    return read_listing(folder / "clips.csv")


def utterances(folder, name):
    rows = [f"{p}{k}.wav,{p},{p}_speaker_{k % 2},{('joy', 'anger')[k % 2]}" for p in ("train", "dev") for k in range(4)]
    listing = listed(folder, "file,partition,speaker,label\n" + "\n".join(rows))
    features = np.random.default_rng(0).normal(size=(8, 3)).astype(np.float32)
    features[2, 1] = np.nan
    extracted = [(entry, Rows(None, row[None])) for entry, row in zip(listing.entries, features, strict=True)]
    path = folder / name
    written = write_table(path, listing, ("a", "b", "c"), extracted, frames=False, labels={}, metadata=FACTS)
    return path, written, features


@pytest.mark.parametrize("name", ["audio.parquet", "audio.csv"])
def test_utterances(tmp_path, name):
    path, written, features = utterances(tmp_path, name)
    assert written == 8
    corpus = load("tables", tables={"audio": path})
    recordings = corpus.modalities["audio"].recordings
    np.testing.assert_array_equal(np.concatenate([r.features for r in recordings]), features)
    assert [r.id for r in recordings[:2]] == ["train0", "train1"]
    assert [r.speaker for r in recordings[:2]] == ["train_speaker_0", "train_speaker_1"]
    assert corpus.classes == ("anger", "joy")
    assert [int(r.labels["emotion"]) for r in recordings[:2]] == [1, 0]


def test_metadata(tmp_path):
    path, *_ = utterances(tmp_path, "audio.parquet")
    assert json.loads(parquet.read_schema(path).metadata[METADATA]) == FACTS
    utterances(tmp_path, "audio.csv")
    assert json.loads((tmp_path / "audio.csv.json").read_text()) == FACTS
    assert sorted(p.name for p in tmp_path.iterdir()) == ["audio.csv", "audio.csv.json", "audio.parquet", "clips.csv"]


def test_frames_with_labels_over_time(tmp_path):
    times = np.arange(50) * 0.1
    values = np.sin(times)
    text = "file,partition,label_file\n" + "".join(f"{p}.wav,{p},{p}_labels.csv\n" for p in ("train", "dev"))
    listing = listed(tmp_path, text)
    tracks = {entry.labels: LabelTrack(entry.labels, times, {"arousal": values}) for entry in listing.entries}
    rows = Rows(np.arange(40) * 0.1, np.arange(80, dtype=np.float32).reshape(40, 2))
    extracted = ((entry, rows) for entry in listing.entries)
    path = tmp_path / "audio.parquet"
    assert write_table(path, listing, ("a", "b"), extracted, frames=True, labels=tracks, metadata={}) == 80
    corpus = load("tables", tables={"audio": path})
    modality = corpus.modalities["audio"]
    assert modality.frame_seconds == pytest.approx(0.1)
    np.testing.assert_allclose(modality.recordings[0].labels["arousal"], values[:40], rtol=1e-6)


def test_segments_keep_start_and_end(tmp_path):
    listing = listed(tmp_path, "file,start,end,arousal\n1.wav,0.5,1,0.25\n1.wav,1,,\n")
    extracted = [(entry, Rows(None, np.ones((1, 1), np.float32))) for entry in listing.entries]
    path = tmp_path / "audio.csv"
    write_table(path, listing, ("a",), extracted, frames=False, labels={}, metadata={})
    lines = path.read_text().splitlines()
    assert lines[0] == '"id","file","start","end","arousal","a"'
    assert lines[1] == '"1/0.5-1","1.wav",0.5,1,0.25,1'


def test_many_groups(tmp_path, monkeypatch):
    monkeypatch.setattr("emobed_tf.recordings.output._GROUP", 3)
    path, written, features = utterances(tmp_path, "audio.parquet")
    assert written == 8
    assert parquet.ParquetFile(path).num_row_groups == 3
    np.testing.assert_array_equal(parquet.read_table(path).column("c").to_numpy(), features[:, 2])


def test_a_feature_that_is_called_like_a_key(tmp_path):
    listing = listed(tmp_path, "file,label\n1.wav,joy\n")
    with pytest.raises(InputError, match="features called label: expected names that no other column"):
        write_table(tmp_path / "a.csv", listing, ("label",), [], frames=False, labels={}, metadata={})


def test_nothing_is_left_of_a_table_that_fails(tmp_path):
    listing = listed(tmp_path, "file,label\n1.wav,joy\n")
    (tmp_path / "a.csv").write_text("before")

    def extracted():
        yield listing.entries[0], Rows(None, np.ones((1, 1), np.float32))
        raise InputError("gone")

    with pytest.raises(InputError, match="gone"):
        write_table(tmp_path / "a.csv", listing, ("a",), extracted(), frames=False, labels={}, metadata={})
    assert (tmp_path / "a.csv").read_text() == "before"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "clips.csv"]


def test_suffixes():
    check_output(Path("a.PARQUET"), Path("a.csv"))
    with pytest.raises(InputError, match=r"--output a\.arff: expected the suffix \.parquet or \.csv"):
        check_output(Path("a.arff"), Path("a.csv"))
    with pytest.raises(InputError, match=r"--output a\.csv: this is the table of recordings"):
        check_output(Path("a.csv"), Path("a.csv").absolute())
