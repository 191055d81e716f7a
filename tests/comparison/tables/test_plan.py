"""The plan of a comparison on one's own data: scenarios, the row that others are compared with, and what it refuses."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.tables.plan import plan_comparison
from emobed_tf.config import preset
from emobed_tf.errors import InputError
from emobed_tf.systems.registry import find_system
from emobed_tf.training.session import Session

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def config(tables):
    return preset("tables").replace(table=tuple(f"{name}={tables / name}.csv" for name in ("audio", "face")))


class TestScenarios:
    def test_each_modality_with_all_others(self, config):
        plan = plan_comparison(config, (), ("classic", "emobed"))
        assert [scenario.name for scenario in plan.scenarios] == ["audio (+face)", "face (+audio)"]
        assert (plan.task, plan.heading, plan.reference) == ("classification", "Comparison", "classic")

    @pytest.mark.parametrize(
        ("settings", "texts"),
        [({"target": "face"}, ()), ({}, ("face+audio",)), ({"target": "face", "auxiliary": ("audio",)}, ())],
    )
    def test_the_one_that_was_named(self, config, settings, texts):
        plan = plan_comparison(config.replace(**settings), texts, ("classic", "emobed"))
        assert [scenario.name for scenario in plan.scenarios] == ["face (+audio)"]

    def test_a_single_modality_is_enough_for_systems_that_need_no_other(self, tables):
        config = preset("tables").replace(table=(f"audio={tables / 'audio.csv'}",))
        plan = plan_comparison(config, (), ("svm", "forest"))
        assert [scenario.name for scenario in plan.scenarios] == ["audio"]
        with pytest.raises(InputError, match="system emobed needs an auxiliary modality, but there is only audio"):
            plan_comparison(config, (), ("svm", "emobed"))

    def test_regression_and_its_dimension(self, recola):
        config = preset().replace(data_dir=recola, dimension="valence", target="audio")
        plan = plan_comparison(config, (), ("classic", "joint"))
        assert plan.task == "regression"
        assert plan.cells()[0].source().label == "valence"


class TestReference:
    def test_is_the_first_where_classic_is_not_there(self, config):
        assert plan_comparison(config, (), ("svm", "emobed", "svm")).reference == "svm"
        assert plan_comparison(config, (), ("svm", "classic")).reference == "classic"


class TestPrimary:
    def test_emobed_or_the_first_or_the_one_that_is_named(self, config):
        assert plan_comparison(config, (), ("classic", "joint", "emobed")).primary == "emobed"
        assert plan_comparison(config, (), ("svm", "joint", "classic")).primary == "svm"
        assert plan_comparison(config, (), ("classic",)).primary is None
        named = plan_comparison(config, (), ("classic", "joint", "emobed"), primary="joint")
        assert named.primary == "joint"
        with pytest.raises(InputError, match="--primary svm: expected one of .* compared with classic: emobed"):
            plan_comparison(config, (), ("classic", "emobed"), primary="svm")

    def test_a_target_has_one(self, config):
        plan = plan_comparison(config, (), ("classic", "joint", "emobed"))
        first, other = Scenario("audio", ("face",)), Scenario("audio", ("text",))
        plan = dataclasses.replace(plan, scenarios=(first, Scenario("face", ("audio",)), other))
        assert [plan.contrast("emobed", s) for s in plan.scenarios] == ["primary", "primary", "exploratory"]
        assert {plan.contrast("joint", s) for s in plan.scenarios} == {"exploratory"}
        assert plan.repeats_targets
        assert not dataclasses.replace(plan, scenarios=plan.scenarios[:2]).repeats_targets


class TestIdentity:
    def test_is_not_that_of_a_table_of_the_paper(self, config):
        identity = plan_comparison(config, (), ("svm",)).identity({"b": "1", "a": "2"})
        assert identity["table"] == "comparison" and list(identity["fingerprints"]) == ["a", "b"]
        assert not {"target", "auxiliary", "table", "data_dir"} & set(identity["settings"])


class TestBudget:
    """Batches of 64: 30 sequences are 1 step, 200 are 4, 640 are 10."""

    ITEMS: ClassVar = {"audio": 30, "face": 200, "text": 640}

    def plan(self, config, *scenarios, **settings):
        plan = plan_comparison(config.replace(**settings), (), ("classic", "emobed", "svm"))
        named = tuple(Scenario(target, tuple(others)) for target, *others in scenarios)
        return dataclasses.replace(plan, scenarios=named)

    def steps(self, plan):
        cells = plan.cells()
        return {(cell.scenario.name, cell.system): cell.source.config.training.steps_per_epoch for cell in cells}

    def test_all_rows_of_a_target_share_the_largest_modality_of_its_scenarios(self, config):
        plan = self.plan(config, ("audio", "face"), ("audio", "face", "text"), ("face", "audio"), ("text", "audio"))
        found = plan.with_budget(self.ITEMS)
        assert found.steps == {"audio": 10}, "face and text have as many steps as alone"
        steps = self.steps(found)
        audio = [("audio", "classic"), ("audio (+face)", "emobed"), ("audio (+face, text)", "emobed"), ("audio", "svm")]
        assert [steps[key] for key in audio] == [10] * 4
        assert {steps[key] for key in steps.keys() - set(audio)} == {None}
        assert found.identity({})["steps of an epoch"] == {"audio": 10}

    def test_nothing_changes_where_modalities_are_alike(self, config):
        plan = self.plan(config, ("audio", "face"))
        assert plan.with_budget({"audio": 70, "face": 100}) == plan
        assert "steps of an epoch" not in plan.identity({})

    def test_modalities_that_no_row_uses_do_not_count(self, config):
        plan = self.plan(config, ("audio", "face"))
        assert plan.with_budget({"audio": 30}) == plan

    @pytest.mark.parametrize("settings", [{"epoch": "target"}, {"steps_per_epoch": 3}])
    def test_a_budget_that_was_told(self, config, settings):
        plan = self.plan(config, ("audio", "face"), **settings)
        assert plan.with_budget(self.ITEMS) == plan


class TestMistakes:
    @pytest.mark.parametrize(
        ("settings", "texts", "systems", "words"),
        [
            ({}, (), (), "--systems: expected at least one"),
            ({}, (), ("emobet",), "unknown system 'emobet'"),
            ({}, (), ("svr",), "row svr learns regression, but the data are a classification"),
            ({"seed": 3}, (), ("classic",), "--seed: --systems and --seeds say that here"),
            ({"framework": "joint"}, (), ("classic",), "--framework: "),
            ({"target": "audio"}, ("audio+face",), ("classic",), "say the same thing"),
            ({"target": "gait"}, (), ("classic",), "no modality 'gait'; found audio, face"),
            ({"auxiliary": ("audio",)}, (), ("emobed",), "of which target"),
            ({}, ("audio+audio",), ("emobed",), "different modalities"),
            ({}, ("audio",), ("emobed",), "expected TARGET"),
        ],
    )
    def test_one_line(self, config, settings, texts, systems, words):
        with pytest.raises(InputError) as caught:
            plan_comparison(config.replace(**settings), texts, systems)
        assert words in str(caught.value)


def test_late_fusion_needs_what_classic_rows_train(tmp_path, monkeypatch):
    """Paired tables of 24 and 24 utterances: steps are told in the cells of fusion, and not in those of classic."""
    from emobed_tf.training import loop

    rng = np.random.default_rng(0)
    for name in ("audio", "face"):
        rows = [f"u{k},{('train', 'dev')[k % 2]},s{k},{'ab'[k // 2 % 2]},{rng.normal():.4f}" for k in range(24)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["id,partition,speaker,label,x", *rows]) + "\n")
    small = {"epochs": 1, "encoder_units": 3, "head_units": 3, "encoder_layers": 1, "head_layers": 0, "xla": False}
    plan = plan_comparison(preset("tables").replace(data_dir=tmp_path, threads=1, **small), (), ("classic", "late"))
    trained, train = [], loop.train
    monkeypatch.setattr(
        loop, "train", lambda c, *rest, **more: trained.append(c.data.target) or train(c, *rest, **more)
    )
    with Session() as session:
        for cell in plan.cells():
            system = find_system(cell.system)()
            system.fit(dataclasses.replace(cell.source().without_test(), session=session), {"l2": 0.01}, 0)
    assert [cell.system for cell in plan.cells()] == ["classic", "late", "classic", "late"]
    assert trained == ["audio", "face"]
