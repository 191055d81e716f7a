"""Folds: every speaker is tested once, nobody is on both sides, all modalities have the same folds."""

import dataclasses
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emobed_tf.comparison.crossvalidation.folds import check_folds, deal, inner_splits, regrouped, speakers_of
from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.errors import EmoBedWarning, InputError

AUDIO, BOTH, FACE = frozenset({"audio"}), frozenset({"audio", "face"}), frozenset({"face"})


def people(audio=0, both=0, face=0):
    kinds = {"a": (AUDIO, audio), "b": (BOTH, both), "f": (FACE, face)}
    return {f"{letter}{k}": kind for letter, (kind, count) in kinds.items() for k in range(count)}


def modality(name, rows, source="omg"):
    """A modality of rows (id, partition, speaker, class or None)."""
    recordings = []
    for k, (identity, partition, speaker, label) in enumerate(rows):
        labels = {} if label is None else {"emotion": np.int32(label)}
        recordings.append(Recording(identity, partition, speaker, np.full((1, 2), k, np.float32), labels))
    return Modality(name, ("x", "y"), tuple(recordings), None, source)


def corpus(*modalities, classes=("anger", "joy")):
    return Corpus("omg", "classification", "emotion", classes, {m.name: m for m in modalities}, {})


@pytest.fixture
def small():
    """Four speakers heard, of whom three are seen, too; one who is only seen; one recording without a label."""
    audio = [(f"r{k}", ("train", "dev", "test", "train")[k % 4], f"s{k % 4}", k // 4 % 2) for k in range(16)]
    face = [(f"v{k}", "train", ("s0", "s1", "s2", "only_seen")[k % 4], k // 4 % 2) for k in range(12)]
    return corpus(modality("audio", [*audio, ("hidden", "test", "s4", None)]), modality("face", face))


class TestSpeakersOf:
    def test_by_name_over_modalities_and_labelled_only(self, small):
        assert speakers_of([small]) == {"only_seen": FACE, "s0": BOTH, "s1": BOTH, "s2": BOTH, "s3": AUDIO}

    def test_a_table_without_speakers(self):
        rows = [(f"r{k}", "train", f"r{k}", 0) for k in range(5)]
        with pytest.raises(InputError, match="modality 'audio': no speakers.*column 'speaker'"):
            speakers_of([corpus(modality("audio", rows, "tables"))])
        # RECOLA has one recording of each speaker, under one name; so may a table that is added to it.
        assert len(speakers_of([corpus(modality("audio", rows, "recola"), modality("gait", rows, "tables"))])) == 5


class TestDeal:
    @given(st.integers(0, 9), st.integers(3, 12), st.integers(0, 9), st.integers(2, 6), st.integers(0, 5))
    def test_every_speaker_is_tested_once_and_nobody_twice_in_a_fold(self, audio, both, face, folds, seed):
        speakers = people(audio, both, face)
        if len(speakers) < max(folds, 4):
            return
        dealt = deal(speakers, folds, seed=seed)
        assert Counter(name for fold in dealt for name in fold.test) == Counter(speakers.keys())
        for fold in dealt:
            assert sorted((*fold.train, *fold.dev, *fold.test)) == sorted(speakers)
            assert fold.train and fold.dev
        for kind in (AUDIO, BOTH, FACE):
            counts = [sum(speakers[name] == kind for name in fold.test) for fold in dealt]
            assert max(counts) - min(counts) <= 1

    def test_ravdess(self):
        # 20 speakers, 5 folds: 4 are tested, as many develop, 12 are left to learn from.
        for fold in deal(people(both=20), 5):
            assert (len(fold.train), len(fold.dev), len(fold.test)) == (12, 4, 4)

    def test_development_is_at_most_a_third_of_those_not_tested(self):
        # Two folds of 8 and 7: of 8 that are not tested 2 develop, of 7 too.
        assert [(len(f.train), len(f.dev), len(f.test)) for f in deal(people(both=15), 2)] == [(5, 2, 8), (6, 2, 7)]

    def test_development_speakers_are_those_with_most_modalities(self):
        for fold in deal(people(audio=12, both=6), 3, dev_speakers=2):
            assert all(name.startswith("b") for name in fold.dev)

    def test_development_has_its_share_of_every_modality(self):
        """Two corpora with other people: of 8 + 8 in each fold that aren't tested, 4 develop, 2 of each."""
        for fold in deal(people(audio=12, face=12), 3, dev_speakers=4):
            assert sorted(name[0] for name in fold.dev) == ["a", "a", "f", "f"]
        # The next fold has 2 of each kind. Those with both come first; then one of audio and one of face.
        for fold in deal(people(audio=6, both=6, face=6), 3, dev_speakers=4):
            assert [name[0] for name in fold.dev] == ["b", "b", "a", "f"]

    def test_is_a_function_of_the_seed(self):
        speakers = people(both=12)
        shuffled = dict(reversed(speakers.items()))
        assert deal(speakers, 3, seed=1) == deal(shuffled, 3, seed=1)
        assert deal(speakers, 3, seed=1) != deal(speakers, 3, seed=2)

    @pytest.mark.parametrize(
        ("number", "folds", "dev", "message"),
        [
            (10, 1, None, "--folds: expected 2 or more, got 1"),
            (4, 5, None, "4 speakers for 5 folds"),
            (3, 2, None, "3 speakers for 2 folds"),
            (10, 5, 0, "--dev-speakers: expected 1 to 7 of the 8 speakers that are not tested, got 0"),
            (10, 5, 8, "--dev-speakers: expected 1 to 7 of the 8"),
        ],
    )
    def test_refuses(self, number, folds, dev, message):
        with pytest.raises(InputError, match=message):
            deal(people(both=number), folds, dev)


class TestRegrouped:
    def test_partitions_are_the_folds_and_nothing_else_changes(self, small):
        for fold in deal(speakers_of([small]), 2):
            found = regrouped(small, fold)
            for before, after in zip(small, found, strict=True):
                kept = {r.id: r for r in after.recordings}
                assert kept.keys() == {r.id for r in before.recordings if r.labels}
                for recording in before.recordings:
                    if recording.labels:
                        assert recording.speaker in getattr(fold, kept[recording.id].partition)
                        assert kept[recording.id].features is recording.features
                        assert kept[recording.id].labels is recording.labels

    def test_unlabelled_recordings_of_its_speakers_are_in_no_partition(self, small):
        audio = small.modality("audio")
        more = tuple(Recording(f"u_{who}", "dev", who, audio.recordings[0].features) for who in ("s1", "nobody"))
        audio = dataclasses.replace(audio, recordings=(*audio.recordings, *more))
        (fold, *_) = deal(speakers_of([small]), 2)
        found = regrouped(dataclasses.replace(small, modalities={"audio": audio}), fold).modality("audio")
        assert [r.id for r in found.unlabelled] == ["u_s1"]
        assert {r.id for r in found.recordings} == {f"r{k}" for k in range(16)}


class TestCheckFolds:
    def test_a_target_that_a_fold_lacks(self, small):
        check_folds(small, deal(speakers_of([small]), 3), "audio", ("face",))
        # Four speakers are seen, and five are dealt one by one: s3, who is only heard, is alone in a fold.
        with pytest.raises(InputError, match=r"fold \d of 5: no labelled recording of 'face' for \w+ \(speakers s3\)"):
            check_folds(small, deal(speakers_of([small]), 5, 1), "face", ())

    def test_a_class_that_cannot_be_learnt(self):
        rows = [(f"r{k}", "train", f"s{k % 4}", int(k % 4 == 0)) for k in range(16)]
        only_one_is_happy = corpus(modality("audio", rows))
        with pytest.warns(EmoBedWarning, match="no training recording of 'audio' shows joy"):
            check_folds(only_one_is_happy, deal(speakers_of([only_one_is_happy]), 4), "audio", ())


class TestInnerSplits:
    def test_everybody_who_is_not_tested_is_once_for_development(self):
        speakers = {f"s{k}": frozenset({"audio"}) for k in range(12)}
        fold = deal(speakers, 4)[1]
        splits = inner_splits(fold, speakers, 3)
        developed = [name for split in splits for name in split.dev]
        assert sorted(developed) == sorted((*fold.train, *fold.dev))
        for split in splits:
            assert split.number == fold.number and split.test == ()
            assert len(split.dev) == 3 and not set(split.dev) & set(split.train)
            assert sorted((*split.dev, *split.train)) == sorted(developed)

    @pytest.mark.parametrize("number", [1, 10])
    def test_too_few_speakers(self, number):
        speakers = {f"s{k}": frozenset({"audio"}) for k in range(12)}
        with pytest.raises(InputError, match="--inner-folds: expected 2 to 9"):
            inner_splits(deal(speakers, 4)[0], speakers, number)
