"""Folds put together: sums over folds and seeds against the package's and scikit-learn's scores on raw answers."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from emobed_tf.comparison.crossvalidation.folds import deal, speakers_of
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold, pool, recentred
from emobed_tf.comparison.crossvalidation.plan import Plan, Protocol, make_plan
from emobed_tf.comparison.protocol import Result
from emobed_tf.config import preset
from emobed_tf.corpora.corpus import REGRESSION, Corpus, Modality, Recording
from emobed_tf.evaluation.metrics import concordance_cc, confusion_by_unit, moments, moments_by_recording, pooled_ccc

SPEAKERS = tuple(f"s{k}" for k in range(8))


def answers(right, seeds=3, utterances=12, seed=0):
    """True classes, and answers of a system that is right in that share of utterances, `[seeds, speakers, n]`."""
    true = np.random.default_rng(0).integers(0, 3, (len(SPEAKERS), utterances))
    rng = np.random.default_rng(seed)
    wrong = rng.random((seeds, *true.shape)) >= right
    return true, np.where(wrong, (true + rng.integers(1, 3, wrong.shape)) % 3, true)


def system(name, right, target="audio", seeds=3, seed=0, numbers=None):
    true, said = answers(right, seeds, seed=seed)
    unit = np.repeat(SPEAKERS, true.shape[1])
    counts = [confusion_by_unit(true.ravel(), by_seed.ravel(), unit, 3) for by_seed in said]
    numbers = tuple(range(seeds)) if numbers is None else numbers
    return OutOfFold(target, name, name, SPEAKERS, numbers, np.stack(counts, axis=1).astype(float))


def record(seed, speakers, statistics):
    test = {"speakers": list(speakers), "statistics": np.asarray(statistics).tolist()}
    return {"seed": seed, "parameters": 7, "seconds": 2.0, "partitions": {"test": test}}


@pytest.fixture(scope="module")
def plan(tables):
    config = preset("tables").replace(data_dir=tables)
    return make_plan(config, Protocol(targets=("audio", "face"), folds=3), ("classic", "emobed"))


class TestOutOfFold:
    def test_scores_are_those_of_all_predictions_of_a_seed(self):
        true, said = answers(0.6)
        found = system("a", 0.6).scores("uar")
        assert found == pytest.approx([balanced_accuracy_score(true.ravel(), by_seed.ravel()) for by_seed in said])

    def test_a_speakers_own_score_is_the_mean_over_seeds(self):
        true, said = answers(0.6)
        own = [np.mean([balanced_accuracy_score(true[k], said[s, k]) for s in (0, 2)]) for k in range(len(SPEAKERS))]
        assert system("a", 0.6).by_speaker("uar", (0, 2)) == pytest.approx(own)

    def test_interval_holds_the_score(self):
        found = system("a", 0.6)
        low, high = found.interval("uar")
        assert 0 < low < found.scores("uar").mean() < high < 1


class TestPool:
    def results(self, plan, seeds):
        """Speaker k of fold f has k + 1 right answers with seed 0, twice as many with seed 1, and so on."""
        found = []
        for fold, numbers in zip(plan.folds, seeds, strict=True):
            members = sorted(fold.test)
            counts = [[np.diag([k + 1, 0, 0]) * (seed + 1) for k in range(len(members))] for seed in numbers]
            runs = [record(seed, members, c) for seed, c in zip(numbers, counts, strict=True)]
            found.append(Result(plan.cell("audio", "classic", fold), {}, (), tuple(runs)))
        return found

    def test_speakers_of_all_folds(self, plan):
        whole = pool(plan, "audio", "classic", self.results(plan, [(0, 1)] * 3))
        assert whole.speakers == tuple(sorted(plan.speakers))
        assert whole.statistics.shape == (len(plan.speakers), 2, 3, 3)
        for fold in plan.folds:
            for k, speaker in enumerate(sorted(fold.test)):
                mine = whole.statistics[whole.speakers.index(speaker)]
                assert (mine[:, 0, 0] == [k + 1, 2 * (k + 1)]).all()
        assert (whole.title, whole.parameters, whole.seconds) == ("classic monomodal", 7, 2.0)

    def test_a_seed_that_failed_in_one_fold_does_not_count(self, plan):
        results = self.results(plan, [(0, 1, 2), (0, 2), (2, 1, 0)])
        results[1] = dataclasses.replace(results[1], failed="the loss became NaN")
        whole = pool(plan, "audio", "classic", results)
        assert whole.seeds == (0, 2)
        assert whole.notes == ("classic monomodal on audio, fold 2: the loss became NaN",)

    def test_no_seed_in_all_folds(self, plan):
        results = self.results(plan, [(0,), (1,), (0, 1)])
        assert pool(plan, "audio", "classic", results).endswith("no seed came out in every fold")
        assert pool(plan, "audio", "classic", results[:2]).endswith("only 2 of 3 folds could be done")
        failed = [dataclasses.replace(results[0], failed="no classes", runs=()), *results[1:]]
        assert pool(plan, "audio", "classic", failed) == "classic monomodal on audio, fold 1: no classes"

    def test_concordance_over_folds_is_that_of_all_frames(self):
        rng = np.random.default_rng(0)
        golds = {f"s{k}": (k + rng.normal(size=20)).astype(np.float32) for k in range(6)}
        recordings = tuple(
            Recording(f"r{k}", "train", name, np.zeros((20, 1), np.float32), {"arousal": values})
            for k, (name, values) in enumerate(golds.items())
        )
        audio = Modality("audio", ("x",), recordings, 0.04, "recola")
        corpus = Corpus("recola", REGRESSION, "arousal", (), {"audio": audio}, {})
        config = preset("recola").replace(target="audio", auxiliary=())
        plan = Plan(deal(speakers_of([corpus]), 3), {"audio": config}, {"audio": corpus})
        predictions = {name: values + rng.normal(size=20) for name, values in golds.items()}
        results = []
        for fold in plan.folds:
            members = sorted(fold.test)
            # As a trial has them: about the mean of the fold's own gold standard.
            sums = moments_by_recording([golds[s] for s in members], [predictions[s] for s in members])
            results.append(Result(plan.cell("audio", "classic", fold), {}, (), (record(0, members, sums),)))
        whole = pool(plan, "audio", "classic", results)
        true, said = (np.concatenate([values[s] for s in sorted(golds)]) for values in (golds, predictions))
        assert whole.scores("ccc") == pytest.approx([concordance_cc(true, said)])
        own = [concordance_cc(golds[s], predictions[s]) for s in sorted(golds)]
        assert whole.by_speaker("ccc", (0,)) == pytest.approx(own)


class TestRecentred:
    def test_moments_about_another_centre(self):
        rng = np.random.default_rng(0)
        true, pred = rng.normal(2, 1, 50), rng.normal(1, 1, 50)
        assert recentred(moments(true, pred, 2.5), 2.5 - 0.5) == pytest.approx(moments(true, pred, 0.5))

    def test_folds_of_other_centres_add_up_to_the_pooled_concordance(self):
        rng = np.random.default_rng(0)
        folds = [(rng.normal(k, 1, 30), rng.normal(k, 1, 30)) for k in range(3)]
        sums = [recentred(moments(true, pred, true.mean()), true.mean()) for true, pred in folds]
        everything = concordance_cc(*(np.concatenate(values) for values in zip(*folds, strict=True)))
        assert pooled_ccc(np.sum(sums, axis=0)) == pytest.approx(everything)
