"""RECOLA in the AVEC 2016 package's form: what is read, and what is said of a package that is damaged."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from emobed_tf.corpora import load
from emobed_tf.errors import MissingInputError
from tests.corpora.corpus_writers import (
    arff_text,
    close,
    fails,
    gold_text,
    ratings_text,
    recola,
    replace,
    table_text,
    write,
)

AUDIO = "features_audio/arousal"
VIDEO = "features_video_appearance/arousal"
GOLD = "ratings_gold_standard/arousal"
RATINGS = "ratings_individual/arousal"


@pytest.fixture
def package(tmp_path):
    return recola(tmp_path / "avec")


class TestLoad:
    def test_what_is_read(self, package):
        corpus = load("recola", package)
        assert (corpus.name, corpus.task, corpus.label, corpus.classes) == ("recola", "regression", "arousal", ())
        assert list(corpus.modalities) == ["audio", "video_appearance"]
        assert not corpus.simulated
        video = corpus.modality("video_appearance")
        assert (video.feature_names, video.frame_seconds, video.corpus) == (("f0", "f1", "f2"), 0.04, "recola")
        assert [recording.id for recording in video.recordings] == ["train_1", "dev_1", "test_1"]
        dev = video.partition("dev")[0]
        assert (dev.partition, dev.speaker, dev.start) == ("dev", "dev_1", 0.0)
        # The second recording: 2 + t / 10 + k / 100.
        close(dev.features, [[2.0, 2.01, 2.02], [2.1, 2.11, 2.12], [2.2, 2.21, 2.22], [2.3, 2.31, 2.32]])
        close(dev.labels["arousal"], [0.2, 0.21, 0.22, 0.23])
        close(dev.labels["valence"], [0.2, 0.21, 0.22, 0.23])
        assert dev.labels["arousal"].dtype == dev.features.dtype == np.float32
        close(dev.ratings["valence"][1], [0.21, 0.22, 0.23, 0.24, 0.25, 0.26])
        assert video.partition("test")[0].labels == {}
        assert video.partition("test")[0].ratings == {}

    def test_other_dimension_has_other_features(self, package):
        corpus = load("recola", package, dimension="valence")
        assert corpus.label == "valence"
        close(corpus.modality("audio").recordings[0].features[0], [6.0, 6.01])

    def test_only_the_chosen_modality_is_opened(self, package):
        for path in (package / VIDEO).iterdir():
            path.write_bytes(b"\0")
        corpus = load("recola", package, modalities=["audio"])
        assert list(corpus.modalities) == ["audio"]
        assert not any("video" in path for path in corpus.fingerprints)
        fails(lambda: load("recola", package), "binary")

    def test_fingerprints_are_of_the_bytes(self, package):
        fingerprints = load("recola", package).fingerprints
        # 2 x 3 feature files of one dimension; 2 x 2 gold standards and 2 x 2 files of ratings.
        assert len(fingerprints) == 6 + 4 + 4
        for path, fingerprint in fingerprints.items():
            assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == fingerprint

    def test_progress(self, package):
        calls = []
        load("recola", package, progress=lambda *call: calls.append(call))
        assert [call[:2] for call in calls] == [(done, 6) for done in range(1, 7)]
        assert calls[0][2] == "audio/train_1"

    def test_zero_rows_of_video_are_missing_faces(self, package):
        for folder in (AUDIO, VIDEO):
            columns = 2 if folder == AUDIO else 3
            rows = [[1] * columns, [0] * columns, [0] * (columns - 1) + ["-0.5"], ["?"] + [0] * (columns - 1)]
            write(package / folder / "train_1.arff", arff_text(rows))
        for _ in range(2):  # parsed, and from the cache
            corpus = load("recola", package)
            video = corpus.modality("video_appearance").recordings[0]
            np.testing.assert_array_equal(video.missing, [False, True, False, False])
            assert np.isnan(video.features[1]).all()
            np.testing.assert_array_equal(video.features[2], np.float32([0, 0, -0.5]))
            # A zero in audio is a zero.
            assert not corpus.modality("audio").recordings[0].missing.any()

    @pytest.mark.parametrize("home", [".", "test_labels"])
    def test_test_labels_beside_or_apart(self, package, home):
        write(package / home / GOLD / "test_1.arff", gold_text("test_1", [0.5, 0.5, 0.5, "-0.5"]))
        write(package / home / RATINGS / "test_1.csv", ratings_text(np.full((4, 6), 0.25)))
        test = load("recola", package).modality("audio").partition("test")[0]
        close(test.labels["arousal"], [0.5, 0.5, 0.5, -0.5])
        close(test.ratings["arousal"], np.full((4, 6), 0.25))
        assert "valence" not in test.labels

    def test_one_dimension_without_ratings(self, tmp_path):
        package = recola(tmp_path, dimensions=("arousal",), ratings=False)
        train = load("recola", package).modality("audio").recordings[0]
        assert list(train.labels) == ["arousal"]
        assert train.ratings == {}
        fails(lambda: load("recola", package, dimension="valence"), "features_audio/valence", error=MissingInputError)

    def test_no_test_partition(self, package):
        for folder in (AUDIO, VIDEO):
            (package / folder / "test_1.arff").unlink()
        assert load("recola", package).modality("audio").partition("test") == ()

    def test_physiology_and_order(self, package):
        for number in (10, 2):
            for folder in (AUDIO, VIDEO):
                shutil.copy(package / folder / "train_1.arff", package / folder / f"train_{number}.arff")
            write(package / GOLD / f"train_{number}.arff", gold_text(f"train_{number}", [0, 0, 0, 0]))
        shutil.copytree(package / "features_audio", package / "features_HRHRV")
        corpus = load("recola", package)
        assert list(corpus.modalities) == ["hrhrv", "audio", "video_appearance"]
        ids = [recording.id for recording in corpus.modality("hrhrv").recordings]
        assert ids == ["train_1", "train_2", "train_10", "dev_1", "test_1"]

    def test_hidden_and_other_files_are_passed_over(self, package):
        write(package / AUDIO / "._train_1.arff", b"\0")
        write(package / AUDIO / "README.txt", "notes")
        write(package / "simulated.json", "{}")
        assert load("recola", package).simulated


def remove(*paths):
    return lambda root: [(root / path).unlink() for path in paths]


def change(path, old, new):
    return lambda root: replace(root / path, old, new)


def put(path, text):
    return lambda root: write(root / path, text)


BAD = {
    "feature file missing": (remove(f"{AUDIO}/dev_1.arff"), ("features_audio/arousal", "dev_*.arff", "train_1")),
    "recording missing": (
        put(f"{AUDIO}/train_2.arff", arff_text([[1, 2]] * 4)),
        ("features_video_appearance/arousal", "no file for train_2"),
    ),
    "recording missing here": (remove(f"{VIDEO}/test_1.arff"), ("features_video_appearance", "no file for test_1")),
    "gold standard missing": (remove(f"{GOLD}/dev_1.arff"), ("ratings_gold_standard/arousal", "dev_1.arff")),
    "gold standards missing": (lambda root: shutil.rmtree(root / GOLD), ("ratings_gold_standard/arousal", "no such")),
    "unknown partition": (put(f"{AUDIO}/devel_1.arff", "x"), ("devel_1.arff", "train_1.arff, dev_1.arff")),
    "AVEC 2018's names": (put(f"{AUDIO}/train_1_4.0_0.4.arff", "x"), ("AVEC 2018", "not supported")),
    "feature count": (
        put(f"{AUDIO}/dev_1.arff", arff_text([[1, 2, 3]] * 4)),
        ("dev_1.arff: 3 features", "train_1.arff has 2"),
    ),
    "feature name": (
        change(f"{AUDIO}/dev_1.arff", "@attribute f1", "@attribute g1"),
        ("dev_1.arff: feature 2 is 'g1'", "'f1'", "train_1.arff"),
    ),
    "shorter file": (
        put(f"{VIDEO}/dev_1.arff", arff_text([[1, 2, 3]] * 3)),
        ("features_video_appearance/arousal/dev_1.arff: 3 rows", "features_audio/arousal/dev_1.arff has 4"),
    ),
    "longer gold standard": (
        put(f"{GOLD}/dev_1.arff", gold_text("dev_1", [0] * 5)),
        ("ratings_gold_standard/arousal/dev_1.arff: 5 rows", "features_audio/arousal/dev_1.arff has 4"),
    ),
    "longer gold standard of the other dimension": (
        put("ratings_gold_standard/valence/dev_1.arff", gold_text("dev_1", [0] * 5)),
        ("ratings_gold_standard/valence/dev_1.arff: 5 rows",),
    ),
    "shorter ratings": (
        put(f"{RATINGS}/dev_1.csv", ratings_text(np.zeros((3, 6)))),
        ("ratings_individual/arousal/dev_1.csv: 3 rows", "has 4"),
    ),
    "later start": (
        put(
            f"{GOLD}/dev_1.arff",
            gold_text("dev_1", [0] * 5).replace("dev_1,0,0\r\n", ""),
        ),
        ("begins at 0.04 s", "at 0 s"),
    ),
    "feature cut": (change(f"{AUDIO}/dev_1.arff", "0.12,2.3,2.31\n", "0.12,2."), ("dev_1.arff:13", "2 values")),
    "gold standard out of range": (change(f"{GOLD}/train_1.arff", "0.04,0.11", "0.04,11"), ("train_1.arff:11", "11")),
    "rating out of range": (
        change(f"{RATINGS}/train_1.csv", "0.04;0.11;0.12", "0.04;0.11;1.12"),
        ("train_1.csv:3", "FM2", "1.12", "[-1, 1]"),
    ),
    "rating missing": (
        change(f"{RATINGS}/train_1.csv", "0.04;0.11;0.12", "0.04;0.11;"),
        ("train_1.csv:3", "FM2", "nan"),
    ),
    "rating is text": (
        change(f"{RATINGS}/train_1.csv", "0.04;0.11;0.12", "0.04;0.11;high"),
        ("train_1.csv:3", "column 'FM2'", "'high'"),
    ),
    "ratings with commas": (change(f"{RATINGS}/train_1.csv", "time;", "time,"), ("train_1.csv:1", "no column 'time'")),
    "rating's time": (change(f"{RATINGS}/train_1.csv", "0.04;", "0.05;"), ("train_1.csv:3", "every 40 ms")),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_package(package, case):
    spoil, parts = BAD[case]
    spoil(package)
    fails(lambda: load("recola", package), *parts)


class TestBadArguments:
    def test_folder(self, tmp_path, package):
        layout = "features_audio/arousal/train_1.arff"
        fails(lambda: load("recola"), "no data folder", layout, error=MissingInputError)
        fails(lambda: load("recola", tmp_path / "none"), "none", layout, error=MissingInputError)
        (tmp_path / "empty").mkdir()
        fails(lambda: load("recola", tmp_path / "empty"), "is empty", layout, error=MissingInputError)
        fails(lambda: load("recola", package.parent), "no folder features_*", layout, error=MissingInputError)
        fails(lambda: load("recola", write(tmp_path / "file", "x")), "got a file")

    def test_avec_2018_from_its_root(self, tmp_path):
        write(tmp_path / "audio_features_egemaps" / "Train_01_4.0_0.4.arff", "x")
        fails(lambda: load("recola", tmp_path), "AVEC 2018", "not supported")

    def test_modality(self, package):
        fails(lambda: load("recola", package, modalities=["ecg"]), "'ecg'", "audio, video_appearance")
        fails(lambda: load("recola", package, modalities=[]), "no modality chosen")

    def test_choices(self, package):
        fails(lambda: load("recola", package, dimension="liking"), "no liking", "arousal or valence")
        fails(lambda: load("recola", package, task="ranking"), "'ranking'", "regression")
        fails(lambda: load("recola", package, task="classification"), "no classes")
        fails(lambda: load("semaine", package), "'semaine'", "recola, omg, tables")


class TestWithTables:
    FRAMES = "id,time,partition,speaker,arousal,g\n" + "".join(
        f"{speaker},{frame / 10},{partition},{speaker},0.{frame},{frame}\n"
        for speaker, partition in (("anna", "train"), ("bert", "dev"))
        for frame in range(3)
    )

    def test_added_modality(self, package, tmp_path):
        table = write(tmp_path / "gaze.csv", self.FRAMES)
        corpus = load("recola", package, tables=[f"gaze={table}"])
        assert list(corpus.modalities) == ["audio", "video_appearance", "gaze"]
        gaze = corpus.modality("gaze")
        assert (gaze.corpus, gaze.frame_seconds, gaze.feature_names) == ("tables", 0.1, ("g",))
        close(gaze.recordings[1].labels["arousal"], [0, 0.1, 0.2])
        assert str(table) in corpus.fingerprints
        alone = load("recola", package, tables=[("gaze", table)], modalities=["gaze"])
        assert list(alone.modalities) == ["gaze"]
        assert alone.label == "arousal"

    def test_bad(self, package, tmp_path):
        table = write(tmp_path / "gaze.csv", self.FRAMES)
        fails(lambda: load("recola", package, tables=[f"audio={table}"]), "'audio' already")
        fails(
            lambda: load("recola", package, dimension="valence", tables=[f"gaze={table}"]),
            "gaze.csv: no column 'valence'",
            "--dimension arousal",
        )
        names = write(tmp_path / "names.csv", table_text())
        fails(lambda: load("recola", package, tables=[f"gaze={names}"]), "names.csv: no column 'arousal'", "label")
        replace(table, "bert,0.0,dev,bert", "bert,0.0,dev,train_1")
        replace(table, "bert,0.1,dev,bert", "bert,0.1,dev,train_1")
        replace(table, "bert,0.2,dev,bert", "bert,0.2,dev,train_1")
        fails(
            lambda: load("recola", package, tables=[f"gaze={table}"]),
            "'train_1' is in two partitions: train (modality 'audio') and dev (modality 'gaze'",
        )


def test_names_of_modalities(package):
    (package / "features_audio").rename(package / "features_Audio.v2")
    fails(
        lambda: load("recola", package),
        "features_Audio.v2: modality 'audio.v2': expected a name of ASCII letters",
        "rename it, such as features_audio_v2",
    )
    assert list(load("recola", package, modalities=["video_appearance"]).modalities) == ["video_appearance"]
