"""Runs as one page to look at, and the figures beside it: what `report` does. TensorFlow comes with the first run."""

import logging

logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)  # before its import, which may talk of its cache

from emobed_tf.reporting.report import write_report  # noqa: E402
from emobed_tf.reporting.sweeps import Sweep, read_sweep  # noqa: E402

__all__ = ["Sweep", "read_sweep", "write_report"]
