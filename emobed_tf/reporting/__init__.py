"""Runs as one page to look at, and the figures beside it: what `report` does. TensorFlow comes with the first run."""

from emobed_tf.reporting.panels import Look
from emobed_tf.reporting.report import write_report
from emobed_tf.reporting.sweeps import Sweep, read_sweep

__all__ = ["Look", "Sweep", "read_sweep", "write_report"]
