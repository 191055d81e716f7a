"""The least p-value of so many speakers, and sentences about it."""

import itertools

import numpy as np
import pytest

from emobed_tf.evaluation.caveats import disagreement, least_p, least_p_note, published_note, transduction
from emobed_tf.evaluation.significance import SECOND_BETTER, sign_flip_test


class TestLeastP:
    @pytest.mark.parametrize("speakers", [1, 2, 3, 5])
    def test_is_what_the_test_gives_if_all_gain(self, speakers):
        """Counted by hand: of all signs only one sum is as large as that of all gains."""
        gains = np.arange(1, speakers + 1)
        reached = sum(np.dot(s, gains) >= gains.sum() for s in itertools.product((-1, 1), repeat=speakers))
        assert least_p(speakers) == reached / 2**speakers
        assert least_p(speakers) == sign_flip_test(gains, alternative=SECOND_BETTER).p_value

    def test_of_drawn_exchanges(self):
        test = sign_flip_test(np.ones(40), alternative=SECOND_BETTER)
        assert not test.exact
        assert least_p(40, exact=False) == pytest.approx(test.p_value)


class TestNote:
    def test_three_speakers(self):
        said = least_p_note(3)
        assert said.startswith(
            "With 3 speakers the smallest possible p is 1/8 = .125. No difference can be significant"
        )
        assert "python -m emobed_tf.crossvalidate" in said and "intervals over them are too narrow" in said

    def test_some(self):
        assert "1/64 = .0156" in least_p_note(6) and "crossvalidate" in least_p_note(6)

    def test_enough(self):
        assert least_p_note(12) == "With 12 speakers the smallest possible p is 1/4,096 = .000244."
        assert least_p_note(15) == "With 15 speakers the smallest possible p is 1/32,768 = .0000305."
        assert least_p_note(40, exact=False) == "With 40 speakers the smallest possible p is 1/10,001 = .0001."

    def test_all_speakers_that_there_are(self):
        assert "crossvalidate" not in least_p_note(3, cross_validated=True)
        # 1/32 is below .05, but twice that is not.
        assert least_p_note(5, cross_validated=True, targets=2) == (
            "With 5 speakers the smallest possible p is 1/32 = .0312, before the correction over 2 targets. No "
            "difference can be significant with so few, and intervals over them are too narrow to be believed."
        )

    def test_one(self):
        assert least_p_note(1).startswith("With 1 speaker the smallest possible p is 1/2 = .5.")


class TestDisagreement:
    @pytest.mark.parametrize(("p", "low", "high"), [(0.01, 0.1, 0.3), (0.2, -0.1, 0.3), (0.9, -0.3, -0.1)])
    def test_none(self, p, low, high):
        assert disagreement(p, low, high) is None

    def test_without_an_interval(self):
        assert disagreement(0.01, None, None) is None

    def test_the_test_is_one_sided(self):
        assert "p is below .05, although the interval reaches 0" in disagreement(0.04, -0.01, 0.2)

    def test_the_bootstrap_of_few(self):
        assert "interval lies above 0, although p is not below .05" in disagreement(0.125, 0.01, 0.2)


def test_the_papers_test_of_frames_and_of_utterances():
    """How often it errs was simulated for frames alone."""
    assert "4 of 10" in published_note(True) and "frames" in published_note(True)
    assert "4 of 10" not in published_note(False) and "utterances" in published_note(False)


class TestTransduction:
    def test_nobody(self):
        assert transduction(False, []) == []

    def test_everybody_or_some(self):
        (everybody,) = transduction(True, ["classic, by speaker"])
        assert everybody.startswith(
            "Features are standardised by speaker, with statistics of all of a speaker's frames"
        )
        (some,) = transduction(False, ["classic, by speaker"])
        assert some.startswith("Features of classic, by speaker are standardised by speaker")
