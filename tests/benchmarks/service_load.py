"""Requests to a server of its own, from one client or several."""

import base64
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from tests.benchmarks import data
from tests.benchmarks.worker import Driver

MODEL, WIDTH = "arousal", 88


def main() -> None:
    driver = Driver()
    arguments = driver.arguments
    with tempfile.TemporaryDirectory() as folder:
        _export(_trained(Path(folder) / "run"), Path(folder) / MODEL, stock=arguments["stock"])
        with _served(Path(folder) / MODEL, arguments["threads"]) as url:
            if arguments.get("live"):
                ask = _live(url)
            else:
                ask = _asker(url, arguments["frames"], arguments.get("packed", False))
            with ThreadPoolExecutor(arguments["clients"]) as clients:

                def repeat() -> None:
                    list(clients.map(lambda _: ask(), range(arguments["requests"])))

                driver.serve(repeat, per_repeat=arguments["requests"], computes=[ask()])


def _trained(folder: Path):
    """A run of one epoch; with the same seed it is the same in every process."""
    from emobed_tf.config import preset
    from emobed_tf.runtime import import_tensorflow

    import_tensorflow(1)
    from emobed_tf.training.loop import train_run

    corpus = data.framewise({"audio": WIDTH}, frames=300, recordings=4)
    config = preset("recola").replace(task=corpus.task, target="audio", framework="classic", epochs=1, threads=1)
    return train_run(config.check(), folder, corpus=corpus)


def _export(run, model_dir: Path, stock: bool) -> None:
    from emobed_tf.saved_model.export import export_run

    if not stock:
        export_run(run, model_dir)
        return
    from emobed_tf.models.build import build_model
    from emobed_tf.models.weights import set_weight_arrays
    from emobed_tf.runs.folder import BEST

    facts = run.facts()
    model = build_model(run.config().replace(fused=False), dataclasses.replace(facts))
    set_weight_arrays(model, run.read_arrays(BEST))
    model.monomodal(facts.target).export(str(model_dir / "1"), verbose=False)


@contextmanager
def _served(model_dir: Path, threads: int) -> Iterator[str]:
    line = [sys.executable, "-m", "serving.local", str(model_dir), "--port", "0", "--threads", str(threads)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield next(word for word in server.stdout.readline().split() if word.startswith("http"))
        finally:
            server.terminate()


def _features(frames: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((frames, WIDTH)).astype(np.float32)


def _asker(url: str, frames: int, packed: bool):
    """A request of a whole recording, its body ready; returns the mean prediction."""
    import requests

    features = _features(frames)
    if packed:
        text = base64.b64encode(features.tobytes()).decode()
        body = json.dumps({"signature_name": "packed", "instances": [{"b64": text}]})
    else:
        body = json.dumps({"instances": [features.tolist()]})
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))

    def ask() -> float:
        answer = session.post(f"{url}/v1/models/{MODEL}:predict", data=body, timeout=60)
        answer.raise_for_status()
        (found,) = answer.json()["predictions"]
        return float(np.mean(found["prediction"] if packed else found))

    return ask


def _live(url: str):
    """A frame of a stream through the client; returns its prediction."""
    from serving.client.client import Client

    stream = Client(url, MODEL).stream()
    frame = _features(1)

    def ask() -> float:
        return float(stream.send(frame)[-1])

    return ask


if __name__ == "__main__":
    main()
