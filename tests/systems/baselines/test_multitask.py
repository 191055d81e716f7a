"""Arousal and valence from one modality: a clean second label helps a noisy one; what it refuses."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.systems.baselines.multitask import MultiTask, with_training_label
from emobed_tf.systems.registry import find_system
from tests.systems.baselines.constructed import development_score, problem, utterances


def narrow(valence, noise, columns):
    """An encoder of one unit, so that both heads live on one number; arousal is the first feature, rated with noise.

    Args:
        valence: the feature that valence is, without noise.
        noise: deviation of what is added to arousal in training.
        columns: features.
    """
    rng = np.random.default_rng(0)
    parts = {}
    for partition in ("train", "dev"):
        x = rng.normal(size=(100, columns)).astype(np.float32)
        arousal = x[:, 0] + (partition == "train") * noise * rng.normal(size=100)
        parts[partition] = (x, {"arousal": arousal, "valence": x[:, valence]})
    audio = utterances("audio", parts)
    return problem({"audio": audio}, epochs=50, batch_size=100, learning_rate=0.02, encoder_units=1)


def scored(name, given, settings):
    system = find_system(name)()
    system.fit(given, settings, 0)
    return system, development_score(system, given)


@pytest.mark.slow
@pytest.mark.usefixtures("stack")
class TestSystem:
    def test_wins_where_the_other_label_shows_what_matters(self):
        given = narrow(valence=0, noise=2.5, columns=20)
        classic, score = scored("classic", given, {})
        both, better = scored("multi_task", given, {"weight": 10.0})
        assert better > score + 0.2
        assert scored("multi_task", given, {"weight": 0.0})[1] == score
        assert both.parameters == classic.parameters  # valence's head is not kept

    def test_loses_where_the_other_label_takes_the_only_unit(self):
        given = narrow(valence=1, noise=0.3, columns=5)
        _, score = scored("classic", given, {})
        both, worse = scored("multi_task", given, {"weight": 10.0})
        assert worse < score - 0.2
        recordings = given.recordings("dev")["audio"]
        valence = np.concatenate(both.trained.head_outputs("valence", recordings))[:, 0]
        truth = np.concatenate([recording.labels["valence"] for recording in recordings])
        assert np.corrcoef(valence, truth)[0, 1] > 0.5


class TestInput:
    def test_regression_only(self):
        assert MultiTask.tasks == ("regression",)

    def test_a_data_set_with_one_dimension(self):
        given = narrow(0, 1.0, 2)
        recordings = tuple(
            dataclasses.replace(r, labels={"arousal": r.labels["arousal"]}) for r in given.modality.recordings
        )
        audio = dataclasses.replace(given.modality, recordings=recordings)
        corpus = dataclasses.replace(given.corpus, modalities={"audio": audio})
        with pytest.raises(InputError, match="'audio' has no valence in train_u0, .* and 92 more; .* both columns"):
            MultiTask().fit(dataclasses.replace(given, corpus=corpus), {"weight": 1.0}, 0)

    def test_a_label_without_a_dimension(self):
        rng = np.random.default_rng(1)
        parts = {
            p: (rng.normal(size=(4, 2)).astype(np.float32), {"label": rng.normal(size=4)}) for p in ("train", "dev")
        }
        given = problem({"audio": utterances("audio", parts)}, label="label")
        with pytest.raises(InputError, match="needs labels arousal and valence, not 'label'"):
            MultiTask().fit(given, {"weight": 1.0}, 0)

    def test_configurations(self):
        given = narrow(0, 1.0, 2)
        found = MultiTask().configurations(given, 6)
        assert found[0] == {"weight": 0.5}
        assert len({tuple(c.items()) for c in found}) == 6
        assert {0.03, 3.0} <= {c["weight"] for c in found}


class TestWithTrainingLabel:
    def test_training_alone_gets_it(self):
        given = narrow(0, 1.0, 2)
        more = with_training_label(given, "length", lambda recording: np.array([len(recording.id)]))
        for before, after in zip(given.modality.recordings, more.modality.recordings, strict=True):
            assert set(after.labels) - set(before.labels) == ({"length"} if after.partition == "train" else set())
        assert "length" not in given.modality.recordings[0].labels
