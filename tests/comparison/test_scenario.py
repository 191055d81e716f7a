"""Scenarios: what people read."""

import pytest

from emobed_tf.comparison.scenario import Scenario


@pytest.mark.parametrize(
    ("scenario", "name"),
    [
        (Scenario("audio"), "audio"),
        (Scenario("audio", ("video",)), "audio (+video)"),
        (Scenario("audio", ("video", "gait")), "audio (+video, gait)"),
        (Scenario("audio", ("face",), 2, 5), "audio+face, fold 2 of 5"),
        (Scenario("audio", (), 2, 5), "audio, fold 2 of 5"),
        (Scenario("audio", (), 2, 5, deal=3), "audio, fold 2 of 5, deal 3"),
    ],
)
def test_name(scenario, name):
    assert scenario.name == name


def test_fields_as_json_values():
    found = Scenario("audio", ("face", "gait"), 1, 3).to_dict()
    assert found == {"target": "audio", "auxiliaries": ["face", "gait"], "fold": 1, "folds": 3}


def test_a_further_deal_is_told_apart():
    assert Scenario("audio", (), 1, 3, deal=2).to_dict()["deal"] == 2
