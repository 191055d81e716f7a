"""Labels from a table of their own."""

import numpy as np
import pytest

from emobed_tf.corpora import load
from tests.corpora.corpus_writers import fails, only, write

PARTITIONS = ("train", "train", "dev", "dev")


class Tables:
    """Features and labels in two files, changed passage by passage."""

    def __init__(self, folder, features, labels):
        self.paths = (write(folder / "features.csv", features), write(folder / "labels.csv", labels))

    def change(self, which, old, new):
        path = self.paths[which]
        assert old in path.read_text()
        write(path, path.read_text().replace(old, new))
        return self

    def modality(self, **settings):
        return load("tables", tables={"m": self.paths[0]}, labels=self.paths[1], **settings).modality("m")

    def emotions(self):
        return {recording.id: int(recording.labels["emotion"]) for recording in self.modality().recordings}


@pytest.fixture
def utterances(tmp_path):
    features = "id,f\n" + "".join(f"{k},{k * k}.5\n" for k in range(4))
    rows = "".join(f"{k},{partition},{'uv'[k % 2]}\n" for k, partition in enumerate(PARTITIONS))
    return Tables(tmp_path, features, "id,partition,label\n" + rows)


@pytest.fixture
def frames(tmp_path):
    features = "id,time,f\n" + "".join(f"{name},{k / 10},{k * k}.5\n" for name in "ab" for k in range(6))
    rows = "".join(
        f"{name},{k / 10},{partition},{k / 100}\n"
        for name, partition in (("b", "dev"), ("a", "train"))
        for k in range(6)
    )
    return Tables(tmp_path, features, "id,time,partition,arousal\n" + rows)


class TestUtterances:
    def test_by_id_in_any_spelling_and_order(self, utterances):
        assert utterances.emotions() == {"0": 0, "1": 1, "2": 0, "3": 1}
        utterances.change(1, "\n2,", "\n002,").change(1, "\n3,", "\n3.0,")
        assert utterances.emotions() == {"0": 0, "1": 1, "2": 0, "3": 1}
        header, *rows = utterances.paths[1].read_text().splitlines()
        write(utterances.paths[1], "\n".join([header, *rows[::-1]]) + "\n")
        assert utterances.emotions() == {"0": 0, "1": 1, "2": 0, "3": 1}

    def test_they_count_before_those_of_the_features(self, utterances):
        write(utterances.paths[0], "id,partition,label,f\n" + "".join(f"{k},test,w,{k}.5\n" for k in range(4)))
        assert utterances.emotions() == {"0": 0, "1": 1, "2": 0, "3": 1}

    def test_what_has_no_partner_is_said(self, utterances):
        write(utterances.paths[0], utterances.paths[0].read_text() + "x,1\ny,2\n")
        write(utterances.paths[1], utterances.paths[1].read_text() + "z,dev,u\n")
        modality = utterances.modality()
        assert len(modality.recordings) == 4
        assert modality.notes == (
            "no labels, so left out: 'x' and 1 more recordings",
            "1 of 5 rows of the labels have no features",
            "no speaker column: each recording counts as a speaker, so intervals and p are too narrow",
        )

    @pytest.mark.parametrize(
        ("which", "old", "new", "words"),
        [
            (1, "\n1,", "\n00,", ("labels.csv:3", "a second entry for '0'", "labels.csv:2")),
            (1, "\n1,", "\n,", ("labels.csv:3", "column 'id' is empty")),
            (1, "id,", "path,", ("labels.csv:1", "no column 'id' or 'file'", "--column NAME=id")),
            (1, "partition", "part", ("labels.csv:1", "no column 'partition'")),
            (1, "dev", "eval", ("labels.csv:4", "partition 'eval'")),
            (0, "id,f\n", "id,label\n", ("features.csv", "no feature columns")),
            (0, "\n0,0.5\n1,1.5\n2,4.5\n3,9.5", "\nw,1", ("none of its recordings", "'w' here and '0' there")),
        ],
    )
    def test_wrong(self, utterances, which, old, new, words):
        utterances.change(which, old, new)
        fails(utterances.modality, *words)

    def test_labels_with_times(self, utterances):
        utterances.change(1, "partition", "time,partition").change(1, "train", "0,train").change(1, "dev", "0,dev")
        fails(utterances.modality, "labels.csv:2", "labels have times", "'0' in", "is one row without")


class TestFiles:
    @pytest.fixture
    def files(self, utterances):
        header, *rows = utterances.paths[1].read_text().splitlines()
        write(
            utterances.paths[1],
            "\n".join([header.replace("id", "file"), *("/x/clip" + row.replace(",", ".wav,", 1) for row in rows)]),
        )
        write(utterances.paths[0], "file,f\n" + "".join(f"C:\\x\\clip{k}.mp4,{k * k}.5\n" for k in range(4)))
        return utterances

    def test_by_the_end_of_the_path(self, files):
        assert files.emotions() == {"clip0": 0, "clip1": 1, "clip2": 0, "clip3": 1}
        files.change(0, "C:\\x\\clip3.mp4", "clip3")
        assert len(files.emotions()) == 4
        files.change(0, "C:\\x\\clip2.mp4", "y/clip2.mp4")  # in another folder: another file
        modality = files.modality(partitioned=False)
        assert [recording.id for recording in modality.recordings] == ["clip0", "clip1", "clip3"]

    def test_one_entry_for_two_files(self, files):
        files.change(1, "/x/", "").change(0, "C:\\x\\clip1", "C:\\y\\clip0")
        fails(files.modality, "features.csv:3", "'y/clip0' and 'x/clip0' have the same entry")

    def test_two_entries_for_one_file(self, files):
        files.change(0, "C:\\x\\", "").change(1, "/x/clip1", "/y/clip0")
        fails(files.modality, "'clip0' may be /x/clip0.wav, /y/clip0.wav")

    def test_an_empty_path(self, files):
        files.change(1, "/x/clip1.wav", "")
        fails(files.modality, "labels.csv:3", "column 'file' is empty")


class TestFrames:
    def labels(self, tables, **settings):
        found = {recording.id: recording.labels["arousal"] for recording in tables.modality(**settings).recordings}
        return found["a"].round(3).tolist()

    def test_of_the_same_time(self, frames):
        assert self.labels(frames) == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05])

    def test_of_the_nearest_time(self, frames):
        for time in ("0.1", "0.3", "0.5"):  # labels at 0, 0.2 and 0.4 remain: 0.5 is half a step away
            frames.change(1, f"a,{time},train", f"c,{time},train")
        assert self.labels(frames) == pytest.approx([0, 0, 0.02, 0.02, 0.04, 0.04])

    def test_none_is_near(self, frames):
        frames.change(1, "a,0.4,", "a,9.4,").change(1, "a,0.5,", "a,9.5,")
        np.testing.assert_allclose(self.labels(frames), [0, 0.01, 0.02, 0.03, np.nan, np.nan], atol=1e-6)

    def test_one_for_a_recording(self, frames):
        write(frames.paths[1], "id,partition,arousal\na,train,0.5\nb,dev,0.25\n")
        assert self.labels(frames) == [0.5] * 6

    def test_of_the_segment_that_they_are_in(self, frames):
        write(
            frames.paths[1],
            "id,start,end,partition,arousal\na,0.3,0.5,train,0.75\na,0.1,0.2,train,0.5\nb,,,dev,0.25\n",
        )
        modality = frames.modality()
        a, b = (recording.labels["arousal"] for recording in modality.recordings)
        np.testing.assert_array_equal(a, np.float32([np.nan, 0.5, np.nan, 0.75, 0.75, np.nan]))  # an end is not in it
        np.testing.assert_array_equal(b, [0.25] * 6)
        frames.change(1, "0.1,0.2", "0.1,0.4")
        fails(frames.modality, "labels.csv:2", "overlaps with another segment of 'a'", "labels.csv:3")

    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("a,0.1,", "a,0.2,", ("'a' a second time at 0.2 s", "labels.csv:10")),
            ("a,0.1,", "a,,", ("labels.csv:9", "column 'time' is empty")),
            ("0.01", "high", ("labels.csv:3", "column 'arousal': expected a number, got 'high'")),
            ("a,0.5,train", "a,0.5,dev", ("labels.csv:13", "'dev', but 'train' in other rows of 'a'")),
        ],
    )
    def test_wrong(self, frames, old, new, words):
        frames.change(1, old, new)
        fails(frames.modality, *words)


class TestPaths:
    """`a/x/u.wav` and `b/x/u.wav` are one file with two beginnings; `x/u.wav` and `y/u.wav` are two."""

    @staticmethod
    def joined(tmp_path, mine, theirs):
        features = write(tmp_path / "f.csv", "file,f\n" + "".join(f"{name},{k}\n" for k, name in enumerate(mine)))
        rows = [f"{name},{('train', 'dev')[k // 2]},{'uv'[k % 2]}\n" for k, name in enumerate(theirs)]
        labels = write(tmp_path / "l.csv", "file,partition,label\n" + "".join(rows))
        return only(features, labels=labels)[1]

    def test_other_beginnings(self, tmp_path):
        mine = [f"/corpus/wav/{name}.wav" for name in "abcd"]
        theirs = [f"data/wav/{name}.flac" for name in "abcd"]
        assert [r.partition for r in self.joined(tmp_path, mine, theirs).recordings] == ["train", "train", "dev", "dev"]

    def test_the_longest_common_end_counts(self, tmp_path):
        mine = ["/x/one/s/a.wav", "/x/two/s/a.wav", "/x/one/s/b.wav", "/x/two/s/b.wav"]
        theirs = ["y/one/s/a.wav", "y/two/s/a.wav", "y/one/s/b.wav", "y/two/s/b.wav"]
        found = self.joined(tmp_path, mine, theirs).recordings
        assert [int(r.features[0, 0]) for r in found if r.partition == "train"] == [0, 1]

    def test_names_alone_are_not_enough(self, tmp_path):
        mine = [f"/corpus/test/{name}.wav" for name in "abcd"]
        theirs = [f"data/train/{name}.wav" for name in "abcd"]
        fails(lambda: self.joined(tmp_path, mine, theirs), "/corpus/test/a.wav", "data/train/a.wav", "the same end")


def test_an_open_end_takes_the_only_segment_of_its_file(tmp_path):
    features = write(tmp_path / "f.csv", "file,start,end,f\n" + "".join(f"{n}.wav,0,NaT,1\n" for n in "abcd"))
    rows = [f"{n}.wav,0.5,2,{('train', 'dev')[k // 2]},{'uv'[k % 2]}\n" for k, n in enumerate("abcd")]
    labels = write(tmp_path / "l.csv", "file,start,end,partition,label\n" + "".join(rows))
    assert len(only(features, labels=labels)[1].recordings) == 4
