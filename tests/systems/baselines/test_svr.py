"""SVR + offset: the solution of its own objective by another optimiser, and a delay that it must find."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import minimize

from emobed_tf.config import preset
from emobed_tf.corpora.corpus import Corpus, Modality, Recording
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import concordance_cc
from emobed_tf.systems.base import Problem
from emobed_tf.systems.baselines.svr import SupportVectorRegression

pytestmark = pytest.mark.usefixtures("stack")

STEP = 0.04
FRAMES = 200


def problem(late, seed=0, step=STEP, frames=FRAMES):
    """The label is a smooth feature, `late` frames later; the second is noise in other units, the third is missing."""
    rng = np.random.default_rng(seed)
    recordings = []
    for partition in ("train", "dev", "test"):
        for k in range(3):
            smooth = np.convolve(rng.normal(size=frames + late + 20), np.ones(20) / 5, "valid")[: frames + late]
            features = np.stack([smooth[late:], 100 + 7 * rng.normal(size=frames), np.full(frames, np.nan)], axis=1)
            label = (0.3 * smooth[:frames] + 0.1).astype(np.float32)
            name = f"{partition}_{k}"
            recordings.append(
                Recording(name, partition, name, features.astype(np.float32), {"arousal": label if step else label[:1]})
            )
    modality = Modality("audio", ("smooth", "noise", "missing"), tuple(recordings), step, "tables")
    corpus = Corpus("tables", "regression", "arousal", (), {"audio": modality}, {})
    return Problem(preset().replace(target="audio", auxiliary=(), dataset="tables"), corpus)


def fitted(problem, **settings):
    system = SupportVectorRegression()
    system.fit(problem, settings, 0)
    return system


class TestGaps:
    def test_is_the_fit_to_the_labelled_frames(self):
        """Features missing there, too, do not move the standardisation: the frames might as well not be."""
        given = problem(0)
        rest = np.arange(FRAMES) % 3 > 0

        def with_modality(change):
            recordings = tuple(map(change, given.modality.recordings))
            return given.with_modality(dataclasses.replace(given.modality, recordings=recordings))

        def blank(recording):
            features = np.where(rest[:, None], recording.features, np.float32(np.nan))
            labels = {"arousal": np.where(rest, recording.labels["arousal"], np.float32(np.nan))}
            return dataclasses.replace(recording, features=features, labels=labels)

        def without(recording):
            labels = {"arousal": recording.labels["arousal"][rest]}
            return dataclasses.replace(recording, features=recording.features[rest], labels=labels)

        gaps, cut = (fitted(with_modality(change), complexity=0.1, delay=0.0) for change in (blank, without))
        np.testing.assert_allclose(gaps.model.coef_, cut.model.coef_, rtol=1e-6)
        assert gaps.model.intercept_ == pytest.approx(cut.model.intercept_)

    def test_a_delay_that_leaves_no_label(self):
        given = problem(0)
        early = np.arange(FRAMES) < 50

        def late(recording):
            labels = {"arousal": np.where(early, recording.labels["arousal"], np.float32(np.nan))}
            return dataclasses.replace(recording, labels=labels)

        recordings = tuple(map(late, given.modality.recordings))
        given = given.with_modality(dataclasses.replace(given.modality, recordings=recordings))
        with pytest.raises(InputError, match="'audio': no training label is left after a delay of 4 s"):
            fitted(given, complexity=0.1, delay=4.0)


class TestFit:
    def test_minimises_its_objective(self):
        """0.5 |(w, b)|^2 + C sum max(0, |y - wx - b| - 0.1)^2, here by BFGS on features standardised by hand."""
        given, complexity, delay = problem(10), 0.1, 0.4
        train = given.modality.partition("train")
        x = np.concatenate([r.features for r in train]).astype(np.float64)[:, :2]
        mean, deviation = x.mean(axis=0), x.std(axis=0)
        x = (x - mean) / deviation
        y = np.concatenate([np.r_[r.labels["arousal"][10:], np.full(10, r.labels["arousal"][-1])] for r in train])

        def objective(w):
            beyond = np.maximum(np.abs(y - x @ w[:2] - w[2]) - 0.1, 0)
            return 0.5 * w @ w + complexity * beyond @ beyond

        w = minimize(objective, np.zeros(3), method="BFGS", options={"gtol": 1e-8}).x
        expected = [
            np.r_[np.full(10, p[0]), p[:-10]]
            for p in (((r.features[:, :2] - mean) / deviation) @ w[:2] + w[2] for r in given.modality.partition("dev"))
        ]
        found = fitted(given, complexity=complexity, delay=delay).predict(given.recordings("dev"))
        np.testing.assert_allclose(found, expected, atol=2e-3)
        assert np.std(expected) > 0.1  # what is compared is no constant

    def test_the_true_delay_is_best(self):
        """Labels come 30 frames after what they describe: 1.2 s."""
        given = problem(30)
        golds = [r.labels["arousal"] for r in given.recordings("dev")["audio"]]

        def ccc(delay):
            found = fitted(given, complexity=0.1, delay=delay).predict(given.recordings("dev"))
            return concordance_cc(np.concatenate(golds), np.concatenate(found))

        scores = {delay: ccc(delay) for delay in (0.0, 0.8, 1.2, 1.6)}
        assert max(scores, key=scores.get) == 1.2
        assert scores[1.2] > 0.85 > 0.5 > scores[0.0]

    def test_utterances_have_no_delay(self):
        given = problem(0, step=None, frames=1)
        assert fitted(given, complexity=1.0).shift == 0
        assert [set(c) for c in SupportVectorRegression().configurations(given, 3)] == [{"complexity"}] * 3

    def test_parameters(self):
        assert fitted(problem(0), complexity=1.0, delay=0.0).parameters == 4  # three features and the offset

    def test_test_recordings_change_nothing(self):
        given = problem(5)
        spoilt = tuple(
            dataclasses.replace(r, features=-r.features) if r.partition == "test" else r
            for r in given.modality.recordings
        )
        modality = dataclasses.replace(given.modality, recordings=spoilt)
        other = Problem(given.config, dataclasses.replace(given.corpus, modalities={"audio": modality}))
        first, second = (fitted(p, complexity=0.1, delay=0.4).predict(given.recordings("dev")) for p in (given, other))
        np.testing.assert_array_equal(first, second)


class TestConfigurations:
    @pytest.mark.parametrize("number", [2, 16, 200])
    def test_the_whole_grid_of_the_challenge(self, number):
        found = SupportVectorRegression().configurations(problem(0), number)
        assert found[0] == {"complexity": 1e-3, "delay": 2.4}
        assert len({tuple(settings.items()) for settings in found}) == 126
        assert {c["complexity"] for c in found} == {1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0}
        assert sorted({c["delay"] for c in found}) == [round(0.4 * k, 1) for k in range(21)]
        assert len(found) == 126

    def test_a_delay_beside_the_grid_comes_first(self):
        given = problem(0)
        other = dataclasses.replace(given, config=given.config.replace(label_delay=1.0))
        found = SupportVectorRegression().configurations(other, 16)
        assert found[0] == {"complexity": 1e-3, "delay": 1.0}
        assert len(found) == 127

    def test_without_a_search(self):
        assert SupportVectorRegression().configurations(problem(0), 1) == [{"complexity": 1e-3, "delay": 2.4}]

    def test_windows_reach_500_frames(self):
        assert max(SupportVectorRegression.windows) / STEP == 500
