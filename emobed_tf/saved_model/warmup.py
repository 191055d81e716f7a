"""Requests that TensorFlow Serving runs before it lets a new version answer: the first call is slow."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog, PredictLog

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"
_FRAMES = 10


def write_warmup(
    folder: Path, model: str, signatures: Mapping[str, Any], examples: Mapping[str, bytes] = MappingProxyType({})
) -> None:
    """Writes one small request of zeros for each signature as a TFRecord file of `tensorflow.serving.PredictionLog`.

    Args:
        folder: of the version.
        model: name under which it will be served; servers don't look at it.
        signatures: `signatures.describe` by name.
        examples: what is sent as an input of strings, by its name. Default: nothing is in them.
    """
    path = folder / WARMUP_FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, signature in signatures.items():
            request = PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = model, name
            for key, spec in signature["inputs"].items():
                values = [examples[key]] if key in examples else _zeros(**spec)
                request.inputs[key].CopyFrom(tf.make_tensor_proto(values))
            # In the order of names: an export to the same bits is the same file, too.
            writer.write(PredictionLog(predict_log=PredictLog(request=request)).SerializeToString(deterministic=True))


def _zeros(dtype: str, shape: list[int | None]) -> tf.Tensor:
    batch, *rest = shape
    return tf.zeros([batch or 1, *(size or _FRAMES for size in rest)], dtype)
