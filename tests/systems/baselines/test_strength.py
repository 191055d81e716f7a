"""Strength modelling: what the second model reads, fold by fold, and problems where the series must win."""

import numpy as np
import pytest

from emobed_tf.errors import InputError
from emobed_tf.systems.base import System
from emobed_tf.systems.baselines import strength
from emobed_tf.systems.baselines.strength import StrengthModelling
from tests.systems.baselines.test_svm import problem as classes
from tests.systems.baselines.test_svm import rings
from tests.systems.baselines.test_svr import problem as frames

pytestmark = pytest.mark.usefixtures("stack")

VECTORS, NETWORK = "support vectors first", "network first"


class Memory(System):
    """Says 1 of every recording that it was trained on, 0 of others; keeps whom it has learnt from."""

    title = "memory"
    taught: list[set[str]]

    def configurations(self, problem, number):
        return [{}]

    def fit(self, problem, settings, seed):
        self.target = problem.target
        self.known = {r.id for r in problem.modality.partition("train")}
        type(self).taught.append({r.speaker for r in problem.modality.partition("train")})

    def predict(self, recordings):
        found = recordings[self.target]
        return [np.full(r.frames, float(r.id in self.known), np.float32) for r in found]


class Reader(System):
    """Keeps what it is given to read."""

    title = "reader"
    read: dict[str, np.ndarray]

    def configurations(self, problem, number):
        return [{}]

    def fit(self, problem, settings, seed):
        self.target = problem.target
        type(self).names = problem.modality.feature_names
        type(self).read = {r.id: r.features for r in problem.modality.recordings}

    def predict(self, recordings):
        type(self).read |= {r.id: r.features for r in recordings[self.target]}
        return [np.zeros(r.frames) for r in recordings[self.target]]


@pytest.fixture
def stand_ins(monkeypatch):
    Memory.taught, Reader.read = [], {}
    monkeypatch.setattr(strength, "SupportVectorRegression", Memory)
    monkeypatch.setattr(strength, "ClassicSystem", Reader)


@pytest.mark.usefixtures("stand_ins")
class TestSeries:
    def test_first_predictions_are_out_of_fold(self):
        given = frames(5)
        system = StrengthModelling()
        system.fit(given, {"order": VECTORS, "complexity": 1.0}, 0)
        system.predict(given.recordings("test"))
        assert Reader.names[-1] == "first_prediction_0"
        for recording in given.modality.recordings:
            read = Reader.read[recording.id]
            np.testing.assert_array_equal(read[:, :-1], recording.features)
            assert (read[:, -1] == 0).all()  # 1 would be a model that was trained on that recording

    def test_folds_are_of_speakers(self):
        given = frames(5)
        StrengthModelling().fit(given, {"order": VECTORS, "complexity": 1.0}, 0)
        everyone = {"train_0", "train_1", "train_2"}
        assert Memory.taught[0] == everyone
        assert sorted(map(sorted, (everyone - taught for taught in Memory.taught[1:]))) == [
            [s] for s in sorted(everyone)
        ]

    def test_one_recording_cannot_be_folded(self):
        import dataclasses

        given = frames(5)
        first = given.modality.partition("train")[0]
        others = given.modality.partition("dev")
        modality = dataclasses.replace(given.modality, recordings=(first, *others))
        alone = dataclasses.replace(given, corpus=dataclasses.replace(given.corpus, modalities={"audio": modality}))
        with pytest.raises(InputError, match="two training recordings, found one"):
            StrengthModelling().fit(alone, {"order": VECTORS, "complexity": 1.0}, 0)


class Oracle(Reader):
    """Says the truth, in the gold standard's time."""

    truth: dict[str, np.ndarray]

    def predict(self, recordings):
        return [self.truth[r.id] for r in recordings[self.target]]


class TestTime:
    def test_columns_are_in_the_features_time(self, monkeypatch):
        """Label and feature are the same but for 60 frames (2.4 s): so are the column and the feature."""
        given = frames(60)
        Oracle.truth = {r.id: r.labels["arousal"] for r in given.modality.recordings}
        Reader.read = {}
        monkeypatch.setattr(strength, "ClassicSystem", Oracle)
        monkeypatch.setattr(strength, "SupportVectorRegression", Reader)
        StrengthModelling().fit(given, {"order": NETWORK, "complexity": 1.0}, 0)
        for recording in given.modality.recordings:
            column = Reader.read[recording.id][:-60, -1]
            np.testing.assert_allclose(column, 0.3 * recording.features[:-60, 0] + 0.1, atol=1e-5)


@pytest.mark.usefixtures("quiet_collapse")
class TestReal:
    def small(self, problem):
        config = problem.config.replace(
            encoder_layers=1, head_layers=1, encoder_units=4, head_units=4, epochs=2, threads=1, alpha=0.0, beta=0.0
        )
        return type(problem)(config, problem.corpus)

    @pytest.mark.parametrize("order", [VECTORS, NETWORK])
    def test_frames(self, order):
        given = self.small(frames(10))
        system = StrengthModelling()
        system.fit(given.without_test(), {"order": order, "complexity": 0.1}, 0)
        found = system.predict(given.recordings("test"))
        assert [p.shape for p in found] == [(200,)] * 3
        assert system.parameters == system.first.parameters + system.second.parameters

    def test_a_network_that_learns_nothing_is_carried_by_the_vectors(self):
        """Rings: two epochs of four units are chance, the machine before them has the answer in its column."""
        given = self.small(classes(rings))
        config = given.config.replace(epochs=40, learning_rate=0.03)
        given = type(given)(config, given.corpus)
        system = StrengthModelling()
        system.fit(given, {"order": VECTORS, "complexity": 1.0}, 0)
        labels = [int(r.labels["emotion"]) for r in given.recordings("dev")["face"]]
        found = [int(np.argmax(p)) for p in system.predict(given.recordings("dev"))]
        assert np.mean(np.equal(found, labels)) > 0.95


def test_configurations_search_order_and_complexity():
    found = StrengthModelling().configurations(frames(0), 16)
    assert len({tuple(c.items()) for c in found}) == 16
    assert found[0] == {"order": VECTORS, "complexity": 1e-3}
    assert {c["order"] for c in found} == {VECTORS, NETWORK}
