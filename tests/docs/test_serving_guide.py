"""The guide to serving, pasted into a shell where the first hour ended: its requests, and the JSON that it shows."""

import json
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.commands import shell
from tests.conftest import ROOT
from tests.docs.markdown import blocks, calls
from tests.serving.served import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

BLOCKS = blocks(ROOT / "docs" / "serving.md")
CURLS = [block for block in BLOCKS if block.language == "bash" and block.text.startswith("curl")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of the walk, with the tables and the run that the first hour's own lines make."""
    here = tmp_path_factory.mktemp("guide")
    shutil.copytree(ROOT / "examples", here / "examples")
    shown = [block for block in blocks(ROOT / "docs" / "first-hour.md") if block.language == "bash"]
    walk = [line for block in shown for line in calls(block, here)]
    (train,) = [line for line in walk if line[-2:] == ["--output", "runs/both"]]
    for line in (["python", "examples/tables.py"], train):
        result = shell(shlex.join(line), here)
        assert result.returncode == 0, result.stderr
    return here


@pytest.fixture(scope="module")
def server(folder):
    """A server of the model that the guide's first line makes."""
    line = BLOCKS[0].text
    assert line.startswith("python -m emobed_tf.export ")
    result = shell(line, folder)
    assert result.returncode == 0, result.stderr
    (serve,) = [block.text.split() for block in BLOCKS if "serving.local" in block.text]
    with serving(model_dirs=[folder / serve[-1]]) as running:
        yield running


def asked(block, server, folder):
    """What a block of shell lines prints."""
    result = shell(block.text.replace("http://localhost:8501", server.url), folder)
    assert result.returncode == 0, f"{block}: {result.stderr}"
    return result.stdout


def form(value):
    """Lists by their elements, objects by their keys, of numbers and texts only that they are."""
    if isinstance(value, list):
        return [form(item) for item in value]
    if isinstance(value, dict):
        return {key: form(item) for key, item in value.items()}
    return type(value)


def test_the_client_line(server, folder):
    (block,) = [block for block in BLOCKS if block.text.startswith("python -m serving.client")]
    assert asked(block, server, folder).startswith("predictions.csv: 3 rows from audio, version 1")
    rows = [line.split(",") for line in (folder / "predictions.csv").read_text().splitlines()]
    assert rows[0] == ["id", "prediction", "p_anger", "p_calm", "p_joy"]
    # The file without a server, and through standard output.
    result = shell("python -m emobed_tf.predict runs/both --features new.csv", folder)
    expected = [line.split(",") for line in result.stdout.splitlines()]
    assert [row[:2] for row in rows] == [row[:2] for row in expected]
    numbers = [np.array([row[2:] for row in table[1:]], float) for table in (rows, expected)]
    np.testing.assert_allclose(*numbers, atol=1e-5)
    assert max(len(cell) for row in (*rows[1:], *expected[1:]) for cell in row[2:]) <= len("0.123456789"), (
        "as many digits"
    )


def test_json_of_a_classification(server, folder):
    """As it is shown: the same nesting, keys and kinds of values, and the numbers but for another machine's digits."""
    found = json.loads(asked(CURLS[0], server, folder))
    (block,) = [block for block in BLOCKS if block.language == "json"]
    shown = json.loads(block.text)
    assert form(found) == form(shown)
    for entry in (*found["predictions"], *shown["predictions"]):
        classes = dict(zip(("anger", "calm", "joy"), entry["probabilities"], strict=True))
        assert entry["label"] == max(classes, key=classes.get)
        assert sum(classes.values()) == pytest.approx(1, abs=1e-3)
    for answered, entry in zip(found["predictions"], shown["predictions"], strict=True):
        assert answered["label"] == entry["label"]
        assert answered["probabilities"] == pytest.approx(entry["probabilities"], abs=0.01)


def test_json_of_other_signatures(server, folder):
    embedding, manifest = (json.loads(asked(block, server, folder)) for block in CURLS[1:])
    assert np.shape(embedding["predictions"]) == (1, 1, 120)
    (text,) = manifest["predictions"]
    assert text == (folder / "models" / "audio" / "1" / "manifest.json").read_text()


def test_python(server, folder):
    """All of it, in one process: the client's answers, plain TensorFlow's and Keras' are the same ones."""
    code = "\n".join(block.text for block in BLOCKS if block.language == "python")
    code += "\nimport numpy as np\nwith Client('URL', 'audio') as client:\n    said = client.predict(features[:, 0])\n"
    code += "np.testing.assert_allclose(said.probabilities, answer['probabilities'], atol=1e-5)\n"
    code += "np.testing.assert_allclose(said.probabilities, probabilities.predict(features, verbose=0), atol=1e-5)\n"
    code += "assert ask(features[0].numpy())['label'] == said.labels[0]\n"
    code += "assert said.labels == [label.decode() for label in answer['label'].numpy()]\nprint('all the same')\n"
    code = code.replace("http://localhost:8501", server.url).replace("URL", server.url)
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "['anger', 'calm', 'joy']"
    assert [line.split()[0] for line in lines[1:4]] == ["new0", "new1", "new2"]
    assert "answered by version 1" in lines
    assert lines[5] == "anger", "the label of new0, as in the first request"
    assert lines[-1] == "all the same"


def test_every_block_is_tested():
    """But for those that start a server, and the request of sound, which tests/saved_model/test_sound.py asks."""
    tested = [block for block in BLOCKS if block.language in ("python", "json") or block in CURLS]
    lines = [block.text for block in BLOCKS if block not in tested]
    assert [text.split()[:3] for text in lines] == [
        ["python", "-m", "emobed_tf.export"],
        ["python", "-m", "serving.local"],
        ["python", "-m", "serving.client"],
        ["echo", '"{\\"inputs\\":', '{\\"wav\\":'],
        ["docker", "compose", "-f"],
    ]
    assert shutil.which("curl"), "the guide's requests need it"
