"""Imports TensorFlow once, late and quietly, with what must be fixed for results that repeat.

Importing the package sets three environment variables that Keras and TensorFlow read when they are imported, where the
user hasn't set them and it isn't too late. All else happens when TensorFlow is needed.
"""

import contextlib
import functools
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator

from emobed_tf import console
from emobed_tf.environment import BACKEND, DEFAULTS, LOG, ONEDNN, fix_environment
from emobed_tf.errors import EmoBedWarning, InputError

_told: set[str] = set()


def check_backend() -> None:
    """Makes sure that Keras runs on TensorFlow, or will when it is imported.

    Raises:
        InputError: if the user has chosen another backend.
    """
    keras = sys.modules.get("keras")
    found = keras.config.backend() if keras else os.environ.get(BACKEND) or DEFAULTS[BACKEND]
    if found != DEFAULTS[BACKEND]:
        raise InputError(
            f"{BACKEND}={found}: EmoBed needs Keras on TensorFlow; unset {BACKEND}, or set it to "
            f"{DEFAULTS[BACKEND]}, and start another process"
        )


def import_tensorflow(threads: int) -> None:
    """Imports TensorFlow and Keras with a number of threads and deterministic operations.

    Args:
        threads: of one operation; results are bit-identical for the same number only.

    Raises:
        InputError: if TensorFlow already runs in this process with another number, or Keras runs on another backend.

    Warns:
        EmoBedWarning: once in a process, if results may differ in their last bits from those of the defaults.
    """
    check_backend()
    fix_environment()
    imported = "tensorflow" in sys.modules
    with contextlib.nullcontext() if imported else console.waiting("starting TensorFlow (about 5 s)"):
        import_quietly()
    import tensorflow as tf

    check_backend()  # a configuration file of Keras may name another one
    _keep_sums_in_order()  # before anything else is asked of TensorFlow
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
    tell_doubts()


def import_quietly() -> None:
    """Imports TensorFlow and Keras. What C++ writes meanwhile is shown if they fail, or `TF_CPP_MIN_LOG_LEVEL` is 0.

    Raises:
        InputError: if Keras is to run on another backend.
    """
    check_backend()
    wanted = os.environ.get(LOG) == "0" or {"tensorflow", "keras"} <= sys.modules.keys()
    with contextlib.nullcontext() if wanted else quiet_stderr():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401


def tell_doubts(aloud: bool = True) -> None:
    """Warns where results may differ in their last bits from those of the defaults, of each reason once in a process.

    Args:
        aloud: False: another process has told it already, and this one need not.

    Warns:
        EmoBedWarning: what was found, and what it costs.
    """
    for doubt in _doubts():
        if aloud and doubt not in _told:
            warnings.warn(doubt, EmoBedWarning, stacklevel=3)
        _told.add(doubt)


def _doubts() -> Iterator[str]:
    value = os.environ.get(ONEDNN)
    if not value:
        yield (
            f"TensorFlow was imported before emobed_tf and without {ONEDNN}: whether it uses oneDNN depends on the "
            "processor, and so do the last bits of results; import emobed_tf first"
        )
    elif value.lower() not in ("1", "true"):
        yield (
            f"{ONEDNN}={value}: results differ in their last bits from those of the default (1), and a training step "
            "takes a quarter longer; unset it for the default"
        )
    if "tensorflow" in sys.modules and not _keep_sums_in_order():
        yield (
            "TensorFlow had begun to work in this process before emobed_tf could set it up: gradients of large models "
            "may be added in another order from step to step, so that results don't repeat in their last bits; train "
            "first, or in another process"
        )


@functools.cache
def _keep_sums_in_order() -> bool:
    """Turns off the memory optimiser of TensorFlow's graphs, which `enable_op_determinism` leaves on.

    In a graph that it expects to need more than a few hundred megabytes, the optimiser has three and more gradients of
    one weight added in the order in which they come, which changes from step to step. TensorFlow takes an option for
    it only when it starts to execute eagerly, which it does again here.

    Returns:
        False if it is too late: TensorFlow has begun to work.
    """
    import tensorflow as tf

    config = tf.compat.v1.ConfigProto()
    rewriting = config.graph_options.rewrite_options
    rewriting.memory_optimization = rewriting.NO_MEM_OPT
    tf.compat.v1.disable_eager_execution()
    try:
        tf.compat.v1.enable_eager_execution(config)
    except (ValueError, AttributeError):  # the second: in 2.21 its own message can't be put together
        tf.compat.v1.disable_eager_execution()  # else nothing is done by the next line
        tf.compat.v1.enable_eager_execution()
        return False
    return True


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Holds back what C++ writes on stderr before it can be told not to; shows it if something fails.

    Yields:
        Nothing.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:  # not Ctrl-C, after which nobody wants to read it
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
