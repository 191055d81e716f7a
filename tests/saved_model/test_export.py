"""What is in an exported version, and what is not."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from emobed_tf.runs.folder import Run
from tests.commands import assert_one_line, command
from tests.conftest import ROOT
from tests.saved_model.exported import Server, export, features

pytestmark = pytest.mark.usefixtures("stack", "quiet_collapse")


# What any build of TensorFlow has, on any device, with neither cuDNN nor XLA nor Python nor files.
PLAIN = """
    AddV2 All ArgMax AsString Assert AssignVariableOp BiasAdd Cast ConcatV2 Const DecodeRaw EnsureShape Equal
    ExpandDims Fill FloorDiv FloorMod GatherV2 Greater Identity IdentityN IsFinite IsInf IsNan Less LessEqual
    LogicalAnd MatMul Max Maximum Minimum Mul NoOp Pack Pad PartitionedCall Placeholder PlaceholderWithDefault
    Prod Range ReadVariableOp RealDiv ReduceJoin Reshape SelectV2 Shape Sigmoid Size Softmax Split Squeeze
    StatefulPartitionedCall StatelessWhile StopGradient StridedSlice StringJoin StringLength Sub Tanh
    TensorListFromTensor TensorListGetItem TensorListReserve TensorListSetItem TensorListStack TopKV2 Transpose
    Unpack VarHandleOp VarIsInitializedOp Where ZerosLike
"""


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

    def test_plain_operations_of_other_encoders(self, another):
        assert {node.op for node in another.server.nodes()} <= {*PLAIN.split(), "Relu"}

    def test_plain_operations_of_one_that_knows_speakers(self, by_speaker):
        more = {"Abs", "Cumsum", "GreaterEqual", "Neg", "OnesLike", "Sqrt", "Square"}
        assert {node.op for node in by_speaker.server.nodes()} <= {*PLAIN.split(), *more}

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
        """What is fast: the inputs' products of all frames stand before the loop, which has the state's alone.

        Each layer has two loops: one of ten frames a turn, and one of those that are left over.
        """
        functions = {function.signature.name: function for function in arousal.server.functions()}

        def counted(function, op):
            return sum(node.op == op for node in function.node_def)

        answers = [function for function in functions.values() if counted(function, "StatelessWhile")]
        layers = {"predict": 3, "embed": 2, "postprocessed": 3, "packed": 3, "stream": 3}
        dense = {"predict": 1, "embed": 0, "postprocessed": 1, "packed": 1, "stream": 1}
        for name in layers:
            (function,) = (function for function in answers if f"_{name}_" in function.signature.name)
            loops = [node for node in function.node_def if node.op == "StatelessWhile"]
            products = [counted(functions[loop.attr["body"].func.name], "MatMul") for loop in loops]
            assert sorted(products) == [1] * layers[name] + [10] * layers[name]
            assert counted(function, "MatMul") == layers[name] + dense[name]

    def test_exported_where_there_is_a_gpu(self, arousal, tmp_path, monkeypatch):
        """With one in sight Keras' layers would choose cuDNN, and the fused layer Keras' own path."""
        import tensorflow as tf

        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["GPU:0"])
        other = export(arousal.run, tmp_path).server
        assert sorted(node.op for node in other.nodes()) == sorted(node.op for node in arousal.server.nodes())

    def test_a_run_of_keras_own_layers(self, arousal, tmp_path):
        """It is served with the fused ones: same weights, same numbers, less time."""
        shutil.copytree(arousal.run.path, tmp_path / "run")
        stock = Run(tmp_path / "run")
        stock.write_json("config.json", {**json.loads(stock.config_file.read_text()), "fused": False})
        from emobed_tf.runs.scoring import load_model

        inputs, other = features(88, 2, 30), export(stock, tmp_path).server
        np.testing.assert_allclose(other(features=inputs)["prediction"], load_model(stock)(inputs), atol=1e-6)
        assert sorted(node.op for node in other.nodes()) == sorted(node.op for node in arousal.server.nodes())


class TestOwnEncoder:
    """A module's own encoder from the command line to a server: trained, scored, exported."""

    @pytest.fixture(scope="class")
    def module(self, tmp_path_factory):
        folder = tmp_path_factory.mktemp("own")
        (folder / "my_encoders.py").write_text(
            "import keras\n\n"
            "def recurrent(network, modality, xla):\n"
            "    units = network.encoder_units\n"
            "    return [\n"
            '        keras.layers.LSTM(units, return_sequences=True, name=f"{modality}.lstm"),\n'
            '        keras.layers.LayerNormalization(name=f"{modality}.norm"),\n'
            '        keras.layers.Activation("tanh", name=f"{modality}.tanh"),\n'
            "    ]\n"
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(folder)
            yield "my_encoders:recurrent"

    @pytest.fixture(scope="class")
    def run(self, module, recola, tmp_path_factory):
        folder = tmp_path_factory.mktemp("own_run") / "run"
        flags = "--encoder-units 6 --head-units 5 --head-layers 1 --epochs 1 --batch-size 2 --threads 1 --no-xla"
        result = command(
            "train", "--no-report", "--data-dir", recola, "--output", folder, "--encoder", module, *flags.split()
        )
        assert result.returncode == 0, result.stderr
        return folder

    def test_is_stored(self, run, module):
        assert json.loads((run / "config.json").read_text())["encoder"] == module
        assert Run(run).config().network.encoder == module
        assert "audio.norm/gamma" in Run(run).read_arrays("best")

    def test_is_scored(self, run):
        result = command("evaluate", run)
        assert result.returncode == 0, result.stderr
        assert "CCC, pooled" in result.stdout

    def test_is_exported_without_a_stream_and_says_so(self, run, tmp_path):
        from emobed_tf.runs.scoring import load_model

        result = command("export", run, tmp_path / "model")
        assert result.returncode == 0
        assert result.stderr.splitlines() == [
            f"warning: {tmp_path / 'model'}: no signature 'stream': the model can't answer a recording as it comes, "
            "because layer 'audio.lstm' (LSTM) doesn't say what it remembers of the frames before"
        ]
        version = tmp_path / "model" / "1"
        written = json.loads((version / "manifest.json").read_text())
        assert written["states"] == []
        server = Server(version)
        signatures = {name for name in server.meta_graph.signature_def if not name.startswith("__")}
        assert (
            signatures
            == written["signatures"].keys()
            == {
                "serving_default",
                "embed",
                "postprocessed",
                "packed",
                "manifest",
            }
        )
        inputs = features(88, 2, 30)
        expected = load_model(Run(run))(inputs).numpy()
        np.testing.assert_allclose(server(features=inputs)["prediction"], expected, atol=1e-6)

    def test_a_module_that_is_gone(self, run, tmp_path):
        config = json.loads((run / "config.json").read_text())
        (run / "config.json").write_text(json.dumps({**config, "encoder": "gone_module:recurrent"}))
        try:
            line = ("export", run, tmp_path / "model", "--trust", "gone_module")
            assert_one_line(command(*line), "--encoder gone_module:recurrent", "PYTHONPATH")
        finally:
            (run / "config.json").write_text(json.dumps(config))
        assert not (tmp_path / "model").exists()


def test_tells_how_far_it_is(emotion, tmp_path):
    from emobed_tf.saved_model.export import export_run

    told = []
    export_run(emotion.run, tmp_path / "model", lambda done, total, now="": told.append((done, total, now)))
    assert [done for done, _, _ in told] == [0, 1, 2, 3]
    assert {total for _, total, _ in told} == {3}
    assert "writing the model" in [now for _, _, now in told]


@pytest.mark.slow
def test_killed_while_it_writes(emotion, tmp_path):
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
