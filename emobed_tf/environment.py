"""What Keras and TensorFlow read from the environment when they are imported, whoever imports them.

It needs nothing that is slow to import: the package sets it before anything else happens.
"""

import os
import sys

BACKEND, ONEDNN, LOG = "KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL"
# TensorFlow's own default of the second depends on the processor. Below the third it would speak of GPUs and XLA.
DEFAULTS = {BACKEND: "tensorflow", ONEDNN: "1", LOG: "3"}


def fix_environment() -> None:
    """Sets what Keras and TensorFlow read when they are imported, unless the user has, or they have been imported."""
    if "tensorflow" in sys.modules or "keras" in sys.modules:
        return
    for name, value in DEFAULTS.items():
        if not os.environ.get(name):
            os.environ[name] = value
