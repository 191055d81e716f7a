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

    learnt = 1000

    def fit(self, given, settings, seed):
        self.fitted_with = settings

    def difficulty(self, recordings):
        return [recording.labels["arousal"] for recording in recordings]


@pytest.mark.usefixtures("stack")
class TestSecondStage:
    def test_wins_where_the_difficulty_tells_the_label(self, monkeypatch):
        monkeypatch.setattr(ReconstructionDifficulty, "stage", Oracle)
        given, classic, system = unrelated(), find_system("classic")(), ReconstructionDifficulty()
        classic.fit(given, {}, 0)
        settings = {"weight": 0.7, "learning_rate": 0.02, "l2": 1e-5}
        system.fit(given, settings, 0)
        assert development_score(system, given) > 0.95
        assert development_score(classic, given) < 0.4
        assert system.first.fitted_with == settings
        assert system.trained.config.training.learning_rate == 0.02
        assert system.trained.config.objective.l2 == 1e-5
        # One more input of 8 GRU units: 3 * 8 kernel columns, a mean, a deviation.
        assert system.parameters == 1000 + classic.parameters + 24 + 2
        assert system.trained.facts.features["audio"][-1] == "difficulty"

    def test_both_stages_are_searched(self):
        given = unrelated()
        for name in ("ddat_re", "ddat_pu"):
            found = find_system(name)().configurations(given, 5)
            assert found[0] == {"weight": 0.5, "learning_rate": 0.01, "l2": 1e-4}
            assert all(len({settings[key] for settings in found}) == 5 for key in found[0])


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


class TestNames:
    def test_no_record_of_an_earlier_version_is_taken_for_one_of_the_new_row(self):
        """`mtl_re` was what `reconstruction` is now, and its ledgers hold {"weight": …} alone."""
        given = unrelated()
        assert not any("weight" in settings for settings in find_system("mtl_re")().configurations(given, 16))
        assert find_system("reconstruction")().configurations(given, 1)[0]["weight"] == 0.5
        assert find_system("mtl_re").title == "MTL (RE)" != find_system("reconstruction").title
