"""Bins against brute force, entropy by hand, the schedule; a problem whose hard part is wrong, and its mirror image."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.corpora.corpus import CLASSIFICATION, EMOTION
from emobed_tf.errors import InputError
from emobed_tf.systems.baselines.curriculum import CurriculumLearning, bins_in, difficulty_bins, vote_entropy
from emobed_tf.systems.registry import find_system
from tests.systems.baselines.constructed import development_score, problem, utterances


class TestBins:
    def test_fifths_by_rank(self):
        values = np.random.default_rng(0).permutation(100).astype(float)
        found = np.concatenate(difficulty_bins([values[:30], values[30:]]))
        # Of 100 different values 20 are in each fifth; value v is larger than v of them.
        assert found.tolist() == (values // 20).tolist()

    def test_equal_values_share_their_easiest_bin(self):
        # Quantiles of 0 0 0 1 2: at .2 and .4 of the way 0 and 0, at .6 .4, at .8 1.2.
        assert np.concatenate(difficulty_bins([np.array([0, 0, 1]), np.array([0, 2])])).tolist() == [0, 0, 3, 0, 4]

    def test_all_alike_is_one_bin(self):
        assert difficulty_bins([np.ones(7)])[0].tolist() == [0] * 7

    def test_what_is_not_known_comes_last_and_moves_no_edge(self):
        values = np.arange(10.0)
        found = difficulty_bins([np.array([np.nan, *values, np.nan])])[0]
        assert found.tolist() == [4, *(values // 2), 4]
        assert difficulty_bins([np.full(3, np.nan)])[0].tolist() == [4] * 3

    def test_utterances(self):
        found = difficulty_bins([np.array(v) for v in (4.0, 0.0, 1.0, 3.0, 2.0)])
        assert [(int(v), np.shape(v)) for v in found] == [(4, ()), (0, ()), (1, ()), (3, ()), (2, ())]


class TestVoteEntropy:
    def test_by_hand(self):
        assert vote_entropy(np.array([[3, 3, 3]], np.float32)) == 0
        assert vote_entropy(np.array([0, 1, np.nan], np.float32)) == pytest.approx(np.log(2))
        # Shares 1/2, 1/4, 1/4: log(2) / 2 + 2 log(4) / 4 = 1.5 log(2).
        assert vote_entropy(np.array([5, 5, 1, 0.0])) == pytest.approx(1.5 * np.log(2))


class TestSchedule:
    def test_one_more_each_so_many_epochs(self):
        assert [bins_in(epoch, 3) for epoch in range(15)] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5]
        assert [bins_in(epoch, 1) for epoch in (0, 3, 4, 99)] == [1, 4, 5, 5]


def contradictory(agreed="right", task="regression", **settings):
    """Two fifths of the training labels are right, the rest has the wrong sign; raters agree on the ones or the others.

    Whoever takes all training labels together learns the wrong sign.
    """
    rng = np.random.default_rng(0)
    parts, wrong = {}, rng.permutation(100) >= 40
    for partition, n in (("train", 100), ("dev", 60)):
        x = rng.normal(size=(n, 3)).astype(np.float32)
        sign = np.where(wrong, -1, 1) if partition == "train" else np.ones(n)
        label = sign * x[:, 0]
        parts[partition] = (x, label if task == "regression" else (label > 0).astype(int))
    audio = utterances("audio", parts, task=task)

    def with_ratings(recording):
        hard = recording.partition == "train" and wrong[int(recording.id.split("u")[1])] == (agreed == "right")
        if task == CLASSIFICATION:
            return dataclasses.replace(recording, ratings={EMOTION: np.array([[0, 1 if hard else 0, 0]], np.float32)})
        spread = (1 + rng.random()) * (2 if hard else 1)
        return dataclasses.replace(recording, ratings={"arousal": np.array([[0, spread]], np.float32)})

    audio = dataclasses.replace(audio, recordings=tuple(map(with_ratings, audio.recordings)))
    classes = {"classes": ("no", "yes")} if task == CLASSIFICATION else {}
    common = {"epochs": 25, "batch_size": 20, "learning_rate": 0.01}
    return problem({"audio": audio}, task, **classes, **{**common, **settings})


def scored(name, given, settings):
    system = find_system(name)()
    system.fit(given, settings, 0)
    return system, development_score(system, given)


CHOSEN = {"epochs_per_bin": 5, "learning_rate": 0.01}


@pytest.mark.usefixtures("stack")
class TestSystem:
    def test_wins_where_raters_agree_on_what_is_right(self):
        _, classic = scored("classic", contradictory(), {})
        system, curriculum = scored("curriculum", contradictory(), CHOSEN)
        assert curriculum > 0.7
        assert classic < 0.3
        # Two fifths are right: from the eleventh epoch on wrong labels come in.
        assert system.trained.best_epoch <= 11

    def test_loses_where_they_agree_on_what_is_wrong(self):
        assert scored("curriculum", contradictory("wrong"), CHOSEN)[1] < 0.3

    def test_classes_by_votes(self):
        given = contradictory(task=CLASSIFICATION)
        assert scored("curriculum", given, CHOSEN)[1] > 0.8
        assert scored("classic", given, {})[1] < 0.7

    def test_raters_who_always_agree_leave_the_classic_system(self):
        given = contradictory(epochs=5)
        alike = tuple(dataclasses.replace(r, ratings={"arousal": np.zeros((1, 2))}) for r in given.modality.recordings)
        audio = dataclasses.replace(given.modality, recordings=alike)
        given = dataclasses.replace(given, corpus=dataclasses.replace(given.corpus, modalities={"audio": audio}))
        classic, _ = scored("classic", given, {})
        curriculum, _ = scored("curriculum", given, {"epochs_per_bin": 1, "learning_rate": 0.01})
        for name, values in classic.trained.weights.items():
            np.testing.assert_array_equal(values, curriculum.trained.weights[name], err_msg=name)
        assert curriculum.parameters == classic.parameters

    def test_does_not_stop_before_all_bins_have_had_patience(self):
        # The best epoch is among the first ten, and patience of 3 would end that soon; all bins are in after 4 * 4
        # epochs, and 3 more are 19.
        system, _ = scored("curriculum", contradictory(patience=3), {"epochs_per_bin": 4, "learning_rate": 0.01})
        assert system.trained.best_epoch <= 10
        assert len(system.trained.history) == 19


class TestConfigurations:
    def test_as_many_as_asked_for_and_all_bins_fit(self):
        given = contradictory(epochs=60)
        found = CurriculumLearning().configurations(given, 12)
        assert found[0] == CHOSEN
        assert len({tuple(c.items()) for c in found}) == 12
        assert all(1 <= c["epochs_per_bin"] <= 14 for c in found)  # 4 * 14 + 1 <= 60

    def test_too_few_epochs(self):
        with pytest.raises(InputError, match="its 5 bins one an epoch at most, but --epochs is 4"):
            CurriculumLearning().configurations(contradictory(epochs=4), 1)

    def test_no_votes(self):
        given = contradictory(task=CLASSIFICATION)
        bare = tuple(dataclasses.replace(r, ratings={}) for r in given.modality.recordings)
        audio = dataclasses.replace(given.modality, recordings=bare)
        given = dataclasses.replace(given, corpus=dataclasses.replace(given.corpus, modalities={"audio": audio}))
        with pytest.raises(InputError, match="^curriculum learning needs what each rater gave for emotion"):
            CurriculumLearning().fit(given, CHOSEN, 0)
