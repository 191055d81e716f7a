"""An exported run, as a server runs it: numbers, refusals, contents, manifest, warm-up; and the command."""

import dataclasses
import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest

import emobed_tf
from emobed_tf.corpora.time import shift
from emobed_tf.evaluation.postprocessing import PostProcessing
from emobed_tf.runs.folder import Run
from tests.conftest import ROOT
from tests.test_commands import assert_one_line, command, process
from tests.training.test_loop import settings

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]

CHAIN = PostProcessing(window=5, gain=1.75, offset=-0.25, shift=3, centred=True, scaled=True)
UNITS, HEAD_UNITS = 6, 5

# What any build of TensorFlow has, on any device, with neither cuDNN nor XLA nor Python nor files.
PLAIN = """
    AddV2 ArgMax AsString Assert AssignVariableOp BiasAdd Cast ConcatV2 Const EnsureShape Equal Fill GatherV2 Greater
    Identity IdentityN IsNan Less LogicalAnd MatMul Maximum Minimum Mul NoOp Pack Pad PartitionedCall Placeholder
    PlaceholderWithDefault Prod Range ReadVariableOp RealDiv ReduceJoin Reshape SelectV2 Shape Sigmoid Size Softmax
    Split StatefulPartitionedCall StatelessWhile StopGradient StridedSlice StringJoin Sub Tanh TensorListFromTensor
    TensorListGetItem TensorListReserve TensorListSetItem TensorListStack TopKV2 Transpose Unpack VarHandleOp
    VarIsInitializedOp ZerosLike
"""


class Server:
    """A version as TensorFlow Serving runs it: a session, fed whatever comes without a look at declared shapes."""

    def __init__(self, version):
        import tensorflow as tf

        graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=graph)
        with graph.as_default():
            self.meta_graph = tf.compat.v1.saved_model.load(self.session, ["serve"], str(version))
        self.calls = {}

    def __call__(self, signature="serving_default", **inputs):
        described = self.meta_graph.signature_def[signature]
        assert inputs.keys() == set(described.inputs)
        if signature not in self.calls:
            self.calls[signature] = self._callable(described)
        answer = self.calls[signature](*(inputs[name] for name in sorted(inputs)))
        return dict(zip(sorted(described.outputs), answer, strict=True))

    def _callable(self, described):
        """`Session.run` would check the shapes in Python, where a server has only the graph."""
        from tensorflow.core.protobuf.config_pb2 import CallableOptions

        feed, fetch = ([side[name].name for name in sorted(side)] for side in (described.inputs, described.outputs))
        return self.session._make_callable_from_options(CallableOptions(feed=feed, fetch=fetch))

    def functions(self):
        """But for the two that save and restore variables."""
        library = self.meta_graph.graph_def.library
        return [function for function in library.function if "_traced_" not in function.signature.name]

    def nodes(self):
        """Every node of the graph and of its functions."""
        parts = (self.meta_graph.graph_def.node, *(function.node_def for function in self.functions()))
        return [node for nodes in parts for node in nodes]


@dataclasses.dataclass
class Exported:
    run: Run
    version: object
    server: Server


def exported(run, folder):
    from emobed_tf.saved_model.export import export_run

    version = export_run(run, folder / "model")
    return Exported(run, version, Server(version))


@pytest.fixture(scope="module")
def arousal(recola, tmp_path_factory):
    """Two encoder layers and one of the head; a chain in which every step is on; no weights but the best epoch's."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("arousal")
    run = train_run(settings(recola, encoder_layers=2, epochs=2), folder / "run")
    run.write_chain(CHAIN, {})
    run.write_arrays("last", {})
    return exported(run, folder)


@pytest.fixture(scope="module")
def emotion(tables, tmp_path_factory):
    """A classification; the head has no layer with a state."""
    from emobed_tf.training.loop import train_run

    folder = tmp_path_factory.mktemp("emotion")
    config = settings(tables, "tables", head_layers=0, batch_size=8, epochs=8, learning_rate=0.02)
    return exported(train_run(config, folder / "run"), folder)


def features(width, *shape, seed=0):
    """Standard normal ones with gaps, and one far out."""
    values = np.random.default_rng(seed).normal(size=(*shape, width)).astype(np.float32)
    values[np.random.default_rng(seed + 1).random(values.shape) < 0.1] = np.nan
    values[(0,) * values.ndim] = 1e6
    return values


def in_numpy(run, target, inputs, encoder_layers, head_layers, clip=10.0):
    """The paper's network from the run's weights in double precision: embedding and outputs `[batch, frames, ...]`."""
    weights = {name: values.astype(np.float64) for name, values in run.read_arrays("best").items()}
    hidden = (inputs - weights[f"{target}.standardise/mean"]) / weights[f"{target}.standardise/deviation"]
    hidden = np.clip(np.where(np.isnan(inputs), 0, hidden), -clip, clip)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    def gru(sequence, layer):
        w, r, b = (weights[f"{layer}/{name}"] for name in ("kernel", "recurrent_kernel", "bias"))
        h, states = np.zeros((len(sequence), len(r))), []
        for frame in np.moveaxis(sequence, 1, 0):
            (xz, xr, xn), (hz, hr, hn) = np.split(frame @ w + b[0], 3, axis=-1), np.split(h @ r + b[1], 3, axis=-1)
            z = sigmoid(xz + hz)
            h = z * h + (1 - z) * np.tanh(xn + sigmoid(xr + hr) * hn)
            states.append(h)
        return np.stack(states, axis=1)

    for k in range(encoder_layers):
        hidden = gru(hidden, f"{target}.gru_{k + 1}")
    embedding = hidden
    for k in range(head_layers):
        hidden = gru(hidden, f"shared.gru_{k + 1}")
    return embedding, hidden @ weights["shared.output/kernel"] + weights["shared.output/bias"]


class TestRegression:
    @pytest.mark.parametrize(("batch", "frames"), [(3, 40), (1, 1)])
    def test_prediction_and_embedding_are_the_networks(self, arousal, batch, frames):
        inputs = features(88, batch, frames)
        embedding, outputs = in_numpy(arousal.run, "audio", inputs, 2, 1)
        prediction = arousal.server(features=inputs)["prediction"]
        assert prediction.dtype == np.float32
        np.testing.assert_allclose(prediction, outputs[..., 0], atol=2e-6)
        np.testing.assert_allclose(arousal.server("embed", features=inputs)["embedding"], embedding, atol=2e-6)

    def test_is_the_model_that_was_scored(self, arousal):
        from emobed_tf.runs.scoring import load_model

        inputs = features(88, 2, 60)
        expected = load_model(arousal.run)(inputs).numpy()
        np.testing.assert_allclose(arousal.server(features=inputs)["prediction"], expected, atol=1e-6)

    @pytest.mark.parametrize("frames", [1, 2, 61, 200])
    def test_postprocessed_is_what_predict_writes(self, arousal, frames):
        """The delay of 2.4 s (60 frames) undone, then the chain, on each recording."""
        inputs = features(88, 2, frames)
        raw = arousal.server(features=inputs)["prediction"]
        expected = [CHAIN.apply(shift(recording, 60)) for recording in raw]
        found = arousal.server("postprocessed", features=inputs)["postprocessed"]
        np.testing.assert_allclose(found, expected, atol=1e-6)

    @pytest.mark.parametrize("chunks", [(1,) * 12, (12,), (5, 1, 6), (1, 11)])
    def test_a_stream_in_chunks_is_the_whole(self, arousal, chunks):
        inputs = features(88, 2, sum(chunks))
        states = {"encoder_state_1": UNITS, "encoder_state_2": UNITS, "head_state_1": HEAD_UNITS}
        states = {name: np.zeros((2, units), np.float32) for name, units in states.items()}
        parts = []
        for chunk in np.split(inputs, np.cumsum(chunks)[:-1], axis=1):
            answer = arousal.server("stream", features=chunk, **states)
            parts.append(answer.pop("prediction"))
            assert answer.keys() == states.keys(), "an answer's states are the next request's"
            states = answer
        embedding, outputs = in_numpy(arousal.run, "audio", inputs, 2, 1)
        np.testing.assert_allclose(np.concatenate(parts, axis=1), outputs[..., 0], atol=2e-6)
        np.testing.assert_allclose(states["encoder_state_2"], embedding[:, -1], atol=2e-6)
        whole = arousal.server(features=inputs)["prediction"]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-6)

    def test_missing_is_the_mean(self, arousal):
        mean = arousal.run.read_arrays("best")["audio.standardise/mean"]
        given, missing = np.tile(mean, (1, 9, 1)), np.full((1, 9, 88), np.nan, np.float32)
        answers = [arousal.server(features=inputs)["prediction"] for inputs in (given, missing)]
        np.testing.assert_allclose(*answers, atol=1e-6)


class TestClassification:
    def test_probabilities_and_labels(self, emotion):
        inputs = features(5, 6, 4)
        _, outputs = in_numpy(emotion.run, "audio", inputs, 1, 0)
        exponentials = np.exp(outputs[:, -1])
        answer = emotion.server(features=inputs)
        expected = exponentials / exponentials.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(answer["probabilities"], expected, atol=2e-6)
        names = np.array([b"anger", b"calm", b"joy"])
        np.testing.assert_array_equal(answer["label"], names[expected.argmax(axis=-1)])
        assert len(set(answer["label"])) > 1

    def test_every_class_can_win(self, emotion):
        labels = emotion.server(features=features(5, 200, 1))["label"]
        assert set(labels) == {b"anger", b"calm", b"joy"}

    def test_a_stream_ends_where_the_whole_does(self, emotion):
        inputs = features(5, 3, 7)
        state = np.zeros((3, UNITS), np.float32)
        for chunk in np.split(inputs, [1, 2, 6], axis=1):
            answer = emotion.server("stream", features=chunk, encoder_state_1=state)
            state = answer["encoder_state_1"]
        whole = emotion.server(features=inputs)
        np.testing.assert_allclose(answer["probabilities"], whole["probabilities"], atol=1e-6)
        np.testing.assert_array_equal(answer["label"], whole["label"])

    def test_there_is_nothing_to_postprocess(self, emotion):
        signatures = set(emotion.server.meta_graph.signature_def) - {"__saved_model_init_op"}
        assert signatures == {"serving_default", "embed", "stream", "manifest"}


class TestRefuses:
    """What a server doesn't check by itself, in a sentence."""

    @staticmethod
    def _assert_refused(server, message, signature, **inputs):
        import tensorflow as tf

        with pytest.raises(tf.errors.InvalidArgumentError) as caught:
            server(signature, **inputs)
        assert f"assertion failed: [{message}]" in str(caught.value)

    @pytest.mark.parametrize("signature", ["serving_default", "embed", "postprocessed", "stream"])
    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            ((2, 3, 87), "expected 88 audio features a frame, got 87; see features in the manifest"),
            ((2, 3, 1), "expected 88 audio features a frame, got 1; see features in the manifest"),
            ((2, 0, 88), "expected one frame or more of audio features, got none"),
            ((3, 88), "expected features of shape [batch, frames, 88], got [3, 88]"),
            ((1, 2, 3, 88), "expected features of shape [batch, frames, 88], got [1, 2, 3, 88]"),
        ],
    )
    def test_features(self, arousal, signature, shape, message):
        names = {"encoder_state_1": UNITS, "encoder_state_2": UNITS, "head_state_1": HEAD_UNITS}
        states = {name: np.zeros((2, units), np.float32) for name, units in names.items()}
        given = states if signature == "stream" else {}
        self._assert_refused(arousal.server, message, signature, features=np.zeros(shape, np.float32), **given)

    @pytest.mark.parametrize(
        ("shape", "message"),
        [
            ((1, UNITS), "expected encoder_state_2 of shape [2, 6], got [1, 6]"),
            ((2, UNITS - 1), "expected encoder_state_2 of shape [2, 6], got [2, 5]"),
            ((UNITS,), "expected encoder_state_2 of shape [2, 6], got [6]"),
        ],
    )
    def test_states(self, arousal, shape, message):
        names = {"encoder_state_1": (2, UNITS), "encoder_state_2": shape, "head_state_1": (2, HEAD_UNITS)}
        states = {name: np.zeros(size, np.float32) for name, size in names.items()}
        self._assert_refused(arousal.server, message, "stream", features=np.zeros((2, 3, 88), np.float32), **states)


class TestSignatures:
    def test_as_a_server_tells_them(self, arousal):
        frames = {"features": ("float32", [-1, -1, 88])}
        states = {"encoder_state_1": ("float32", [-1, 6]), "encoder_state_2": ("float32", [-1, 6])}
        states["head_state_1"] = ("float32", [-1, 5])
        prediction = {"prediction": ("float32", [-1, -1])}
        assert self._told(arousal) == {
            "serving_default": (frames, prediction),
            "embed": (frames, {"embedding": ("float32", [-1, -1, 6])}),
            "postprocessed": (frames, {"postprocessed": ("float32", [-1, -1])}),
            "stream": ({**frames, **states}, {**prediction, **states}),
            "manifest": ({"request": ("string", [-1])}, {"manifest": ("string", [-1])}),
        }

    def test_of_a_classification(self, emotion):
        answer = {"probabilities": ("float32", [-1, 3]), "label": ("string", [-1])}
        told = self._told(emotion)
        assert told["serving_default"] == ({"features": ("float32", [-1, -1, 5])}, answer)
        assert told["stream"][1] == {**answer, "encoder_state_1": ("float32", [-1, 6])}

    @pytest.mark.parametrize("name", ["arousal", "emotion"])
    def test_the_manifest_says_the_same(self, name, request):
        exported = request.getfixturevalue(name)
        written = json.loads((exported.version / "manifest.json").read_text())["signatures"]
        sides = {
            signature: tuple(
                {
                    name: (spec["dtype"], [-1 if size is None else size for size in spec["shape"]])
                    for name, spec in described[side].items()
                }
                for side in ("inputs", "outputs")
            )
            for signature, described in written.items()
        }
        assert sides == self._told(exported)

    @staticmethod
    def _told(exported):
        import tensorflow as tf

        def side(tensors):
            return {
                name: (tf.as_dtype(tensor.dtype).name, [dim.size for dim in tensor.tensor_shape.dim])
                for name, tensor in tensors.items()
            }

        return {
            name: (side(described.inputs), side(described.outputs))
            for name, described in exported.server.meta_graph.signature_def.items()
            if not name.startswith("__")
        }


class TestContents:
    @pytest.mark.parametrize("name", ["arousal", "emotion"])
    def test_only_what_is_kept(self, name, request):
        """As many numbers as the model that was scored has, each of them the best epoch's, and no others."""
        import tensorflow as tf

        exported = request.getfixturevalue(name)
        reader = tf.train.load_checkpoint(str(exported.version / "variables" / "variables"))
        shapes = {n: s for n, s in reader.get_variable_to_shape_map().items() if n != "_CHECKPOINTABLE_OBJECT_GRAPH"}
        parameters = exported.run.read_json("scores.json")["training"]["parameters"]
        assert sum(int(np.prod(shape)) for shape in shapes.values()) == parameters["kept"] < parameters["training"]
        best = exported.run.read_arrays("best")
        kept = {n: values for n, values in best.items() if n.startswith(("audio.", "shared."))}
        assert len(shapes) == len(kept)
        found = sorted(reader.get_tensor(n).tobytes() for n in shapes)
        assert found == sorted(values.tobytes() for values in kept.values())

    def test_nothing_of_the_auxiliary(self, arousal):
        best = arousal.run.read_arrays("best")
        auxiliary = {name: values for name, values in best.items() if name.startswith("video_appearance.")}
        assert len(auxiliary) == 8  # two layers of three arrays, mean and deviation
        content = b"".join(path.read_bytes() for path in arousal.version.rglob("*") if path.is_file())
        assert best["audio.gru_1/kernel"].tobytes() in content
        for name, values in auxiliary.items():
            assert values.tobytes() not in content, name
        assert b"video" not in content

    @pytest.mark.parametrize("name", ["arousal", "emotion"])
    def test_plain_operations(self, name, request):
        server = request.getfixturevalue(name).server
        assert {node.op for node in server.nodes()} <= set(PLAIN.split())
        assert not [function.attr for function in server.functions() if "_XlaMustCompile" in function.attr]

    def test_a_server_places_it_where_it_likes(self, arousal):
        assert {node.device for function in arousal.server.functions() for node in function.node_def} == {""}

    def test_no_weights_in_the_graph(self, arousal):
        """They are in the variables alone: the largest constant is the manifest, the largest number a small one."""
        import tensorflow as tf

        constants = [
            tf.make_ndarray(node.attr["value"].tensor) for node in arousal.server.nodes() if node.op == "Const"
        ]
        assert max(values.size for values in constants) <= 5

    def test_the_loop_carries_one_product(self, arousal):
        """What is fast: the inputs' products of all frames stand before the loop, which has the state's alone."""
        functions = {function.signature.name: function for function in arousal.server.functions()}

        def counted(function, op):
            return sum(node.op == op for node in function.node_def)

        answers = [function for function in functions.values() if counted(function, "StatelessWhile")]
        layers = {"predict": 3, "embed": 2, "postprocessed": 3, "stream": 3}
        dense = {"predict": 1, "embed": 0, "postprocessed": 1, "stream": 1}
        for name in layers:
            (function,) = (function for function in answers if f"_{name}_" in function.signature.name)
            loops = [node for node in function.node_def if node.op == "StatelessWhile"]
            assert len(loops) == layers[name]
            assert [counted(functions[loop.attr["body"].func.name], "MatMul") for loop in loops] == [1] * layers[name]
            assert counted(function, "MatMul") == layers[name] + dense[name]

    def test_exported_where_there_is_a_gpu(self, arousal, tmp_path, monkeypatch):
        """With one in sight Keras' layers would choose cuDNN, and the fused layer Keras' own path."""
        import tensorflow as tf

        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["GPU:0"])
        other = exported(arousal.run, tmp_path).server
        assert sorted(node.op for node in other.nodes()) == sorted(node.op for node in arousal.server.nodes())

    def test_a_run_of_keras_own_layers(self, arousal, tmp_path):
        """It is served with the fused ones: same weights, same numbers, less time."""
        shutil.copytree(arousal.run.path, tmp_path / "run")
        stock = Run(tmp_path / "run")
        stock.write_json("config.json", {**json.loads(stock.config_file.read_text()), "fused": False})
        from emobed_tf.runs.scoring import load_model

        inputs, other = features(88, 2, 30), exported(stock, tmp_path).server
        np.testing.assert_allclose(other(features=inputs)["prediction"], load_model(stock)(inputs), atol=1e-6)
        assert sorted(node.op for node in other.nodes()) == sorted(node.op for node in arousal.server.nodes())


class TestManifest:
    def test_of_a_regression(self, arousal):
        import keras
        import tensorflow as tf

        written = json.loads((arousal.version / "manifest.json").read_text())
        facts, scores = arousal.run.facts(), arousal.run.read_json("scores.json")
        signatures = written.pop("signatures")
        assert signatures.keys() == {"serving_default", "embed", "postprocessed", "stream", "manifest"}
        lines = [f"{name} {facts.fingerprints[name]}\n" for name in sorted(facts.fingerprints)]
        provenance = json.loads((arousal.run.path / "run.json").read_text())["provenance"]
        assert written.pop("created") >= provenance["started"]
        assert written.pop("commit") == provenance["commit"]
        assert written == {
            "format": 1,
            "simulated": True,
            "model": {"corpus": "recola", "framework": "emobed", "target": "audio"},
            "task": "regression",
            "dimension": "arousal",
            "features": list(facts.features["audio"]),
            "frame_seconds": 0.04,
            "label_delay_frames": 60,
            "label_delay_seconds": 2.4,
            "time": "`prediction` is in the features' time: the label delay is not undone; `postprocessed` is in the "
            "gold standard's: it is undone.",
            "states": [
                {"name": "encoder_state_1", "units": 6, "begins": 0.0},
                {"name": "encoder_state_2", "units": 6, "begins": 0.0},
                {"name": "head_state_1", "units": 5, "begins": 0.0},
            ],
            "postprocessing": {
                "window": 5,
                "gain": 1.75,
                "offset": -0.25,
                "shift": 3,
                "centred": True,
                "scaled": True,
            },
            "scores": {"dev": scores["dev"]},
            "data_fingerprint": hashlib.sha256("".join(lines).encode()).hexdigest(),
            "versions": {
                "emobed_tf": emobed_tf.__version__,
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
            },
        }

    def test_of_a_classification(self, emotion):
        written = json.loads((emotion.version / "manifest.json").read_text())
        assert written["classes"] == ["anger", "calm", "joy"]
        assert "dimension" not in written
        assert written["simulated"] is False
        assert written["features"] == ["audio_0", "audio_1", "audio_2", "audio_3", "audio_4"]
        assert (written["frame_seconds"], written["label_delay_frames"], written["label_delay_seconds"]) == (None, 0, 0)
        assert written["postprocessing"] is None
        assert written["states"] == [{"name": "encoder_state_1", "units": 6, "begins": 0.0}]

    def test_test_scores_where_there_are_some(self, arousal, tmp_path):
        from emobed_tf.runs.scoring import score_run
        from emobed_tf.saved_model.manifest import manifest

        shutil.copytree(arousal.run.path, tmp_path / "run")
        scored = Run(tmp_path / "run")
        values = score_run(scored)["test"].scores
        assert manifest(scored, {}, {})["scores"]["test"] == values

    def test_an_utterance_has_no_time(self, arousal, tmp_path):
        from emobed_tf.saved_model.manifest import manifest

        shutil.copytree(arousal.run.path, tmp_path / "run")
        run = Run(tmp_path / "run")
        values = run.read_json("run.json")
        values["facts"].update(frame_seconds={"audio": None, "video_appearance": None}, delay=0)
        run.write_json("run.json", values)
        found = manifest(run, {}, {})
        assert (found["frame_seconds"], found["label_delay_seconds"]) == (None, 0)
        assert found["time"] == "An utterance is one frame and has no time."

    @pytest.mark.parametrize("name", ["arousal", "emotion"])
    def test_wherever_one_looks(self, name, request):
        exported = request.getfixturevalue(name)
        text = (exported.version / "manifest.json").read_bytes()
        assert (exported.version / "assets" / "manifest.json").read_bytes() == text
        assert [asset.filename for asset in exported.server.meta_graph.asset_file_def] == ["manifest.json"]
        answer = exported.server("manifest", request=np.array([b"", b"anything"], object))["manifest"]
        assert list(answer) == [text, text]


def fields(message):
    """(number, bytes of the value) of each field in a protocol buffer, by the wire format alone."""
    at = 0

    def number():
        nonlocal at
        value = count = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << count
            count += 7
            if byte < 128:
                return value

    while at < len(message):
        key = number()
        assert key & 7 == 2, "all fields that are read here are length-delimited"
        length = number()
        yield key >> 3, message[at : at + length]
        at += length


def warmup_requests(path):
    """(signature, inputs) of each record: PredictionLog.predict_log = 6, then request = 1, model_spec 1, inputs 2."""
    import tensorflow as tf
    from tensorflow.core.framework.tensor_pb2 import TensorProto

    content = path.read_bytes()
    while content:
        (length,) = struct.unpack("<Q", content[:8])
        record, content = content[12 : 12 + length], content[16 + length :]
        ((kind, predict_log),) = fields(record)
        ((one, request),) = fields(predict_log)
        assert (kind, one) == (6, 1)
        parts = list(fields(request))
        ((_, spec),) = [part for part in parts if part[0] == 1]
        signature = dict(fields(spec))[3].decode()
        inputs = {}
        for entry in (dict(fields(part)) for number, part in parts if number == 2):
            inputs[entry[1].decode()] = tf.make_ndarray(TensorProto.FromString(entry[2]))
        yield signature, inputs


class TestWarmup:
    @pytest.mark.parametrize("name", ["arousal", "emotion"])
    def test_every_signature_answers(self, name, request):
        """A request that fails would keep TensorFlow Serving from serving the version."""
        exported = request.getfixturevalue(name)
        found = dict(warmup_requests(exported.version / "assets.extra" / "tf_serving_warmup_requests"))
        signatures = exported.server.meta_graph.signature_def
        assert found.keys() == {name for name in signatures if not name.startswith("__")}
        for signature, inputs in found.items():
            assert inputs.keys() == set(signatures[signature].inputs)
            answer = exported.server(signature, **inputs)
            assert all(len(values) == 1 for values in answer.values()), "a batch of one"

    def test_tensorflow_reads_the_records(self, arousal):
        """Checksums included, which the reading above skips."""
        import tensorflow as tf

        records = tf.data.TFRecordDataset(str(arousal.version / "assets.extra" / "tf_serving_warmup_requests"))
        assert len(list(records)) == 5


class TestCommand:
    def test_says_what_it_wrote_and_how_to_serve_it(self, arousal, tmp_path):
        (tmp_path / "audio" / "1").mkdir(parents=True)
        result = command("export", arousal.run.path, tmp_path / "audio")
        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines() == [
            f"{tmp_path / 'audio' / '2'}: arousal from 88 audio features (trained on SIMULATED data)",
            f"serve it: python -m serving.local {tmp_path / 'audio'}",
        ]
        assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == {
            "audio/2/saved_model.pb",
            "audio/2/fingerprint.pb",
            "audio/2/variables/variables.index",
            "audio/2/variables/variables.data-00000-of-00001",
            "audio/2/assets/manifest.json",
            "audio/2/assets.extra/tf_serving_warmup_requests",
            "audio/2/manifest.json",
        }

    def test_real_data_is_not_called_simulated(self, emotion, tmp_path):
        assert "SIMULATED" not in command("export", emotion.run.path, tmp_path / "speech").stdout

    def test_help_does_not_wait_for_tensorflow(self):
        code = "import sys; from emobed_tf.export import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        code += "print('loaded:', 'tensorflow' in sys.modules)"
        shown = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        assert "RUN MODEL_DIR" in shown
        assert "loaded: False" in shown

    @pytest.mark.slow
    def test_own_process_is_quiet(self, emotion, tmp_path):
        """Neither TensorFlow's greetings nor progress bars where nobody looks."""
        result = process("export", emotion.run.path, tmp_path / "speech")
        assert (result.returncode, result.stderr) == (0, "")

    def test_tells_how_far_it_is(self, emotion, tmp_path):
        from emobed_tf.saved_model.export import export_run

        told = []
        export_run(emotion.run, tmp_path / "model", lambda done, total, now="": told.append((done, total, now)))
        assert [done for done, _, _ in told] == [0, 1, 2, 3]
        assert {total for _, total, _ in told} == {3}
        assert "writing the model" in [now for _, _, now in told]


class TestFails:
    def test_arguments(self, arousal, tmp_path):
        assert_one_line(command("export", arousal.run.path), "MODEL_DIR")
        assert_one_line(command("export", tmp_path / "nowhere", tmp_path / "m"), "nowhere: no such run folder")
        assert_one_line(command("export", arousal.run.path, arousal.run.path), "that is a run folder")
        assert_one_line(command("export", arousal.run.path, arousal.version), "that is a version of a model")
        (tmp_path / "file").write_text("")
        assert_one_line(command("export", arousal.run.path, tmp_path / "file"), "found a file")

    @pytest.mark.parametrize(
        ("name", "content", "word"),
        [
            ("scores.json", None, "--resume"),
            ("best.npz", None, "best.npz"),
            ("best.npz", b"PK", "best.npz"),
            ("run.json", b"{", "run.json"),
            ("config.json", b"[]", "config.json"),
            ("postprocessing.json", None, "postprocessing.json"),
            ("scores.json", b"[]", "scores.json"),
        ],
    )
    def test_damaged_run(self, arousal, tmp_path, name, content, word):
        shutil.copytree(arousal.run.path, tmp_path / "run")
        if content is None:
            (tmp_path / "run" / name).unlink()
        else:
            (tmp_path / "run" / name).write_bytes(content)
        assert_one_line(command("export", tmp_path / "run", tmp_path / "model"), word)
        assert not (tmp_path / "model").exists()

    def test_weights_of_another_network(self, arousal, tmp_path):
        shutil.copytree(arousal.run.path, tmp_path / "run")
        run = Run(tmp_path / "run")
        run.write_json("config.json", {**json.loads(run.config_file.read_text()), "head_units": 7})
        assert_one_line(
            command("export", run.path, tmp_path / "model"), "shared.gru_1/kernel", "expected shape (6, 21)"
        )

    @pytest.mark.parametrize("size", ["4k", "16k", "300k"])
    def test_full_disk(self, arousal, tmp_path, size):
        """A real one, full while the manifest, the variables or the graph is written."""
        disk = tmp_path / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True)
        if mounted.returncode:
            pytest.skip("mounting a small file system needs root")
        try:
            result = command("export", arousal.run.path, disk / "model")
            assert_one_line(result, "No space left on device")
            assert "Op:" not in result.stderr
            assert list(disk.iterdir()) == []
        finally:
            subprocess.run(["umount", disk], check=True)

    @pytest.mark.slow
    def test_killed_while_it_writes(self, emotion, tmp_path):
        """Only the warm-up is missing, and yet there is no version; the next export is the first."""
        code = (
            "import os, signal, sys\n"
            "from emobed_tf.runtime import import_tensorflow\n"
            "import_tensorflow(1)\n"
            "from emobed_tf.export import main\n"
            "from emobed_tf.saved_model import export\n"
            "export.write_warmup = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
            "main(sys.argv[1:])\n"
        )
        arguments = [sys.executable, "-c", code, str(emotion.run.path), str(tmp_path / "model")]
        assert subprocess.run(arguments, cwd=ROOT, env=os.environ).returncode == -9
        (left,) = (tmp_path / "model").iterdir()
        assert left.name.startswith(".")
        assert (left / "saved_model.pb").exists()
        assert command("export", emotion.run.path, tmp_path / "model").returncode == 0
        assert (tmp_path / "model" / "1" / "saved_model.pb").exists()
