"""Controls of the audit: each takes exactly one thing away."""

import dataclasses
import functools
from collections import Counter

import numpy as np
import pytest

from emobed_tf.comparison.audit.run import SourceWithEmoBed, as_many_steps_cells
from emobed_tf.comparison.protocol import Budget, Cell, CellResult
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.search import SearchPlan
from emobed_tf.comparison.trials import run_trial
from emobed_tf.config import preset
from emobed_tf.corpora.corpus import Modality, Recording
from emobed_tf.errors import InputError
from emobed_tf.systems import controls
from emobed_tf.systems.base import Problem
from emobed_tf.systems.controls import (
    AsManySteps,
    ItselfAsAuxiliary,
    PermutedLabels,
    ProblemWithEmoBed,
    TripletAlone,
    control_of,
    known_epochs,
    permuted,
)
from emobed_tf.systems.frameworks import ClassicSystem, EmoBedSystem, JointSystem, StableEmoBedSystem
from emobed_tf.training.session import Session
from tests.training.test_loop import TINY, assert_equal_weights
from tests.training.test_once import Found

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


@pytest.fixture(scope="module")
def problem(tables):
    from emobed_tf.corpora.configured import load_corpus

    names = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
    config = preset("tables").replace(table=names, target="audio", **{**TINY, "batch_size": 16, "selection": "uar"})
    return Problem(*load_corpus(config)).without_test()


@pytest.fixture
def trainings(monkeypatch):
    """What `training.loop.train` is asked for, without training, in a session that remembers nothing else."""
    from emobed_tf.training import loop, once

    asked = []

    def asked_for(config, corpus, **more):
        asked.append((config, corpus))
        return Found()

    monkeypatch.setattr(loop, "train", asked_for)
    with Session() as session:
        monkeypatch.setattr(once, "default_session", lambda: session)
        yield asked


def of_classes(classes, partition="train"):
    recordings = [
        Recording(f"r{k}", partition, f"s{k}", np.full((1, 1), k, np.float32), {"emotion": np.int32(label)})
        for k, label in enumerate(classes)
    ]
    return Modality("face", ("x",), tuple(recordings), None, "tables")


class TestPermuted:
    def test_labels_move_and_nothing_else(self):
        # Each recording has a class of its own, so that a label tells where it comes from.
        before = of_classes(range(20))
        after = permuted(before, "emotion", seed=0)
        moved = [int(r.labels["emotion"]) for r in after.recordings]
        assert Counter(moved) == Counter(range(20))
        assert all(label != k for k, label in enumerate(moved))
        for a, b in zip(before.recordings, after.recordings, strict=True):
            assert (a.id, a.speaker, a.partition) == (b.id, b.speaker, b.partition)
            assert a.features is b.features

    def test_is_a_function_of_the_seed(self):
        def labels(seed):
            return [int(r.labels["emotion"]) for r in permuted(of_classes(range(20)), "emotion", seed).recordings]

        assert labels(3) == labels(3)
        assert labels(3) != labels(4)

    def test_development_is_left_alone(self):
        both = of_classes(range(10)).recordings + of_classes(range(10, 20), "dev").recordings
        after = permuted(Modality("face", ("x",), both, None, "tables"), "emotion", 0)
        assert [int(r.labels["emotion"]) for r in after.recordings[10:]] == list(range(10, 20))

    def test_series_of_other_lengths(self):
        series = {"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0]}
        recordings = [
            Recording(name, "train", name, np.zeros((len(v), 1), np.float32), {"arousal": np.array(v, np.float32)})
            for name, v in series.items()
        ]
        after = permuted(Modality("face", ("x",), tuple(recordings), 0.04, "tables"), "arousal", 0)
        # Two recordings can only exchange: the longer repeats the last value, the shorter cuts.
        assert [r.labels["arousal"].tolist() for r in after.recordings] == [[4.0, 5.0, 5.0], [1.0, 2.0]]

    def test_frames_without_a_label_come_along(self):
        nan, labels = np.float32(np.nan), {}
        for k in range(3):
            labels[f"r{k}"] = np.array([nan if t == k else t + 10 * k for t in range(4)], np.float32)
        recordings = [Recording(n, "train", n, np.zeros((4, 1), np.float32), {"arousal": v}) for n, v in labels.items()]
        after = permuted(Modality("face", ("x",), tuple(recordings), 0.1, "tables"), "arousal", seed=0)
        for recording in after.recordings:
            others = [values for name, values in labels.items() if name != recording.id]
            assert any(np.array_equal(recording.labels["arousal"], v, equal_nan=True) for v in others)

    def test_a_single_recording(self):
        with pytest.raises(InputError, match="1 training recording can't be permuted"):
            permuted(of_classes([0]), "emotion", 0)


class TestWhatIsTrained:
    def test_triplet_alone(self, problem, trainings):
        TripletAlone().fit(problem, {"beta": 0.7}, 3)
        ((config, corpus),) = trainings
        assert config.data.auxiliary == ()
        assert (config.objective.framework, config.objective.alpha, config.objective.beta) == ("triplet", 0.0, 0.7)
        assert config.training.seed == 3
        assert corpus is problem.corpus

    def test_triplet_alone_mines_within_where_only_others_were_mined(self, problem, trainings):
        inter = dataclasses.replace(problem, config=problem.config.replace(mining="inter"))
        TripletAlone().fit(inter, {"beta": 0.7}, 0)
        assert trainings[0][0].objective.mining == "all"

    def test_permuted_labels(self, problem, trainings):
        PermutedLabels().fit(problem, {"alpha": 0.5, "beta": 0.2}, 1)
        ((config, corpus),) = trainings
        assert (config.objective.framework, config.objective.alpha, config.objective.beta) == ("emobed", 0.5, 0.2)
        assert config.data.auxiliary == ("face",)
        assert corpus.modality("audio") is problem.corpus.modality("audio")
        expected = permuted(problem.corpus.modality("face"), "emotion", 1)
        labels = [[int(r.labels["emotion"]) for r in m.recordings] for m in (corpus.modality("face"), expected)]
        assert labels[0] == labels[1]
        assert labels[0] != [int(r.labels["emotion"]) for r in problem.corpus.modality("face").recordings]

    def test_the_target_again(self, problem, trainings):
        ItselfAsAuxiliary().fit(problem, {"alpha": 0.5, "beta": 0.2}, 1)
        ((config, corpus),) = trainings
        assert config.data.auxiliary == ("audio_again1",)
        again = corpus.modality("audio_again1")
        assert again.name == "audio_again1"
        assert again.recordings is problem.corpus.modality("audio").recordings

    @pytest.mark.parametrize("control", [PermutedLabels, ItselfAsAuxiliary])
    def test_of_another_system_it_trains_as_that_does(self, problem, trainings, control):
        control_of(control, StableEmoBedSystem)().fit(problem, {"alpha": 0.5, "beta": 0.2}, 1)
        control_of(control, JointSystem)().fit(problem, {"alpha": 0.5}, 1)
        (stable, _), (joint, _) = trainings
        assert (stable.objective.framework, stable.objective.margin, stable.objective.normalise) == (
            "emobed",
            0.2,
            True,
        )
        assert (joint.objective.framework, joint.objective.beta) == ("joint", 0.0)

    def test_triplet_alone_of_another_system(self, problem, trainings):
        control_of(TripletAlone, StableEmoBedSystem)().fit(problem, {"beta": 0.2}, 1)
        ((config, _),) = trainings
        assert (config.objective.framework, config.objective.margin, config.data.auxiliary) == ("triplet", 0.2, ())

    def test_all_search_as_many_settings_as_emobed(self, problem):
        chosen = ProblemWithEmoBed(problem.config, problem.corpus, {"alpha": 1.0, "beta": 0.1})
        for control in (TripletAlone, PermutedLabels, ItselfAsAuxiliary, AsManySteps):
            assert len(control().configurations(chosen, 16)) == 16


class TestTrained:
    def test_triplet_alone_has_one_branch_and_the_term(self, problem):
        control = TripletAlone()
        control.fit(problem, {"beta": 0.7}, 0)
        assert list(control.trained.facts.features) == ["audio"]
        terms = control.trained.history[0].keys()
        assert "triplet" in terms and not any(name.startswith("auxiliary") for name in terms)

    def test_the_target_again_has_two_branches_and_keeps_one(self, problem):
        control, classic = ItselfAsAuxiliary(), ClassicSystem()
        control.fit(problem, {"alpha": 0.5, "beta": 0.2}, 0)
        classic.fit(problem, {}, 0)
        assert "auxiliary_audio_again1" in control.trained.history[0]
        assert control.parameters == classic.parameters < control.trained.parameters["training"]


class TestAsManySteps:
    def test_takes_the_epochs_that_emobed_took(self, problem):
        # With a patience of one epoch EmoBed's training ends some time before the last.
        config = problem.config.replace(epochs=12, patience=1)
        chosen = SourceWithEmoBed(lambda: dataclasses.replace(problem, config=config), '{"alpha": 1.0, "beta": 0.1}')()
        emobed, control = EmoBedSystem(), AsManySteps()
        emobed.fit(chosen, chosen.emobed, 0)
        control.fit(chosen, control.configurations(chosen, 2)[0], 0)
        assert len(control.trained.history) == len(emobed.trained.history) < 12
        assert control.trained.config.objective.framework == "classic"

    def test_emobed_is_not_trained_again_where_its_epochs_are_known(self, problem, monkeypatch):
        """A fit's record says them; what comes out is what comes out when EmoBed is trained to count them."""
        source = functools.partial(
            dataclasses.replace, problem, config=problem.config.replace(epochs=12, patience=1), session=Session()
        )
        settings, emobed = {"alpha": 1.0, "beta": 0.1}, Cell(Scenario("audio", ("face",)), source, "emobed")
        (fit,) = SearchPlan(emobed, Budget(1, 1), (settings,), ()).finals(settings)
        record = run_trial(fit).record
        assert record["epochs_done"] < 12
        fitted = {}
        for known, records in (("known", (record,)), ("counted", ({**record, "epochs_done": None},))):
            (cell,) = as_many_steps_cells([CellResult(emobed, settings, (), records)])
            trained, fit = [], EmoBedSystem.fit
            monkeypatch.setattr(EmoBedSystem, "fit", lambda *a, t=trained, f=fit: (t.append(1), f(*a)))
            given, control = cell.source(), AsManySteps()
            control.fit(given, control.configurations(given, 1)[0], 0)
            monkeypatch.setattr(EmoBedSystem, "fit", fit)
            assert trained == ([] if known == "known" else [1])
            fitted[known] = control.trained
        assert fitted["known"].history == fitted["counted"].history
        assert len(fitted["known"].history) == record["epochs_done"]
        assert_equal_weights(fitted["known"].weights, fitted["counted"].weights)

    def test_known_epochs(self, problem):
        """Of that seed and those settings, and no more than the problem has; the inner splits know none."""
        split, settings = (lambda: problem), {"alpha": 1.0}
        emobed = Cell(Scenario("audio", ("face",)), lambda: problem, "emobed", (split,))
        runs = ({"seed": 0, "epochs_done": 2}, {"seed": 1}, {"seed": 2, "epochs_done": 50})
        (cell,) = as_many_steps_cells([CellResult(emobed, settings, (), runs)])
        given = cell.source()
        assert problem.config.training.epochs == 3
        assert [known_epochs(given, settings, seed) for seed in range(4)] == [2, None, 3, None]
        assert known_epochs(given, {"alpha": 0.9}, 0) is None
        assert known_epochs(cell.splits[0](), settings, 0) is None
        assert known_epochs(problem, settings, 0) is None

    def test_goes_on_where_classic_would_stop(self, problem, monkeypatch):
        impatient = dataclasses.replace(problem, config=problem.config.replace(epochs=12, patience=1))
        classic, control = ClassicSystem(), AsManySteps()
        classic.fit(impatient, {}, 0)
        longer = len(classic.trained.history) + 3
        monkeypatch.setattr(controls, "epochs_of_emobed", lambda *_: longer)
        control.fit(impatient, {"emobed": {}}, 0)
        assert len(control.trained.history) == longer
        # Until there the two are one training.
        for row, other in zip(classic.trained.history, control.trained.history, strict=False):
            assert row == other

    def test_needs_an_audit(self, problem):
        with pytest.raises(InputError, match="needs EmoBed's settings, which an audit or a learning curve has"):
            AsManySteps().configurations(problem, 2)
