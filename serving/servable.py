"""One version of a model in memory: a SavedModel in a session of its own, as TensorFlow Serving runs it."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.json_format import MessageToDict
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.protobuf.error_codes_pb2 import Code
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from emobed_tf.saved_model.warmup import WARMUP_FILE
from serving.rest import DEFAULT_SIGNATURE, RestError, invalid

v1 = tf.compat.v1
_TAG = "serve"
_WARM_UP_SECONDS = 600.0
_PREFIX = "Graph execution error:\n\n"  # Python's; TensorFlow Serving passes on what follows


@dataclass(frozen=True)
class Signature:
    """A function of a model.

    Attributes:
        dtypes: TensorFlow's name of the type (`float`, `string`, …) by the input's name.
        inputs: placeholders by the input's name.
        outputs: names of the graph's tensors by the output's name.
    """

    dtypes: Mapping[str, str]
    inputs: Mapping[str, Any]
    outputs: Mapping[str, str]


class Servable:
    """A SavedModel that is ready to be run from several threads at once.

    It runs in a session, like in TensorFlow Serving, and not through `tf.saved_model.load`: a session can stop after a
    time limit, and what is wrong with a shape is told by the model, not by Python before it. Memory is freed with the
    last reference.

    Attributes:
        metadata: the SavedModel's signatures as JSON, in the form of TensorFlow Serving's metadata.

    Args:
        path: folder of the SavedModel.
        threads: that one operation may use.

    Raises:
        Exception: of any kind that TensorFlow and the file system have for files that are missing or damaged.
    """

    def __init__(self, path: Path, threads: int):
        definitions = _serving_graph(path).signature_def
        config = v1.ConfigProto(intra_op_parallelism_threads=threads, inter_op_parallelism_threads=threads)
        graph = tf.Graph()
        self._path = path
        self._session = v1.Session(graph=graph, config=config)
        with graph.as_default():
            # Placeholders of any shape: Python would refuse to feed others than the declared ones.
            fed = {
                tensor.name: v1.placeholder(tensor.dtype)
                for definition in definitions.values()
                for tensor in definition.inputs.values()
            }
            with _in_tensorflows_words():
                v1.saved_model.load(self._session, [_TAG], str(path), input_map=fed)
        self._signatures = {
            name: Signature(
                dtypes={key: _type_name(tensor.dtype) for key, tensor in definition.inputs.items()},
                inputs={key: fed[tensor.name] for key, tensor in definition.inputs.items()},
                outputs={key: tensor.name for key, tensor in definition.outputs.items()},
            )
            for name, definition in definitions.items()
        }
        self.metadata = {
            name: MessageToDict(definition, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
            for name, definition in definitions.items()
        }

    def signature(self, name: str) -> Signature:
        """The signature of a name.

        Args:
            name: such as `serving_default`.

        Returns:
            The signature.

        Raises:
            RestError: if there is none.
        """
        if name not in self._signatures:
            raise invalid(f'Serving signature name: "{name}" not found in signature def')
        return self._signatures[name]

    def example_shape(self) -> tuple[int, ...] | None:
        """The shape of one small element of a batch, as the default signature takes it.

        Returns:
            Sizes, 1 where any will do; None if the signature isn't there, or takes something else than one array of
            floats.
        """
        inputs = list(self.metadata.get(DEFAULT_SIGNATURE, {"inputs": {}})["inputs"].values())
        if len(inputs) != 1 or inputs[0]["dtype"] != "DT_FLOAT" or inputs[0]["tensor_shape"]["unknown_rank"]:
            return None
        sizes = [int(dimension["size"]) for dimension in inputs[0]["tensor_shape"]["dim"]]
        return tuple(max(1, size) for size in sizes[1:]) if sizes else None

    def run(self, signature: Signature, inputs: Mapping[str, np.ndarray], seconds: float) -> dict[str, np.ndarray]:
        """Computes a signature's outputs.

        Args:
            signature: of this servable.
            inputs: by name, of the signature's types; any shape.
            seconds: after which the computation is stopped, between two operations of the graph.

        Returns:
            By name; strings as bytes objects.

        Raises:
            RestError: with the words of TensorFlow or of the model.
        """
        options = v1.RunOptions(timeout_in_ms=max(1, round(1000 * seconds)))
        fed = {signature.inputs[name]: values for name, values in inputs.items()}
        with _in_tensorflows_words():
            outputs = self._session.run(dict(signature.outputs), fed, options=options)
        return {
            name: np.array(value, object) if isinstance(value, bytes) else np.asarray(value)
            for name, value in outputs.items()
        }

    def warm_up(self) -> int:
        """Runs the requests that the export left for it: the first call of a signature is slow.

        Returns:
            Number of requests.

        Raises:
            RestError: if one of them fails.
        """
        file = self._path / WARMUP_FILE
        if not file.exists():
            return 0
        logs = map(PredictionLog.FromString, tf.data.TFRecordDataset(str(file)).as_numpy_iterator())
        requests = [log.predict_log.request for log in logs if log.HasField("predict_log")]
        for request in requests:
            signature = self.signature(request.model_spec.signature_name or DEFAULT_SIGNATURE)
            self.run(
                signature, {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}, _WARM_UP_SECONDS
            )
        return len(requests)


@contextlib.contextmanager
def _in_tensorflows_words() -> Iterator[None]:
    try:
        yield
    except tf.errors.OpError as error:
        raise RestError(Code.Name(error.error_code), error.message.removeprefix(_PREFIX)) from None
    except UnicodeDecodeError:  # TensorFlow's words quote bytes of the input
        raise invalid(
            "the model can't read the input's bytes; are they whole, and of the form that it takes?"
        ) from None


def _serving_graph(path: Path) -> MetaGraphDef:
    file = path / "saved_model.pb"
    if file.exists() and not file.is_file():  # reading a pipe would wait for ever
        raise ValueError(f"{file}: expected a file")
    saved = SavedModel.FromString(file.read_bytes())
    found = [graph for graph in saved.meta_graphs if list(graph.meta_info_def.tags) == [_TAG]]
    if not found:
        raise ValueError(f"{file}: no graph with the tag '{_TAG}'")
    return found[0]


def _type_name(dtype: int) -> str:
    return DataType.Name(dtype).removeprefix("DT_").lower()
