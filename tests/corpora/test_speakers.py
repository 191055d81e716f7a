"""A corpus standardised by speaker: whose frames count, what is never read, and where the corpus' part comes from."""

import dataclasses
import warnings

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.corpora.speakers import as_configured, by_speaker, speaker_moments, speakerless, weight_in_frames
from emobed_tf.errors import EmoBedWarning
from emobed_tf.settings import Data
from tests.oracles import speakers

DATA = Data(standardise="speaker", speaker_prior=4.0)
ANNA = ("a1", "a2", "a3")


def recording(name, partition, speaker, seed, frames=1, label=0):
    values = np.random.default_rng(seed).normal(size=(frames, 3)) * [1, 10, 100] + [5, hash_of(speaker), -300]
    values[np.random.default_rng(seed + 1000).random(values.shape) < 0.1] = np.nan
    labels = {} if label is None else {"emotion": np.int32(label)}
    return Recording(name, partition, speaker, values.astype(np.float32), labels)


def hash_of(speaker):
    return sum(map(ord, speaker)) % 40


def modality(frame_seconds=None, unlabelled=(), name="audio"):
    """Anna in development and test, one of her recordings without a label; Bert and Cleo in training."""
    frames = 1 if frame_seconds is None else 20
    people = [("a1", "dev", "anna", 0), ("a2", "test", "anna", 1), ("a3", "test", "anna", None)]
    people += [(f"{who[0]}{k}", "train", who, k % 2) for who in ("bert", "cleo") for k in range(6)]
    made = tuple(recording(n, p, who, k, frames, label) for k, (n, p, who, label) in enumerate(people))
    return Modality(name, ("x", "y", "z"), made, frame_seconds, "omg", unlabelled=tuple(unlabelled))


def corpus(*modalities):
    return Corpus("omg", "classification", "emotion", ("calm", "joy"), {m.name: m for m in modalities}, {})


def features(modality, names=None):
    return np.concatenate([r.features for r in modality.recordings if names is None or r.id in names])


def changed(modality, change):
    return dataclasses.replace(modality, recordings=tuple(map(change, modality.recordings)))


class TestBySpeaker:
    @pytest.mark.parametrize(("frame_seconds", "weight"), [(None, 4), (0.5, 8)])
    def test_equals_brute_force(self, frame_seconds, weight):
        """4 utterances; of frames 4 seconds, which are 8 frames of half a second."""
        before = modality(frame_seconds)
        after = by_speaker(DATA, corpus(before)).modality("audio")
        training = features(before, [r.id for r in before.recordings if r.partition == "train"])
        for who in ("anna", "bert", "cleo"):
            theirs = [r.id for r in before.recordings if r.speaker == who]
            said = features(before, theirs)
            expected = speakers.brought(said, said, training, weight)
            np.testing.assert_allclose(features(after, theirs), expected, rtol=1e-4, atol=1e-3)

    def test_all_else_stays(self):
        before = modality(0.5)
        after = by_speaker(DATA, corpus(before)).modality("audio")
        for one, other in zip(before.recordings, after.recordings, strict=True):
            assert (one.id, one.partition, one.speaker) == (other.id, other.partition, other.speaker)
            assert one.labels is other.labels
            np.testing.assert_array_equal(np.isnan(one.features), np.isnan(other.features))

    def test_labels_are_never_read(self):
        before = modality()
        permuted = changed(before, lambda r: dataclasses.replace(r, labels={"emotion": np.int32(len(r.id) % 2)}))
        none = changed(before, lambda r: dataclasses.replace(r, labels={}))
        expected = features(by_speaker(DATA, corpus(before)).modality("audio"))
        for other in (permuted, none):
            np.testing.assert_array_equal(features(by_speaker(DATA, corpus(other)).modality("audio")), expected)

    def test_frames_of_others_who_are_not_in_training_change_nothing(self):
        """Anna's change neither the training speakers' features nor what the corpus counts as."""
        before = modality()
        louder = changed(
            before, lambda r: dataclasses.replace(r, features=r.features * 9) if r.speaker == "anna" else r
        )
        found = [by_speaker(DATA, corpus(each)).modality("audio") for each in (before, louder)]
        others = [r.id for r in before.recordings if r.speaker != "anna"]
        np.testing.assert_array_equal(*(features(each, others) for each in found))
        assert found[0].speaker_prior == found[1].speaker_prior

    def test_recordings_in_no_partition_count_for_their_speakers_alone(self):
        """They are what `regrouped` leaves out because it has no label."""
        more = recording("a4", "train", "anna", 77, label=None)
        without, beside = (by_speaker(DATA, corpus(modality(unlabelled=each))) for each in ((), (more,)))
        before = modality()
        training = features(before, [r.id for r in before.recordings if r.partition == "train"])
        said = np.concatenate([features(before, ANNA), more.features])
        expected = speakers.brought(features(before, ANNA), said, training, 4)
        np.testing.assert_allclose(features(beside.modality("audio"), ANNA), expected, rtol=1e-4, atol=1e-3)
        assert beside.modality("audio").speaker_prior == without.modality("audio").speaker_prior
        assert [r.id for r in beside.modality("audio").recordings] == [r.id for r in before.recordings]

    def test_modalities_have_statistics_of_their_own(self):
        face = changed(modality(name="face"), lambda r: dataclasses.replace(r, features=r.features * 3 + 1))
        alone = by_speaker(DATA, corpus(modality()))
        together = by_speaker(DATA, corpus(modality(), face))
        np.testing.assert_array_equal(*(features(each.modality("audio")) for each in (alone, together)))

    def test_twice_is_once(self):
        once = by_speaker(DATA, corpus(modality()))
        assert by_speaker(DATA, once).modality("audio") is once.modality("audio")

    def test_says_so(self):
        assert by_speaker(DATA, corpus(modality(0.5))).modality("audio").notes == (
            "standardised by speaker (3 speakers, labels unread); the corpus counts as 4 s of each",
        )

    def test_a_table_without_speakers(self):
        """Every recording is then a speaker of its own, and somebody should know."""
        own = changed(modality(0.5), lambda r: dataclasses.replace(r, speaker=r.id))
        own = dataclasses.replace(own, corpus="tables")
        assert speakerless(own)
        with pytest.warns(EmoBedWarning, match=r"'audio': no speakers.*by its own frames alone"):
            found = by_speaker(DATA, corpus(own)).modality("audio")
        training = features(own, [r.id for r in own.recordings if r.partition == "train"])
        said = features(own, ["a1"])
        expected = speakers.brought(said, said, training, 8)
        np.testing.assert_allclose(features(found, ["a1"]), expected, rtol=1e-4, atol=1e-3)


class TestAsConfigured:
    def test_by_the_corpus_nothing_is_touched(self):
        data = corpus(modality())
        assert as_configured(Data(), data) is data

    def test_by_speaker(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = as_configured(DATA, corpus(modality()))
        assert found.modality("audio").speaker_prior.weight == 4


def test_the_weight_is_in_utterances_or_seconds():
    assert (weight_in_frames(DATA, None), weight_in_frames(DATA, 0.04)) == (4.0, pytest.approx(100.0))


def test_moments_are_of_all_frames_of_a_speaker():
    found = speaker_moments(modality(0.5).recordings)
    assert list(found) == ["anna", "bert", "cleo"]
    np.testing.assert_allclose(found["anna"].mean, np.nanmean(features(modality(0.5), ANNA), axis=0), rtol=1e-5)
