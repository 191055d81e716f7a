"""A stand-in for TensorFlow Serving whose answers can be worked out by hand, and which misbehaves on demand.

Its model: two features, loudness and pitch, NaN taken for 0; a state s of two units,
s(t) = s(t-1) / 2 + (loudness + 10 pitch) * (1, 2), is the embedding, and its first unit the prediction. A classifier
says `high` where that is more than 0 after the last frame, with the probability 0.75. A model that takes `wav` hears
the first of each 640 samples as loudness.
"""

import base64
import contextlib
import io
import json
import re
import threading
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

FEATURES = ("loudness", "pitch")
CLASSES = ("low", "high")
_PATH = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?(:predict|/metadata)?")


class FakeModel:
    """A version of a model, with `packed` or as it was exported before there was that; its manifest can be changed."""

    def __init__(self, task="regression", *, packed=False, **manifest):
        signatures = ["serving_default", "embed", "stream", "manifest"]
        signatures += ["packed"] if packed else []
        signatures += ["wav"] if "waveform" in manifest else []
        signatures += ["postprocessed"] if task == "regression" else []
        self.manifest = {
            "format": 1,
            "simulated": True,
            "model": {"corpus": "tables", "framework": "emobed", "target": "audio"},
            "task": task,
            **({"dimension": "arousal"} if task == "regression" else {"classes": CLASSES}),
            "features": FEATURES,
            "frame_seconds": 0.04,
            "label_delay_frames": 2,
            "label_delay_seconds": 0.08,
            "signatures": {name: {} for name in signatures},
            "states": [{"name": "encoder_state_1", "units": 2, "begins": 0.0}],
            **manifest,
        }

    def answer(self, signature, instance):
        if signature == "manifest":
            return json.dumps(self.manifest)
        if signature == "wav":
            with wave.open(io.BytesIO(base64.b64decode(instance["wav"]["b64"]))) as file:
                samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
            instance = {"features": np.stack([samples[::640] / 32_768, 0 * samples[::640]], axis=1)}
        if signature == "packed":
            numbers = np.frombuffer(base64.b64decode(instance["packed"]["b64"]), "<f4")
            instance = {"features": numbers.reshape(-1, len(self.manifest["features"]))}
        features = np.nan_to_num(np.array(instance["features"], float))
        weights = {"loudness": 1, "pitch": 10}
        heard = features @ [weights.get(name, 0) for name in self.manifest["features"]]
        state = np.array(instance.get("encoder_state_1", [0, 0]), float)
        states = []
        for value in heard:
            state = state / 2 + value * np.array([1, 2])
            states.append(state)
        states = np.array(states)
        if signature == "embed":
            return states.tolist()
        if signature == "postprocessed":
            return (states[:, 0] + 1000).tolist()
        high = bool(state[0] > 0)
        said = (
            {"prediction": states[:, 0].tolist()}
            if self.manifest["task"] == "regression"
            else {"probabilities": [0.25, 0.75] if high else [0.75, 0.25], "label": CLASSES[high]}
        )
        if signature in ("packed", "wav") and "prediction" in said:
            return {**said, "postprocessed": (states[:, 0] + 1000).tolist()}
        if signature == "stream":
            return {**said, "encoder_state_1": state.tolist()}
        return said["prediction"] if len(said) == 1 else said


class FakeServing(ThreadingHTTPServer):
    """Answers on a free port until the `serving` block ends.

    Attributes:
        models: by name and version.
        labels: version by label, of any model.
        asked: (path, body as text) of all requests.
        instead: what the next requests get instead of an answer: (status, headers, body), or a function of the server
            that is called before it answers as usual.
        hangs_up: whether it closes the connection after an answer, without a word.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.models, self.labels, self.asked, self.instead = {}, {}, [], []
        self.hangs_up = False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def paths(self):
        return [path for path, _ in self.asked]

    def answer(self, path, body):
        found = _PATH.fullmatch(path)
        if not found:
            return 400, {"error": f"Malformed request: {path}"}
        name, version, label, what = found.groups()
        versions = self.models.get(name, {})
        if what is None:
            return 200, {"model_version_status": [_status(number) for number in sorted(versions, reverse=True)]}
        if label is not None and label not in self.labels:
            return 400, {"error": f"Unrecognized servable version label: {label}"}
        number = int(version) if version else self.labels.get(label, max(versions, default=0))
        if number not in versions:
            wanted = f"Specific({name}, {version})" if version else f"Latest({name})"
            return 404, {"error": f"Servable not found for request: {wanted}"}
        if what == "/metadata":
            return 200, {"model_spec": {"name": name, "version": str(number)}, "metadata": {"signature_def": {}}}
        asked = json.loads(body)
        signature = asked["signature_name"]
        if signature not in versions[number].manifest["signatures"]:
            return 400, {"error": f'Serving signature name: "{signature}" not found in signature def'}
        return 200, {"predictions": [versions[number].answer(signature, one) for one in asked["instances"]]}


def _status(version):
    return {"version": str(version), "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # header and body in one packet

    def do_GET(self):
        self._answer("")

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, body):
        self.server.asked.append((self.path, body))
        instead = self.server.instead.pop(0) if self.server.instead else None
        if callable(instead):
            instead = instead(self.server)
        if instead is None:
            status, answer = self.server.answer(self.path, body)
            instead = status, {"Content-Type": "application/json"}, json.dumps(answer)
        status, headers, text = instead
        self.send_response(status)
        for name, value in {"Content-Length": len(text.encode()), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        with contextlib.suppress(OSError):  # the client has given up
            self.wfile.write(text.encode())
        self.close_connection = self.close_connection or self.server.hangs_up

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(**models):
    """A server with version 1 of these models."""
    with FakeServing() as server:
        server.models = {name: {1: model} for name, model in models.items()}
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
