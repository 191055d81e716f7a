"""Parsed features on disk: never stale, never in the way."""

import os
from pathlib import Path

import numpy as np
import pytest

from emobed_tf.corpora import arff, load
from emobed_tf.corpora.cache import FeatureCache, cache_folder
from emobed_tf.errors import EmoBedWarning
from tests.corpora.corpus_writers import recola, replace


def values(corpus):
    return {
        (modality.name, recording.id): recording.features for modality in corpus for recording in modality.recordings
    }


def assert_same(left, right):
    assert left.keys() == right.keys()
    for key, features in left.items():
        np.testing.assert_array_equal(features, right[key])


@pytest.fixture
def package(tmp_path):
    return recola(tmp_path / "package")


def count_parsing(monkeypatch):
    parsed = []
    original = arff.parse_features

    def parse(data, path, *rest):
        parsed.append(path.name)
        return original(data, path, *rest)

    monkeypatch.setattr(arff, "parse_features", parse)
    return parsed


def test_second_load_parses_nothing(package, own_cache, monkeypatch):
    parsed = count_parsing(monkeypatch)
    first = load("recola", package)
    assert len(parsed) == 6  # two modalities of three recordings, one dimension
    assert len(list((own_cache / "features").iterdir())) == 6
    second = load("recola", package)
    assert len(parsed) == 6
    assert_same(values(first), values(second))
    assert first.fingerprints == second.fingerprints
    assert second.modality("audio").feature_names == ("f0", "f1")


def test_same_size_and_time_but_other_content(package):
    load("recola", package)
    path = package / "features_audio" / "arousal" / "train_1.arff"
    before = path.stat()
    replace(path, "0.04,1.1,", "0.04,9.9,")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    features = load("recola", package).modality("audio").recordings[0].features
    assert features[1, 0] == np.float32(9.9)


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "flipped bit", "zip", "folder"])
def test_damaged_file_is_made_again(package, own_cache, monkeypatch, damage):
    whole = values(load("recola", package))
    for path in (own_cache / "features").iterdir():
        content = bytearray(path.read_bytes())
        if damage == "cut":
            content = content[:-5]
        elif damage == "garbage":
            content = bytearray(b"\x93NUMPY\x01\x00\x05\x00(((((")
        elif damage == "empty":
            content = bytearray()
        elif damage == "zip":
            content = bytearray(b"PK\x03\x04")
        elif damage == "flipped bit":
            content[-6] ^= 1
        path.unlink()
        if damage == "folder":
            path.mkdir()
        else:
            path.write_bytes(content)
    parsed = count_parsing(monkeypatch)
    if damage == "folder":
        with pytest.warns(EmoBedWarning):  # can't be replaced by a file
            assert_same(values(load("recola", package)), whole)
        return
    assert_same(values(load("recola", package)), whole)
    assert len(parsed) == 6
    assert_same(values(load("recola", package)), whole)
    assert len(parsed) == 6


def test_folder_that_cannot_be_written_is_one_warning(package, tmp_path, monkeypatch):
    # Tests may run as root, for whom every folder can be written: a file in its place can't.
    blocked = tmp_path / "blocked"
    blocked.write_text("")
    monkeypatch.setenv("EMOBED_CACHE", str(blocked))
    with pytest.warns(EmoBedWarning, match="EMOBED_CACHE") as caught:
        corpus = load("recola", package)
    assert len(caught) == 1
    assert corpus.modality("audio").recordings[0].frames == 4


def test_full_disk_leaves_no_temporary_file(package, own_cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.warns(EmoBedWarning, match="No space left"):
        load("recola", package)
    assert list((own_cache / "features").iterdir()) == []


def test_other_version_is_not_seen(tmp_path):
    FeatureCache(1, tmp_path).store("abc", ("a",), np.ones((2, 1), np.float32), 0.0)
    assert FeatureCache(1, tmp_path).load("abc") is not None
    assert FeatureCache(2, tmp_path).load("abc") is None


def test_names_and_start_are_kept(tmp_path):
    cache = FeatureCache(1, tmp_path)
    cache.store("abc", ("é", "mfcc 1"), np.full((2, 2), np.nan, np.float32), 0.08)
    names, features, start = cache.load("abc")
    assert names == ("é", "mfcc 1")
    assert start == 0.08
    assert features.shape == (2, 2)
    assert np.isnan(features).all()


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.setenv("EMOBED_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    monkeypatch.delenv("EMOBED_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "emobed_tf"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "emobed_tf"


def test_user_without_a_home(monkeypatch, tmp_path):
    for name in ("EMOBED_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert cache_folder() == tmp_path / f"emobed_tf-{os.getuid()}"


class TestLargeFeatures:
    def stored(self, folder, rows):
        cache = FeatureCache(1, folder)
        features = np.random.default_rng(0).normal(size=(rows, 100)).astype(np.float32)
        cache.store("0" * 64, ["a"] * 100, features, 0.5)
        return cache, features

    def test_are_a_map_of_the_file_that_is_never_written(self, tmp_path):
        """3,000 rows of 100 float32 are 1.2 MB."""
        cache, features = self.stored(tmp_path, 3000)
        _, found, start = cache.load("0" * 64)
        assert isinstance(found.base, np.memmap)
        assert (type(found), start) == (np.ndarray, 0.5)
        np.testing.assert_array_equal(found, features)
        found[:] = 0
        np.testing.assert_array_equal(cache.load("0" * 64)[1], features)

    def test_small_ones_are_read(self, tmp_path):
        cache, features = self.stored(tmp_path, 10)
        assert not isinstance(cache.load("0" * 64)[1].base, np.memmap)
        np.testing.assert_array_equal(cache.load("0" * 64)[1], features)
