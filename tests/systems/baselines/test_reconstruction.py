"""The reconstruction error by hand, and on data that lie on a line but for those that don't."""

from types import SimpleNamespace

import numpy as np
import pytest

from emobed_tf.corpora.corpus import CLASSIFICATION, Recording
from emobed_tf.systems.baselines.reconstruction import ReconstructionMultiTask
from tests.systems.baselines.constructed import development_score, problem, utterances


class TestDifficulty:
    def test_three_frames_by_hand(self):
        features = np.array([[5, 6], [np.nan, 7], [np.nan, np.nan]], np.float32)
        system = ReconstructionMultiTask()
        system.trained = SimpleNamespace(
            standardised=lambda values: np.array([[1, 2], [0, -1], [0, 0]], np.float32),
            head_outputs=lambda name, recordings: [np.array([[4, 6], [9, -3], [1, 1]], np.float32)],
        )
        # Frame 0: sqrt((3^2 + 4^2) / 2); frame 1: only the second feature exists, |-3 - -1| = 2; frame 2: nothing does.
        (found,) = system.difficulty([Recording("r", "dev", "s", features)])
        np.testing.assert_allclose(found, [np.sqrt(12.5), 2, np.nan], rtol=1e-6)


def on_a_line(task="regression"):
    """Features that are one hidden number times twelve loadings; some are missing in training."""
    rng = np.random.default_rng(0)
    loadings, parts = rng.normal(size=12), {}
    for partition, n in (("train", 60), ("dev", 40)):
        hidden = rng.uniform(-1, 1, n)
        features = (hidden[:, None] * loadings).astype(np.float32)
        if partition == "train":
            features[rng.random(features.shape) < 0.05] = np.nan
        parts[partition] = (features, hidden if task == "regression" else (hidden > 0).astype(int))
    return problem(
        {"audio": utterances("audio", parts, task=task)},
        task,
        classes=("low", "high") if task == CLASSIFICATION else (),
        epochs=60,
        batch_size=10,
        learning_rate=0.01,
    )


@pytest.mark.usefixtures("stack")
class TestSystem:
    def test_reconstructs_what_it_knows_and_not_what_it_does_not(self):
        given, system = on_a_line(), ReconstructionMultiTask()
        system.fit(given, {"weight": 3.0}, 0)
        known = given.recordings("dev")["audio"]
        rng = np.random.default_rng(1)
        deviation = np.nanstd(np.concatenate([r.features for r in known]), axis=0)
        strange = [
            Recording(f"x{k}", "dev", "x", (deviation * rng.normal(size=(1, 12))).astype(np.float32)) for k in range(40)
        ]
        inside, outside = (np.concatenate(system.difficulty(some)) for some in (known, strange))
        # All of a line is one number, which eight units hold; of noise in twelve dimensions they hold a part.
        assert np.median(inside) < 0.3
        assert np.median(outside) > 2 * np.median(inside)
        assert development_score(system, given) > 0.9

    def test_weight_decides_whether_the_input_is_learnt(self):
        given, last = on_a_line(), {}
        for weight in (0.0, 3.0):
            system = ReconstructionMultiTask()
            system.fit(given, {"weight": weight}, 0)
            last[weight] = system.trained.history[-1]["reconstruction"]
        assert last[0.0] > 0.8  # of features with variance 1
        assert last[3.0] < 0.2

    def test_classes(self):
        given, system = on_a_line(CLASSIFICATION), ReconstructionMultiTask()
        system.fit(given, {"weight": 0.5}, 0)
        assert development_score(system, given) > 0.9
        assert [v.shape for v in system.predict(given.recordings("dev"))] == [(2,)] * 40
