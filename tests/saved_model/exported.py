"""Exported runs, loaded as TensorFlow Serving loads them, and the network worked out without TensorFlow."""

import dataclasses

import numpy as np

from emobed_tf.evaluation.postprocessing import PostProcessing
from emobed_tf.runs.folder import Run

CHAIN = PostProcessing(window=5, gain=1.75, offset=-0.25, shift=3, centred=True, scaled=True)


UNITS, HEAD_UNITS = 6, 5

# Settings of encoders other than the paper's, and of how much modalities share.
KINDS = {
    "dense": {"encoder": "dense", "head_layers": 0},
    "tcn": {"encoder": "tcn", "encoder_layers": 2, "kernel_size": 2},
    "trunk": {"sharing": "trunk"},
}
# tcn, kernel 2: block 1 remembers 1 frame of 88 features and 6 units, block 2 (dilation 2) 2 frames of 6 and 6.
STATES = {
    "dense": {},
    "tcn": {"encoder_state_1": (1, 94), "encoder_state_2": (2, 12), "head_state_1": (HEAD_UNITS,)},
    "trunk": {"encoder_state_1": (UNITS,), "head_state_1": (HEAD_UNITS,)},
}


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


def export(run, folder):
    from emobed_tf.saved_model.export import export_run

    version = export_run(run, folder / "model")
    return Exported(run, version, Server(version))


def features(width, *shape, seed=0):
    """Standard normal ones with gaps, and one far out."""
    values = np.random.default_rng(seed).normal(size=(*shape, width)).astype(np.float32)
    values[np.random.default_rng(seed + 1).random(values.shape) < 0.1] = np.nan
    values[(0,) * values.ndim] = 1e6
    return values
