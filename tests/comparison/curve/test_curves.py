"""Learning curves as statistics, beside plain loops and numbers worked by hand."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score

from emobed_tf.comparison.curve.curves import Curve, Recall, area_gain, area_weights, recall_gain, stacked, worth
from emobed_tf.errors import InputError
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics

CLASSES = 3
LABELLED = np.array([10.0, 20.0, 80.0])


def confusions(right, rng, speakers=4, each=30):
    """`[speakers, amounts, fits, 3, 3]`: of each class's utterances a share is right, the others are the next class."""
    found = np.zeros((speakers, *np.shape(right), CLASSES, CLASSES))
    for place in np.ndindex(speakers, *np.shape(right)):
        for label in range(CLASSES):
            hits = rng.binomial(each, np.asarray(right)[place[1:]])
            found[(*place, label, label)] = hits
            found[(*place, label, (label + 1) % CLASSES)] = each - hits
    return found


def curve(system, sums, fits=((1, 0), (2, 0)), labelled=LABELLED):
    speakers = tuple(f"s{k}" for k in range(len(sums)))
    return Curve("audio", system, system, tuple(range(1, sums.shape[1] + 1)), labelled, speakers, fits, sums)


def uar(confusion):
    """By scikit-learn, from labels written out."""
    true, said = zip(
        *[(t, p) for t, p in np.ndindex(CLASSES, CLASSES) for _ in range(int(confusion[t, p]))], strict=True
    )
    return balanced_accuracy_score(true, said)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def two(rng):
    low = confusions([[0.3, 0.35], [0.4, 0.45], [0.6, 0.6]], rng)
    high = confusions([[0.5, 0.5], [0.55, 0.6], [0.65, 0.6]], rng)
    return curve("classic", low), curve("emobed", high)


class TestArea:
    def test_weights(self):
        # log steps: log 2 and log 4 = 2 log 2. Trapezoids over 3 log 2: (1/2, 1/2 + 1, 1) / 3.
        assert area_weights(LABELLED) == pytest.approx([1 / 6, 3 / 6, 2 / 6])
        assert area_weights(np.array([7.0])) == [1.0]

    def test_difference_by_scikit_learn(self, two):
        def area(c):
            scores = [[uar(c.sums[:, k, f].sum(axis=0)) for f in range(2)] for k in range(3)]
            return np.dot(np.mean(scores, axis=1), [1 / 6, 3 / 6, 2 / 6])

        found = area_gain(*two, "uar")
        assert found.interval.estimate == pytest.approx(area(two[1]) - area(two[0]))
        assert found.interval.low < found.interval.estimate < found.interval.high
        assert [i.estimate for i in found.at] == pytest.approx(
            [
                np.mean([uar(two[1].sums[:, k, f].sum(0)) - uar(two[0].sums[:, k, f].sum(0)) for f in range(2)])
                for k in range(3)
            ]
        )

    def test_p_by_all_signs(self, two):
        own = []
        for s in range(4):
            areas = [
                np.dot([np.mean([uar(c.sums[s, k, f]) for f in range(2)]) for k in range(3)], [1 / 6, 3 / 6, 2 / 6])
                for c in two
            ]
            own.append(areas[1] - areas[0])
        signs = list(itertools.product([1, -1], repeat=4))
        p = np.mean([np.dot(s, own) >= sum(own) - 1e-12 for s in signs])
        assert area_gain(*two, "uar").test.p_value == pytest.approx(p)

    def test_excluded_by_hand(self):
        # Speakers gain 0, .1, .2, .3 and .4 with 20 recordings alone, which weigh 1/2: areas differ by half of that.
        # Five of them exclude what lies above the largest, .2. No drawn mean lies above that, so the bootstrap agrees.
        each = 10
        right = np.array([[4, 4 + gain, 6] for gain in range(5)])
        low, high = (
            np.einsum("sk,ij->skij", part, np.eye(3)) + np.einsum("sk,ij->skij", each - part, np.roll(np.eye(3), 1, 1))
            for part in (np.array([[4, 4, 6]] * 5), right)
        )
        one, two = (curve(n, s[:, :, None], ((1, 0),)) for n, s in (("classic", low), ("emobed", high)))
        assert area_gain(one, two, "uar").excluded == pytest.approx(0.2)

    def test_four_speakers_exclude_nothing(self, two):
        assert area_gain(*two, "uar").excluded is None

    def test_on_the_fits_that_both_have(self, two):
        one = two[1].of_fits([(2, 0)])
        same = area_gain(two[0].of_fits([(2, 0)]), one, "uar")
        assert area_gain(two[0], one, "uar").interval == same.interval
        other = curve("joint", two[1].sums, fits=((1, 7), (2, 7)))
        with pytest.raises(InputError, match="no draw and seed came out for both"):
            area_gain(two[0], other, "uar")


class TestWorth:
    def exact(self, scores):
        """One speaker class by class, 1,000 utterances each, exactly so many right; twice the same speaker."""
        sums = np.zeros((2, len(scores), 1, CLASSES, CLASSES))
        for k, score in enumerate(scores):
            sums[:, k, 0] = np.diag([round(1000 * score)] * 3) + np.roll(
                np.diag([1000 - round(1000 * score)] * 3), 1, 1
            )
        return sums

    def test_by_hand(self):
        # Classic: .2, .4, .6 with 10, 20, 80 recordings. EmoBed has .3 with 10: half way from 10 to 20 in logarithms,
        # 10 * sqrt(2) = 14.14, so 4.14 more. With 20 it has .7, which classic never has: at least 60 more.
        classic, emobed = (
            curve(name, self.exact(scores), fits=((1, 0),))
            for name, scores in (("classic", (0.2, 0.4, 0.6)), ("emobed", (0.3, 0.7, 0.6)))
        )
        first, second = worth(classic, emobed, "uar", auxiliary=100.0)
        assert first.recordings == pytest.approx(10 * np.sqrt(2) - 10)
        assert first.rate == pytest.approx(100 / (10 * np.sqrt(2) - 10))
        assert (first.low, first.high) == pytest.approx((first.recordings, first.recordings))
        assert first.rates == pytest.approx((first.rate, first.rate)) and not first.bounded(first.high)
        assert (second.recordings, second.most) == pytest.approx((60.0, 60.0))
        assert second.bounded(second.low) and second.rates == pytest.approx((100 / 60, 100 / 60))

    def test_nothing(self):
        classic, emobed = (
            curve(name, self.exact(scores), fits=((1, 0),))
            for name, scores in (("classic", (0.5, 0.4, 0.6)), ("emobed", (0.5, 0.45, 0.6)))
        )
        # With 20 recordings EmoBed is better than classic with 20, but classic was as good with 10.
        assert [(point.recordings, point.rate, point.rates) for point in worth(classic, emobed, "uar", 100.0)] == [
            (0, None, None)
        ] * 2


class TestRecall:
    def test_by_scikit_learn(self, rng):
        sums = confusions([[0.3, 0.5], [0.2, 0.6]], rng)
        recall = Recall("audio", "emobed", "EmoBed", tuple("abcd"), (0, 1), sums, (2, 0))
        found = recall.recalls(sums.sum(axis=0))
        for k, label in enumerate((2, 0)):
            for f in range(2):
                confusion = sums[:, k, f].sum(axis=0)
                true, said = zip(
                    *[(t, p) for t, p in np.ndindex(3, 3) for _ in range(int(confusion[t, p]))], strict=True
                )
                assert found[k, f] == pytest.approx(recall_score(true, said, labels=[label], average="macro"))
        # Wrong ones are taken for the next class: those of class 1 for class 2, of 240 of the two other classes.
        wrong = np.mean(sums[:, 0, :, 1, 2].sum(axis=0) / 240)
        assert recall.named()[0] == pytest.approx(wrong)

    def test_gain(self, rng):
        low, high = (confusions([[share, share]], rng) for share in (0.1, 0.8))
        first, second = (Recall("audio", n, n, tuple("abcd"), (0, 1), s, (1,)) for n, s in (("a", low), ("b", high)))
        interval, test = recall_gain(first, second)
        shares = [np.mean(s[:, 0, :, 1, 1].sum(axis=0) / 120) for s in (low, high)]
        assert interval.estimate == pytest.approx(shares[1] - shares[0])
        assert test.p_value == 1 / 16  # of 2^4 exchanges none is as large
        assert recall_gain(first, first)[0].estimate == 0


class TestStacked:
    def part(self, seeds, value):
        sums = np.full((2, len(seeds), 6), float(value)) + np.arange(len(seeds))[:, None]
        return SpeakerStatistics(("a", "b"), seeds, sums, 9)

    def test_a_single_draw_counts_for_each(self):
        fits, sums = stacked([[self.part((0, 1), 10), self.part((0, 1), 20)], [self.part((0, 1), 30)]], 2)
        assert fits == ((1, 0), (1, 1), (2, 0), (2, 1))
        assert sums[0, :, :, 0].tolist() == [[10, 11, 20, 21], [30, 31, 30, 31]]

    def test_only_seeds_that_came_out_everywhere(self):
        fits, sums = stacked([[self.part((0, 1), 10)], [self.part((1, 2), 30)]], 1)
        assert fits == ((1, 1),)
        assert sums[0, :, :, 0].tolist() == [[11], [30]]
        with pytest.raises(InputError, match="no seed came out at every amount"):
            stacked([[self.part((0,), 1)], [self.part((1,), 1)]], 1)
