"""What earlier versions wrote: lines from their ledgers."""

import pytest

from emobed_tf.comparison.former import names_of_system, trial_key_of_format_1
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import Trial

STEPS = {"emobed": {"alpha": 0.5, "beta": 0.3}, "l2": 0.0001, "learning_rate": 0.001}


@pytest.mark.parametrize(
    ("trial", "written"),
    [
        (
            Trial(Scenario("audio"), None, "svr", {"complexity": 0.001, "window": 8}, 0),
            'audio | svr | {"complexity": 0.001, "window": 8} | 0 | choice',
        ),
        (
            Trial(Scenario("audio", ("video_appearance",)), None, "emobed", {"beta": 1.0, "alpha": 0.5}, 2, final=True),
            'audio (+video_appearance) | emobed | {"alpha": 0.5, "beta": 1.0} | 2 | final',
        ),
        (
            Trial(Scenario("face", ("audio",), 3, 5), None, "mine:System", {}, 1, final=True),
            "face+audio, fold 3 of 5 | mine:System | {} | 1 | final",
        ),
        (
            Trial(Scenario("audio", ("face",), 1, 3), None, "as_many_steps", STEPS, 0),
            "audio+face, fold 1 of 3 | emobed_tf.controls:AsManySteps | "
            '{"emobed": {"alpha": 0.5, "beta": 0.3}, "l2": 0.0001, "learning_rate": 0.001} | 0 | choice',
        ),
    ],
)
def test_keys(trial, written):
    assert trial_key_of_format_1(trial.key) == written


def test_what_came_later_stands_behind_the_text():
    trial = Trial(Scenario("audio", (), 1, 3, deal=2), None, "svm", {}, 0, split=(1, 4), rung=2, epochs=15)
    expected = 'audio, fold 1 of 3 | svm | {} | 0 | choice | {"deal": 2, "epochs": 15, "rung": 2, "split": [1, 4]}'
    assert trial_key_of_format_1(trial.key) == expected


def test_other_records_keep_their_keys():
    assert trial_key_of_format_1({"deal": 2}) == {"deal": 2}


def test_names():
    assert names_of_system("triplet_alone") == ("triplet_alone", "emobed_tf.controls:TripletAlone")
    assert names_of_system("emobed") == ("emobed",)
