import subprocess
import sys

import numpy as np
import pytest

from emobed_tf.corpora import gold_standard_from_ratings, load
from emobed_tf.corpora.simulate import simulate_omg, simulate_recola
from tests.corpora.corpus_writers import close


@pytest.mark.parametrize("dimension", ["arousal", "valence"])
def test_recola(tmp_path, dimension):
    # In a minute, unlike in ten seconds, raters agree (the sum of their concordances is positive).
    simulate_recola(tmp_path / "sim", seconds=60, recordings=2)
    corpus = load("recola", tmp_path / "sim", dimension=dimension)
    assert corpus.simulated
    assert list(corpus.modalities) == ["audio", "video_appearance"]
    for modality in corpus:
        assert [len(modality.partition(name)) for name in ("train", "dev", "test")] == [2, 2, 2]
        for recording in modality.recordings:
            # 60 s, a row every 40 ms, both ends.
            assert recording.frames == 1501
            assert recording.labels[dimension].shape == (1501,)
            # The labels of test are in a folder of their own.
            assert recording.ratings[dimension].shape == (1501, 6)
            # Ratings have two digits in the file and are float32 in memory, gold standards have six digits.
            expected = gold_standard_from_ratings(recording.ratings[dimension])
            np.testing.assert_allclose(recording.labels[dimension], np.clip(expected, -1, 1), atol=2e-6)


def test_omg(tmp_path):
    simulate_omg(tmp_path / "sim", utterances=(30, 20, 10), video_columns=4)
    corpus = load("omg", tmp_path / "sim")
    assert corpus.simulated
    assert {name: len(modality.feature_names) for name, modality in corpus.modalities.items()} == {
        "audio": 88,
        "video": 4,
    }
    for modality in corpus:
        assert [len(modality.partition(name)) for name in ("train", "dev", "test")] == [30, 20, 10]
        assert all(recording.labels for recording in modality.partition("test"))


def test_recola_and_omg_tables_in_one_corpus(tmp_path):
    """A table of another corpus, of utterances, beside RECOLA's frames: they share the dimension and nothing else."""
    simulate_recola(tmp_path / "sim", seconds=10, recordings=1, modalities=["audio"])
    table = tmp_path / "speech.csv"
    table.write_text("id,partition,arousal,f\nu,train,0.25,1\nv,dev,-0.5,2\n")
    corpus = load("recola", tmp_path / "sim", tables=[f"speech={table}"])
    assert corpus.modality("speech").frame_seconds is None
    close(corpus.modality("speech").recordings[1].labels["arousal"], [-0.5])


def test_tensorflow_is_not_imported():
    code = "import sys, emobed_tf.corpora; print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
