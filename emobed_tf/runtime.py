"""Imports TensorFlow once, late and quietly, with what must be fixed for results that repeat."""

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

from emobed_tf import console
from emobed_tf.errors import InputError

_FIXED = {
    "KERAS_BACKEND": "tensorflow",
    "TF_ENABLE_ONEDNN_OPTS": "1",  # it changes numerics; a training step takes a quarter longer without
}


def fix_environment() -> None:
    """Sets the environment variables that TensorFlow reads when it is imported."""
    os.environ.update(_FIXED)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def import_tensorflow(threads: int) -> None:
    """Imports TensorFlow and Keras with a number of threads and deterministic operations.

    Args:
        threads: of one operation; results are bit-identical for the same number only.

    Raises:
        InputError: if TensorFlow already runs in this process with another number.
    """
    fix_environment()
    begun = "tensorflow" in sys.modules
    with contextlib.nullcontext() if begun else console.waiting("starting TensorFlow (about 5 s)"), _quiet_stderr():
        import keras  # noqa: F401
        import tensorflow as tf
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # no word of retracing where models are built in turn
    if tf.config.threading.get_intra_op_parallelism_threads() != threads:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        except RuntimeError:
            running = tf.config.threading.get_intra_op_parallelism_threads()
            raise InputError(
                f"--threads {threads}: TensorFlow already runs in this process with {running or 'all'} threads; "
                "start another process"
            ) from None
    tf.config.experimental.enable_op_determinism()
    _keep_sums_in_order()


def _keep_sums_in_order() -> None:
    """Turns off the memory optimiser of TensorFlow's graphs, which `enable_op_determinism` leaves on.

    In a graph that it expects to need more than a few hundred megabytes, the optimiser has three and more gradients of
    one weight added in the order in which they come, which changes from step to step. TensorFlow has no public option
    to turn it off alone.
    """
    from tensorflow.core.protobuf import config_pb2, rewriter_config_pb2
    from tensorflow.python.eager import context

    running = context.context()
    config = config_pb2.ConfigProto()
    config.CopyFrom(running.config)
    config.graph_options.rewrite_options.memory_optimization = rewriter_config_pb2.RewriterConfig.NO_MEM_OPT
    running._config = config
    running.function_call_options = None  # of this thread, made from the configuration when a graph is next called


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Holds back what C++ writes on stderr before it can be told not to; shows it if something fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
