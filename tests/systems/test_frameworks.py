"""The four frameworks: which configuration each one trains, and that it is `train` that trains it."""

import dataclasses

import numpy as np
import pytest

from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import OfficialSource, Trial, run_trial
from emobed_tf.config import preset
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.systems.base import Problem
from emobed_tf.systems.frameworks import (
    AlignedJointSystem,
    ClassicSystem,
    ContrastiveEmoBedSystem,
    EmoBedSystem,
    JointSystem,
    SemiHardEmoBedSystem,
    SpeakerClassicSystem,
    StableEmoBedSystem,
    TripletSystem,
)
from emobed_tf.systems.registry import find_system
from emobed_tf.training.session import Session

SMALL = {"encoder_units": 4, "head_units": 4, "epochs": 2, "batch_size": 8, "threads": 1}


@pytest.fixture(scope="module")
def problem(tables):
    config = preset("tables").replace(data_dir=tables, target="audio", **SMALL)
    return Problem(*load_corpus(config))


@pytest.fixture(scope="module")
def uneven():
    """24 target utterances, all of them paired, beside 200 auxiliary ones."""
    import pandas as pd

    from emobed_tf import corpora
    from emobed_tf.corpora.configured import resolved

    rng = np.random.default_rng(0)

    def table(name, train):
        rows = [("train", k) for k in range(train)] + [("dev", k) for k in range(6)]
        ids, labels = [f"{part}{k}" for part, k in rows], ["ab"[k % 2] for _, k in rows]
        keys = {"id": ids, "partition": [part for part, _ in rows], "label": labels}
        features = {f"{name}_{column}": rng.normal(size=len(rows)) for column in range(3)}
        return pd.DataFrame({**keys, **features})

    corpus = corpora.load("tables", tables={"audio": table("audio", 24), "face": table("face", 200)})
    return resolved(preset("tables").replace(target="audio", **SMALL), corpus), corpus


class TestConfig:
    @pytest.mark.parametrize(
        ("system", "settings", "alpha", "beta"),
        [
            (JointSystem, {"alpha": 0.7}, 0.7, 0.0),
            (TripletSystem, {"beta": 0.9}, 0.0, 0.9),
            (EmoBedSystem, {}, 0.5, 0.3),
        ],
    )
    def test_weights(self, problem, system, settings, alpha, beta):
        config = system().config(problem, settings, 3)
        assert (config.objective.alpha, config.objective.beta) == (alpha, beta)
        assert config.training.seed == 3
        assert config.data.auxiliary == ("face",)
        assert config.objective.framework == system.framework

    def test_classic_has_neither(self, problem):
        config = ClassicSystem().config(problem, {"learning_rate": 0.01, "l2": 0.1}, 0)
        assert (config.objective.alpha, config.objective.beta, config.data.auxiliary) == (0.0, 0.0, ())
        assert (config.training.learning_rate, config.objective.l2) == (0.01, 0.1)

    def test_stable_is_normalised_with_a_margin(self, problem):
        printed, stable = (system().config(problem, {}, 0).objective for system in (EmoBedSystem, StableEmoBedSystem))
        assert (printed.margin, printed.normalise) == ("none", False)
        assert (stable.margin, stable.normalise) == (0.2, True)

    def test_losses_on_embeddings_are_what_their_names_say(self, problem):
        semi_hard = SemiHardEmoBedSystem().config(problem, {}, 0).objective
        assert (semi_hard.metric_loss, semi_hard.margin, semi_hard.normalise) == ("semi_hard", 0.2, True)
        contrastive = ContrastiveEmoBedSystem().config(problem, {}, 0).objective
        assert (contrastive.metric_loss, contrastive.margin, contrastive.normalise) == ("contrastive", "none", True)

    def test_aligned_is_joint_with_a_term(self, problem):
        found = AlignedJointSystem().config(problem, {"alpha": 0.4, "alignment_weight": 0.6}, 0).objective
        assert (found.framework, found.alpha, found.beta) == ("joint", 0.4, 0.0)
        assert (found.alignment, found.alignment_weight) == ("cmd", 0.6)
        coral = dataclasses.replace(problem, config=problem.config.replace(alignment="coral"))
        assert AlignedJointSystem().config(coral, {}, 0).objective.alignment == "coral"

    @pytest.mark.parametrize("settings", [{"metric_loss": "contrastive", "temperature": 0.3}, {"alignment": "cmd"}])
    def test_a_setting_for_all_is_left_out_where_it_has_no_effect(self, problem, settings):
        other = dataclasses.replace(problem, config=problem.config.replace(**settings))
        for system in (ClassicSystem, JointSystem, EmoBedSystem, StableEmoBedSystem, ContrastiveEmoBedSystem):
            objective = system().config(other, {}, 0).objective
            if system in (EmoBedSystem, ContrastiveEmoBedSystem):
                assert settings.items() <= dataclasses.asdict(objective).items()
        assert ClassicSystem().config(other, {}, 0) == ClassicSystem().config(problem, {}, 0)


class TestConfigurations:
    @pytest.mark.parametrize(
        "system", [ClassicSystem, JointSystem, TripletSystem, StableEmoBedSystem, AlignedJointSystem]
    )
    def test_all_search_equally_many_different_ones(self, problem, system):
        found = system().configurations(problem, 16)
        assert len({tuple(c.items()) for c in found}) == 16

    def test_defaults_come_first(self, problem):
        first = [
            system().configurations(problem, 2)[0]
            for system in (ClassicSystem, JointSystem, TripletSystem, EmoBedSystem)
        ]
        expected = [{"learning_rate": 1e-3, "l2": 1e-4}, {"alpha": 0.5}, {"beta": 0.3}, {"alpha": 0.5, "beta": 0.3}]
        assert first == expected

    def test_a_line_and_a_plane(self, problem):
        alphas = [c["alpha"] for c in JointSystem().configurations(problem, 8)]
        assert (min(alphas), max(alphas)) == (0.0, 1.5)
        plane = EmoBedSystem().configurations(problem, 16)
        assert np.ptp([c["alpha"] for c in plane]) > 1
        assert np.ptp([c["beta"] for c in plane]) > 1


@pytest.mark.usefixtures("stack", "quiet_collapse")
class TestFit:
    def test_is_train(self, problem):
        from emobed_tf.training.loop import train

        system = EmoBedSystem()
        system.fit(problem.without_test(), {"alpha": 0.2, "beta": 0.1}, 5)
        direct = train(problem.config.replace(alpha=0.2, beta=0.1, seed=5), problem.corpus)
        expected = direct.outputs(problem.recordings("test")["audio"])
        found = system.predict(problem.recordings("test"))
        np.testing.assert_array_equal(found, expected)
        assert system.parameters == direct.parameters["kept"]
        assert system.epochs_done == len(direct.history) == 2

    def test_classic_sees_no_auxiliary(self, problem):
        found = []
        for auxiliary in (("face",), ()):
            config = problem.config.replace(auxiliary=auxiliary)
            system = ClassicSystem()
            system.fit(Problem(config, problem.corpus), {"learning_rate": 1e-3, "l2": 1e-4}, 0)
            found.append(system.predict(problem.recordings("dev")))
        np.testing.assert_array_equal(*found)


class TestSpeakerClassic:
    def test_sees_what_the_setting_gives(self, problem):
        """Beside rows that are standardised by the corpus, it is classic with --standardise speaker."""
        ground = problem.config.replace(standardise="speaker")
        _, expected = load_corpus(ground)
        found = SpeakerClassicSystem.view(problem).corpus
        for name in ("audio", "face"):
            pairs = zip(found.modality(name).recordings, expected.modality(name).recordings, strict=True)
            for one, other in pairs:
                np.testing.assert_array_equal(one.features, other.features)

    def test_others_see_the_problem_itself(self, problem):
        assert ClassicSystem.view(problem) is problem
        assert problem.modality.speaker_prior is None

    @pytest.mark.usefixtures("stack", "quiet_collapse")
    def test_a_trial_is_classic_by_speaker(self, problem):
        settings = {"learning_rate": 1e-3, "l2": 1e-4}
        records = []
        for name, config in (
            ("classic_speaker", problem.config),
            ("classic", problem.config.replace(standardise="speaker")),
            ("classic", problem.config),
        ):
            outcome = run_trial(Trial(Scenario("audio"), OfficialSource(config), name, settings, 0, final=True))
            records.append(outcome.predictions["test"])
        by_row, by_setting, by_corpus = ({k: v.tolist() for k, v in record.items()} for record in records)
        assert by_row == by_setting
        assert by_row != by_corpus


class TestSteps:
    """In batches of 8, 24 utterances are 3 steps, and 200 are 25."""

    @pytest.mark.parametrize(
        ("name", "targets"),
        [
            ("classic", ["audio"]),
            ("emobed", ["audio"]),
            ("triplet", ["audio"]),
            ("trunk", ["audio"]),
            ("triplet_alone", ["audio"]),
            ("itself_as_auxiliary", ["audio"]),
            ("early", ["audio_face"]),
            ("model_level", ["audio_face"]),
            ("late", ["audio", "face"]),
            ("distilled", ["audio_face", "audio"]),  # the teacher first
            ("mtl_re", ["audio"]),
            ("ddat_re", ["audio", "audio"]),
        ],
    )
    def test_every_network_takes_as_many(self, uneven, name, targets, monkeypatch):
        from emobed_tf.training import loop

        histories, train = [], loop.train

        def noting(config, *data, **more):
            trained = train(config, *data, **more)
            histories.append((config.data.target, [row["steps"] for row in trained.history]))
            return trained

        monkeypatch.setattr(loop, "train", noting)
        with Session() as session:
            problem = Problem(*uneven, session=session).without_test()
            system = find_system(name)()
            system.fit(problem, system.configurations(problem, 1)[0], 0)
            assert histories == [(target, [25, 50]) for target in targets]
            if name == "mtl_re":  # Keras' own loop trains the first of its networks
                assert int(system.first.model.optimizer.iterations) == 50

    @pytest.mark.parametrize("system", [ClassicSystem, JointSystem])
    def test_the_target_s_own(self, uneven, system):
        config, corpus = uneven
        problem = Problem(config.replace(epoch="target"), corpus)
        fitted = system()
        fitted.fit(problem, fitted.configurations(problem, 1)[0], 0)
        assert [row["steps"] for row in fitted.trained.history] == [3, 6]
