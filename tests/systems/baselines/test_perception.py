"""The raters' deviation by hand; learnt where the features tell it; one line where there are no ratings."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.corpora.corpus import Recording
from emobed_tf.corpora.ratings import rater_deviation
from emobed_tf.errors import InputError
from emobed_tf.systems.baselines.perception import UNCERTAINTY, PerceptionMultiTask, uncertainty
from tests.systems.baselines.constructed import development_score, problem, utterances


class TestRaterDeviation:
    def test_by_hand(self):
        # Mean 2, squares 4 + 0 + 4 over three raters: sqrt(8 / 3); who agree deviate by 0.
        found = rater_deviation(np.array([[0, 2, 4], [0.3, 0.3, 0.3]], np.float32))
        np.testing.assert_allclose(found, [np.sqrt(8 / 3), 0], atol=1e-7)
        assert found.dtype == np.float32

    def test_raters_who_gave_nothing(self):
        # Of 0 and 4 the deviation is 2; one rater alone, or none, deviates from nobody.
        nan = np.nan
        found = rater_deviation(np.array([[0, nan, 4], [1, nan, nan], [nan, nan, nan], [1, 1, 1]], np.float32))
        np.testing.assert_array_equal(found, np.array([2, nan, nan, 0], np.float32))


class TestUncertainty:
    def test_only_where_there_is_a_label(self):
        # Raters at 0 and 2 deviate by 1, those at 0 and 6 by 3.
        ratings = {"arousal": np.array([[0, 2], [0, 6], [0, 6]], np.float32)}
        labels = {"arousal": np.array([1, np.nan, 3], np.float32)}
        recording = Recording("r", "train", "s", np.zeros((3, 1), np.float32), labels, ratings)
        np.testing.assert_array_equal(uncertainty(recording, "arousal"), np.array([1, np.nan, 3], np.float32))


def rated(raters=2):
    """The first feature is the label, the exponential of the second how far two raters are from it."""
    rng = np.random.default_rng(0)
    parts = {p: rng.normal(size=(n, 3)).astype(np.float32) for p, n in (("train", 80), ("dev", 60))}
    audio = utterances("audio", {p: (x, x[:, 0]) for p, x in parts.items()})

    def with_ratings(recording):
        x = recording.features[0]
        spread = np.linspace(-1, 1, raters) * np.exp(0.5 * x[1])
        return dataclasses.replace(recording, ratings={"arousal": np.float32(x[0] + spread)[None]})

    audio = dataclasses.replace(audio, recordings=tuple(map(with_ratings, audio.recordings)))
    return problem({"audio": audio}, epochs=60, batch_size=10, learning_rate=0.01)


@pytest.mark.usefixtures("stack")
class TestSystem:
    def test_learns_label_and_disagreement(self):
        given, system = rated(), PerceptionMultiTask()
        system.fit(given, {"weight": 1.0}, 0)
        assert development_score(system, given) > 0.9
        recordings = given.recordings("dev")["audio"]
        found = np.concatenate(system.difficulty(recordings))
        # Two raters at x +- e^(z / 2) deviate by e^(z / 2).
        truth = np.exp([0.5 * recording.features[0, 1] for recording in recordings])
        assert np.corrcoef(found, truth)[0, 1] > 0.9
        assert found.mean() == pytest.approx(truth.mean(), rel=0.2)

    def test_true_disagreement_is_used_in_training_alone(self):
        given = rated()
        prepared = PerceptionMultiTask().prepared(given)
        for recording in prepared.modality.recordings:
            assert (UNCERTAINTY in recording.labels) == (recording.partition == "train")


class TestInput:
    def test_no_ratings(self):
        given = rated()
        bare = tuple(dataclasses.replace(r, ratings={}) for r in given.modality.recordings)
        audio = dataclasses.replace(given.modality, recordings=bare)
        given = dataclasses.replace(given, corpus=dataclasses.replace(given.corpus, modalities={"audio": audio}))
        with pytest.raises(
            InputError, match=r"^MTL \(PU\) needs what each rater gave for arousal, .*'audio'.*train_u0"
        ):
            PerceptionMultiTask().fit(given, {"weight": 1.0}, 0)

    def test_one_rater_disagrees_with_nobody(self):
        with pytest.raises(InputError, match="has no ratings in train_u0"):
            PerceptionMultiTask().fit(rated(raters=1), {"weight": 1.0}, 0)

    def test_regression_only(self):
        assert PerceptionMultiTask.tasks == ("regression",)
