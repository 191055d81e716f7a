"""Gains by target: what stands in a row, and what is corrected over which targets."""

from dataclasses import replace

import numpy as np
import pytest

from emobed_tf.comparison.crossvalidation.gains import caveats, gains, p_text
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold
from emobed_tf.errors import InputError
from emobed_tf.evaluation.evidence import compare
from tests.evaluation.systems import answers, of_answers


def system(name, right, target="audio", seeds=3, seed=0, numbers=None):
    """Eight speakers, of whose utterances that share is answered rightly."""
    return OutOfFold(target, name, name, of_answers(*answers(right, seeds, seed, speakers=8), numbers))


class TestGains:
    def test_a_better_system(self):
        a, b = system("a", 0.4), system("b", 0.8, seed=1)
        (gain,) = gains({("audio", "a"): a, ("audio", "b"): b}, "a", "b", ("audio",), "uar")
        assert gain.difference == pytest.approx(b.statistics.scores("uar").mean() - a.statistics.scores("uar").mean())
        own = b.statistics.by_speaker("uar") - a.statistics.by_speaker("uar")
        assert gain.by_speaker == pytest.approx(np.mean(own))
        assert gain.deviation == pytest.approx(np.std(own, ddof=1))
        # All of eight speakers gain: one of 256 assignments of signs, and no correction with a single target.
        assert (own > 0).all() and gain.p == gain.p_holm == 1 / 256
        assert gain.exact and gain.better and 0 < gain.low < gain.difference < gain.high
        assert (gain.first, gain.second, gain.speakers, gain.seeds) == ("a", "b", 8, 3)

    def test_the_other_way_round(self):
        results = {("audio", "a"): system("a", 0.4), ("audio", "b"): system("b", 0.8, seed=1)}
        (gain,) = gains(results, "b", "a", ("audio",), "uar")
        assert gain.difference < 0 and gain.high < 0 and gain.p > 0.9 and not gain.better

    def test_is_the_comparison_of_the_statistics(self):
        a, b = system("a", 0.5), system("b", 0.6, seeds=4, seed=1, numbers=(1, 2, 5, 0))
        (gain,) = gains({("audio", "a"): a, ("audio", "b"): b}, "a", "b", ("audio",), "uar")
        found = compare(a.statistics, b.statistics, "uar")
        assert gain.difference == pytest.approx(found.difference)
        assert (gain.p, gain.seeds) == (found.sign_flip.p_value, 3)
        assert (gain.low, gain.high) == (found.interval.low, found.interval.high)

    def test_holm_over_all_targets_also_those_without_results(self):
        results = {
            ("audio", "a"): system("a", 0.4),
            ("audio", "b"): system("b", 0.8, seed=1),
            ("face", "a"): system("a", 0.4, "face"),
            ("face", "b"): system("b", 0.45, "face", seed=2),
        }
        audio, face = gains(results, "a", "b", ("audio", "face"), "uar")
        assert audio.p < face.p
        assert audio.p_holm == pytest.approx(2 * audio.p)
        assert face.p_holm == pytest.approx(max(face.p, 2 * audio.p))
        del results["face", "b"]
        (alone,) = gains(results, "a", "b", ("audio", "face"), "uar")
        assert alone.p_holm == pytest.approx(2 * alone.p)

    def test_refuses_what_cannot_be_paired(self):
        a, b = system("a", 0.5), system("b", 0.6, numbers=(7, 8, 9))
        with pytest.raises(InputError, match="a and b on audio: the two have no seed in common"):
            gains({("audio", "a"): a, ("audio", "b"): b}, "a", "b", ("audio",), "uar")

    def test_better_needs_both_p_and_interval(self):
        results = {("audio", "a"): system("a", 0.4), ("audio", "b"): system("b", 0.8, seed=1)}
        (gain,) = gains(results, "a", "b", ("audio",), "uar")
        assert gain.better
        assert not replace(gain, p_holm=0.05).better
        assert not replace(gain, low=0.0).better


class TestCaveats:
    def test_least_p_once_and_disagreements_by_name(self):
        results = {("audio", "a"): system("a", 0.4), ("audio", "b"): system("b", 0.8, seed=1)}
        (gain,) = gains(results, "a", "b", ("audio",), "uar")
        few = replace(gain, p=0.125, low=0.01, high=0.2, speakers=3)
        said = caveats([("B", few), ("C", few), ("D", replace(few, low=-0.1))], 1)
        assert said[0] == (
            "With 3 speakers the smallest possible p is 1/8 = .125. No difference can be significant with so few, and "
            "intervals over them are too narrow to be believed."
        )
        assert said[1].startswith("B, C: The interval lies above 0, although p is not below .05")
        assert len(said) == 2


class TestText:
    def test_interval(self):
        results = {("audio", "a"): system("a", 0.4), ("audio", "b"): system("b", 0.8, seed=1)}
        (gain,) = gains(results, "a", "b", ("audio",), "uar")
        assert replace(gain, low=-0.0504, high=0.25).interval_text == "-.050 to +.250"

    def test_p(self):
        assert (p_text(0.0004), p_text(0.01), p_text(1.0)) == ("< .001", ".010", "1.000")
