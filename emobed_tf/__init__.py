"""EmoBed on TensorFlow: monomodal emotion recognition, trained with crossmodal emotion embeddings.

Public names are resolved on first use, so that importing the package doesn't import TensorFlow.
"""

import importlib
from typing import Any

from emobed_tf._version import __version__
from emobed_tf.environment import fix_environment

fix_environment()  # what the user has not set, before anybody imports TensorFlow: the same bits need the same numerics

_PUBLIC = {
    "Config": "emobed_tf.config",
    "Reading": "emobed_tf.config",
    "preset": "emobed_tf.config",
    "DataSet": "emobed_tf.datasets",
    "load": "emobed_tf.corpora",
    "trust": "emobed_tf.trusted",
    "batch_hard_pairs": "emobed_tf.models.mining",
    "batch_hard_triplet_loss": "emobed_tf.models.losses",
    "BatchHardTripletLoss": "emobed_tf.models.keras_losses",
    "ConcordanceLoss": "emobed_tf.models.keras_losses",
    "PooledCCC": "emobed_tf.models.keras_metrics",
    "concordance_cc": "emobed_tf.evaluation.metrics",
    "EmoBed": "emobed_tf.models.emobed",
    "build_emobed": "emobed_tf.models.build",
    "train_run": "emobed_tf.training.loop",
    "score_run": "emobed_tf.runs.scoring",
    "export_run": "emobed_tf.saved_model.export",
}
_WITHOUT_TENSORFLOW = ("Config", "preset", "DataSet", "load", "trust", "concordance_cc")
__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'emobed_tf' has no attribute '{name}'")
    if name not in _WITHOUT_TENSORFLOW:
        importlib.import_module(
            "emobed_tf.runtime"
        ).import_quietly()  # before the name's module does, with a dozen lines about the processor
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
