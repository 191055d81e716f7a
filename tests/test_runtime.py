"""What TensorFlow is told before it starts: the same bits from the same seed, at full size, too."""

import json
import subprocess
import sys

import pytest

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
