"""Problems and systems by name, and settings spread over their ranges."""

import numpy as np
import pytest

from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.errors import InputError
from emobed_tf.systems.base import NAMES, Problem, System, find
from emobed_tf.systems.spread import Choice, Range, spread


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


class TestFind:
    @pytest.mark.parametrize("name", NAMES)
    def test_every_name_is_a_system_with_a_title(self, name):
        system = find(name)
        assert issubclass(system, System)
        assert system.title and not system.__abstractmethods__

    def test_titles_differ(self):
        assert len({find(name).title for name in NAMES}) == len(NAMES)

    def test_one_of_ones_own(self):
        assert find("tests.systems.test_base:Own") is Own

    @pytest.mark.parametrize(
        ("name", "complaint"),
        [
            ("emobet", "unknown system 'emobet'; expected classic, joint"),
            ("no_such_module:X", "No module named 'no_such_module'"),
            ("tests.systems.test_base:Nothing", "no attribute 'Nothing'"),
            ("tests.systems.test_base:TestFind", "expected a subclass"),
            ("tests.systems.test_base:Half", "expected a subclass of emobed_tf.systems.System with all of its methods"),
        ],
    )
    def test_errors(self, name, complaint):
        with pytest.raises(InputError, match=complaint):
            find(name)


class TestSpread:
    def test_one_is_the_default(self):
        assert spread({"alpha": Range(0, 1.5)}, {"alpha": 0.3}, 1) == [{"alpha": 0.3}]

    def test_a_line_has_both_ends(self):
        found = [point["alpha"] for point in spread({"alpha": Range(0, 1.5)}, {"alpha": 0.4}, 5)]
        assert found == [0.4, 0.0, 0.5, 1.0, 1.5]

    def test_where_the_default_is_on_the_line_another_comes(self):
        found = [point["alpha"] for point in spread({"alpha": Range(0, 1.5)}, {"alpha": 0.5}, 5)]
        assert len(set(found)) == 5
        assert {0.5, 0.0, 1.0, 1.5} < set(found)

    def test_logarithmic(self):
        found = [point["l2"] for point in spread({"l2": Range(1e-6, 1e-2, True)}, {"l2": 1.0}, 6)]
        assert found == [1.0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2]

    @pytest.mark.parametrize("number", [9, 17, 33, 65])
    def test_a_plane_is_covered(self, number):
        """No empty quarter, and no part of nine without a point from 33 on: by counting."""
        points = spread({"a": Range(0, 1), "b": Range(0, 1)}, {"a": 2.0, "b": 2.0}, number)[1:]
        values = np.array([[point["a"], point["b"]] for point in points])
        assert len({tuple(value) for value in values.tolist()}) == number - 1
        quarters = np.histogram2d(*values.T, bins=2, range=[[0, 1], [0, 1]])[0]
        assert quarters.min() >= (number - 1) // 4 - 2
        if number >= 33:
            assert np.histogram2d(*values.T, bins=3, range=[[0, 1], [0, 1]])[0].min() > 0

    def test_choices_end_with_the_whole_grid(self):
        axes = {"c": Choice((1, 2, 3)), "d": Choice(tuple(range(7)))}
        found = spread(axes, {"c": 2, "d": 6}, 100)
        assert found[0] == {"c": 2, "d": 6}
        assert sorted((p["c"], p["d"]) for p in found) == [(c, d) for c in (1, 2, 3) for d in range(7)]

    def test_the_same_each_time_and_fewer_are_the_first_ones(self):
        axes = {"a": Range(0, 1), "b": Choice("xyz")}
        default = {"a": 0.5, "b": "x"}
        assert spread(axes, default, 20)[:7] == spread(axes, default, 7)


class Half(System):
    """Without its methods."""


class Own(System):
    """With all of them."""

    title = "own"

    def configurations(self, problem, number):
        return [{}]

    def fit(self, problem, settings, seed):
        pass

    def predict(self, recordings):
        return []
