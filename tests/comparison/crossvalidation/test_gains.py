"""Gains by speaker: sums over folds and seeds, direction, correction, against the package's own scores on raw data."""

import numpy as np
import pytest
from scipy import stats

from emobed_tf.comparison.crossvalidation.gains import gains, number, p_text
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold
from emobed_tf.errors import InputError
from tests.comparison.crossvalidation.test_out_of_fold import SPEAKERS, system


class TestGains:
    def test_a_better_system(self):
        a, b = system("a", 0.4), system("b", 0.8, seed=1)
        (gain,) = gains({("audio", "a"): a, ("audio", "b"): b}, "a", "b", ("audio",), "uar")
        assert gain.difference == pytest.approx(b.scores("uar").mean() - a.scores("uar").mean())
        differences = b.by_speaker("uar", (0, 1, 2)) - a.by_speaker("uar", (0, 1, 2))
        expected = stats.permutation_test((differences,), np.mean, permutation_type="samples", alternative="greater")
        assert gain.p == pytest.approx(expected.pvalue)
        assert gain.exact and gain.better and 0 < gain.low < gain.difference < gain.high
        assert (gain.speakers, gain.seeds) == (8, 3)
        assert gain.deviation == pytest.approx(np.std(differences, ddof=1))

    def test_the_other_way_round(self):
        results = {("audio", "a"): system("a", 0.4), ("audio", "b"): system("b", 0.8, seed=1)}
        (gain,) = gains(results, "b", "a", ("audio",), "uar")
        assert gain.difference < 0 and gain.high < 0 and gain.p > 0.9 and not gain.better

    def test_seeds_are_no_units(self):
        # Ten times the same seed: the same p and interval as one.
        def p_of(copies):
            results = {}
            for name, right in (("a", 0.5), ("b", 0.6)):
                one = system(name, right, seeds=1, seed=int(name == "b"))
                many = np.repeat(one.statistics, copies, axis=1)
                results["audio", name] = OutOfFold("audio", name, name, SPEAKERS, tuple(range(copies)), many)
            (gain,) = gains(results, "a", "b", ("audio",), "uar")
            return gain.p, gain.low, gain.high

        assert p_of(10) == pytest.approx(p_of(1))

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

    def test_only_common_seeds_are_compared(self):
        a, b = system("a", 0.5), system("b", 0.6, seeds=4, seed=1, numbers=(1, 2, 5, 0))
        (gain,) = gains({("audio", "a"): a, ("audio", "b"): b}, "a", "b", ("audio",), "uar")
        assert gain.seeds == 3
        # Seeds 0, 1, 2 of b stand at the places 3, 0, 1.
        expected = b.scores("uar")[[3, 0, 1]].mean() - a.scores("uar").mean()
        assert gain.difference == pytest.approx(expected)

    def test_refuses_what_cannot_be_paired(self):
        a, b = system("a", 0.5), system("b", 0.6, numbers=(7, 8, 9))
        with pytest.raises(InputError, match="no seed in common"):
            gains({("audio", "a"): a, ("audio", "b"): b}, "a", "b", ("audio",), "uar")

    def test_better_needs_both_p_and_interval(self):
        from dataclasses import replace

        results = {("audio", "a"): system("a", 0.4), ("audio", "b"): system("b", 0.8, seed=1)}
        (gain,) = gains(results, "a", "b", ("audio",), "uar")
        assert gain.better
        assert not replace(gain, p_holm=0.05).better
        assert not replace(gain, low=0.0).better


class TestText:
    def test_numbers(self):
        assert (number(0.1234), number(-0.1), number(0.02, signed=True), number(1.0)) == (
            ".123",
            "-.100",
            "+.020",
            "1.000",
        )
        assert (p_text(0.0004), p_text(0.01)) == ("< .001", ".010")
