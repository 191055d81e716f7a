"""One comparison: every kind of evidence by brute force on the predictions themselves, by hand, or against SciPy."""

import itertools

import numpy as np
import pytest
from scipy import stats

from emobed_tf.errors import InputError
from emobed_tf.evaluation.evidence import compare, compare_outputs
from emobed_tf.evaluation.metrics import concordance_cc
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics
from tests.evaluation.systems import (
    SEEDS,
    SPEAKERS,
    answers,
    evaluated_classes,
    evaluated_series,
    noisy,
    of_answers,
    of_series,
)


def mean_ccc(golds, predicted):
    return np.mean([concordance_cc(golds, predicted[:, k]) for k in range(SEEDS)])


class TestCompare:
    def test_exchange_test_by_brute_force(self):
        """All 64 ways to exchange the two systems' predictions of a speaker, in all seeds at once."""
        (golds, first), (_, second) = noisy(1.02, 1), noisy(0.98, 2)
        found = compare(of_series(golds, first), of_series(golds, second), "ccc")
        observed = mean_ccc(golds, second) - mean_ccc(golds, first)
        as_high = as_far = 0
        for swapped in itertools.product((False, True), repeat=SPEAKERS):
            swapped = np.array(swapped)[:, None, None]
            a, b = np.where(swapped, second, first), np.where(swapped, first, second)
            difference = mean_ccc(golds, b) - mean_ccc(golds, a)
            as_high += difference >= observed - 1e-12
            as_far += abs(difference) >= abs(observed) - 1e-12
        assert found.means == pytest.approx((mean_ccc(golds, first), mean_ccc(golds, second)))
        assert found.difference == pytest.approx(observed)
        assert found.exchange.p_value == as_high / 64
        assert found.exchange.p_two_sided == as_far / 64
        assert found.exchange.exact and found.exchange.units == SPEAKERS
        assert 1 / 64 < found.exchange.p_value < 0.5

    def test_interval_holds_the_difference(self):
        (golds, first), (_, second) = noisy(1.1, 1), noisy(0.9, 2)
        found = compare(of_series(golds, first), of_series(golds, second), "ccc")
        assert found.interval.low < found.difference < found.interval.high
        assert found.interval.estimate == pytest.approx(found.difference)

    def test_sign_flip_test_equals_scipy(self):
        (true, first), (_, second) = answers(0.4), answers(0.8, seed=1)
        found = compare(of_answers(true, first), of_answers(true, second), "uar")
        own = [of_answers(true, said).by_speaker("uar") for said in (first, second)]
        assert found.by_speaker == pytest.approx(own[1] - own[0])
        expected = stats.permutation_test(
            (found.by_speaker,), np.mean, permutation_type="samples", alternative="greater"
        )
        assert found.sign_flip.p_value == pytest.approx(expected.pvalue)
        assert found.sign_flip.difference == pytest.approx(np.mean(found.by_speaker))

    def test_the_other_way_round(self):
        (true, first), (_, second) = answers(0.4), answers(0.8, seed=1)
        found = compare(of_answers(true, second), of_answers(true, first), "uar")
        assert found.difference < 0 and found.interval.high < 0
        assert found.sign_flip.p_value > 0.9 and found.exchange.p_value > 0.9

    def test_seeds_are_no_units(self):
        """Ten times the same seed: the same p-values and interval as one."""

        def evidence(copies):
            pair = []
            for right, seed in ((0.5, 0), (0.6, 1)):
                true, said = answers(right, seeds=1, seed=seed)
                pair.append(of_answers(true, np.repeat(said, copies, axis=0)))
            found = compare(*pair, "uar")
            return found.sign_flip.p_value, found.exchange.p_value, found.interval.low, found.interval.high

        assert evidence(10) == pytest.approx(evidence(1))

    def test_only_seeds_that_both_have(self):
        (true, first), (_, second) = answers(0.5), answers(0.6, seeds=4, seed=1)
        found = compare(of_answers(true, first), of_answers(true, second, seeds=(1, 2, 5, 0)), "uar")
        assert found.first.seeds == found.second.seeds == (0, 1, 2)
        # Seeds 0, 1, 2 of the second stand at the places 3, 0, 1.
        own = of_answers(true, second[[3, 0, 1]]).scores("uar").mean() - of_answers(true, first).scores("uar").mean()
        assert found.difference == pytest.approx(own)

    def test_refuses_what_cannot_be_paired(self):
        true, said = answers(0.5)
        with pytest.raises(InputError, match="no seed in common"):
            compare(of_answers(true, said), of_answers(true, said, seeds=(7, 8, 9)), "uar")
        with pytest.raises(InputError, match="different speakers"):
            compare(of_answers(true, said), of_answers(true[:5], said[:, :5]), "uar")


def right(counts, of):
    """A system that answers so many of each speaker's utterances rightly; there are two classes, and one seed."""
    counts, of = np.array(counts, float), np.array(of, float)
    sums = np.zeros((len(of), 1, 2, 2))
    sums[:, 0, 0, 0], sums[:, 0, 0, 1] = counts, of - counts
    return SpeakerStatistics(tuple(f"s{k}" for k in range(len(of))), (0,), sums, int(of.sum()))


class TestExcluded:
    def test_by_the_test_where_its_bound_is_the_larger(self):
        """Of five speakers only the largest difference is a bound: .3. The mean of five draws is .3 in 1 of 3,125."""
        found = compare(right([5, 5, 5, 5, 5], [10] * 5), right([6, 8, 3, 5, 6], [10] * 5), "f1_micro")
        assert found.excluded == pytest.approx(0.3)

    def test_by_the_interval_where_its_bound_is_the_larger(self):
        """Five speakers of 10 utterances gain nothing, one of 1,000 gains .1.

        The test's bound is the third of the subsets' means, .1 / 2, for 4 of 64 assignments may count. A draw that has
        the large speaker k times of 6 gains 100 k / (1000 k + 10 (6 - k)). k is at most 2 in .938 of all draws and at
        most 3 in .991, so that the 95th percentile is that of k = 3.
        """
        of = [10, 10, 10, 10, 10, 1000]
        found = compare(right([5, 5, 5, 5, 5, 500], of), right([5, 5, 5, 5, 5, 600], of), "f1_micro")
        assert found.excluded == pytest.approx(300 / 3030)

    @pytest.mark.parametrize("speakers", [1, 4])
    def test_too_few_speakers_exclude_nothing(self, speakers):
        """The least p of four is 1/16."""
        first, second = (right([n] * speakers, [10] * speakers) for n in (5, 6))
        assert compare(first, second, "f1_micro").excluded is None


class TestPublished:
    def test_is_fishers_on_the_means(self):
        (golds, first), (_, second) = noisy(1.1, 1), noisy(0.9, 2)
        found = compare(of_series(golds, first), of_series(golds, second), "ccc")
        z = np.arctanh(mean_ccc(golds, second)) - np.arctanh(mean_ccc(golds, first))
        assert found.published == pytest.approx(stats.norm.sf(z / np.sqrt(2 / (golds.size - 3))))

    def test_of_classes_counts_right_answers(self):
        """60 and 75 of 100 right: z = .15 / sqrt(2 * .675 * .325 / 100) = 2.2646, p = .01177."""
        first, second = (
            SpeakerStatistics(("s",), (0,), np.array([[[[n, 50 - n], [50 - n, n]]]]), 100) for n in (30, 37.5)
        )
        assert compare(first, second, "f1_macro").published == pytest.approx(0.01177, abs=1e-5)

    def test_three_frames_are_too_few(self):
        golds = np.array([[0.0, 1.0, 3.0]])
        few = of_series(golds, golds[:, None] + 0.1, seeds=(0,))
        assert compare(few, few, "ccc").published is None


class TestCompareOutputs:
    def test_a_better_second_system(self):
        found = compare_outputs(evaluated_series(1.0), evaluated_series(0.2), "ccc")
        assert found.difference > 0.2
        # All eight recordings favour the second: one of 2^8 exchanges, and with its mirror image two of them.
        assert found.exchange.p_value == 1 / 256
        assert found.exchange.p_two_sided == 2 / 256
        assert found.published < 1e-6
        assert 0 < found.interval.low < found.difference < found.interval.high

    def test_a_worse_second_system(self):
        found = compare_outputs(evaluated_series(0.2), evaluated_series(1.0), "ccc")
        assert found.exchange.p_value == 1
        assert found.published > 1 - 1e-6
        assert found.interval.high < 0

    def test_classes(self):
        # Shares of right answers 1/4 and 3/4 of 20; every one of five speakers gains as much: 1 of 32 exchanges.
        found = compare_outputs(evaluated_classes(1), evaluated_classes(3), "f1_micro")
        assert found.means == (0.25, 0.75)
        assert found.exchange.p_value == 1 / 32
        # Pooled share 1/2: z = 0.5 / sqrt(1/4 * 2/20) = 3.162, one-tailed p = .00078.
        assert found.published == pytest.approx(0.00078, abs=5e-6)
        assert (found.interval.low, found.interval.high) == (0.5, 0.5)

    def test_recordings_are_paired_by_id(self):
        order = [3, 1, 7, 0, 2, 5, 6, 4]
        found = compare_outputs(evaluated_series(1.0), evaluated_series(0.2, order), "ccc").to_dict()
        assert found == compare_outputs(evaluated_series(1.0), evaluated_series(0.2), "ccc").to_dict()

    def test_frames_without_a_label(self):
        """The same ones in both are no other labels, and the paper's test doesn't count them."""
        gaps = np.zeros(50)
        gaps[10:30] = np.nan
        found = compare_outputs(evaluated_series(1.0, label_of=gaps), evaluated_series(0.2, label_of=gaps), "ccc")
        assert found.first.count == 8 * 30
        with pytest.raises(InputError, match="different labels"):
            compare_outputs(evaluated_series(1.0), evaluated_series(0.2, label_of=gaps), "ccc")

    def test_other_recordings_or_labels(self):
        """With what differs: a recording that one lacks, or whose label is another one."""
        seven, eight = evaluated_series(0.2, speakers=tuple(f"s{k}" for k in range(7))), evaluated_series(1.0)
        (missing,) = {r.id for r in eight.recordings} - {r.id for r in seven.recordings}
        with pytest.raises(InputError, match=rf"1 of 8 in the first only \({missing}\), 0 of 7 in the second only;"):
            compare_outputs(eight, seven, "ccc")
        first = min(r.id for r in eight.recordings)
        with pytest.raises(InputError, match=f"different labels in partition 'dev' of {first}, .* and 5 more;"):
            compare_outputs(eight, evaluated_series(0.2, label_of=1.0), "ccc")

    def test_a_single_speaker_has_no_interval(self):
        found = compare_outputs(evaluated_series(1.0, speakers="s"), evaluated_series(0.2, speakers="s"), "ccc")
        assert found.interval is None
        assert (found.to_dict()["low"], found.to_dict()["high"]) == (None, None)
