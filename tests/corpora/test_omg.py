"""OMG-Emotion: the challenge's files and feature tables, and what is said where they are wrong."""

import numpy as np
import pandas as pd
import pytest

from emobed_tf.corpora import load
from emobed_tf.errors import EmoBedWarning, MissingInputError
from tests.corpora.corpus_writers import OMG_HEADER, close, fails, omg, omg_rows, replace, table_text, write

CLASSES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")


@pytest.fixture
def package(tmp_path):
    return omg(tmp_path / "omg")


class TestLoad:
    def test_what_is_read(self, package):
        corpus = load("omg", package)
        assert (corpus.name, corpus.task, corpus.label, corpus.classes) == ("omg", "classification", "emotion", CLASSES)
        audio = corpus.modality("audio")
        assert (audio.feature_names, audio.frame_seconds, audio.corpus) == (("a", "b"), None, "omg")
        assert [len(audio.partition(name)) for name in ("train", "dev", "test")] == [7, 7, 7]
        happy = audio.recordings[3]
        assert (happy.id, happy.speaker, happy.partition) == ("traincafe_2/utterance_4", "traincafe", "train")
        close(happy.features, [[3.5, -3]])
        assert (happy.features.dtype, happy.labels["arousal"].dtype) == (np.float32, np.float32)
        close(happy.labels["arousal"], [0.3])
        close(happy.labels["valence"], [-0.3])
        assert happy.labels["emotion"].dtype == np.int32
        assert happy.labels["emotion"].shape == ()
        assert corpus.classes[happy.labels["emotion"]] == "happiness"

    def test_regression(self, package):
        corpus = load("omg", package, task="regression", dimension="valence")
        assert (corpus.task, corpus.label, corpus.classes) == ("regression", "valence", ())

    def test_only_the_chosen_modality_is_opened(self, package):
        write(package / "features_face_train.csv", b"\0")
        assert list(load("omg", package, modalities=["audio"]).modalities) == ["audio"]
        fails(lambda: load("omg", package), "features_face_train.csv", "binary")

    def test_parquet_and_frames(self, package):
        for partition in ("train", "dev", "test"):
            rows = [row.split(",")[3:5] for row in omg_rows(partition)]
            frame = pd.DataFrame(
                [(*key, time, index) for time in (0.5, 0.25) for index, key in enumerate(rows)],
                columns=["video", "utterance", "time", "g"],
            )
            frame.to_parquet(package / f"features_gaze_{partition}.parquet")
        gaze = load("omg", package).modality("gaze")
        assert gaze.frame_seconds == 0.25
        third = gaze.recordings[2]
        assert (third.frames, third.start) == (2, 0.25)
        close(third.labels["arousal"], [0.2, 0.2])
        assert third.labels["emotion"] == 2

    def test_withheld_test_labels(self, package):
        rows = [",".join(row.split(",")[:5]) for row in omg_rows("test")]
        with_labels = package / "omg_TestVideos_WithLabels.csv"
        write(package / "omg_TestVideos_WithoutLabels.csv", "\n".join(["link,start,end,video,utterance", *rows]) + "\n")
        assert load("omg", package).modality("audio").partition("test")[0].labels
        kept_apart = package / "test_labels" / with_labels.name
        kept_apart.parent.mkdir()
        with_labels.rename(kept_apart)
        assert load("omg", package).modality("audio").partition("test")[0].labels
        kept_apart.unlink()
        assert load("omg", package).modality("audio").partition("test")[0].labels == {}

    def test_test_partition_is_optional(self, package):
        for path in package.glob("*est*"):
            path.unlink()
        assert load("omg", package).modality("audio").partition("test") == ()

    def test_crlf_and_blank_lines(self, package):
        path = package / "omg_TrainVideos.csv"
        write(path, path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n\r\n")
        assert len(load("omg", package).modality("audio").partition("train")) == 7

    def test_labels_without_features_are_counted(self, package):
        rows = ["x,0,1,latecomer,utterance_1.mp4,0.5,0.5,3", "x,0,1,latecomer,utterance_9.mp4,0.5,0.5,3"]
        path = package / "omg_TrainVideos.csv"
        write(path, path.read_text() + "\n".join(rows) + "\n")
        with pytest.warns(EmoBedWarning, match="_train.csv: 2 utterances of 'train'") as caught:
            corpus = load("omg", package)
        assert len(caught) == 2  # each modality
        assert len(corpus.modality("face").partition("train")) == 7

    def test_shared_videos_are_a_warning(self, package):
        for name in ("omg_ValidationVideos.csv", "features_audio_dev.csv", "features_face_dev.csv"):
            write(package / name, (package / name).read_text().replace("devcafe_1", "traincafe_3"))
        with pytest.warns(EmoBedWarning, match=r"1 videos .* \(the first: traincafe\)"):
            load("omg", package)

    def test_class_missing_in_dev_is_a_warning(self, package):
        path = package / "omg_ValidationVideos.csv"
        write(path, path.read_text().replace("-0.2,2", "-0.2,1"))
        with pytest.warns(EmoBedWarning, match="'dev' of the class fear"):
            load("omg", package)

    def test_added_table(self, package, tmp_path):
        table = write(tmp_path / "x.csv", table_text(classes=CLASSES))
        corpus = load("omg", package, tables=[("voice", table)])
        assert corpus.modality("voice").recordings[4].labels["emotion"] == 4
        assert corpus.classes == CLASSES
        write(table, table_text(classes=(*CLASSES, "boredom")))
        fails(lambda: load("omg", package, tables=[("voice", table)]), "x.csv:9", "'boredom'", "anger, disgust")
        write(table, table_text(classes=CLASSES[1:]))
        fails(lambda: load("omg", package, tables=[("voice", table)]), "'voice'", "no training data", "anger")


def change(name, old, new):
    return lambda root: replace(root / name, old, new)


def append(name, text):
    return lambda root: write(root / name, (root / name).read_text() + text)


TRAIN = "omg_TrainVideos.csv"
BAD = {
    "junk row": (append(TRAIN, ",,,,,mean,mean,\n"), (f"{TRAIN}:9", "without video", "delete")),
    "junk row after a blank line": (append(TRAIN, "\n,,,,,mean,mean,\n"), (f"{TRAIN}:10", "without video")),
    "unknown class": (change(TRAIN, "-0.6,6", "-0.6,7"), (f"{TRAIN}:8", "'7'", "6 surprise")),
    "fractional class": (change(TRAIN, "-0.6,6", "-0.6,5.5"), (f"{TRAIN}:8", "'5.5'")),
    "class name": (change(TRAIN, "-0.6,6", "-0.6,sad"), (f"{TRAIN}:8", "EmotionMaxVote", "'sad'")),
    "arousal below 0": (change(TRAIN, "0.1,-0.1", "-0.1,-0.1"), (f"{TRAIN}:3", "'arousal'", "[0, 1]", "'-0.1'")),
    "valence above 1": (change(TRAIN, "-0.1,1", "1.1,1"), (f"{TRAIN}:3", "'valence'", "[-1, 1]", "'1.1'")),
    "valence nan": (change(TRAIN, "-0.1,1", "nan,1"), (f"{TRAIN}:3", "'valence'", "'nan'")),
    "no label": (change(TRAIN, "0.1,-0.1", ",-0.1"), (f"{TRAIN}:3", "'arousal'", "''")),
    "ragged": (change(TRAIN, "-0.1,1", "-0.1"), (f"{TRAIN}:3", "7 cells", "has 8")),
    "header": (change(TRAIN, "EmotionMaxVote", "Emotion"), (f"{TRAIN}:1", "'EmotionMaxVote'", "Emotion")),
    "column twice": (change(TRAIN, "link,start", "video,start"), (f"{TRAIN}:1", "'video'", "twice")),
    "no rows": (lambda root: write(root / TRAIN, OMG_HEADER + "\n"), (f"{TRAIN}:1", "no rows")),
    "key twice": (
        append(TRAIN, omg_rows("train")[0] + "\n"),
        (f"{TRAIN}:9", "'traincafe_1/utterance_1' a second time", f"{TRAIN}:2"),
    ),
    "labels missing": (lambda root: (root / TRAIN).unlink(), (f"no {TRAIN}",)),
    "dev features missing": (
        lambda root: (root / "features_face_dev.csv").unlink(),
        ("no features_face_dev.csv", "features_face_train.csv"),
    ),
    "features without labels": (
        append("features_face_dev.csv", "stranger,utterance_1.mp4,1,2\n"),
        ("features_face_dev.csv:9", "'stranger/utterance_1'", "omg_ValidationVideos.csv"),
    ),
    "features of the other partition": (
        append("features_face_dev.csv", "traincafe_1,utterance_1.mp4,1,2\n"),
        ("features_face_dev.csv:9", "'traincafe_1/utterance_1'", f"{TRAIN}:2"),
    ),
    "feature key twice": (
        append("features_face_dev.csv", "devcafe_1,utterance_1,1,2\n"),
        ("features_face_dev.csv:9", "a second time", "features_face_dev.csv:2"),
    ),
    "feature key empty": (
        append("features_face_dev.csv", "devcafe_1,,1,2\n"),
        ("features_face_dev.csv:9", "utterance"),
    ),
    "feature names": (
        change("features_face_dev.csv", "a,b", "b,a"),
        ("features_face_dev.csv: feature 1 is 'b'", "'a'"),
    ),
    "feature count": (
        lambda root: write(root / "features_face_dev.csv", "video,utterance,a\ndevcafe_1,utterance_1,1\n"),
        ("features_face_dev.csv: 1 features", "features_face_train.csv has 2"),
    ),
    "unknown partition": (
        lambda root: (root / "features_face_dev.csv").rename(root / "features_face_devel.csv"),
        ("features_face_devel.csv", "train, dev or test"),
    ),
    "table twice": (
        lambda root: write(root / "features_face_dev.parquet", "x"),
        ("features_face_dev.parquet: the same table as", "features_face_dev.csv"),
    ),
    "class missing in training": (change(TRAIN, "-0.6,6", "-0.6,5"), ("'audio'", "no training data", "surprise")),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_package(package, case):
    spoil, parts = BAD[case]
    spoil(package)
    fails(lambda: load("omg", package), *parts)


def test_bad_folder(tmp_path):
    fails(lambda: load("omg"), "no data folder", "omg_TrainVideos.csv", error=MissingInputError)
    (tmp_path / "empty").mkdir()
    fails(lambda: load("omg", tmp_path / "empty"), "is empty", error=MissingInputError)
    write(tmp_path / "labels" / TRAIN, OMG_HEADER)
    fails(lambda: load("omg", tmp_path / "labels"), "no feature table", error=MissingInputError)


def test_names_of_modalities(package):
    for partition in ("train", "dev", "test"):
        (package / f"features_face_{partition}.csv").rename(package / f"features_my face.2_{partition}.csv")
    fails(
        lambda: load("omg", package),
        "features_my face.2_",
        "modality 'my face.2': expected a name of ASCII letters",
        "rename it, such as features_my_face_2_",
    )
    assert list(load("omg", package, modalities=["audio"]).modalities) == ["audio"]
    table = write(package / "t.csv", table_text("y", classes=CLASSES))
    fails(lambda: load("omg", package, modalities=["audio", "a.b"], tables=[f"a.b={table}"]), f"--table a_b={table}")
