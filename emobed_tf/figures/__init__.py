"""Figures of a run, of sweeps and of comparisons: arrays or data frames in, a `matplotlib.figure.Figure` out.

No figure touches pyplot, so a notebook, a server and a thread can make them at the same time. `save` writes one as PNG
and SVG.
"""

from emobed_tf.figures.curves import label_curves
from emobed_tf.figures.learning import learning_curves
from emobed_tf.figures.planes import Colour, Panel, embeddings
from emobed_tf.figures.predictions import SERIES, confusion, confusions, envelope, predictions, scatter
from emobed_tf.figures.scores import intervals
from emobed_tf.figures.style import colours, columns_of, save
from emobed_tf.figures.sweeps import sweep

__all__ = [
    "SERIES",
    "Colour",
    "Panel",
    "colours",
    "columns_of",
    "confusion",
    "confusions",
    "embeddings",
    "envelope",
    "intervals",
    "label_curves",
    "learning_curves",
    "predictions",
    "save",
    "scatter",
    "sweep",
]
