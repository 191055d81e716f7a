"""Evidence over seeds: every number against a brute-force computation on the predictions themselves."""

import itertools

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import f1_score

from emobed_tf.errors import InputError
from emobed_tf.evaluation.evidence import difference, stacked, summarise
from emobed_tf.evaluation.metrics import concordance_cc, confusion_by_unit, moments_by_recording

SPEAKERS, SEEDS, FRAMES = 6, 3, 40


@pytest.fixture(scope="module")
def golds():
    return np.random.default_rng(0).normal(size=(SPEAKERS, FRAMES))


def predictions(golds, noise, seed):
    """`[speakers, seeds, frames]`"""
    rng = np.random.default_rng(seed)
    return golds[:, None] + noise * rng.normal(size=(SPEAKERS, SEEDS, FRAMES))


def moments(golds, predicted):
    return np.stack([moments_by_recording(golds, predicted[:, k]) for k in range(SEEDS)], axis=1)


def mean_ccc(golds, predicted):
    return np.mean([concordance_cc(golds, predicted[:, k]) for k in range(SEEDS)])


class TestSummarise:
    def test_values_by_seed(self, golds):
        predicted = predictions(golds, 1.0, 1)
        found = summarise(moments(golds, predicted), "ccc")
        expected = [concordance_cc(golds, predicted[:, k]) for k in range(SEEDS)]
        assert found.values == pytest.approx(expected)
        assert found.mean == pytest.approx(np.mean(expected))
        assert found.deviation == pytest.approx(np.sqrt(np.sum((expected - np.mean(expected)) ** 2) / 2))
        assert found.low < found.mean < found.high

    def test_interval_draws_speakers_with_all_their_seeds(self, golds):
        """Every seed says the same: the interval is that of one seed, however many there are."""
        same = np.repeat(predictions(golds, 1.0, 1)[:, :1], SEEDS, axis=1)
        several = summarise(moments(golds, same), "ccc")
        one = summarise(moments(golds, same)[:, :1], "ccc")
        assert (several.low, several.high) == pytest.approx((one.low, one.high))
        assert one.deviation == 0.0

    def test_one_speaker_has_no_interval(self, golds):
        found = summarise(moments(golds, predictions(golds, 1.0, 1))[:1], "ccc")
        assert found.low is None and found.high is None

    def test_classes(self):
        rng = np.random.default_rng(0)
        labels, decided = rng.integers(0, 3, size=(2, 50))
        counts = confusion_by_unit(labels, decided, np.arange(50) % 5, 3)[:, None]
        found = summarise(counts, "f1_macro")
        assert found.values == pytest.approx([f1_score(labels, decided, average="macro")])


class TestDifference:
    def test_swap_test_by_brute_force(self, golds):
        """All 64 ways to exchange the two systems' predictions of a speaker, in all seeds at once."""
        first, second = predictions(golds, 1.02, 1), predictions(golds, 0.98, 2)
        found = difference(moments(golds, first), moments(golds, second), "ccc", golds.size)
        observed = mean_ccc(golds, second) - mean_ccc(golds, first)
        as_high = 0
        for swapped in itertools.product((False, True), repeat=SPEAKERS):
            swapped = np.array(swapped)[:, None, None]
            a, b = np.where(swapped, second, first), np.where(swapped, first, second)
            as_high += mean_ccc(golds, b) - mean_ccc(golds, a) >= observed - 1e-12
        assert found.value == pytest.approx(observed)
        assert found.swap == as_high / 64
        assert found.exact and found.units == SPEAKERS
        assert found.low < observed < found.high
        assert 1 / 64 < found.swap < 0.5

    def test_published_is_fishers_on_the_means(self, golds):
        first, second = predictions(golds, 1.1, 1), predictions(golds, 0.9, 2)
        found = difference(moments(golds, first), moments(golds, second), "ccc", golds.size)
        z = np.arctanh(mean_ccc(golds, second)) - np.arctanh(mean_ccc(golds, first))
        assert found.published == pytest.approx(norm.sf(z / np.sqrt(2 / (golds.size - 3))))

    def test_published_of_classes_counts_right_answers(self):
        """60 and 75 of 100 right: z = .15 / sqrt(2 * .675 * .325 / 100) = 2.2646, p = .01177."""
        first, second = (np.array([[[[n, 50 - n], [50 - n, n]]]]) for n in (30, 37.5))
        assert difference(first, second, "f1_macro", 100).published == pytest.approx(0.01177, abs=1e-5)


class TestStacked:
    def test_speakers_then_seeds(self):
        parts = [{"speakers": ["a", "b"], "statistics": [[k, 1], [k, 2]]} for k in range(3)]
        assert stacked(parts).shape == (2, 3, 2)
        assert stacked(parts)[1, 2].tolist() == [2, 2]

    def test_other_speakers(self):
        parts = [{"speakers": [name], "statistics": [[1]]} for name in "ab"]
        with pytest.raises(InputError, match="different speakers"):
            stacked(parts)
