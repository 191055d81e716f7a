"""Labels over time in a table of their own for each recording: `time` in seconds, and dimensions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emobed_tf.corpora.checks import LATEST
from emobed_tf.corpora.columns import Columns, check_names
from emobed_tf.corpora.corpus import DIMENSIONS
from emobed_tf.corpora.files import listing
from emobed_tf.corpora.tablefile import read_table
from emobed_tf.corpora.time import nearest_times
from emobed_tf.errors import InputError


@dataclass(frozen=True)
class LabelTrack:
    """The labels of one recording.

    Attributes:
        path: of their table.
        times: in seconds from the recording's begin, float64 `[rows]`, rising.
        values: of each dimension, float64 `[rows]`, NaN where there is none.
    """

    path: Path
    times: np.ndarray
    values: Mapping[str, np.ndarray]

    def at(self, times: np.ndarray) -> dict[str, np.ndarray]:
        """The labels that are nearest to some times.

        Args:
            times: float64 `[rows]`, seconds.

        Returns:
            By dimension: float64 `[rows]`, NaN where none is within half a step.
        """
        nearest, far = nearest_times(times, self.times)
        return {name: np.where(far, np.nan, values[nearest]) for name, values in self.values.items()}


def read_label_file(path: Path, dimension: str) -> LabelTrack:
    """Reads one.

    Args:
        path: CSV or Parquet with a column `time` in seconds, and one or more of arousal, valence and `dimension`.
        dimension: another dimension; "" for none.

    Returns:
        Its labels. Other columns are left out.

    Raises:
        MissingInputError: if there is no such file.
        InputError: whatever else is wrong, with line and column.
    """
    known = tuple(name for name in dict.fromkeys((*DIMENSIONS, dimension)) if name)

    def choose(names: Sequence[str], where: str) -> Columns:
        check_names(names, where)
        if "time" not in names or not set(known) & set(names):
            raise InputError(
                f"{where}: expected a column 'time' in seconds and {' or '.join(known)}; found {listing(names)}; "
                "--dimension names another dimension"
            )
        kept = ("time", *(name for name in names if name in known))
        return Columns(numbers=kept, ignored=tuple(name for name in names if name not in kept))

    table = read_table(path, choose, None, features=False)
    times = table.numbers["time"]
    wrong = np.flatnonzero(~(np.abs(times) <= LATEST))
    if wrong.size:
        what = "is empty or not finite" if not np.isfinite(times[wrong[0]]) else f"is beyond {LATEST:g} s"
        raise InputError(f"{table.where(int(wrong[0]))}: column 'time' {what}; expected seconds")
    wrong = np.flatnonzero(np.diff(times) <= 0)
    if wrong.size:
        row = int(wrong[0]) + 1
        raise InputError(
            f"{table.where(row)}: column 'time': expected more than {times[row - 1]:.10g} s, which is in the row "
            f"before, got {times[row]:.10g} s"
        )
    return LabelTrack(path, times, {name: table.numbers[name] for name in known if name in table.numbers})
