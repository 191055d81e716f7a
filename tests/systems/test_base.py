"""A problem: what it says of its data, and what it hides."""

import pytest

from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.registry import find_system


@pytest.fixture(scope="module")
def frames(recola):
    return Problem(*load_corpus(preset().replace(data_dir=recola)))


@pytest.fixture(scope="module")
def utterances(tables):
    return Problem(*load_corpus(preset("tables").replace(data_dir=tables, target="audio")))


class TestProblem:
    def test_what_it_says_of_frames(self, frames):
        assert (frames.target, frames.auxiliaries, frames.task, frames.label) == (
            "audio",
            ("video_appearance",),
            "regression",
            "arousal",
        )
        assert frames.score == "ccc"
        assert frames.delay == 60  # 2.4 s of 40 ms
        assert frames.facts.frame_seconds["audio"] == pytest.approx(0.04)

    def test_what_it_says_of_utterances(self, utterances):
        assert (utterances.task, utterances.label, utterances.score) == ("classification", "emotion", "f1_macro")
        assert utterances.delay == 0
        assert utterances.facts.classes == ("anger", "calm", "joy")

    def test_recordings_by_modality(self, utterances):
        found = utterances.recordings("dev")
        assert list(found) == ["audio", "face"]
        assert len(found["audio"]) == 15  # of 60, every fourth three
        assert {r.partition for r in found["audio"]} == {"dev"}

    def test_the_unlabelled_are_left_out_of_the_target_alone(self, utterances):
        import dataclasses

        def bare(modality):
            recordings = tuple(dataclasses.replace(r, labels={}) for r in modality.recordings)
            return dataclasses.replace(modality, recordings=recordings)

        corpus = utterances.corpus
        hidden = {name: bare(modality) for name, modality in corpus.modalities.items()}
        problem = Problem(utterances.config, dataclasses.replace(corpus, modalities=hidden))
        assert problem.recordings("test")["audio"] == ()
        assert len(problem.recordings("test")["face"]) == 6

    def test_without_test(self, frames):
        seen = frames.without_test()
        for modality in seen.corpus:
            assert [r.partition for r in modality.recordings].count("test") == 0
            assert len(modality.partition("train")) == len(modality.partition("dev")) == 3
        assert len(frames.modality.partition("test")) == 3
        assert seen.facts.fingerprints == frames.facts.fingerprints


class Fused(System):
    """A system of one's own from before pairs were of training or of inference."""

    title, paired = "fused", True

    def configurations(self, problem, number):
        return [{}]

    def fit(self, problem, settings, seed):
        pass

    def predict(self, recordings):
        return []


class Later(Fused):
    title = "later"


class Alone(Fused):
    title, paired = "alone", False


class TestPairs:
    def test_what_paired_meant(self):
        assert [kind.pairs for kind in (Fused, Later, Alone)] == ["inference", "inference", "never"]
        assert [kind.reads_auxiliaries() for kind in (Fused, Later, Alone)] == [True, True, False]

    @pytest.mark.parametrize(
        ("name", "pairs", "reads"),
        [
            ("classic", "never", False),
            ("emobed", "never", True),
            ("trunk", "never", True),
            ("distilled", "training", True),
            ("late", "inference", True),
            ("mtl_re", "never", False),
        ],
    )
    def test_of_the_packages_own(self, name, pairs, reads):
        system = find_system(name)
        assert (system.pairs, system.reads_auxiliaries()) == (pairs, reads)
