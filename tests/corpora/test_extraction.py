"""What made the features of a table: read from what `emobed_tf.extract` wrote, and from nothing else."""

import json
import os

import pyarrow as pa
import pytest
from pyarrow import parquet

from emobed_tf.corpora.extraction import METADATA, Extraction, extraction_of, extractions

SAID = {"extractor": "logmel", "version": "1", "settings": {"window": 4.0}, "licence": "", "sound": "mean"}
MADE = Extraction("logmel", "1", {"window": 4.0})


def written(folder, said, suffix):
    """A table without rows that says something of itself."""
    path = folder / f"audio{suffix}"
    if suffix == ".csv":
        path.write_text("id,a\n")
        (folder / "audio.csv.json").write_text(said)
    else:
        schema = pa.schema([("a", pa.float32())], {METADATA: said.encode()})
        parquet.write_table(schema.empty_table(), path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
class TestOfATable:
    def test_is_what_is_written(self, tmp_path, suffix):
        assert extraction_of(written(tmp_path, json.dumps(SAID), suffix)) == MADE

    @pytest.mark.parametrize(
        "said",
        [
            "",
            "[]",
            "{",
            json.dumps({"pandas": 1}),
            json.dumps({**SAID, "version": 1}),
            json.dumps({**SAID, "settings": 1}),
            "[" * 10_000,
            json.dumps({**SAID, "licence": "\0"}),
        ],
    )
    def test_anything_else_is_nothing(self, tmp_path, suffix, said):
        assert extraction_of(written(tmp_path, said, suffix)) is None

    def test_no_table(self, tmp_path, suffix):
        assert extraction_of(tmp_path / f"gone{suffix}") is None


def test_a_pipe_beside_a_table_is_not_waited_for(tmp_path):
    path = written(tmp_path, "", ".csv")
    (tmp_path / "audio.csv.json").unlink()
    os.mkfifo(tmp_path / "audio.csv.json")
    assert extraction_of(path) is None


def test_a_parquet_file_that_says_nothing(tmp_path):
    parquet.write_table(pa.table({"a": [1.0]}), tmp_path / "a.parquet")
    assert extraction_of(tmp_path / "a.parquet") is None
    (tmp_path / "b.parquet").write_bytes(b"PAR1")
    assert extraction_of(tmp_path / "b.parquet") is None


def test_by_modality(tmp_path):
    path = written(tmp_path, json.dumps(SAID), ".csv")
    assert extractions((f"audio={path}", f"video={tmp_path}")) == {"audio": MADE}


def test_in_words():
    assert str(MADE) == "logmel, version 1 (window 4.0)"
    assert str(Extraction("egemaps", "2", {})) == "egemaps, version 2"
