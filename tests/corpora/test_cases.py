"""Small files in the form that tools write (shared/cases beside the repository): what comes of each."""

from pathlib import Path

import numpy as np
import pytest

from emobed_tf.corpora import load, load_features
from emobed_tf.corpora.segments import seconds_of
from emobed_tf.errors import EmoBedWarning
from emobed_tf.settings import Reading
from tests.commands import assert_one_line, command
from tests.corpora.corpus_writers import close, fails, only, write

CASES = Path(__file__).parents[2].parent / "shared" / "cases"
FUNCTIONALS = (
    "F0semitoneFrom27.5Hz_sma3nz_amean",
    "loudness_sma3_amean",
    "mfcc1_sma3_amean",
    "HNRdBACF_sma3nz_amean",
)
FACE = ("pose_Tx", "AU01_r", "AU12_r", "x_0", "X_0")
FAILED = slice(10, 15)  # frames 11 to 15 of each video have success 0
# The first row of each file, as it stands there.
FIRST = {
    "opensmile_functionals.csv": [1.288185, 1.449446, 0.06633581, -0.7645437],
    "opensmile_functionals.arff": [0.1408589, 0.03580835, 0.8320567, -0.09141741],
    "opensmile_nominal.arff": [-0.7890754, 1.770242, 0.6661817, -0.5268725],
}
OPENFACE_COLUMNS = ("frame", "face_id", "confidence", "success")

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="no example files beside the repository (shared/cases)")


def case(name):
    return CASES / name


def utterances(name):
    return load_features(case(name), modality="m", feature_names=FUNCTIONALS, frame_seconds=None)


def faces(name):
    return load_features(case(name), modality="m", feature_names=FACE, frame_seconds=1 / 30)


def clip_labels(tmp_path, key="id", suffix=""):
    """A table of labels for four clips: two classes in training and in development."""
    rows = (("clip0", "train", "u"), ("clip1", "train", "v"), ("clip2", "dev", "u"), ("clip3", "dev", "v"))
    lines = [f"{key},partition,label", *(f"{name}{suffix},{partition},{label}" for name, partition, label in rows)]
    return write(tmp_path / "labels.csv", "\n".join(lines) + "\n")


class TestOpenSmile:
    @pytest.mark.parametrize("name", FIRST)
    def test_functionals_are_utterances(self, name):
        found = utterances(name)
        assert [recording.id for recording in found] == ["clip0", "clip1", "clip2", "clip3"]  # without quotes
        close(found[0].features, [FIRST[name]])

    @pytest.mark.parametrize("name", FIRST)
    @pytest.mark.parametrize(("key", "suffix"), [("id", ""), ("file", ".wav")])
    def test_functionals_with_a_table_of_labels(self, tmp_path, name, key, suffix):
        corpus, modality = only(case(name), labels=clip_labels(tmp_path, key, suffix))
        assert (corpus.classes, modality.frame_seconds) == (("u", "v"), None)
        assert modality.feature_names == FUNCTIONALS  # neither frameTime nor class
        assert "recognised as openSMILE" in modality.notes
        close(modality.recordings[0].features, [FIRST[name]])

    def test_low_level_descriptors_are_frames(self):
        (found,) = load_features(
            case("opensmile_lld.arff"), modality="m", feature_names=("F0", "loud"), frame_seconds=0.04
        )
        assert (found.id, found.start) == ("clip0", 0.0)
        close(found.features, [[0.1, 0.2]] * 20)

    def test_one_recording_with_a_comma_too_many(self):
        path = case("opensmile_trailing_comma.arff")
        (found,) = load_features(path, modality="m", feature_names=("F0", "loud"), frame_seconds=0.04)
        assert found.id == "opensmile_trailing_comma"
        close(found.features, [[0.1, 0.2]] * 20)


class TestOpenFace:
    @pytest.mark.filterwarnings("ignore:'openface_raw' has no ids, and its time begins again. read as 5 recordings")
    @pytest.mark.parametrize("name", ["openface_raw.csv", "openface_with_keys.csv", "openface_gap.csv"])
    def test_predict(self, name):
        found = faces(name)
        assert [recording.features.shape for recording in found] == [(40, 5)] * 5
        for recording in found:
            np.testing.assert_array_equal(np.flatnonzero(recording.missing), np.arange(10, 15))
        close(found[0].features[0], [18.82, 0.27, 2.13, 288.53, -0.43])

    @pytest.mark.parametrize("name", ["openface_with_keys.csv", "openface_gap.csv", "openface_nanind.csv"])
    @pytest.mark.filterwarnings("ignore:modality 'm'. nothing in the partition 'test' of the class sad")
    def test_training(self, name):
        _, modality = only(case(name))
        assert modality.feature_names == FACE
        assert modality.frame_seconds == pytest.approx(1 / 30, rel=1e-6)
        assert set(modality.left_out) == set(OPENFACE_COLUMNS)
        features = modality.recordings[0].features
        assert features.shape == (40, 5)
        assert np.isnan(features[FAILED]).all()
        rest = np.delete(np.isnan(features), FAILED, axis=0)
        # Line 7, frame 6, has -nan(ind) for AU01_r in one of the files, and nothing else is missing.
        assert list(map(tuple, np.argwhere(rest))) == ([(5, 1)] if "nanind" in name else [])

    @pytest.mark.filterwarnings("ignore:modality 'm'. nothing in the partition 'test' of the class sad")
    def test_a_gap_is_said(self):
        _, modality = only(case("openface_gap.csv"))
        assert any("25 rows are absent" in note for note in modality.notes)  # 5 in each of 5 videos

    def test_two_rates(self):
        message = fails(lambda: only(case("openface_two_rates.csv")), "csv:42", "'v2'", "40 ms", "25 a second")
        assert "--resample 0.04" in message

    @pytest.mark.filterwarnings("ignore:modality 'm'. nothing in the partition 'test' of the class sad")
    def test_two_rates_brought_to_one(self):
        _, modality = only(case("openface_two_rates.csv"), reading=Reading(resample=0.04))
        assert modality.frame_seconds == 0.04
        v1, v2 = modality.recordings[:2]
        # 40 frames at 30 a second end at 1.3 s, in the bin from 1.28 s, the 33rd.
        assert (v1.frames, v2.frames) == (33, 40)
        close(v1.features[0], [(18.82 + 17.74) / 2, (0.27 + 0.72) / 2, (2.13 + 2.04) / 2, 297.655, -0.97])


class TestSegments:
    def test_audformat(self, tmp_path):
        found = utterances("audformat_segmented.csv")
        assert [recording.id for recording in found] == ["clip0", "clip1", "clip2", "clip3"]
        close(found[3].features, [[-1.66606, 0.85525, 0.50638, 0.49882]])
        assert seconds_of("0 days 00:00:01.240000") == pytest.approx(1.24)
        for key, suffix in (("file", ".wav"), ("id", "")):
            corpus, modality = only(case("audformat_segmented.csv"), labels=clip_labels(tmp_path, key, suffix))
            assert (corpus.classes, modality.feature_names) == (("u", "v"), FUNCTIONALS)

    def test_audformat_labels_of_segments(self, tmp_path):
        times = "0 days 00:00:00,0 days 00:00:01.240000"
        rows = [f"/data/wav/clip{k}.wav,{times},{('train', 'dev')[k // 2]},{'uv'[k % 2]}" for k in range(4)]
        labels = write(tmp_path / "labels.csv", "\n".join(["file,start,end,partition,label", *rows]) + "\n")
        _, modality = only(case("audformat_segmented.csv"), labels=labels)
        assert [int(recording.labels["emotion"]) for recording in modality.recordings] == [0, 1, 0, 1]
        write(labels, labels.read_text().replace("01.240000", "01.500000"))
        fails(
            lambda: only(case("audformat_segmented.csv"), labels=labels), "the segments aren't: 'clip0' is 0 to 1.24 s"
        )

    def test_audformat_without_labels_says_how(self):
        fails(lambda: only(case("audformat_segmented.csv")), "csv:1", "no column 'partition'", "--labels")

    def test_start_and_end_are_no_features(self):
        assert only(case("start_end_columns.csv"))[1].feature_names == FUNCTIONALS


class TestTimes:
    def test_muse_is_in_milliseconds(self):
        _, modality = only(case("muse_timestamp_ms.csv"))
        assert (modality.frame_seconds, modality.feature_names) == (0.25, ("f1", "f2", "f3"))
        assert "segment_id" in modality.left_out

    def test_milliseconds_are_asked_for(self):
        fails(lambda: only(case("time_in_ms.csv")), "250 s", "--time-unit ms")

    def test_milliseconds_once_told_are_the_same_corpus(self):
        told = only(case("time_in_ms.csv"), reading=Reading(time_unit="ms"))[1]
        seconds = only(case("time_in_s.csv"))[1]
        assert told.frame_seconds == seconds.frame_seconds == 0.25
        assert len(told.recordings) == len(seconds.recordings) == 4
        for one, other in zip(told.recordings, seconds.recordings, strict=True):
            assert (one.id, one.partition, one.speaker, one.start) == (
                other.id,
                other.partition,
                other.speaker,
                other.start,
            )
            np.testing.assert_array_equal(one.features, other.features)
            np.testing.assert_array_equal(one.labels["arousal"], other.labels["arousal"])

    def test_frames_without_labels(self):
        masked = only(case("unlabelled_frames.csv"))[1].recordings[0]
        dropped = only(case("unlabelled_rows_dropped.csv"))[1].recordings[0]
        gone = np.flatnonzero(np.isnan(masked.labels["arousal"]))
        assert len(gone) == 5
        np.testing.assert_array_equal(np.flatnonzero(np.isnan(dropped.labels["arousal"])), gone)
        assert masked.frames == dropped.frames == 150
        assert not masked.missing.any()  # the features are there
        np.testing.assert_array_equal(np.flatnonzero(dropped.missing), gone)


class TestNames:
    @pytest.mark.parametrize("names", [("classes_lower", "classes_upper"), ("classes_upper", "classes_lower")])
    def test_classes_that_differ_in_case(self, names):
        paths = [(name, case(f"{name}.csv")) for name in names]
        message = fails(lambda: load("tables", tables=paths), "classes_lower.csv:2", "classes_upper.csv:2", "in case")
        assert "--class-name 'angry=Angry'" in message
        corpus = load("tables", tables=paths, reading=Reading(class_name=("angry=Angry", "happy=Happy")))
        assert corpus.classes == ("Angry", "Happy")

    @pytest.mark.parametrize("other", ["speakers_1.csv", "speakers_1_0.csv"])
    @pytest.mark.parametrize("turned", [False, True])
    def test_one_person_in_two_spellings(self, other, turned):
        paths = [("m", case("speakers_01.csv")), ("n", case(other))]
        fails(lambda: load("tables", tables=paths[::-1] if turned else paths), "speaker", "in two partitions")
        corpus = load("tables", tables=paths, partitioned=False)
        assert len({recording.speaker for modality in corpus for recording in modality.recordings}) == 6  # not 12

    @pytest.mark.parametrize(("name", "what"), [("speaker_unknown", "is 'Unknown'"), ("speaker_empty", "is empty")])
    def test_nobody_knows_the_speaker(self, name, what):
        path = case(f"{name}.csv")
        fails(lambda: only(path), f"{name}.csv:6", what, "--unknown-speaker own")
        recordings = only(path, reading=Reading(unknown_speaker="own"))[1].recordings
        unknown = [recording for recording in recordings if recording.speaker not in {"1", "2", "3", "4", "5", "6"}]
        assert unknown
        assert len({recording.speaker for recording in unknown}) == len(unknown)

    def test_integer_names(self):
        path = case("integer_names.csv")
        assert only(path)[1].feature_names == ("0", "1", "2", "3")
        found = load_features(path, modality="m", feature_names=("0", "1", "2", "3"), frame_seconds=None)
        close(found[0].features, [[0.9417, -1.3966, -0.6797, 0.3705]])


class TestLabelsAmongFeatures:
    def test_soft_labels_are_left_out_and_named(self):
        with pytest.warns(EmoBedWarning, match="4 columns are left out") as caught:
            _, modality = only(case("soft_labels.csv"))
        assert len(caught) == 1
        assert modality.feature_names == ("f1", "f2", "f3", "f4")
        assert set(modality.left_out) == {"Angry", "Happy", "EmoAct", "gender"}
        kept = only(case("soft_labels.csv"), reading=Reading(keep=("Emo*",), ignore=("Angry", "Happy", "gender")))[1]
        assert kept.feature_names == ("f1", "f2", "f3", "f4", "EmoAct")

    def test_dominance_left_out_or_learnt(self):
        with pytest.warns(EmoBedWarning, match="dominance"):
            corpus, modality = only(case("dominance.csv"))
        assert (corpus.task, modality.feature_names) == ("classification", ("f1", "f2", "f3", "f4"))
        corpus, modality = only(case("dominance.csv"), dimension="dominance")
        assert (corpus.task, corpus.label, modality.feature_names) == (
            "regression",
            "dominance",
            ("f1", "f2", "f3", "f4"),
        )
        close(modality.recordings[0].labels["dominance"], [-0.0130904])


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("no_header.csv", (":1", "is the header missing?")),
            ("excel_decimal_comma.csv", (":2", "'f1'", "decimal comma")),
            ("excel_sep_line.csv", (":1", "sep=,", "Excel", "delete it")),
            ("header_repeated.csv", (":10", "the header is repeated")),
            ("one_class.csv", ("'train'", "'angry'", "two classes at least")),
        ],
    )
    def test_in_words(self, name, words):
        fails(lambda: only(case(name)), name if ":" in words[0] else "", *words)

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("constant_utterance_label.csv", ("all training labels are 4", "nothing to learn")),
            ("one_class.csv", ("angry",)),
            ("time_in_ms.csv", ("--time-unit ms",)),
        ],
    )
    def test_by_the_dry_run(self, name, words):
        result = command("check", case(name))
        assert_one_line(result, *words)
        assert "delay" not in result.stderr
