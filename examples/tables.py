"""Writes tables to try the guides with, into the folder where it is started: audio.csv, face.csv and new.csv.

Three emotions, 120 utterances that were heard and 60 that were seen, of other people; and three new ones to predict.
The numbers are made up, so scores on them are no results.

    python examples/tables.py
"""

import csv

import numpy as np

EMOTIONS = ("anger", "calm", "joy")
PARTITIONS = ("train", "train", "dev", "test")
MODALITIES = (("audio", 120, ("loudness", "pitch", "jitter")), ("face", 60, ("smile", "brow")))


def main() -> None:
    """Writes the three tables."""
    rng, fresh = np.random.default_rng(0), np.random.default_rng(1)
    for modality, utterances, features in MODALITIES:
        centres = rng.normal(size=(len(EMOTIONS), len(features)))
        rows = []
        for k in range(utterances):
            emotion, partition = k % 3, PARTITIONS[k // 3 % 4]
            speaker = f"{modality}-{partition}-{k // 12 % 3}"
            values = centres[emotion] + rng.normal(size=len(features))
            keys = [f"{modality}{k}", partition, speaker, EMOTIONS[emotion]]
            rows.append(keys + [f"{value:.3f}" for value in values])
        write(f"{modality}.csv", ["id", "partition", "speaker", "label", *features], rows)
        if modality == "audio":
            heard = centres + fresh.normal(size=centres.shape)
            new = [[f"new{k}", *(f"{value:.3f}" for value in values)] for k, values in enumerate(heard)]
            write("new.csv", ["id", *features], new)
    print("wrote audio.csv and face.csv, to train on, and new.csv, to predict")


def write(path: str, header: list[str], rows: list[list[str]]) -> None:
    """Writes one table."""
    with open(path, "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    main()
