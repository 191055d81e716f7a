"""Support vector machine: scikit-learn itself on data standardised by hand, and a problem that no line solves."""

import numpy as np
import pytest
from sklearn.svm import SVC

from emobed_tf.config import preset
from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.svm import SupportVectorMachine

pytestmark = pytest.mark.usefixtures("stack")


def problem(draw, classes=("a", "b"), utterances=60, frames=1):
    """Utterances whose features `draw(rng, k)` gives, with their class."""
    rng = np.random.default_rng(0)
    recordings = []
    for partition in ("train", "dev"):
        for k in range(utterances):
            features, label = draw(rng, k)
            values = np.tile(features, (frames, 1)).astype(np.float32)
            name = f"{partition}_{k}"
            recordings.append(Recording(name, partition, name, values, {"emotion": np.int32(label)}))
    columns = tuple(f"f{k}" for k in range(recordings[0].features.shape[1]))
    modality = Modality("face", columns, tuple(recordings), None, "tables")
    corpus = Corpus("tables", "classification", "emotion", classes, {"face": modality}, {})
    return Problem(preset("tables").replace(target="face", auxiliary=()), corpus)


def rings(rng, k):
    """Class 0 within radius 1, class 1 between 2 and 3."""
    angle, radius = rng.uniform(0, 2 * np.pi), rng.uniform(2, 3) if k % 2 else rng.uniform(0, 1)
    return np.array([radius * np.cos(angle), radius * np.sin(angle)]), k % 2


def three(rng, k):
    """Three noisy clouds, the second feature in other units."""
    centre = np.array([[0, 0], [2, 0], [0, 200]])[k % 3]
    return centre + rng.normal(size=2) * [1, 100], k % 3


def accuracy(system, problem):
    recordings = problem.recordings("dev")
    labels = [int(r.labels["emotion"]) for r in recordings["face"]]
    return np.mean([np.argmax(p) == y for p, y in zip(system.predict(recordings), labels, strict=True)])


def fitted(problem, **settings):
    system = SupportVectorMachine()
    system.fit(problem, {"complexity": 1.0, "width": 1.0, **settings}, 0)
    return system


class TestFit:
    @pytest.mark.parametrize(("complexity", "width"), [(1.0, 1.0), (0.05, 3.0)])
    def test_is_scikit_learns(self, complexity, width):
        given = problem(three, ("a", "b", "c"))
        train, dev = (given.modality.partition(part) for part in ("train", "dev"))
        x = np.concatenate([r.features for r in train])
        mean, deviation = x.mean(axis=0), x.std(axis=0)
        # Standardised, the variance is 1: one unit of width is 1 / 2 with two features.
        direct = SVC(C=complexity, gamma=width / 2)
        direct.fit((x - mean) / deviation, [int(r.labels["emotion"]) for r in train])
        expected = direct.predict((np.concatenate([r.features for r in dev]) - mean) / deviation)
        found = fitted(given, complexity=complexity, width=width).predict(given.recordings("dev"))
        assert [int(np.argmax(p)) for p in found] == expected.tolist()
        assert len(set(expected.tolist())) == 3

    def test_solves_rings(self):
        assert accuracy(fitted(problem(rings)), problem(rings)) == 1.0

    def test_a_class_that_training_lacks_never_wins(self):
        given = problem(lambda rng, k: (rings(rng, k)[0], 1 + k % 2), ("never", "a", "b"))
        found = fitted(given).predict(given.recordings("dev"))
        assert {int(np.argmax(p)) for p in found} == {1, 2}
        assert all(p.shape == (3,) and np.isfinite(p).all() for p in found)

    def test_frames_are_averaged_without_missing_values(self):
        given = problem(rings, frames=3)
        noisy = []
        for recording in given.recordings("dev")["face"]:
            values = recording.features.copy()
            values[0] += 1
            values[1] -= 1
            values[2, 0] = np.nan  # the other two still average to the first feature
            noisy.append(Recording(recording.id, "dev", recording.speaker, values, recording.labels))
        system = fitted(given)
        np.testing.assert_allclose(system.predict({"face": noisy}), system.predict(given.recordings("dev")), atol=1e-5)


def test_configurations():
    found = SupportVectorMachine().configurations(problem(rings), 16)
    assert len({tuple(c.items()) for c in found}) == 16
    assert found[0] == {"complexity": 1.0, "width": 1.0}
    assert all(0.01 <= c["complexity"] <= 100 and 0.01 <= c["width"] <= 10 for c in found)
