"""What a user can say of looking."""

import pytest

from emobed_tf.errors import InputError
from emobed_tf.recordings.looking import Looking


def test_what_was_given():
    assert Looking().check().given == {}
    assert Looking(0.1, "0", "a.task").check().given == {"--picture-step": "0.1", "--face": "0", "--model": "a.task"}


@pytest.mark.parametrize("step", [0, -1, 0.005, float("nan"), float("inf")])
def test_steps(step):
    with pytest.raises(InputError, match="--picture-step: expected 0.01 s or more, found"):
        Looking(step).check()


def test_faces():
    with pytest.raises(InputError, match="--face: expected largest, tracked"):
        Looking(face="mine").check()
