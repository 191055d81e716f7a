"""What TensorFlow is told before it starts: the same bits from the same seed, at full size, too."""

import json
import os
import subprocess
import sys
import warnings

import pytest

from emobed_tf import runtime
from emobed_tf.errors import EmoBedWarning
from tests.conftest import ROOT

REPEATS = 8

# Two modalities of four recordings of 300 s at 25 frames a second, the paper's network: where TensorFlow's own settings
# gave three different gradients in twelve steps.
STEPS = f"""
import hashlib, json
from emobed_tf.runtime import import_tensorflow
import_tensorflow(2)
import tensorflow as tf
from emobed_tf.config import preset
from emobed_tf.training.setup import prepare
from tests.benchmarks.data import framewise

corpus = framewise({{"audio": 8, "video": 9}}, frames=7500, recordings=4)
setup = prepare(preset("recola").replace(target="audio", auxiliary=("video",), task="regression").check(), corpus)
model, batch = setup.model, next(iter(setup.batches()))

@tf.function(autograph=False)
def gradients(batch):
    with tf.GradientTape() as tape:
        loss = model.weigh(model.forward(batch)[0])
    return tape.gradient(loss, model.trainable_variables)

def digest():
    return hashlib.sha256(b"".join(gradient.numpy().tobytes() for gradient in gradients(batch))).hexdigest()

print(json.dumps([digest() for _ in range({REPEATS})]))
"""


@pytest.mark.slow
def test_a_step_of_full_size_repeats_bit_for_bit():
    done = subprocess.run(
        [sys.executable, "-c", STEPS], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    digests = json.loads(done.stdout.splitlines()[-1])
    assert len(digests) == REPEATS
    assert len(set(digests)) == 1


def test_the_memory_optimiser_is_off_and_the_rest_as_before(stack):
    from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
    from tensorflow.python.eager import context

    used = config_pb2.ConfigProto.FromString(context.context().function_call_options.config_proto_serialized)
    rewriting = used.graph_options.rewrite_options
    assert rewriting.memory_optimization == rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    rewriting.ClearField("memory_optimization")
    assert rewriting == config_pb2.ConfigProto().graph_options.rewrite_options


def python(code, **environment):
    """A new process in which only these of the variables that matter are set."""
    ours = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**kept, **environment}, capture_output=True, text=True, timeout=300
    )
    return done.stdout, done.stderr


class TestQuiet:
    # What TensorFlow writes when it is imported, looks for a GPU and first compiles with XLA.
    CODE = """
from emobed_tf import train_run
import tensorflow as tf
tf.function(lambda x: x @ x, jit_compile=True)(tf.ones((3, 3)))
"""

    @pytest.mark.slow
    def test_from_python(self):
        assert python(self.CODE) == ("", "")

    @pytest.mark.slow
    def test_whoever_wants_to_read_it_can(self):
        assert "XLA" in python(self.CODE, TF_CPP_MIN_LOG_LEVEL="0")[1]


class TestBackend:
    @pytest.mark.parametrize(
        "code", ["import emobed_tf.runtime as runtime; runtime.import_tensorflow(1)", "from emobed_tf import EmoBed"]
    )
    def test_another_one_is_told_before_anything_is_imported(self, code):
        _, error = python(code, KERAS_BACKEND="torch")
        assert error.splitlines()[-1] == (
            "emobed_tf.errors.InputError: KERAS_BACKEND=torch: EmoBed needs Keras on TensorFlow; unset KERAS_BACKEND, "
            "or set it to tensorflow, and start another process"
        )

    def test_of_a_keras_that_runs(self, stack, monkeypatch):
        import keras

        runtime.check_backend()
        monkeypatch.setenv("KERAS_BACKEND", "torch")  # too late: what counts is what runs
        runtime.check_backend()
        monkeypatch.setattr(keras.config, "backend", lambda: "jax")
        with pytest.raises(ValueError, match="KERAS_BACKEND=jax: EmoBed needs Keras on TensorFlow"):
            runtime.check_backend()


class TestDoubts:
    @pytest.fixture(autouse=True)
    def nothing_told(self, stack, monkeypatch):
        monkeypatch.setattr(runtime, "_told", set())

    @pytest.mark.parametrize(
        ("value", "message"),
        [
            ("0", "TF_ENABLE_ONEDNN_OPTS=0: results differ in their last bits .* a quarter longer"),
            ("False", "TF_ENABLE_ONEDNN_OPTS=False: "),
            ("", "imported before emobed_tf and without TF_ENABLE_ONEDNN_OPTS"),
        ],
    )
    def test_are_told_once_when_tensorflow_is_needed(self, monkeypatch, value, message):
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", value)
        with pytest.warns(EmoBedWarning, match=message) as caught:
            runtime.import_tensorflow(1)
        assert len(caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            runtime.import_tensorflow(1)

    @pytest.mark.parametrize("value", ["1", "true", "True"])
    def test_there_are_none_with_the_default(self, monkeypatch, value):
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", value)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            runtime.import_tensorflow(1)

    def test_a_worker_is_silent_where_the_first_process_has_told(self, monkeypatch):
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            runtime.tell_doubts(aloud=False)
            runtime.tell_doubts()

    @pytest.mark.slow
    def test_tensorflow_that_has_begun_goes_on_as_it_was(self):
        code = """
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.constant(1)
from emobed_tf.runtime import import_tensorflow
import_tensorflow(2)
print(tf.executing_eagerly(), int(tf.function(lambda x: x + 1)(1)), int(tf.constant(3)))
"""
        printed, error = python(code, TF_ENABLE_ONEDNN_OPTS="1")
        assert printed == "True 2 3\n"
        assert "EmoBedWarning: TensorFlow had begun to work in this process before emobed_tf" in error

    @pytest.mark.parametrize(("error", "shown"), [("KeyboardInterrupt", False), ("ValueError", True)])
    def test_what_was_held_back_is_shown_after_an_error_but_not_after_ctrl_c(self, error, shown):
        code = (
            "import contextlib, os\nfrom emobed_tf import runtime\n"
            f"with contextlib.suppress({error}), runtime.quiet_stderr():\n    os.write(2, b'log')\n    raise {error}\n"
        )
        assert python(code)[1] == ("log" if shown else "")
