"""Writes tfa_semi_hard.json: TensorFlow Addons' semi-hard triplet loss, an independent truth for ours.

It runs in the environment that `tfa_triplet.py` describes, on the same cases:

    /tmp/tfa-env/bin/python tests/oracles/tfa_semi_hard.py

What it computes (tfa.losses.triplet_semihard_loss, distance_metric="L2"): for each pair of an anchor and a positive the
nearest negative that is farther than the positive, or the farthest negative where none is; the mean over all of these
pairs of max(d+ - d- + margin, 0).
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from tfa_triplet import CASES, SEED, embeddings_and_labels

OUT = Path(__file__).with_suffix(".json")
MARGINS = (0.2, 1.0, 10.0)  # the last is more than any difference, so that the hinge is never off


def loss_and_gradient(embeddings, labels, margin):
    variable = tf.Variable(embeddings)
    with tf.GradientTape() as tape:
        loss = tfa.losses.triplet_semihard_loss(
            y_true=tf.constant(labels), y_pred=variable, margin=margin, distance_metric="L2"
        )
    return float(loss), tape.gradient(loss, variable).numpy()


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for name, sizes, dimension, apart, centre in CASES:
        embeddings, labels = embeddings_and_labels(rng, sizes, dimension, apart, centre)
        outputs = []
        for margin in MARGINS:
            loss, gradient = loss_and_gradient(embeddings, labels, margin)
            slopes = [[float(f"{x:.7g}") for x in row] for row in gradient]
            outputs.append({"margin": margin, "loss": loss, "gradient": slopes})
        rows = [[float(f"{x:.3f}") for x in row] for row in embeddings]
        cases.append({"name": name, "embeddings": rows, "labels": labels.tolist(), "outputs": outputs})
    made_with = {
        "function": "tfa.losses.triplet_semihard_loss(distance_metric='L2')",
        "tensorflow_addons": tfa.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "seed": SEED,
    }
    text = json.dumps({"made_with": made_with, "cases": cases}, separators=(",", ":"))
    OUT.write_text(text.replace("{", "\n{") + "\n")


if __name__ == "__main__":
    main()
