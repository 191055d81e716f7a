"""A client for what `emobed_tf.export` wrote and TensorFlow Serving serves: NumPy in and out, no TensorFlow.

`python -m serving.client` is the same for the shell.
"""

from serving.client.client import Client, Stream, VersionStatus
from serving.client.connection import ServingError
from serving.client.payload import Classification, Heard

__all__ = ["Classification", "Client", "Heard", "ServingError", "Stream", "VersionStatus"]
