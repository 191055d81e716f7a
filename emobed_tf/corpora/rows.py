"""Rows of a table put together to recordings: by id, in the order of time."""

import numpy as np

from emobed_tf.corpora.checks import LATEST, STEP_TOLERANCE, Where, check_times
from emobed_tf.corpora.tablefile import Table
from emobed_tf.errors import InputError

_DIGITS = (0.1, 0.01, 0.001, 0.0001)
_NOISE = 1e-6  # relative: what float32 leaves of a step


def rows_by_id(table: Table, ids: np.ndarray, key: str = "id") -> dict[str, np.ndarray]:
    """Indices of each recording's rows, in the order of its times; recordings in the order of their first rows.

    Args:
        table: with a column `time` (a row is a frame) or without (a row is an utterance).
        ids: str `[rows]`.
        key: what the id is called in messages.

    Returns:
        int `[frames]` by id.

    Raises:
        InputError: if an id is empty or stands in two rows (with times: in two rows of the same time).
    """
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(ids):
        if not name:
            raise InputError(f"{table.where(row)}: column '{key}' is empty; expected the name of the recording")
        groups.setdefault(name, []).append(row)
    times = table.numbers.get("time")
    result = {}
    for name, rows in groups.items():
        if times is None:
            if len(rows) > 1:
                raise InputError(
                    f"{table.where(rows[1])}: {key} '{name}' a second time (first: {table.where(rows[0])}); "
                    "expected one row for each, or a column 'time'"
                )
            result[name] = np.array(rows)
            continue
        ordered = np.array(rows)[np.argsort(times[rows], kind="stable")]
        doubled = np.flatnonzero(np.diff(times[ordered]) == 0)
        if doubled.size:
            first, second = ordered[doubled[0]], ordered[doubled[0] + 1]
            raise InputError(
                f"{table.where(second)}: {key} '{name}' a second time at {times[second]:.10g} s "
                f"(first: {table.where(first)}); expected each pair of {key} and time once"
            )
        result[name] = ordered
    return result


def frame_step(table: Table, groups: dict[str, np.ndarray]) -> float | None:
    """Time between two frames in seconds, one for the whole table; None if its rows are utterances.

    Args:
        table: with a column `time`, or without.
        groups: what `rows_by_id` gives.

    Returns:
        In seconds, as exact as the times allow.

    Raises:
        InputError: if a time is missing, the steps are uneven, or no recording has two rows.
    """
    if "time" not in table.numbers:
        return None
    step, rounding = step_and_rounding(table, groups)
    check_even(table, groups, step, rounding)
    return step


def check_even(table: Table, groups: dict[str, np.ndarray], step: float, rounding: float) -> None:
    """Checks that every recording has a row at each step.

    Args:
        table: with a column `time`.
        groups: what `rows_by_id` gives.
        step: time between two rows in seconds.
        rounding: see `step_and_rounding`.

    Raises:
        InputError: at the first row that is off.
    """
    for rows in groups.values():
        check_times(table.numbers["time"][rows], step, _where(table, rows), rounding)


def constant(table: Table, column: str, rows: np.ndarray, recording: str) -> str:
    """The one value that a text column has in all rows of a recording.

    Args:
        table: with that column.
        column: name of a text column.
        rows: indices of the recording's rows, at least one.
        recording: its name, for the message.

    Returns:
        The value; "" if the cells are empty.

    Raises:
        InputError: if it changes, with the first row that differs.
    """
    values = table.texts[column][rows]
    for row, value in zip(rows, values, strict=True):
        if value != values[0]:
            raise InputError(
                f"{table.where(row, column)}: column '{column}' is '{value}', but '{values[0]}' in other rows of "
                f"'{recording}'; expected one value for a recording"
            )
    return values[0]


def step_and_rounding(table: Table, groups: dict[str, np.ndarray]) -> tuple[float, float]:
    """The step of a table's times, before it is known whether all of them keep to it.

    Args:
        table: with a column `time`.
        groups: what `rows_by_id` gives.

    Returns:
        Time between two frames in seconds; and by how many seconds the difference of two times may be off because they
        have few decimals.

    Raises:
        InputError: if a time is missing, or no recording has two rows.
    """
    times = table.numbers["time"]
    missing = np.flatnonzero(~(np.abs(times) <= LATEST))
    if missing.size:
        what = "is empty or not finite" if not np.isfinite(times[missing[0]]) else f"is beyond {LATEST:g} s"
        raise InputError(f"{table.where(missing[0])}: column 'time' {what}; expected seconds")
    steps = np.concatenate([np.diff(times[rows]) for rows in groups.values()])
    if not steps.size:
        raise InputError(
            f"{table.title}: there is a column 'time', but every id has one row; leave the column out for utterances"
        )
    median = float(np.quantile(steps, 0.5, method="lower"))
    digit = _last_digit(times, median)
    longest = times[max(groups.values(), key=len)]
    step = _mean_step(longest, median, max(STEP_TOLERANCE * median, digit * (1 + _NOISE)))
    # An even grid of that many digits explains all times: then none of them was rounded.
    if digit and abs(step / digit - round(step / digit)) * (len(longest) - 1) < 0.5:
        digit = 0.0
    return step, digit * (1 + _NOISE)


def _where(table: Table, rows: np.ndarray) -> Where:
    return lambda row: table.where(rows[row])


def _mean_step(times: np.ndarray, median: float, tolerance: float) -> float:
    """The mean step of the longest recording, which tells it most exactly where times are rounded (0.033, 0.067)."""
    steps = np.diff(times)
    # Where rows are missing, which `check_times` finds, the step is another.
    near = steps[np.abs(steps - median) <= tolerance]
    mean = float(near.mean()) if near.size else median
    # 0.04 and not 0.039999998, but 1/30 stays: 0.033333 would be a frame off after 50 minutes.
    return round(mean, 6) if abs(round(mean, 6) - mean) <= _NOISE * mean else mean


def _last_digit(times: np.ndarray, step: float) -> float:
    """Value of the last decimal that times are printed with, such as 0.001; 0 if it is none or too coarse to tell."""
    for digit in _DIGITS:
        if digit <= step / 2 and np.allclose(times / digit, np.rint(times / digit), rtol=0, atol=1e-4):
            return digit
    return 0.0
