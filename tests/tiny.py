"""Settings of trainings that take a second: what they learn is beside the point."""

from emobed_tf.config import preset
from tests.conftest import THREADS

TINY = {
    "encoder_layers": 1,
    "encoder_units": 6,
    "head_layers": 1,
    "head_units": 5,
    "epochs": 3,
    "batch_size": 2,
    "threads": THREADS,
    "xla": False,
    "diagnostics": 0,
}


def settings(folder, dataset="recola", **changes):
    """The preset of a data set in a folder, made tiny; other settings by name."""
    return preset(dataset).replace(data_dir=folder, **{**TINY, **changes})
