"""Models for the tests of serving, and servers for them."""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import ROOT, THREADS

TINY = {
    "encoder_layers": 2,
    "encoder_units": 6,
    "head_layers": 2,
    "head_units": 5,
    "epochs": 1,
    "threads": THREADS,
    "xla": False,
    "diagnostics": 0,
}
MODELS = ("gru", "gruseq", "audio", "speech")
LABELS = {"gru": {"stable": 1, "canary": 2}, "audio": {"stable": 1, "canary": 2}}


@dataclass
class Server:
    """A running server.

    Attributes:
        url: without a path.
        process: None for a server that was there already.
        model_dirs: folder by model.
        said: its first three lines on stdout.
        log: file that what it says on stderr goes to.
    """

    url: str
    process: subprocess.Popen | None
    model_dirs: dict[str, Path]
    said: Sequence[str] = ()
    log: Path = Path(os.devnull)

    def get(self, path):
        """Status and JSON (or text) of an answer."""
        return ask(self.url + path)

    def predict(self, model, body, version=""):
        """Status and JSON of an answer; `version` as in `/versions/1`."""
        return ask(f"{self.url}/v1/models/{model}{version}:predict", body)


def ask(url, body=None):
    """Status and JSON (or text) of an answer; `body` is sent as JSON."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data), timeout=120) as answer:
            status, content = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read()
    try:
        return status, json.loads(content)
    except json.JSONDecodeError:
        return status, content.decode()


@contextlib.contextmanager
def serving(*arguments, model_dirs=()):
    """`python -m serving.local` on a free port, in a process of its own, until the block ends."""
    model_dirs = {Path(folder).name: Path(folder) for folder in model_dirs}
    line = [sys.executable, "-m", "serving.local", *map(str, model_dirs.values()), "--port", "0", "--threads", "1"]
    line += map(str, arguments)  # a flag that comes twice counts as written last
    with tempfile.NamedTemporaryFile("w") as log:
        process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        log = Path(log.name)
        try:
            said = [process.stdout.readline() for _ in range(3)]
            assert said[0], log.read_text()
            yield Server(re.search(r" at (http://\S+)", said[0])[1], process, model_dirs, said, log)
        finally:
            process.terminate()
            process.communicate(timeout=60)


def wait_until(condition, seconds=60.0):
    """Waits for a function to return something true, and returns it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def export_gru(folder, seed, units=32):
    """The contract's model `gru`, as a version: [batch, frames, 88] -> [batch, 1]."""
    import keras

    keras.utils.set_random_seed(seed)
    features = keras.Input((None, 88), name="features")
    hidden = keras.layers.GRU(units)(features)
    _export(keras.Model(features, keras.layers.Dense(1, activation="sigmoid")(hidden)), folder)


def export_gruseq(folder):
    """The contract's model `gruseq`, as a version: [batch, frames, 88] -> [batch, frames, 2]."""
    import keras

    keras.utils.set_random_seed(3)
    features = keras.Input((None, 88), name="features")
    hidden = keras.layers.GRU(16, return_sequences=True)(keras.layers.Masking()(features))
    _export(keras.Model(features, keras.layers.Dense(2)(hidden)), folder)


def _export(model, folder):
    beside = folder.parent / f".{folder.name}"
    model.export(beside, verbose=False)
    beside.rename(folder)


def export_runs(folder, recola, tables):
    """Runs as versions: `audio` 1 and 2, a regression from 88 features; `speech` 1, a classification from 5."""
    from emobed_tf.config import preset
    from emobed_tf.saved_model.export import export_run
    from emobed_tf.training.loop import train_run

    for dataset, data, name, seed in (
        ("recola", recola, "audio", 0),
        ("recola", recola, "audio", 1),
        ("tables", tables, "speech", 0),
    ):
        settings = preset(dataset).replace(data_dir=data, seed=seed, **TINY)
        run = train_run(settings, folder / "runs" / f"{name}-{seed}")
        export_run(run, folder / name)
