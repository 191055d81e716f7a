"""Random forest: scikit-learn itself on data standardised by hand, and a problem that no single feature tells."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from emobed_tf.systems.baselines.forest import RandomForest
from tests.systems.baselines.test_svm import accuracy, problem, three

pytestmark = pytest.mark.usefixtures("stack")


def exclusive_or(rng, k):
    """The class is whether the two features have different signs."""
    values = rng.choice([-1, 1], size=2) * rng.uniform(0.5, 1.5, size=2)
    return values, int(values[0] * values[1] < 0)


def fitted(problem, seed=0, **settings):
    system = RandomForest()
    system.fit(problem, {"depth": None, "trees": 50, **settings}, seed)
    return system


class TestFit:
    def test_is_scikit_learns(self):
        given = problem(three, ("a", "b", "c"))
        train, dev = (given.modality.partition(part) for part in ("train", "dev"))
        x = np.concatenate([r.features for r in train]).astype(np.float64)
        mean, deviation = x.mean(axis=0), x.std(axis=0)
        direct = RandomForestClassifier(n_estimators=50, max_depth=3, random_state=4)
        direct.fit((x - mean) / deviation, [int(r.labels["emotion"]) for r in train])
        expected = direct.predict_proba((np.concatenate([r.features for r in dev]) - mean) / deviation)
        found = fitted(given, seed=4, depth=3).predict(given.recordings("dev"))
        np.testing.assert_allclose(found, expected, atol=0.05)  # a threshold may lie at a rounded value
        assert expected.std() > 0.1

    def test_learns_exclusive_or_and_a_stump_does_not(self):
        given = problem(exclusive_or, utterances=120)
        assert accuracy(fitted(given), given) > 0.95
        assert accuracy(fitted(given, depth=1), given) < 0.8

    def test_a_class_that_training_lacks_has_no_probability(self):
        given = problem(lambda rng, k: (three(rng, k)[0], 1 + k % 2), ("never", "a", "b"))
        found = np.array(fitted(given).predict(given.recordings("dev")))
        assert (found[:, 0] == 0).all()
        np.testing.assert_allclose(found.sum(axis=1), 1)

    def test_seeds_differ_and_repeat(self):
        given = problem(three, ("a", "b", "c"))
        first, again, other = (fitted(given, seed=s).predict(given.recordings("dev")) for s in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)


def test_configurations():
    found = RandomForest().configurations(problem(three, ("a", "b", "c")), 24)
    assert found[0] == {"depth": None, "trees": 200}
    assert len({tuple(c.items()) for c in found}) == 24  # the whole grid: six depths, four numbers of trees
