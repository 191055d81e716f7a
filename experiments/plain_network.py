"""Does a plain two-branch network gain from the auxiliary? What the positive control is calibrated on.

    python experiments/plain_network.py DIR [DIR ...]

Each folder is a package of `python -m emobed_tf.simulate tables`. A small network is trained on the target alone, and
once more on both modalities, for equally many steps; `plain.json` in the folder then holds the unweighted average
recall on test of both. The network is plain Keras: a dense layer for each modality, a trunk of dense layers that both
share, cross-entropy, Adam, a fixed number of steps, and no development set. Nothing of `emobed_tf` is in it, so that
what it gains tells what there is to be gained. `audit_power.py` runs it beside the audit.
"""

import argparse
import csv
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TARGET, AUXILIARY = "audio", "video"
FOUND = "plain.json"
EMBEDDING = 3
STEPS = 4500


@dataclass(frozen=True)
class Examples:
    """Features `[examples, columns]` and classes `[examples]` of one partition of a table."""

    features: np.ndarray
    classes: np.ndarray


def read_package(folder: Path, share: float = 1.0) -> tuple[dict[str, Examples], Examples, int]:
    """Examples to train on by modality, the target's to test on, and the number of classes.

    Args:
        folder: with a table for each modality.
        share: of each modality's training speakers, the first ones; the others are left out.
    """
    tables = {}
    for name in (TARGET, AUXILIARY):
        with (folder / f"{name}.csv").open(newline="") as file:
            header, *rows = csv.reader(file)
        tables[name] = [dict(zip(header, row, strict=True)) for row in rows]
    classes = sorted({row["label"] for rows in tables.values() for row in rows})
    train = {
        name: _first_speakers([r for r in rows if r["partition"] == "train"], share) for name, rows in tables.items()
    }
    known = {name: _examples(rows, classes) for name, rows in train.items()}
    test = _examples([row for row in tables[TARGET] if row["partition"] == "test"], classes)
    mean, deviation = known[TARGET].features.mean(axis=0), known[TARGET].features.std(axis=0)
    standardised = {
        name: Examples((one.features - one.features.mean(axis=0)) / one.features.std(axis=0), one.classes)
        for name, one in known.items()
    }
    return standardised, Examples((test.features - mean) / deviation, test.classes), len(classes)


def _first_speakers(rows: list[dict[str, str]], share: float) -> list[dict[str, str]]:
    speakers = list(dict.fromkeys(row["speaker"] for row in rows))
    kept = set(speakers[: max(1, round(share * len(speakers)))])
    return [row for row in rows if row["speaker"] in kept]


def _examples(rows: list[dict[str, str]], classes: list[str]) -> Examples:
    known = ("id", "partition", "speaker", "label")
    features = [[float(value) for name, value in row.items() if name not in known] for row in rows]
    return Examples(np.array(features, "float32"), np.array([classes.index(row["label"]) for row in rows], "int32"))


class PlainNetwork:
    """A dense layer for each modality, and a trunk of dense layers that all share; trained anew with each `fit`.

    Args:
        columns: number of features by modality.
        classes: number of classes.
        embedding: units of a modality's own layer.
        units: of the trunk's layers.
        steps: of Adam.
        batch: examples of each modality in a step.
        learning_rate: of Adam.
        decay: weight of the sum of squares of all kernels.
    """

    def __init__(
        self,
        columns: Mapping[str, int],
        classes: int,
        embedding: int = EMBEDDING,
        units: Sequence[int] = (32, 32),
        steps: int = STEPS,
        batch: int = 48,
        learning_rate: float = 0.007,
        decay: float = 0.001,
    ) -> None:
        import keras
        import tensorflow as tf

        inputs = {name: keras.Input((width,)) for name, width in columns.items()}
        own = {name: keras.layers.Dense(embedding, activation="tanh") for name in columns}
        layers = [keras.layers.Dense(width, activation="tanh") for width in units]
        trunk = keras.Sequential([*layers, keras.layers.Dense(classes)])
        self.models = {name: keras.Model(inputs[name], trunk(own[name](inputs[name]))) for name in columns}
        self.optimizer = keras.optimizers.Adam(learning_rate)
        self.weights = list({id(w): w for model in self.models.values() for w in model.trainable_weights}.values())
        self.optimizer.build(self.weights)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

        @tf.function
        def train(features, labels, rows):
            used = [
                w for w in self.weights if any(w is v for name in features for v in self.models[name].trainable_weights)
            ]
            for step in tf.range(steps):
                with tf.GradientTape() as tape:
                    value = decay * tf.add_n([tf.reduce_sum(w**2) for w in used if len(w.shape) == 2])
                    for name in sorted(features):  # the target alone, or both modalities
                        row = rows[name][step]
                        logits = self.models[name](tf.gather(features[name], row))
                        value += loss(tf.gather(labels[name], row), logits)
                self.optimizer.apply_gradients(zip(tape.gradient(value, used), used, strict=True))

        self._train = train
        self._steps, self._batch = steps, batch

    def fit(self, examples: Mapping[str, Examples], seed: int) -> "PlainNetwork":
        """Trains from new weights on examples of each modality."""
        rng = np.random.default_rng(seed)
        for weight in self.weights:
            bound = np.sqrt(6 / sum(weight.shape)) if len(weight.shape) == 2 else 0.0  # Glorot's, and no bias
            weight.assign(rng.uniform(-bound, bound, weight.shape))
        for variable in self.optimizer.variables:
            if variable is not self.optimizer.learning_rate:
                variable.assign(np.zeros(variable.shape))
        rows = {name: rng.integers(0, len(one.classes), (self._steps, self._batch)) for name, one in examples.items()}
        self._train(
            {name: one.features for name, one in examples.items()},
            {name: one.classes for name, one in examples.items()},
            rows,
        )
        return self

    def recall(self, modality: str, examples: Examples) -> float:
        """Unweighted average recall on examples of a modality."""
        found = self.models[modality].predict_on_batch(examples.features).argmax(axis=1)
        present = np.unique(examples.classes)
        return float(np.mean([(found[examples.classes == k] == k).mean() for k in present]))


def measure(network: PlainNetwork, folder: Path, seeds: int, share: float) -> dict[str, list[float]]:
    """Average recall on the target's test examples, by seed: trained alone, and trained on both modalities."""
    train, test, _ = read_package(folder, share)
    alone = {TARGET: train[TARGET]}
    return {
        name: [network.fit(examples, seed).recall(TARGET, test) for seed in range(seeds)]
        for name, examples in (("alone", alone), ("joint", train))
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="packages, all of the same size")
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each network (default: 2)")
    parser.add_argument("--share", type=float, default=1.0, help="of the training speakers that are used (default: 1)")
    parser.add_argument(
        "--embedding", type=int, default=EMBEDDING, help=f"units of a modality's own layer (default: {EMBEDDING})"
    )
    parser.add_argument("--steps", type=int, default=STEPS, help=f"of Adam (default: {STEPS})")
    arguments = parser.parse_args()
    network = None
    for folder in arguments.folders:
        if network is None:
            train, _, classes = read_package(folder, arguments.share)
            columns = {name: examples.features.shape[1] for name, examples in train.items()}
            network = PlainNetwork(columns, classes, embedding=arguments.embedding, steps=arguments.steps)
        found = measure(network, folder, arguments.seeds, arguments.share)
        (folder / FOUND).write_text(json.dumps(found) + "\n")
        alone, joint = np.mean(found["alone"]), np.mean(found["joint"])
        print(f"{folder}: average recall {alone:.3f} alone, {joint:.3f} with video ({joint - alone:+.3f})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
