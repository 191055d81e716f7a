"""The plan of a comparison on one's own data: scenarios, the row that others are compared with, and what it refuses."""

import pytest

from emobed_tf.comparison.tables.plan import plan_comparison
from emobed_tf.config import preset
from emobed_tf.errors import InputError

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


class TestIdentity:
    def test_is_not_that_of_a_table_of_the_paper(self, config):
        identity = plan_comparison(config, (), ("svm",)).identity({"b": "1", "a": "2"})
        assert identity["table"] == "comparison" and list(identity["fingerprints"]) == ["a", "b"]
        assert not {"target", "auxiliary", "table", "data_dir"} & set(identity["settings"])


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
