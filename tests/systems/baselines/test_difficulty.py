"""The second stage reads [x; d]: it must win where d tells what x doesn't, and see d for every partition."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.systems.baselines.difficulty import PerceptionDifficulty, ReconstructionDifficulty
from emobed_tf.systems.registry import find_system
from tests.systems.baselines.constructed import development_score, problem, utterances
from tests.systems.baselines.test_perception import rated


def unrelated():
    """Features that tell nothing of the label."""
    rng = np.random.default_rng(0)
    parts = {p: (rng.normal(size=(80, 3)).astype(np.float32), rng.normal(size=80)) for p in ("train", "dev")}
    return problem({"audio": utterances("audio", parts)}, epochs=20, batch_size=20, learning_rate=0.01)


class Oracle:
    """A first stage that knows the label."""

    title, trained = "oracle", None

    def configurations(self, given, number):
        return [{"weight": float(k)} for k in range(number)]

    def fit(self, given, settings, seed):
        self.fitted_with = settings
        self.trained = type("Trained", (), {"parameters": {"training": 1000, "kept": 10}})

    def difficulty(self, recordings):
        return [recording.labels["arousal"] for recording in recordings]


@pytest.mark.usefixtures("stack")
class TestSecondStage:
    def test_wins_where_the_difficulty_tells_the_label(self, monkeypatch):
        monkeypatch.setattr(ReconstructionDifficulty, "stage", Oracle)
        given, classic, system = unrelated(), find_system("classic")(), ReconstructionDifficulty()
        classic.fit(given, {}, 0)
        system.fit(given, {"weight": 0.7}, 0)
        assert development_score(system, given) > 0.95
        assert development_score(classic, given) < 0.4
        assert system.first.fitted_with == {"weight": 0.7}
        # One more input of 8 GRU units: 3 * 8 kernel columns, a mean, a deviation.
        assert system.parameters == 1000 + classic.parameters + 24 + 2
        assert system.trained.facts.features["audio"][-1] == "difficulty"
        assert system.configurations(given, 3) == Oracle().configurations(given, 3)


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
class TestBothStages:
    def test_reconstruction(self):
        given, system = unrelated(), find_system("ddat_re")()
        assert isinstance(system, ReconstructionDifficulty)
        system.fit(given, {"weight": 1.0}, 0)
        recordings = given.recordings("dev")["audio"]
        assert [v.shape for v in system.predict({"audio": recordings})] == [(1,)] * 80
        # What the second stage has learnt from is the first one's reconstruction error of the training data.
        column = np.concatenate(system.first.difficulty(given.modality.partition("train")))
        assert system.trained.weights["audio.standardise/mean"][-1] == pytest.approx(column.mean(), rel=1e-4)
        assert system.trained.weights["audio.standardise/deviation"][-1] == pytest.approx(column.std(), rel=1e-4)

    def test_perception_needs_no_ratings_at_inference(self):
        given, system = rated(), find_system("ddat_pu")()
        assert isinstance(system, PerceptionDifficulty)
        system.fit(given, {"weight": 1.0}, 0)
        recordings = given.recordings("dev")["audio"]
        bare = [dataclasses.replace(r, ratings={}, labels={}) for r in recordings]
        for one, other in zip(system.predict({"audio": recordings}), system.predict({"audio": bare}), strict=True):
            np.testing.assert_array_equal(one, other)
        assert development_score(system, given) > 0.85
