"""Recordings on an even grid of times: rows that are left out become missing frames, rates are made equal."""

from dataclasses import replace

import numpy as np

from emobed_tf.corpora.checks import STEP_TOLERANCE
from emobed_tf.corpora.rows import check_even, rows_by_id, step_and_rounding
from emobed_tf.corpora.tablefile import Table
from emobed_tf.errors import InputError
from emobed_tf.settings import Reading

_TOO_LONG = 5.0  # seconds between two rows: these are more probably milliseconds
_FINEST = 100  # rows that one may be repeated for when rows are made more
_EDGE = 0.01  # of a step: so much before a step's beginning is on it, for times may be float32


def recordings_of(
    table: Table, settings: Reading, unit_is_known: bool
) -> tuple[Table, dict[str, np.ndarray], float | None, tuple[str, ...]]:
    """A table's recordings on an even grid.

    Args:
        table: with the column `id`, and `time` in seconds if rows are frames.
        settings: for `resample`.
        unit_is_known: whether times are surely in seconds; otherwise seconds that look like milliseconds are refused.

    Returns:
        The table, maybe with further rows; indices of each recording's rows, in order; time between two rows in
        seconds, None for utterances; and notes of what was put in or averaged.

    Raises:
        InputError: if times are missing, doubled or uneven.
    """
    groups = rows_by_id(table, table.texts["id"])
    if "time" not in table.numbers:
        return table, groups, None, ()
    if settings.resample is not None:
        step, rounding = step_and_rounding(table, groups)
        if not unit_is_known:
            _check_unit(table, step)
        if settings.resample * _FINEST < step:
            raise InputError(
                f"{table.title}: --resample {settings.resample:g}: expected {step / _FINEST:.3g} or more, for there is "
                f"a row every {step:g} s"
            )
        table, groups, nearest = _resampled(table, groups, settings.resample, rounding)
        how = ("means over", "the nearest row for", f"means, or the nearest row ({nearest} recordings), for")
        which = 0 if not nearest else 1 if nearest == len(groups) else 2
        return table, groups, settings.resample, (f"resampled: {how[which]} every {settings.resample:g} s",)
    step, rounding = step_and_rounding(table, groups)
    if not unit_is_known:
        _check_unit(table, step)
    for name, rows in groups.items():
        _check_rate(table, name, rows, step, rounding)
    table, groups, filled = _filled(table, groups, step, rounding)
    notes: tuple[str, ...] = ()
    if filled:
        first = next(iter(filled))
        notes = (f"{sum(filled.values())} rows are absent, the first in '{first}'; they count as missing frames",)
    check_even(table, groups, step, rounding)
    return table, groups, step, notes


def _check_unit(table: Table, step: float) -> None:
    if step >= _TOO_LONG:
        raise InputError(
            f"{table.title}: a row every {step:g} s; are these milliseconds? say --time-unit ms, or --time-unit s if "
            "they are seconds"
        )


def _check_rate(table: Table, name: str, rows: np.ndarray, step: float, rounding: float) -> None:
    """Refuses a recording that is even in itself, but of another rate than the table."""
    if len(rows) < 3:
        return
    steps = np.diff(table.numbers["time"][rows])
    own = float(np.median(steps))
    tolerance = max(STEP_TOLERANCE * own, rounding)
    if abs(own - step) > max(STEP_TOLERANCE * step, rounding) and (np.abs(steps - own) <= tolerance).mean() > 0.5:
        raise InputError(
            f"{table.where(rows[0])}: recording '{name}' has a row every {own * 1000:.4g} ms ({1 / own:.4g} a second), "
            f"but most have one every {step * 1000:.4g} ms ({1 / step:.4g} a second); bring all to one rate with "
            f"--resample {max(own, step):.3g}"
        )


def _filled(
    table: Table, groups: dict[str, np.ndarray], step: float, rounding: float
) -> tuple[Table, dict[str, np.ndarray], dict[str, int]]:
    """The table with a missing row for each that is left out, at most as many as a recording has."""
    times = table.numbers["time"]
    taken: list[np.ndarray] = []
    put_in: list[np.ndarray] = []
    filled: dict[str, int] = {}
    new_times: list[np.ndarray] = []
    for name, rows in groups.items():
        with np.errstate(over="ignore"):  # of a step that is next to nothing
            steps = np.diff(times[rows]) / step
        counts = np.rint(np.clip(steps, -1, len(rows) + 2)).astype(int)  # more are not put in
        even = np.abs(np.diff(times[rows]) - counts * step) <= np.maximum(STEP_TOLERANCE * step, rounding)
        extra = int(np.maximum(counts - 1, 0).sum())
        repeats = np.ones(len(rows), int)
        if 0 < extra <= len(rows) and even.all() and (counts >= 1).all():
            repeats[:-1] = counts
            filled[name] = extra
        taken.append(np.repeat(rows, repeats))
        first = np.concatenate([[0], np.cumsum(repeats)[:-1]])
        is_new = np.ones(repeats.sum(), bool)
        is_new[first] = False
        put_in.append(is_new)
        offset = np.arange(len(is_new)) - np.repeat(first, repeats)
        new_times.append(times[taken[-1]] + offset * step)
    if not filled:
        return table, groups, filled
    rows, new = np.concatenate(taken), np.concatenate(put_in)
    result = table.take(rows)
    features = result.features.copy()
    features[new] = np.nan
    numbers = {name: np.where(new, np.nan, values) for name, values in result.numbers.items()}
    numbers["time"] = np.concatenate(new_times)
    return replace(result, features=features, numbers=numbers), _consecutive(groups, taken), filled


def _resampled(
    table: Table, groups: dict[str, np.ndarray], seconds: float, rounding: float
) -> tuple[Table, dict[str, np.ndarray], int]:
    """Means over each step, or the nearest row where rows are fewer; and the number of recordings where they are."""
    times = table.numbers["time"]
    chosen: list[np.ndarray] = []
    features: list[np.ndarray] = []
    numbers: dict[str, list[np.ndarray]] = {name: [] for name in table.numbers}
    nearest_in = 0
    for rows in groups.values():
        own = _unrounded(times[rows] - times[rows[0]], seconds, rounding)
        count = int(np.floor(own[-1] / seconds + _EDGE)) + 1
        grid = np.arange(count) * seconds
        step = np.median(np.diff(own)) if len(rows) > 1 else 0.0
        if step > seconds * (1 + _EDGE):
            nearest_in += 1
            after = np.clip(np.searchsorted(own, grid), 1, len(own) - 1)
            nearest = np.where(own[after] - grid < grid - own[after - 1], after, after - 1)
            chosen.append(rows[nearest])
            far = np.abs(own[nearest] - grid) >= step
            features.append(np.where(far[:, None], np.float32(np.nan), table.features[chosen[-1]]))
            values = {name: np.where(far, np.nan, column[chosen[-1]]) for name, column in table.numbers.items()}
        else:
            bins = np.minimum(np.floor(own / seconds + _EDGE).astype(int), count - 1)
            chosen.append(rows[np.clip(np.searchsorted(bins, np.arange(count)), 0, len(rows) - 1)])
            features.append(_means(table.features[rows], bins, count).astype(np.float32))
            values = {name: _means(column[rows], bins, count) for name, column in table.numbers.items()}
        values["time"] = times[rows[0]] + grid
        for name, column in values.items():
            numbers[name].append(column)
    result = replace(
        table.take(np.concatenate(chosen)),
        features=np.concatenate(features),
        numbers={name: np.concatenate(columns) for name, columns in numbers.items()},
    )
    return result, _consecutive(groups, chosen), nearest_in


def _unrounded(times: np.ndarray, seconds: float, rounding: float) -> np.ndarray:
    """Times from 0 on without what few decimals did to them, where they are on an even grid: 0.033 is 1/30 again."""
    if not 0 < rounding < seconds / 2 or len(times) < 2:
        return times
    median = np.median(np.diff(times))
    for step in (seconds, times[-1] / max(np.rint(times[-1] / median), 1)):
        grid = np.rint(times / step) * step
        if (np.abs(times - grid) <= rounding).all() and (np.diff(grid) > 0).all():
            return grid
    return times


def _means(values: np.ndarray, bins: np.ndarray, count: int) -> np.ndarray:
    """float64 `[count, ...]`: means of the finite values in each bin, NaN where there are none."""
    known = ~np.isnan(values)
    sums, counts = np.zeros((count, *values.shape[1:])), np.zeros((count, *values.shape[1:]))
    np.add.at(sums, bins, np.where(known, values, 0.0))
    np.add.at(counts, bins, known)
    with np.errstate(invalid="ignore"):
        return sums / counts


def _consecutive(groups: dict[str, np.ndarray], parts: list[np.ndarray]) -> dict[str, np.ndarray]:
    ends = np.cumsum([len(part) for part in parts])
    return {name: np.arange(end - len(part), end) for name, part, end in zip(groups, parts, ends, strict=True)}
