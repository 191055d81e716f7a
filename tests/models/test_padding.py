"""Encoders that see the padding behind a recording, and those that don't."""

import warnings

import pytest

from emobed_tf.errors import EmoBedWarning
from tests.models.test_encoders import OWN, build

pytestmark = pytest.mark.usefixtures("stack")

BLIND = ("gru", "dense", "tcn", *(f"{OWN}:{name}" for name in ("causal_padding", "lstm", "layered", "running_mean")))
SEEING = tuple(f"{OWN}:{name}" for name in ("same_padding", "both_ways", "backwards", "over_time", "peeks"))


@pytest.mark.parametrize(("encoder", "expected"), [*((e, False) for e in BLIND), *((e, True) for e in SEEING)])
def test_who_sees_it(encoder, expected):
    """By what each is made of: one frame, frames before it, or frames after it."""
    from emobed_tf.models.padding import sees_padding

    assert sees_padding(build(encoder).encoder("audio")) is expected


def test_warning():
    from emobed_tf.models.padding import warn_of_padding

    with pytest.warns(EmoBedWarning, match="same_padding: embeddings of audio, video change .* padding='causal'"):
        warn_of_padding(build(f"{OWN}:same_padding"), f"--encoder {OWN}:same_padding")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_padding(build(f"{OWN}:causal_padding"), f"--encoder {OWN}:causal_padding")


def test_the_first_training_tells_it(recola, tmp_path):
    from emobed_tf.training.loop import train_run
    from tests.training.test_loop import settings

    with pytest.warns(EmoBedWarning, match="change with the frames that come later"):
        train_run(settings(recola, epochs=1, encoder=f"{OWN}:same_padding", framework="classic"), tmp_path / "run")
