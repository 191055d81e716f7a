"""Sweeps that take seconds, and how to read what they leave."""

import csv

from tests.conftest import THREADS
from tuning.sweep_values import NumericSetting

ALPHA = NumericSetting("alpha", float)
TINY = {"encoder_units": 6, "head_layers": 1, "head_units": 5, "epochs": 2, "batch_size": 8}
TINY |= {"threads": THREADS, "xla": False, "framework": "joint"}
FLAGS = [word for name, value in TINY.items() if name != "xla" for word in (f"--{name.replace('_', '-')}", str(value))]
FLAGS += ["--no-xla"]


def rows(folder):
    with open(folder / "sweep.csv", newline="") as file:
        return list(csv.DictReader(file))


def scores(folder):
    return {(row["scenario"], row["value"], row["seed"]): row["score"] for row in rows(folder)}
