"""The example of an encoder: differences worked out by hand, and from a training to a stream of the exported model."""

import numpy as np
import pytest

from tests.conftest import ROOT
from tests.saved_model.exported import HEAD_UNITS, export, features
from tests.training.test_loop import settings

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


def test_is_short():
    assert len((ROOT / "examples" / "encoder.py").read_text().splitlines()) < 60


def test_a_frame_and_its_difference_to_the_one_before():
    from examples.encoder import Deltas

    frames = np.float32([[[1, 5], [4, 4], [4, 7]]])
    expected = [[[1, 5, 1, 5], [4, 4, 3, -1], [4, 7, 0, 3]]]
    np.testing.assert_array_equal(Deltas()(frames), expected)


def test_from_training_to_a_stream(recola, tmp_path):
    from emobed_tf.training.loop import train_run

    config = settings(recola, epochs=1, encoder="examples.encoder:deltas")
    server = export(train_run(config, tmp_path / "run"), tmp_path).server
    frames = features(88, 1, 9)
    whole = server(features=frames)["prediction"]
    states = {
        "encoder_state_1": np.zeros((1, 1, 88), np.float32),
        "head_state_1": np.zeros((1, HEAD_UNITS), np.float32),
    }
    parts = []
    for chunk in np.split(frames, [1, 2, 6], axis=1):
        answer = server("stream", features=chunk, **states)
        parts.append(answer.pop("prediction"))
        states = answer
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)
