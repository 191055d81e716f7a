"""The verdict: what is said for every pattern of gains, on constructed results."""

from dataclasses import replace

import numpy as np
import pytest

from emobed_tf.comparison.audit.verdict import CLASSIC, CONTROLS, EMOBED, conclusion, verdict_grid, verdicts
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics
from emobed_tf.systems.controls import AS_MANY_STEPS, ITSELF_AS_AUXILIARY, PERMUTED_LABELS, TRIPLET_ALONE

SPEAKERS = tuple(f"s{k}" for k in range(12))
HUNDREDTHS = 100


def of_speakers(counts):
    return SpeakerStatistics(SPEAKERS[: len(counts)], (0,), counts, int(counts.sum()))


def result(system, recall, target="audio", noise=4):
    """Two classes of 100 utterances a speaker; both recalls of a speaker are about `recall`, in hundredths."""
    rng = np.random.default_rng([ord(c) for c in system + target])
    right = np.clip(recall + rng.integers(-noise, noise + 1, len(SPEAKERS)), 0, HUNDREDTHS)
    counts = np.zeros((len(SPEAKERS), 1, 2, 2))
    counts[:, 0, [0, 1], [0, 1]] = right[:, None]
    counts[:, 0, [0, 1], [1, 0]] = HUNDREDTHS - right[:, None]
    return OutOfFold(target, system, system, of_speakers(counts))


def results(classic, emobed, controls, target="audio"):
    """By target and system; `controls` are recalls in the order of `CONTROLS`, None where there is no result."""
    recalls = {CLASSIC: classic, EMOBED: emobed, **dict(zip(CONTROLS, controls, strict=True))}
    return {(target, name): result(name, recall, target) for name, recall in recalls.items() if recall is not None}


class TestVerdicts:
    def test_there_are_four_controls(self):
        assert list(CONTROLS) == [TRIPLET_ALONE, PERMUTED_LABELS, ITSELF_AS_AUXILIARY, AS_MANY_STEPS]

    def test_transfer(self):
        (found,) = verdicts(results(50, 65, (51, 52, 53, 50)), ("audio",), "uar")
        assert found.better and not found.unbeaten
        assert found.gain.difference == pytest.approx(0.15, abs=0.04)
        assert "IS BETTER THAN CLASSIC" in found.sentences[0] and "It is transfer" in found.sentences[0]
        assert conclusion([found], simulated=False) == "VERDICT: it is transfer on audio."

    def test_nothing(self):
        (found,) = verdicts(results(50, 50, (50, 50, 50, 50)), ("audio",), "uar")
        assert not found.better
        assert "NOTHING FOUND" in found.sentences[0] and "would have been found in 80 % of cases" in found.sentences[0]
        assert f"A gain above {found.gain.excluded:.3f} is excluded".replace("0.", ".") in found.sentences[0]
        assert conclusion([found], True) == "VERDICT (SIMULATED data): no transfer between modalities was found."

    @pytest.mark.parametrize("position", range(4))
    def test_a_control_that_gains_as_much_explains_the_gain(self, position):
        recalls = [50, 50, 50, 50]
        recalls[position] = 65
        (found,) = verdicts(results(50, 65, recalls), ("audio",), "uar")
        name = list(CONTROLS)[position]
        assert found.gain.better and not found.better
        assert found.unbeaten == (name,)
        assert "NOT SHOWN TO BE TRANSFER" in found.sentences[0]
        assert len(found.sentences) == 2 and f"is not separable from {CONTROLS[name]}" in found.sentences[1]
        assert "is itself better than classic" in found.sentences[1]
        assert "not the same as shown to be none" in found.sentences[0]

    def test_a_control_between_the_two_is_only_not_excluded(self):
        # EmoBed leads classic by 8 hundredths and a control by about 2, which itself is not clearly above classic.
        (found,) = verdicts(results(50, 58, (50, 56, 50, 50), "face"), ("face",), "uar")
        assert PERMUTED_LABELS in found.unbeaten or found.over_controls[PERMUTED_LABELS].better
        explained = [s for s in found.sentences if CONTROLS[PERMUTED_LABELS] in s]
        due = (
            "is itself"
            if found.of_controls[PERMUTED_LABELS].better
            else "is not shown to be better than classic itself"
        )
        assert all(due in sentence for sentence in explained)

    def test_the_gain_that_is_found_beats_all_controls_at_once(self):
        (found,) = verdicts(results(50, 50, (50, 50, 50, 50)), ("audio",), "uar")
        # To beat five at once takes more than any one of them alone.
        alone = [found.gain.detectable, *(gain.detectable for gain in found.over_controls.values())]
        assert found.detectable > max(alone)
        assert f"A true gain of {found.detectable:.3f} over classic and all".replace("0.", ".") in found.sentences[0]

    def test_another_system_has_controls_of_its_own(self):
        ours = {
            (target, name.replace("emobed", "emobed_stable") if name == EMOBED else f"{name}@emobed_stable"): found
            for (target, name), found in results(50, 65, (51, 52, 53, 50)).items()
            if name != CLASSIC
        }
        ours["audio", CLASSIC] = result(CLASSIC, 50)
        (found,) = verdicts(ours, ("audio",), "uar", "emobed_stable")
        assert found.better and "EMOBED, STABLE IS BETTER THAN CLASSIC" in found.sentences[0]
        rows = verdict_grid(found, "UAR", "").rows
        assert rows[2][0] == "auxiliary labels permuted (EmoBed, stable)"

    def test_a_control_without_result_gives_no_verdict(self):
        (found,) = verdicts(results(50, 65, (51, None, 53, 50)), ("audio",), "uar")
        assert not found.complete and not found.better
        assert "no verdict without results of: auxiliary labels permuted" in found.sentences[0]

    def test_emobed_without_result(self):
        (found,) = verdicts(results(50, None, (51, 52, 53, 50)), ("audio",), "uar")
        assert found.gain is None and not found.better
        assert "no verdict" in found.sentences[0]

    def test_two_targets(self):
        both = results(50, 65, (50, 50, 50, 50)) | results(50, 50, (50, 50, 50, 50), "face")
        audio, face = verdicts(both, ("audio", "face"), "uar")
        assert (audio.better, face.better) == (True, False)
        # 12 speakers who all gain: p = 1/4096, times two targets.
        assert audio.gain.p == 1 / 4096 and audio.gain.p_holm == 2 / 4096
        assert conclusion([audio, face], simulated=False) == "VERDICT: it is transfer on audio."

    def test_a_gain_within_chance_after_correction_is_none(self):
        # Five speakers who all gain: p = 1/32 = .031, twice that with two targets.
        all_speakers = results(50, 65, (50, 50, 50, 50))
        five = {key: replace(r, statistics=of_speakers(r.statistics.sums[:5])) for key, r in all_speakers.items()}
        (alone,) = verdicts(five, ("audio",), "uar")
        assert alone.better
        assert not verdicts(five, ("audio", "face"), "uar")[0].better


class TestGrid:
    def test_rows(self):
        (found,) = verdicts(results(50, 65, (51, None, 65, 50)), ("audio",), "uar")
        rows = verdict_grid(found, "UAR", "SIMULATED: ").rows
        assert [row[-1] for row in rows] == ["yes", "yes", "", "no", "yes"]
        assert rows[2][2] == "no result"
        assert verdict_grid(found, "UAR", "SIMULATED: ").title.startswith("SIMULATED: audio")
