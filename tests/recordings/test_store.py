"""What is kept of extractions: found by everything that decides over it, and made again where it is damaged."""

import numpy as np
import pytest

from emobed_tf.errors import EmoBedWarning
from emobed_tf.recordings.logmel import LogMel
from emobed_tf.recordings.store import FeatureStore, Rows
from emobed_tf.recordings.windows import Windows

ROWS = Rows(np.array([0, 0.1]), np.array([[1, np.nan], [3, 4]], np.float32), ("digital silence",))


class Newer(LogMel):
    version = "2"


def same(one, other):
    np.testing.assert_array_equal(one.features, other.features)
    np.testing.assert_array_equal(one.times, other.times)
    assert one.notes == other.notes
    return True


@pytest.fixture
def store(tmp_path):
    return FeatureStore("logmel", LogMel(), tmp_path)


def test_what_is_stored_is_loaded(store, tmp_path):
    key = store.key("content", 0.0, None)
    assert store.load(key) is None
    assert not store.has(key)
    store.store(key, ROWS)
    again = FeatureStore("logmel", LogMel(), tmp_path)
    assert again.has(key)
    assert same(again.load(key), ROWS)
    store.store(key, Rows(None, ROWS.features))
    assert store.load(key).times is None
    assert store.load(key).notes == ()


def test_whatever_decides_is_in_the_key(store, tmp_path):
    others = [
        FeatureStore("own:LogMel", LogMel(), tmp_path),
        FeatureStore("logmel", Newer(), tmp_path),
        FeatureStore("logmel", LogMel(Windows(4, 0.04)), tmp_path),
        FeatureStore("logmel", LogMel(Windows(4, 0.04, "causal")), tmp_path),
    ]
    keys = {one.key("content", 0.0, None) for one in (store, *others)}
    keys |= {store.key("other", 0.0, None), store.key("content", 0.5, None), store.key("content", 0.0, 0.5)}
    assert len(keys) == 8


@pytest.mark.parametrize("size", [0, 10, 100, -3])
def test_what_is_damaged_is_not_there(store, tmp_path, size):
    key = store.key("content", 0.0, None)
    store.store(key, ROWS)
    (file,) = tmp_path.rglob("*.npz")
    file.write_bytes(file.read_bytes()[:size])
    assert store.load(key) is None
    assert not store.has(key)
    store.store(key, ROWS)
    assert same(store.load(key), ROWS)


def test_a_folder_that_can_t_be_written(tmp_path):
    (tmp_path / "file").touch()
    store = FeatureStore("logmel", LogMel(), tmp_path / "file")
    with pytest.warns(EmoBedWarning, match="features can't be kept here"):
        store.store("ab", ROWS)
    store.store("cd", ROWS)  # without another word: a warning would be an error
    assert store.has("ab")
    assert same(store.load("cd"), ROWS)
