"""Streams beside each other: nearest frames against brute force, joined ones by hand."""

import numpy as np
import pytest

from emobed_tf.corpora.corpus import EMOTION, Corpus, Modality, Recording
from emobed_tf.corpora.pairing import in_all, join, joined_corpus, nearest, partners
from emobed_tf.errors import InputError


def stream(frames, start=0.0, columns=1, name="r", partition="train", labels=None):
    features = np.arange(frames * columns, dtype=np.float32).reshape(frames, columns)
    return Recording(name, partition, name, features, labels or {}, start=start)


class TestNearest:
    @pytest.mark.parametrize(
        ("step", "start", "other_step", "other_start"), [(0.04, 0, 0.1, 0.03), (0.1, 1, 0.03, 0.89)]
    )
    def test_brute_force(self, step, start, other_step, other_start):
        one, other = stream(9, start), stream(40, other_start)
        times = other_start + other_step * np.arange(40)
        expected = [int(np.abs(times - (start + step * k)).argmin()) for k in range(9)]
        assert nearest(one, step, other, other_step).tolist() == expected

    def test_before_and_after_the_other_stream(self):
        # Frames at 0, 1, …, 5 s beside a stream at 2 and 3 s: positions -2 to 3, of which 0 and 1 exist.
        assert nearest(stream(6), 1.0, stream(2, 2.0), 1.0).tolist() == [-2, -1, 0, 1, 2, 3]

    def test_rounding_of_times_moves_no_frame(self):
        one, other = stream(7500, 0.04), stream(7500, 0.0400001)
        assert nearest(one, 0.04, other, 0.04).tolist() == list(range(7500))

    def test_utterances(self):
        assert nearest(stream(1), None, stream(1, 5.0), None).tolist() == [0]


class TestJoin:
    def test_by_hand(self):
        # Audio at 0, 1, 2, 3, 4 s; face at 1, 3 s with two columns: 0 1 | 2 3. The nearest face of 2 s is 1 s away on
        # both sides; 0 and 4 s are half a step from the ends, which still is the nearest frame.
        joined = join([stream(5), stream(2, 1.0, 2)], {"audio": 1.0, "face": 2.0}, cut=False)
        assert joined.features[:, 0].tolist() == [0, 1, 2, 3, 4]
        assert joined.features[1].tolist() == [1, 0, 1]
        assert joined.features[3].tolist() == [3, 2, 3]

    def test_training_is_cut_to_the_shortest_with_its_labels(self):
        labels = {"arousal": np.arange(6, dtype=np.float32), EMOTION: np.array(1, np.int32)}
        paired = [stream(6, labels=labels), stream(3, 1.0)]
        joined = join(paired, {"audio": 1.0, "face": 1.0}, cut=True)
        assert joined.features.tolist() == [[1, 0], [2, 1], [3, 2]]
        assert joined.labels["arousal"].tolist() == [1, 2, 3]
        assert (joined.labels[EMOTION], joined.start) == (1, 1.0)

    def test_elsewhere_every_frame_stays_and_the_other_is_missing(self):
        joined = join([stream(4), stream(2, 1.0)], {"audio": 1.0, "face": 1.0}, cut=False)
        np.testing.assert_array_equal(joined.features, [[0, np.nan], [1, 0], [2, 1], [3, np.nan]])

    def test_nothing_in_common(self):
        with pytest.raises(InputError, match="recording r have no time in common"):
            join([stream(4), stream(2, 100.0)], {"audio": 1.0, "face": 1.0}, cut=True)


class TestJoinedCorpus:
    def corpus(self, face_lacks=()):
        def of(name, frames, columns):
            labels = {"arousal": np.arange(frames, dtype=np.float32)}
            ids = [(f"{p}_{k}", p) for p in ("train", "dev", "test") for k in (1, 2)]
            found = [
                stream(frames, 0.0, columns, i, p, labels) for i, p in ids if name == "audio" or i not in face_lacks
            ]
            return Modality(name, tuple(f"{name}{k}" for k in range(columns)), tuple(found), 0.5, "constructed")

        modalities = {"audio": of("audio", 4, 2), "face": of("face", 3, 1)}
        return Corpus("tables", "regression", "arousal", (), modalities, {})

    def test_all(self):
        joined = joined_corpus(self.corpus(), ("audio", "face"))
        (only,) = joined.modalities.values()
        assert only.name == "audio_face"
        assert only.feature_names == ("audio:audio0", "audio:audio1", "face:face0")
        assert [r.features.shape for r in only.recordings] == [(3, 3)] * 2 + [(4, 3)] * 4
        assert only.frame_seconds == 0.5

    def test_what_is_paired_of_a_corpus_that_is_not(self):
        corpus, names = self.corpus(face_lacks=("train_1", "dev_2", "test_1", "test_2")), ("audio", "face")
        with pytest.raises(InputError, match="'face' lacks 1 of 2 recordings .* 'train': train_1"):
            joined_corpus(corpus, names)
        kept = {partition: in_all(corpus, names, partition) for partition in ("train", "dev", "test")}
        assert {name: [r.id for r in some] for name, some in kept.items()} == {
            "train": ["train_2"],
            "dev": ["dev_1"],
            "test": [],
        }
        joined = joined_corpus(corpus, names, kept["train"] + kept["dev"]).modality("audio_face")
        assert [r.id for r in joined.recordings] == ["train_2", "dev_1"]


class TestPartners:
    def test_by_id_in_the_targets_order(self):
        recordings = {"audio": [stream(1, name="b"), stream(1, name="a")], "face": [stream(2, name=n) for n in "abc"]}
        pairs = partners(recordings, {"audio": 1.0, "face": 2.0})
        assert [[r.id for r in pair] for pair in pairs] == [["b", "b"], ["a", "a"]]

    def test_missing_ids_are_named(self):
        recordings = {"audio": [stream(1, name=n) for n in "abc"], "face": [stream(1, name="b")]}
        with pytest.raises(InputError, match="modality 'face' lacks 2 of 3 recordings .* 'train': a, c; add them"):
            partners(recordings, {"audio": 1.0, "face": 1.0})

    def test_utterances_are_no_frames(self):
        with pytest.raises(InputError, match="'audio' has frames, but 'face' has utterances"):
            partners({"audio": [stream(1)], "face": [stream(1)]}, {"audio": 1.0, "face": None})
