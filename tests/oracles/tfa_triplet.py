"""Writes tfa_triplet.json: TensorFlow Addons' batch-hard triplet loss, an independent truth for ours.

TensorFlow Addons has been at its end of life since May 2024 and can't be imported beside Keras 3. It needs an
environment of its own, outside the repository:

    python3.11 -m venv /tmp/tfa-env
    /tmp/tfa-env/bin/pip install "tensorflow-cpu==2.14.*" "tensorflow-addons==0.23.0" "numpy<2"
    /tmp/tfa-env/bin/python tests/oracles/tfa_triplet.py

What it computes (tfa.losses.triplet_hard_loss, distance_metric="L2"): for each anchor the distance to the furthest
embedding of its class, d+, minus that to the nearest of another class, d-; the mean over all anchors of
max(d+ - d- + margin, 0), or of log(1 + exp(d+ - d-)) if soft. Each class here has at least two members and each case
at least two classes: other anchors TensorFlow Addons counts in a way of its own. All numbers of the inputs are short
decimals, so that the JSON holds exactly the float32 values that went in.
"""

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa

SEED = 20240501
OUT = Path(__file__).with_suffix(".json")
MARGINS = (0.2, 1.0)
# name, members of each class, embedding size, distance of the classes' centres, centre of everything
CASES = (
    ("two classes, overlapping", (3, 3), 3, 0.0, 0.0),
    ("three classes of unequal size", (2, 5, 9), 8, 0.5, 0.0),
    ("well apart: the hinge is off for most anchors", (4, 4, 4), 5, 1.2, 0.0),
    ("seven classes", (6, 2, 3, 9, 8, 4, 2), 16, 0.3, 0.0),
    ("far from the origin", (5, 6), 6, 0.4, 4.0),
)
GRADIENTS = ("three classes of unequal size", "well apart: the hinge is off for most anchors")


def embeddings_and_labels(rng, sizes, dimension, apart, centre):
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    centres = apart * rng.normal(size=(len(sizes), dimension))
    embeddings = centre + centres[labels] + 0.5 * rng.normal(size=(len(labels), dimension))
    return np.round(embeddings, 3).astype(np.float32), labels


def loss_and_gradient(embeddings, labels, margin):
    variable = tf.Variable(embeddings)
    with tf.GradientTape() as tape:
        loss = tfa.losses.triplet_hard_loss(
            y_true=tf.constant(labels),
            y_pred=variable,
            margin=1.0 if margin == "soft" else margin,
            soft=margin == "soft",
            distance_metric="L2",
        )
    return float(loss), tape.gradient(loss, variable).numpy()


def main():
    rng = np.random.default_rng(SEED)
    cases = []
    for name, sizes, dimension, apart, centre in CASES:
        embeddings, labels = embeddings_and_labels(rng, sizes, dimension, apart, centre)
        outputs = []
        for margin in (*MARGINS, "soft"):
            loss, gradient = loss_and_gradient(embeddings, labels, margin)
            output = {"margin": margin, "loss": loss}
            if name in GRADIENTS:
                output["gradient"] = [[float(f"{x:.7g}") for x in row] for row in gradient]
            outputs.append(output)
        rows = [[float(f"{x:.3f}") for x in row] for row in embeddings]
        cases.append({"name": name, "embeddings": rows, "labels": labels.tolist(), "outputs": outputs})
    made_with = {
        "function": "tfa.losses.triplet_hard_loss(distance_metric='L2')",
        "tensorflow_addons": tfa.__version__,
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "seed": SEED,
    }
    OUT.write_text(
        json.dumps({"made_with": made_with, "cases": cases}, separators=(",", ":")).replace("{", "\n{") + "\n"
    )


if __name__ == "__main__":
    main()
