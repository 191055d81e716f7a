"""Problems that one kind of fusion can solve and another can't; late fusion's weight."""

import dataclasses
import itertools

import numpy as np
import pytest

from emobed_tf.corpora.corpus import CLASSIFICATION, Recording
from emobed_tf.errors import InputError
from emobed_tf.evaluation.metrics import concordance_cc
from emobed_tf.systems.baselines.fusion import best_weights, joined_problem
from emobed_tf.systems.registry import find_system
from tests.systems.baselines.constructed import development_score, modality, problem, utterances


class TestBestWeights:
    def test_concordance_in_closed_form(self):
        """CCC of w a + (1 - w) b is (n0 + n1 w) / (d0 + d1 w + d2 w^2): its extrema are the roots of a parabola."""
        rng = np.random.default_rng(0)
        for noise in ((0.5, 0.9), (0.3, 2.0), (1.5, 1.0)):
            y = rng.normal(size=400)
            a, b = (y + s * rng.normal(size=400) + 0.2 for s in noise)
            cov = np.cov([y, a, b], bias=True)
            m = np.array([y.mean(), a.mean(), b.mean()])
            n0, n1 = 2 * cov[0, 2], 2 * (cov[0, 1] - cov[0, 2])
            gap, slope = m[2] - m[0], m[1] - m[2]
            d0 = cov[0, 0] + cov[2, 2] + gap**2
            d1 = 2 * (cov[1, 2] - cov[2, 2]) + 2 * gap * slope
            d2 = cov[1, 1] + cov[2, 2] - 2 * cov[1, 2] + slope**2
            roots = np.roots([-n1 * d2, -2 * n0 * d2, n1 * d0 - n0 * d1])
            best = max((0, 1, *roots.real.clip(0, 1)), key=lambda w: concordance_cc(y, w * a + (1 - w) * b))
            weights = best_weights("ccc", [y[:150], y[150:]], [np.stack([a, b])[:, :150], np.stack([a, b])[:, 150:]])
            assert weights.sum() == pytest.approx(1)
            assert abs(weights[0] - best) <= 0.025 + 1e-9

    def test_frames_without_a_label_do_not_count(self):
        """There the second modality is as wrong as can be."""
        y = np.random.default_rng(1).normal(size=500)
        noise = 3 * np.random.default_rng(2).normal(size=500)
        said = np.where(np.arange(500) < 200, -100.0, y)
        gold = np.where(np.arange(500) < 200, np.nan, y)
        parts = slice(None, 250), slice(250, None)
        weights = best_weights("ccc", [gold[k] for k in parts], [np.stack([noise, said])[:, k] for k in parts])
        assert weights.tolist() == [0, 1]

    def test_a_modality_that_says_nothing_weighs_nothing(self):
        y = np.random.default_rng(1).normal(size=500)
        noise = 3 * np.random.default_rng(2).normal(size=(2, 500))
        assert best_weights("ccc", [y], [np.stack([noise[0], y, noise[1]])]).tolist() == [0, 1, 0]

    def test_classes_by_brute_force(self):
        rng = np.random.default_rng(3)
        labels = rng.integers(0, 3, 60)
        votes = rng.dirichlet([1, 1, 1], (60, 3))
        votes[np.arange(60), 0, labels] += 0.4
        votes[np.arange(60), 2, labels] += 0.6

        def right(weights):
            return sum(int(np.argmax(np.tensordot(weights, v, 1)) == y) for v, y in zip(votes, labels, strict=True))

        grid = [np.array([i, j, 20 - i - j]) / 20 for i, j in itertools.product(range(21), repeat=2) if i + j <= 20]
        found = best_weights("f1_micro", list(labels), list(votes))
        assert right(found) == max(map(right, grid))

    def test_of_equally_good_ones_the_most_even(self):
        votes = np.array([[0.9, 0.1], [0.8, 0.2]])
        assert best_weights("uar", [np.array(0)], [votes]).tolist() == [0.5, 0.5]


def two_views(function, task, n=150):
    """Utterances whose label takes both modalities, each of which sees one number and noise."""
    rng = np.random.default_rng(4)
    audio, face = {}, {}
    for partition in ("train", "dev"):
        a, f = rng.uniform(-1, 1, (2, n))
        labels = function(a, f)
        noise = rng.normal(size=(2, n, 2))
        audio[partition] = (np.column_stack([a, noise[0]]).astype(np.float32), labels)
        face[partition] = (np.column_stack([f, noise[1]]).astype(np.float32), labels)
    modalities = {"audio": utterances("audio", audio, task=task), "face": utterances("face", face, task=task)}
    settings = {"classes": ("no", "yes")} if task == CLASSIFICATION else {}
    return problem(modalities, task, epochs=40, batch_size=15, learning_rate=0.01, selection=None, **settings)


@pytest.fixture(scope="module")
def either_or():
    """Exclusive or: a modality alone knows nothing, so nothing is gained by averaging what they say."""
    return two_views(lambda a, f: (a * f > 0).astype(int), CLASSIFICATION)


@pytest.fixture(scope="module")
def both():
    """A sum: a modality alone explains half of the variance."""
    return two_views(lambda a, f: a + f, "regression")


def test_joined_problem(both):
    joined = joined_problem(both)
    assert (joined.target, joined.auxiliaries) == ("audio_face", ())
    assert joined.modality.feature_names == tuple(f"{name}:{name}{k}" for name in ("audio", "face") for k in range(3))
    assert [r.id for r in joined.modality.recordings] == [r.id for r in both.modality.recordings]


def scored(name, given):
    system = find_system(name)()
    system.fit(given, {}, 0)
    return system, development_score(system, given)


@pytest.fixture(scope="module")
def on_either_or(stack, either_or):
    """Systems and their scores by name; the classic one is late fusion's for audio."""
    found = {name: scored(name, either_or) for name in ("early", "model_level", "late")}
    classic = found["late"][0].systems["audio"]
    return found | {"classic": (classic, development_score(classic, either_or))}


@pytest.mark.usefixtures("stack")
class TestSystems:
    @pytest.mark.slow
    def test_exclusive_or(self, on_either_or):
        scores = {name: score for name, (_, score) in on_either_or.items()}
        assert min(scores["early"], scores["model_level"]) > 0.85
        assert max(scores["classic"], scores["late"]) < 0.65

    @pytest.mark.slow
    def test_sum(self, both):
        system, late = scored("late", both)
        classic = development_score(system.systems["audio"], both)
        # One half alone, s a beside y = a + f of equal variances: CCC = 2 s / (2 + s^2), at most 1 / sqrt(2) at
        # s = sqrt(2). The average of two such is y / sqrt(2): CCC = 2 sqrt(.5) / 1.5 = .943.
        assert classic < 0.75
        assert late == pytest.approx(0.943, abs=0.04)
        assert system.weights == pytest.approx([0.5, 0.5], abs=0.11)

    @pytest.mark.slow
    def test_parameters(self, on_either_or):
        # A GRU of u units over f features has 3u(f + u + 2) numbers, the standardisation 2f, the output 6 * 2 + 2.
        def gru(u, f):
            return 3 * u * (f + u + 2)

        classic = 2 * 3 + gru(8, 3) + gru(6, 8) + 14
        assert {name: system.parameters for name, (system, _) in on_either_or.items()} == {
            "classic": classic,
            "early": 2 * 6 + gru(8, 6) + gru(6, 8) + 14,
            "model_level": 2 * 6 + 2 * gru(8, 3) + gru(6, 16) + 14,
            "late": 2 * classic + 2,
        }

    def test_same_number_of_configurations_as_classic(self, both):
        for name in ("early", "model_level", "late"):
            assert find_system(name).pairs == "inference"
            assert find_system(name)().configurations(both, 5) == find_system("classic")().configurations(both, 5)

    @pytest.mark.parametrize("name", ["early", "model_level", "late"])
    def test_no_other_modality(self, both, name):
        alone = dataclasses.replace(both, config=both.config.replace(auxiliary=()))
        with pytest.raises(InputError, match="needs another modality beside audio"):
            find_system(name)().fit(alone, {}, 0)

    @pytest.mark.parametrize("name", ["early", "late"])
    def test_unpaired_data(self, both, name):
        face = both.corpus.modality("face")
        less = dataclasses.replace(face, recordings=tuple(r for r in face.recordings if r.id != "dev_u7"))
        modalities = {**both.corpus.modalities, "face": less}
        corpus = dataclasses.replace(both.corpus, modalities=modalities)
        with pytest.raises(InputError, match="'face' lacks 1 of 150 recordings .* 'dev': dev_u7;"):
            find_system(name)().fit(dataclasses.replace(both, corpus=corpus), {}, 0)


@pytest.fixture(scope="module")
def uneven():
    """Audio that is noise at 10 Hz for 6 s, beside a face that knows the label at 5 Hz for 5 s."""
    rng = np.random.default_rng(5)
    audio, face = [], []
    for partition in ("train", "dev"):
        for k in range(3):
            hidden = (np.cumsum(rng.normal(size=60)) / 5).astype(np.float32)
            name = f"{partition}_{k}"
            noise = rng.normal(size=(60, 2)).astype(np.float32)
            audio.append(Recording(name, partition, name, noise, {"arousal": hidden}))
            face.append(Recording(name, partition, name, hidden[:50:2, None], {"arousal": hidden[:50:2]}))
    modalities = {"audio": modality("audio", audio, 0.1), "face": modality("face", face, 0.2)}
    return problem(modalities, epochs=30, batch_size=3, learning_rate=0.02, label_delay=0.3)


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
class TestFrames:
    """Streams of different rates and lengths."""

    @pytest.mark.parametrize("name", ["early", "model_level"])
    def test_a_prediction_for_every_frame_of_the_target(self, uneven, name):
        system, score = scored(name, uneven)
        assert [v.shape for v in system.predict(uneven.recordings("dev"))] == [(60,)] * 3
        assert score > 0.3

    def test_late_fusion_holds_the_nearest_prediction(self, uneven):
        system, score = scored("late", uneven)
        assert score > 0.3
        face = system.systems["face"].predict({"face": uneven.recordings("dev")["face"]})[0]
        system.weights = np.array([0.0, 1.0])
        # Audio at 0, .1, .2 … s, face at 0, .2 … 4.8 s: even frames meet k / 2; from 5 s on the last one stays.
        found = system.predict(uneven.recordings("dev"))[0]
        np.testing.assert_array_equal(found[:50:2], face)
        np.testing.assert_array_equal(found[50:], np.full(10, face[-1]))
