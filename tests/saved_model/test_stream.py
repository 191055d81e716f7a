"""Exported encoders other than the paper's: what they answer, in chunks and as a whole, and who gets no stream."""

import json

import numpy as np
import pytest

from emobed_tf.models import weights as stored
from tests.commands import assert_one_line, command
from tests.models.test_tcn import plain_block
from tests.saved_model.exported import HEAD_UNITS, UNITS, Server, export, features
from tests.saved_model.test_export import PLAIN
from tests.training.test_loop import settings

pytestmark = [pytest.mark.usefixtures("stack", "quiet_collapse")]

FRAMES = 40
KINDS = {
    "dense": {"encoder": "dense", "head_layers": 0},
    "tcn": {"encoder": "tcn", "encoder_layers": 2, "kernel_size": 2},
}
# tcn, kernel 2: block 1 remembers 1 frame of 88 features and 6 units, block 2 (dilation 2) 2 frames of 6 and 6.
STATES = {
    "dense": {},
    "tcn": {"encoder_state_1": (1, 94), "encoder_state_2": (2, 12), "head_state_1": (HEAD_UNITS,)},
}


def trained(recola, folder, **changes):
    from emobed_tf.training.loop import train_run

    return train_run(settings(recola, epochs=2, framework="triplet", **changes), folder / "run")


@pytest.fixture(scope="module", params=list(KINDS))
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def model(kind, recola, tmp_path_factory):
    """A run of an encoder, exported."""
    folder = tmp_path_factory.mktemp(kind)
    return export(trained(recola, folder, **KINDS[kind]), folder)


def in_numpy(run, kind, inputs):
    """Embeddings of the run's weights in double precision."""
    weights = {name: values.astype(np.float64) for name, values in run.read_arrays("best").items()}
    hidden = (inputs - weights["audio.standardise/mean"]) / weights["audio.standardise/deviation"]
    hidden = np.clip(np.where(np.isnan(inputs), 0, hidden), -10, 10)
    if kind == "dense":
        return np.tanh(hidden @ weights["audio.dense_1/kernel"] + weights["audio.dense_1/bias"])
    for k, bounded in ((1, False), (2, True)):
        prefix = f"audio.block_{k}/"
        block = {name.removeprefix(prefix): values for name, values in weights.items() if name.startswith(prefix)}
        hidden = plain_block(hidden, block, k, bounded)
    return hidden


class TestAnswers:
    def test_embeddings_are_those_of_numpy(self, model, kind):
        inputs = features(88, 3, FRAMES)
        found = model.server("embed", features=inputs)["embedding"]
        assert found.shape == (3, FRAMES, UNITS)
        np.testing.assert_allclose(found, in_numpy(model.run, kind, inputs), atol=5e-6)

    def test_is_the_model_that_was_scored(self, model):
        from emobed_tf.runs.scoring import load_model

        inputs = features(88, 2, FRAMES)
        expected = load_model(model.run)(inputs).numpy()
        np.testing.assert_allclose(model.server(features=inputs)["prediction"], expected, atol=1e-6)

    @pytest.mark.parametrize("chunks", [(1,) * FRAMES, (FRAMES,), (1, 2, 30, 7)], ids=["frames", "whole", "chunks"])
    def test_a_stream_in_chunks_is_the_whole(self, model, kind, chunks):
        inputs = features(88, 2, FRAMES)
        states = {name: np.zeros((2, *shape), np.float32) for name, shape in STATES[kind].items()}
        parts = []
        for chunk in np.split(inputs, np.cumsum(chunks)[:-1], axis=1):
            answer = model.server("stream", features=chunk, **states)
            parts.append(answer.pop("prediction"))
            assert {name: state.shape[1:] for name, state in answer.items()} == STATES[kind]
            states = answer
        whole = model.server(features=inputs)["prediction"]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=2e-6)

    @pytest.mark.parametrize("kind", ["tcn"], indirect=True)
    def test_a_state_of_another_shape(self, model, kind):
        import tensorflow as tf

        states = {name: np.zeros((2, *shape), np.float32) for name, shape in STATES[kind].items()}
        states["encoder_state_2"] = np.zeros((2, 2, 11), np.float32)
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"encoder_state_2 of shape \[2, 2, 12\], got"):
            model.server("stream", features=features(88, 2, 1), **states)

    def test_plain_operations(self, model):
        assert {node.op for node in model.server.nodes()} <= {*PLAIN.split(), "Relu"}


class TestManifest:
    def test_states(self, model, kind):
        written = json.loads((model.version / "manifest.json").read_text())
        vectors = {name: {"units": shape[0]} for name, shape in STATES[kind].items() if len(shape) == 1}
        matrices = {name: {"shape": list(shape)} for name, shape in STATES[kind].items() if len(shape) > 1}
        sizes = {**matrices, **vectors}
        assert written["states"] == [{"name": name, **sizes[name], "begins": 0.0} for name in STATES[kind]]
        # A client that knows only vectors must not begin a stream of anything else.
        assert written["format"] == (2 if matrices else 1)

    def test_warm_up_has_the_states(self, model, kind):
        from tests.saved_model.test_warmup import warmup_requests

        found = dict(warmup_requests(model.version / "assets.extra" / "tf_serving_warmup_requests"))["stream"]
        shapes = {name: values.shape for name, values in found.items() if name != "features"}
        assert shapes == {name: (1, *shape) for name, shape in STATES[kind].items()}


class TestOwn:
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
        result = command("train", "--data-dir", recola, "--output", folder, "--encoder", module, *flags.split())
        assert result.returncode == 0, result.stderr
        return folder

    def test_is_stored(self, run, module):
        from emobed_tf.runs.folder import Run

        assert json.loads((run / "config.json").read_text())["encoder"] == module
        assert Run(run).config().network.encoder == module
        assert "audio.norm/gamma" in Run(run).read_arrays("best")

    def test_is_scored(self, run):
        result = command("evaluate", run)
        assert result.returncode == 0, result.stderr
        assert "CCC, pooled" in result.stdout

    def test_is_exported_without_a_stream_and_says_so(self, run, tmp_path):
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
        assert signatures == written["signatures"].keys() == {"serving_default", "embed", "postprocessed", "manifest"}
        from emobed_tf.runs.folder import Run
        from emobed_tf.runs.scoring import load_model

        inputs = features(88, 2, 30)
        expected = load_model(Run(run))(inputs).numpy()
        np.testing.assert_allclose(server(features=inputs)["prediction"], expected, atol=1e-6)

    def test_a_module_that_is_gone(self, run, tmp_path):
        config = json.loads((run / "config.json").read_text())
        (run / "config.json").write_text(json.dumps({**config, "encoder": "gone_module:recurrent"}))
        try:
            assert_one_line(command("export", run, tmp_path / "model"), "--encoder gone_module:recurrent", "PYTHONPATH")
        finally:
            (run / "config.json").write_text(json.dumps(config))
        assert not (tmp_path / "model").exists()


def test_a_run_of_before_there_was_a_choice(recola, tmp_path):
    """Its config.json names no encoder: it has the paper's."""
    from emobed_tf.runs.folder import Run
    from emobed_tf.runs.scoring import load_model

    run = trained(recola, tmp_path)
    inputs = features(88, 1, 20)
    expected = load_model(run)(inputs).numpy()
    config = json.loads(run.config_file.read_text())
    for name in ("encoder", "kernel_size"):
        del config[name]
    run.write_json("config.json", config)
    again = Run.open(run.path)
    assert again.config().network.encoder == "gru"
    np.testing.assert_array_equal(load_model(again)(inputs), expected)
    assert stored.weight_arrays(load_model(again)).keys() >= {"audio.gru_1/kernel", "shared.output/kernel"}
