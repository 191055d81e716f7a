"""EmoBed on TensorFlow: monomodal emotion recognition, trained with crossmodal emotion embeddings.

Public names are resolved on first use, so that importing the package doesn't import TensorFlow.
"""

import importlib

from emobed_tf.stack import fix_environment

__version__ = "0.1.0"

fix_environment()  # before anybody imports TensorFlow: bit-identical results need the same numerics

_PUBLIC = {
    "Config": "emobed_tf.config",
    "preset": "emobed_tf.config",
    "load": "emobed_tf.corpora",
    "batch_hard_pairs": "emobed_tf.mining",
    "batch_hard_triplet_loss": "emobed_tf.losses",
    "concordance_cc": "emobed_tf.metrics",
    "EmoBed": "emobed_tf.model",
    "build_emobed": "emobed_tf.model",
    "train_run": "emobed_tf.training",
    "score_run": "emobed_tf.scoring",
    "export_run": "emobed_tf.saved_model",
}
__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str):
    if name not in _PUBLIC:
        raise AttributeError(f"module 'emobed_tf' has no attribute '{name}'")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
