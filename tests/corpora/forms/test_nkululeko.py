"""nkululeko's header."""

import pytest

from emobed_tf.corpora.forms import nkululeko
from tests.corpora.corpus_writers import only, write


def test_lists_with_features(tmp_path):
    rows = [f"{kind}{k}.wav,{'uv'[k]},{kind},f,3{k},0.{k}" for kind in ("train", "dev") for k in range(2)]
    path = write(tmp_path / "t.csv", "\n".join(["file,emotion,speaker,gender,age,F0", *rows]) + "\n")
    corpus, modality = only(path, partitioned=False)
    assert (corpus.classes, modality.feature_names) == (("u", "v"), ("F0",))
    assert [(r.id, r.speaker) for r in modality.recordings][1:3] == [("train1", "train"), ("dev0", "dev")]
    assert set(modality.left_out) == {"gender", "age"}


@pytest.mark.parametrize("names", [("file", "emotion", "f"), ("file", "speaker", "f"), ("id", "emotion", "speaker")])
def test_others(names):
    assert nkululeko.recognise(names) is None
