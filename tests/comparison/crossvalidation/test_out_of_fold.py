"""Folds put together: sums over folds and seeds against the scores of the predictions themselves."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.comparison.crossvalidation.folds import deal, speakers_of
from emobed_tf.comparison.crossvalidation.out_of_fold import deal_and_seed, pool_folds
from emobed_tf.comparison.crossvalidation.plan import (
    CrossValidationPlan,
    CrossValidationSettings,
    plan_cross_validation,
)
from emobed_tf.comparison.protocol import CellResult
from emobed_tf.config import preset
from emobed_tf.corpora.corpus import REGRESSION, Corpus, Modality, Recording
from emobed_tf.evaluation.metrics import concordance_cc, moments_by_recording


def record(seed, speakers, statistics):
    test = {"speakers": list(speakers), "statistics": np.asarray(statistics).tolist(), "frames": 10 * len(speakers)}
    return {"seed": seed, "parameters": 7, "seconds": 2.0, "partitions": {"test": test}}


@pytest.fixture(scope="module")
def plan(tables):
    config = preset("tables").replace(data_dir=tables)
    return plan_cross_validation(
        config, CrossValidationSettings(targets=("audio", "face"), folds=3), ("classic", "emobed")
    )


class TestPoolFolds:
    def results(self, plan, seeds):
        """Speaker k of fold f has k + 1 right answers with seed 0, twice as many with seed 1, and so on."""
        found = []
        for fold, numbers in zip(plan.folds, seeds, strict=True):
            members = sorted(fold.test)
            counts = [[np.diag([k + 1, 0, 0]) * (seed + 1) for k in range(len(members))] for seed in numbers]
            runs = [record(seed, members, c) for seed, c in zip(numbers, counts, strict=True)]
            found.append(CellResult(plan.cell("audio", "classic", fold), {}, (), tuple(runs)))
        return found

    def test_speakers_of_all_folds(self, plan):
        whole = pool_folds(plan, "audio", "classic", self.results(plan, [(0, 1)] * 3))
        assert whole.statistics.speakers == tuple(sorted(plan.speakers))
        assert whole.statistics.sums.shape == (len(plan.speakers), 2, 3, 3)
        assert whole.statistics.count == 10 * len(plan.speakers)
        for fold in plan.folds:
            for k, speaker in enumerate(sorted(fold.test)):
                mine = whole.statistics.sums[whole.statistics.speakers.index(speaker)]
                assert (mine[:, 0, 0] == [k + 1, 2 * (k + 1)]).all()
        assert (whole.title, whole.parameters, whole.seconds) == ("classic monomodal", 7, 2.0)

    def test_a_seed_that_failed_in_one_fold_does_not_count(self, plan):
        results = self.results(plan, [(0, 1, 2), (0, 2), (2, 1, 0)])
        results[1] = dataclasses.replace(results[1], failed="the loss became NaN")
        whole = pool_folds(plan, "audio", "classic", results)
        assert whole.statistics.seeds == (0, 2)
        assert whole.notes == ("classic monomodal on audio, fold 2: the loss became NaN",)

    def test_no_seed_in_all_folds(self, plan):
        results = self.results(plan, [(0,), (1,), (0, 1)])
        assert pool_folds(plan, "audio", "classic", results).endswith("no seed came out in every fold")
        assert pool_folds(plan, "audio", "classic", results[:2]).endswith("only 2 of 3 folds could be done")
        failed = [dataclasses.replace(results[0], failed="no classes", runs=()), *results[1:]]
        assert pool_folds(plan, "audio", "classic", failed) == "classic monomodal on audio, fold 1: no classes"

    def test_deals_stand_side_by_side_like_seeds(self, plan, tables):
        """Everybody is tested once in each deal, by other folds; a speaker's score is the mean over both."""
        protocol = CrossValidationSettings(targets=("audio",), folds=3, fold_seeds=2)
        twice = plan_cross_validation(preset("tables").replace(data_dir=tables), protocol, ("classic",))
        assert twice.folds == plan.folds != twice.repeats[0]
        results = []
        for place, folds in enumerate(twice.deals):
            for fold in folds:
                # In the first deal all are right, in the second one of two.
                answers = np.array([[2 - place, place], [0, 2]])
                runs = tuple(record(seed, sorted(fold.test), [answers] * len(fold.test)) for seed in (0, 1))
                results.append(CellResult(twice.cell("audio", "classic", fold, place), {"l2": place}, (), runs))
        whole = pool_folds(twice, "audio", "classic", results)
        assert [deal_and_seed(number) for number in whole.statistics.seeds] == [(0, 0), (0, 1), (1, 0), (1, 1)]
        # Recalls: 1 and 1; then .5 and 1.
        assert whole.statistics.by_speaker("uar") == pytest.approx([0.875] * len(plan.speakers))
        assert whole.statistics.scores("uar") == pytest.approx([1, 1, 0.75, 0.75])
        assert whole.settings == ({"l2": 0},) * 3 + ({"l2": 1},) * 3
        assert pool_folds(twice, "audio", "classic", results[:5]).endswith("only 5 of 6 folds could be done")

    @pytest.mark.parametrize("gaps", [False, True])
    def test_concordance_over_folds_is_that_of_all_frames(self, gaps):
        rng = np.random.default_rng(0)
        golds = {f"s{k}": (k + rng.normal(size=20)).astype(np.float32) for k in range(6)}
        counts = {name: np.arange(20) % (3 + k) > 0 if gaps else np.ones(20, bool) for k, name in enumerate(golds)}
        nan = np.float32(np.nan)
        recordings = tuple(
            Recording(
                f"r{k}", "train", name, np.zeros((20, 1), np.float32), {"arousal": np.where(counts[name], values, nan)}
            )
            for k, (name, values) in enumerate(golds.items())
        )
        audio = Modality("audio", ("x",), recordings, 0.04, "recola")
        corpus = Corpus("recola", REGRESSION, "arousal", (), {"audio": audio}, {})
        config = preset("recola").replace(target="audio", auxiliary=())
        plan = CrossValidationPlan(deal(speakers_of([corpus]), 3), {"audio": config}, {"audio": corpus})
        predictions = {name: (values + rng.normal(size=20))[counts[name]] for name, values in golds.items()}
        golds = {name: values[counts[name]] for name, values in golds.items()}
        results = []
        for fold in plan.folds:
            members = sorted(fold.test)
            # As a trial has them: about the mean of the fold's own gold standard.
            sums = moments_by_recording([golds[s] for s in members], [predictions[s] for s in members])
            results.append(CellResult(plan.cell("audio", "classic", fold), {}, (), (record(0, members, sums),)))
        whole = pool_folds(plan, "audio", "classic", results)
        true, said = (np.concatenate([values[s] for s in sorted(golds)]) for values in (golds, predictions))
        assert whole.statistics.scores("ccc") == pytest.approx([concordance_cc(true, said)])
        own = [concordance_cc(golds[s], predictions[s]) for s in sorted(golds)]
        assert whole.statistics.by_speaker("ccc") == pytest.approx(own)
