"""Reads what `python -m tuning.sweep` leaves."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emobed_tf.errors import InputError, MissingInputError

_COLUMNS = ("parameter", "value", "scenario", "seed", "score", "score_name", "simulated")


@dataclass(frozen=True)
class Sweep:
    """A sweep's trainings, as `figures.sweep` takes them.

    Attributes:
        folder: where it stands.
        points: one per training.
    """

    folder: Path
    points: tuple[dict[str, Any], ...]


def read_sweep(folder: Path) -> Sweep:
    """The points of `sweep.csv` in a sweep's folder.

    Args:
        folder: a folder that `python -m tuning.sweep` has written.

    Returns:
        The sweep, with at least one point.

    Raises:
        MissingInputError: if there is no such file.
        InputError: if it has no point, a column is missing, or a score is no number.
    """
    path = folder / "sweep.csv"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError:
        raise MissingInputError(f"{path}: no such file; expected a folder that tuning.sweep has written") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: damaged ({error})") from None
    missing = [name for name in _COLUMNS if not rows or name not in rows[0]]
    if missing:
        raise InputError(f"{path}: expected rows with the columns {', '.join(_COLUMNS)}; {', '.join(missing)} missing")
    points = []
    for line, row in enumerate(rows, start=2):
        if any(row[name] is None for name in _COLUMNS):
            raise InputError(f"{path}: line {line}: cut off")
        try:
            score = float(row["score"]) if row["score"] else None
        except ValueError:
            raise InputError(f"{path}: line {line}: expected a number as score, found {row['score']!r}") from None
        simulated = row["simulated"].lower() == "true"
        points.append({**row, "value": _number(row["value"]), "score": score, "simulated": simulated})
    return Sweep(folder, tuple(points))


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
