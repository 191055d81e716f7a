"""`make demo`: from nothing to a page that hears, in a process of its own, and not trained a second time."""

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.serving.served import ask

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="make")]
BIN = Path(sys.executable).parent
LITTLE = "SETTINGS=--epochs 2 --no-xla --diagnostics 0"


def make(folder, *words):
    """The line that runs or shows the demo in a folder; what is installed already stays as it is."""
    return ["make", "-o", ".venv/.installed", f"BIN={BIN}", f"DEMO={folder}", "PORT=0", LITTLE, *words]


def shown(folder, *words):
    """What the demo would run, which it doesn't."""
    line = make(folder, "--dry-run", "demo", *words)
    return subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@contextlib.contextmanager
def running(folder):
    """The demo as a shell starts it, and what it says until the page can be asked; Ctrl-C at the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        make(folder, "demo"),
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        said = []
        try:
            for line in process.stdout:
                said.append(line)
                if line.startswith("demo page: "):
                    break
            yield "".join(said)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=30)


def test_demo(tmp_path):
    with running(tmp_path) as said:
        found = re.search(r"^demo page: (http://\S+)/demo$", said, re.MULTILINE)
        assert found, said
        for path in ("/demo", "/demo/demo.js", "/demo/demo.css"):
            with urllib.request.urlopen(found[1] + path) as answer:
                assert answer.status == 200
        assert ask(f"{found[1]}/demo/models")[1]["models"][0]["name"] == "voice"
        wav = (tmp_path / "recordings" / "clips" / "test1-calm1.wav").read_bytes()
        body = {"inputs": {"wav": [{"b64": base64.b64encode(wav).decode()}]}, "signature_name": "wav"}
        status, answer = ask(f"{found[1]}/v1/models/voice:predict", body)
    assert status == 200, json.dumps(answer)
    assert answer["outputs"]["label"][0] in ("anger", "calm", "joy")
    assert sum(answer["outputs"]["probabilities"][0]) == pytest.approx(1, abs=1e-4)
    with pytest.raises(OSError, match="refused"):  # Ctrl-C has ended the server
        urllib.request.urlopen(f"{found[1]}/demo", timeout=5)

    again = shown(tmp_path)
    assert "serving.local" in again
    assert "emobed_tf.train" not in again
    assert "emobed_tf.train" in shown(tmp_path, "AGAIN=1")
    other = tmp_path / "other.csv"
    other.touch()
    assert f"--table audio={other} " in shown(tmp_path, f"RECORDINGS={other}")
