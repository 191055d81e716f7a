"""What is said of the primary contrast, on constructed results."""

from dataclasses import replace

import numpy as np
import pytest

from emobed_tf.comparison.crossvalidation.contrasts import (
    contrast_notes,
    fold_correlation,
    gain_sentence,
)
from emobed_tf.comparison.crossvalidation.gains import gains
from emobed_tf.comparison.crossvalidation.out_of_fold import SEEDS_OF_A_DEAL, OutOfFold
from emobed_tf.comparison.crossvalidation.plan import CrossValidationSettings, plan_cross_validation
from emobed_tf.config import preset
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics


@pytest.fixture(scope="module")
def plan(tables):
    config = preset("tables").replace(data_dir=tables)
    protocol = CrossValidationSettings(targets=("audio",), folds=3, fold_seeds=2)
    return plan_cross_validation(config, protocol, ("classic",))


def system(plan, name, recall_by_speaker, deals=1):
    """A hundred utterances of each of two classes; both recalls of a speaker are as given, in hundredths."""
    speakers = tuple(sorted(plan.speakers))
    right = np.array([recall_by_speaker[speaker] for speaker in speakers])
    counts = np.zeros((len(speakers), deals, 2, 2))
    counts[:, :, [0, 1], [0, 1]] = right[:, None, None]
    counts[:, :, [0, 1], [1, 0]] = 100 - right[:, None, None]
    seeds = tuple(deal * SEEDS_OF_A_DEAL for deal in range(deals))
    return OutOfFold("audio", name, name, SpeakerStatistics(speakers, seeds, counts, int(counts.sum())))


class TestNotes:
    def results(self, plan, lead):
        base = dict.fromkeys(plan.speakers, 50)
        found = [system(plan, "classic", base), system(plan, "emobed", {name: 50 + lead(name) for name in base})]
        return {("audio", each.system): each for each in found}

    def test_speakers_of_a_fold_who_gain_alike(self, plan):
        fold = {name: each.number for each in plan.folds for name in each.test}
        results = self.results(plan, lambda name: 10 * fold[name])
        correlation, effect = fold_correlation(plan, results["audio", "classic"], results["audio", "emobed"])
        assert correlation == pytest.approx(1)
        # 15 speakers in folds of five: 1 + (5 - 1) * 1, so that three independent ones would say as much.
        assert effect == pytest.approx(5)
        found = gains(results, "classic", "emobed", ("audio",), "uar")
        notes = contrast_notes(plan, found, results, "emobed")
        assert "All other rows are exploratory" in notes[0]
        assert "15 speakers say as much as about 3 independent ones" in notes[-1]
        assert "--fold-seeds" not in notes[-1]  # there are two deals
        alone = replace(plan, repeats=())
        assert "--fold-seeds" in contrast_notes(alone, found, results, "emobed")[-1]

    def test_equal_gains_tell_nothing(self, plan):
        results = self.results(plan, lambda name: 5)
        assert fold_correlation(plan, results["audio", "classic"], results["audio", "emobed"]) is None

    def test_a_gain_that_is_not_shown_is_bounded(self, plan):
        places = {name: k for k, name in enumerate(sorted(plan.speakers))}
        results = self.results(plan, lambda name: (-3, 3)[places[name] % 2])
        (gain,) = gains(results, "classic", "emobed", ("audio",), "uar")
        said = gain_sentence(gain)
        assert "is not shown to be better than classic" in said
        assert f"a gain above {gain.excluded:.3f} is excluded (one-sided, 95 %)".replace("0.", ".", 1) in said

    def test_words_of_a_bound(self, plan):
        places = {name: k for k, name in enumerate(sorted(plan.speakers))}
        (gain,) = gains(self.results(plan, lambda name: -5 - places[name]), "classic", "emobed", ("audio",), "uar")
        assert gain.excluded_text == "any gain is excluded"
        assert replace(gain, excluded=None, speakers=4).excluded_text == "4 speakers exclude no gain"
