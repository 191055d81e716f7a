"""Sums by speaker and seed: every score against scikit-learn's and Eq. 9 on the predictions themselves."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import concordance_cc, confusion_by_unit, moments, pooled_ccc
from emobed_tf.evaluation.scores import evaluate
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics, joined_seeds, recentred, statistics_of
from tests.evaluation.systems import (
    FRAMES,
    SEEDS,
    SPEAKERS,
    answers,
    evaluated_classes,
    evaluated_series,
    facts,
    noisy,
    of_answers,
    of_series,
)


class TestScores:
    def test_are_those_of_all_predictions_of_a_seed(self):
        true, said = answers(0.6)
        found = of_answers(true, said).scores("uar")
        assert found == pytest.approx([balanced_accuracy_score(true.ravel(), each.ravel()) for each in said])

    def test_a_speakers_own_is_the_mean_over_seeds(self):
        true, said = answers(0.6)
        own = [np.mean([balanced_accuracy_score(true[k], said[s, k]) for s in (0, 2)]) for k in range(SPEAKERS)]
        assert of_answers(true, said).of_seeds((0, 2)).by_speaker("uar") == pytest.approx(own)

    def test_seeds_are_taken_by_their_number(self):
        golds, predicted = noisy(1.0)
        found = of_series(golds, predicted, seeds=(4, 0, 7)).of_seeds((7, 4))
        assert found.seeds == (7, 4)
        assert found.scores("ccc") == pytest.approx([concordance_cc(golds, predicted[:, k]) for k in (2, 0)])


class TestSummary:
    def test_values_by_seed(self):
        golds, predicted = noisy(1.0)
        found = of_series(golds, predicted).summary("ccc")
        expected = [concordance_cc(golds, predicted[:, k]) for k in range(SEEDS)]
        assert found.values == pytest.approx(expected)
        assert found.mean == pytest.approx(np.mean(expected))
        assert found.deviation == pytest.approx(np.sqrt(np.sum((expected - np.mean(expected)) ** 2) / 2))
        assert found.low < found.mean < found.high

    def test_interval_draws_speakers_with_all_their_seeds(self):
        """Every seed says the same: the interval is that of one seed, however many there are."""
        golds, predicted = noisy(1.0)
        same = of_series(golds, np.repeat(predicted[:, :1], SEEDS, axis=1))
        several, one = same.summary("ccc"), same.of_seeds((0,)).summary("ccc")
        assert (several.low, several.high) == pytest.approx((one.low, one.high))
        assert one.deviation == 0.0

    def test_one_speaker_has_no_interval(self):
        golds, predicted = noisy(1.0)
        found = of_series(golds[:1], predicted[:1]).summary("ccc")
        assert found.low is None and found.high is None

    def test_classes(self):
        rng = np.random.default_rng(0)
        labels, decided = rng.integers(0, 3, size=(2, 50))
        counts = confusion_by_unit(labels, decided, np.arange(50) % 5, 3)[:, None]
        found = SpeakerStatistics(tuple("abcde"), (0,), counts, 50).summary("f1_macro")
        assert found.values == pytest.approx([f1_score(labels, decided, average="macro")])


class TestStatisticsOf:
    def test_of_frames(self):
        """Two recordings of each speaker, in any order, are one unit."""
        evaluated = evaluated_series(0.5, speakers=("b", "a", "b", "a"))
        found = statistics_of(evaluated)
        assert (found.speakers, found.seeds, found.count) == (("a", "b"), (0,), 4 * 50)
        own = []
        for name in ("a", "b"):
            members = [k for k, speaker in enumerate(evaluated.speakers) if speaker == name]
            true, said = (np.concatenate([each[k] for k in members]) for each in (evaluated.labels, evaluated.final))
            own.append(concordance_cc(true, said))
        assert found.by_speaker("ccc") == pytest.approx(own)
        assert found.scores("ccc") == pytest.approx([evaluated.scores["ccc"]])

    def test_frames_without_a_label(self):
        """As if they were not: the statistics of the recordings without them."""
        whole = evaluated_series(0.5, speakers=("b", "a", "b", "a"))
        counts = [np.random.default_rng(k).random(50) < 0.7 for k in range(4)]
        recordings = [
            replace(r, labels={"arousal": np.where(count, r.labels["arousal"], np.nan)})
            for r, count in zip(whole.recordings, counts, strict=True)
        ]
        shorter = [
            replace(r, features=r.features[count], labels={"arousal": r.labels["arousal"][count]})
            for r, count in zip(whole.recordings, counts, strict=True)
        ]
        known = facts("regression", step=0.04)
        found = statistics_of(evaluate("dev", recordings, whole.raw, known, None))
        raw = [values[count] for values, count in zip(whole.raw, counts, strict=True)]
        expected = statistics_of(evaluate("dev", shorter, raw, known, None))
        np.testing.assert_array_equal(found.sums, expected.sums)
        assert found.count == expected.count == sum(map(np.count_nonzero, counts))

    def test_of_classes(self):
        """Speaker s0 has the utterances of classes 0 1 0 1, of which the first is answered rightly."""
        found = statistics_of(evaluated_classes(1))
        assert found.speakers == ("s0", "s1", "s2", "s3", "s4")
        assert found.sums[0, 0].tolist() == [[1, 1], [2, 0]]
        assert found.count == found.sums.sum() == 20


class TestJoinedSeeds:
    def test_speakers_then_seeds(self):
        parts = [SpeakerStatistics(("a", "b"), (0,), np.array([[[k, 1]], [[k, 2]]]), 9) for k in range(3)]
        found = joined_seeds(parts, (5, 6, 8))
        assert found.sums.tolist() == [[[0, 1], [1, 1], [2, 1]], [[0, 2], [1, 2], [2, 2]]]
        assert (found.speakers, found.seeds, found.count) == (("a", "b"), (5, 6, 8), 9)

    def test_other_speakers(self):
        parts = [SpeakerStatistics((name,), (0,), np.zeros((1, 1, 6)), 1) for name in "ab"]
        with pytest.raises(InputError, match="different speakers"):
            joined_seeds(parts, (0, 1))


class TestRecentred:
    def test_moments_about_another_centre(self):
        rng = np.random.default_rng(0)
        true, pred = rng.normal(2, 1, FRAMES), rng.normal(1, 1, FRAMES)
        assert recentred(moments(true, pred, 2.5), 2.5 - 0.5) == pytest.approx(moments(true, pred, 0.5))

    def test_folds_of_other_centres_add_up_to_the_pooled_concordance(self):
        rng = np.random.default_rng(0)
        folds = [(rng.normal(k, 1, 30), rng.normal(k, 1, 30)) for k in range(3)]
        sums = [recentred(moments(true, pred, true.mean()), true.mean()) for true, pred in folds]
        everything = concordance_cc(*(np.concatenate(values) for values in zip(*folds, strict=True)))
        assert pooled_ccc(np.sum(sums, axis=0)) == pytest.approx(everything)
