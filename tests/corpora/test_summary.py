"""Numbers of a data set."""

import json

import pandas as pd
import pytest

from emobed_tf.corpora import load
from emobed_tf.corpora.summary import describe, features_in_words, rate_in_words
from tests.corpora.corpus_writers import only, table_text, write


def test_classes(tmp_path):
    path = write(tmp_path / "m.csv", table_text(partitions=("train", "dev")) + "x,train,z,joy,,3\n")
    corpus, modality = only(path)
    found = describe(corpus)
    assert (found["task"], found["classes"]) == ("classification", ["anger", "joy"])
    of = found["modalities"]["m"]
    assert of["partitions"]["train"] == {
        "recordings": 3,
        "speakers": 2,
        "rows": 3,
        "labelled": 3,
        "labels": {"anger": 1, "joy": 2},
    }
    assert list(of["partitions"]) == ["train", "dev"]
    assert (of["missing_values"], of["missing_rows"]) == (1 / 10, 0)
    assert (features_in_words(modality), rate_in_words(modality)) == ("2 features (a to b)", "a row for each utterance")
    json.dumps(found, allow_nan=False)


def test_numbers():
    rows = [("u", "train", k / 10, k) for k in range(4)] + [("v", "dev", k / 10, 1) for k in range(3)]
    rows += [("w", "test", k / 10, None) for k in range(2)]
    frame = pd.DataFrame(rows, columns=["id", "partition", "time", "arousal"]).assign(f=1.5)
    frame.loc[1, "arousal"] = None
    frame.loc[8, "f"] = None
    corpus = load("tables", tables={"m": frame})
    found = describe(corpus)["modalities"]["m"]
    train = found["partitions"]["train"]
    # 0, 2 and 3: mean 5/3; variance (25 + 1 + 16) / 27 = 14 / 9.
    expected = {"mean": 5 / 3, "deviation": (14 / 9) ** 0.5, "minimum": 0, "maximum": 3}
    assert train["labels"] == pytest.approx(expected, abs=1e-6)
    assert (train["rows"], train["rows_without_label"]) == (4, 1)
    assert found["partitions"]["test"] == {"recordings": 1, "speakers": 1, "rows": 2, "labelled": 0}
    assert (found["row_seconds"], found["missing_rows"]) == (0.1, 1 / 9)
    modality = corpus.modality("m")
    assert (features_in_words(modality), rate_in_words(modality)) == ("1 feature (f)", "a row every 0.1 s")
    json.dumps(describe(corpus), allow_nan=False)
