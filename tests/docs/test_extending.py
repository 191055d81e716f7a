"""The guide to extending: its encoder and its loss do what it says, and it leads to every example."""

import re

import numpy as np
import pytest

from emobed_tf.settings import Objective
from tests.conftest import ROOT
from tests.docs.markdown import blocks
from tests.models.test_encoders import build

PAGE = ROOT / "docs" / "extending.md"

pytestmark = pytest.mark.usefixtures("stack")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with the files that the guide shows."""
    for block in blocks(PAGE):
        if block.language == "python":
            (name,) = re.findall(r"^def (\w+)", block.text, re.MULTILINE)
            (tmp_path / f"{name}.py").write_text(block.text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))  # taken away again afterwards
    return tmp_path


def test_the_encoder_is_a_causal_convolution(folder):
    """Of a single unit each, with a kernel of ones: tanh of the sum of a frame and the four before it."""
    from emobed_tf.models.padding import sees_padding

    model = build("conv:conv", {"audio": 1}, encoder_layers=1, encoder_units=1, head_layers=0)
    encoder = model.encoder("audio")
    assert not sees_padding(encoder)
    encoder.get_layer("audio.conv_1").kernel.assign(np.ones((5, 1, 1)))
    values = np.float32([0.1, -0.2, 0.3, 0.05, 0.1, 0.2, -0.1])
    found = model.embed("audio", values[None, :, None], training=False).numpy()[0, :, 0]
    expected = [np.tanh(values[max(0, k - 4) : k + 1].sum()) for k in range(len(values))]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_loss_is_the_mean_absolute_error(folder):
    from emobed_tf.models.label_losses import check_loss, regression_loss

    check_loss(Objective(regression_loss="absolute:absolute"), "regression", 1)
    # Errors 1 and 2 count: 1.5.
    values = np.float32([[1, -2, 9]]), np.zeros((1, 3), np.float32), np.array([[True, True, False]])
    assert float(regression_loss("absolute:absolute")(*values, 1.0)) == 1.5


def test_leads_to_every_example():
    linked = set(re.findall(r"\]\(\.\./examples/(\w+\.py)\)", PAGE.read_text(encoding="utf-8")))
    extend_nothing = {"recordings.py", "tables.py"}
    assert linked == {path.name for path in (ROOT / "examples").glob("*.py")} - extend_nothing
