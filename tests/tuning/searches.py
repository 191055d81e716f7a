"""Searches that take seconds, and how to read what they leave."""

import csv

from emobed_tf.config import preset
from tests.commands import flags
from tests.tiny import TINY

SMALL = {**TINY, "epochs": 2, "batch_size": 16}


def config(tables, **changes):
    named = tuple(f"{name}={tables / name}.csv" for name in ("audio", "face"))
    return preset("tables").replace(table=named, target="audio", **{**SMALL, **changes})


def on_tables(tables, **changes):
    named = [word for name in ("audio", "face") for word in ("--table", f"{name}={tables / name}.csv")]
    return ["--dataset", "tables", *named, "--target", "audio", *flags(**{**SMALL, **changes})]


# What has a value of its own in SMALL is fixed by its flag; this leaves two ranges and a choice.
TWO = ("default", "encoder_layers=1", "encoder_units=6", "head_layers=1", "head_units=5,6", "beta=0.3", "l2=1e-4")


def table(folder):
    with open(folder / "trials.csv", newline="") as file:
        return list(csv.DictReader(file))


def results(search):
    """Trials without the seconds they took."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in search.rows()]
