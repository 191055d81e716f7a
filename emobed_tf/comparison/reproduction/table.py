"""A reproduced table for people (terminal, Markdown, HTML) and for programs (CSV)."""

import json
import statistics
from collections.abc import Sequence
from typing import Any

from emobed_tf import datasets
from emobed_tf.comparison.grids import Grid, decimals, interval_text
from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.reproduction.entries import Entry
from emobed_tf.comparison.reproduction.plan import TablePlan
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.evaluation.scores import SCORED_PARTITIONS
from emobed_tf.evaluation.significance import LEVEL, Interval
from emobed_tf.evaluation.speaker_statistics import Summary
from emobed_tf.systems.registry import find_system

BY_SPEAKER, AS_PUBLISHED = "*", "†"
"""Marks of the exchange test by speaker, and of the paper's test."""
ALL_MODALITIES = "‡"
"""Mark of a system that needs all modalities at inference."""

_END_TO_END = "end-to-end"
_NO_RAW = "end-to-end needs raw recordings, which a package of features doesn't hold"
_NONE = "-"


def table_title(plan: TablePlan, label: str, score: str, simulated: bool) -> str:
    """What the table is, in one line.

    Args:
        plan: of the table.
        label: what is recognised.
        score: name of the score.
        simulated: whether any of the data are.

    Returns:
        Such as `Table 1: CCC of arousal, recola`.
    """
    what = f"{short_name(score)} of {label}"
    return f"{'SIMULATED: ' if simulated else ''}Table {plan.number}: {what}, {_data_set(plan)}"


def table_grids(plan: TablePlan, entries: Sequence[Entry]) -> list[Grid]:
    """One table for each scenario, the rows in the plan's order.

    Args:
        plan: of the table.
        entries: its rows.

    Returns:
        One for each scenario.
    """
    printed = any(entry.published for entry in entries)
    partitions = [part for part in SCORED_PARTITIONS if any(part in e.scores or part in e.published for e in entries)]
    last = partitions[-1] if partitions else SCORED_PARTITIONS[0]
    columns = ["system", *partitions, f"{last}, 95 %", "- classic", "95 %", "p swap", f"p {_test(plan)}"]
    if printed:
        columns.append(published.SOURCE[plan.config.data.dataset])
    columns += ["kept", "fit"]
    found = []
    for scenario in plan.scenarios:
        rows = [
            _row(entry, partitions, last, printed) + _cost(entry) for entry in entries if entry.scenario == scenario
        ]
        found.append(Grid(scenario.name, columns, rows))
    return found


def narrow(grid: Grid) -> Grid:
    """A table without the systems' own intervals, for a terminal: the differences' stay.

    Args:
        grid: from `table_grids`.

    Returns:
        The same rows with fewer columns.
    """
    shown = [k for k, column in enumerate(grid.columns) if not column.endswith(", 95 %")]
    return Grid(grid.title, [grid.columns[k] for k in shown], [[row[k] for k in shown] for row in grid.rows])


def table_notes(plan: TablePlan, entries: Sequence[Entry], problem_score: str) -> list[str]:
    """What a reader has to know, and why cells are empty.

    Args:
        plan: of the table.
        entries: its rows.
        problem_score: name of the score that settings were chosen by.

    Returns:
        One sentence or more each.
    """
    paired = any(find_system(row).paired for row in plan.systems)
    first = next((run for e in entries if e.result for run in e.result.runs), None)
    seeds = max((len(e.result.runs) for e in entries if e.result), default=0)
    tried = max((len(e.result.tried) for e in entries if e.result), default=0)
    test = "Fisher's r-to-z over frames" if plan.task == REGRESSION else "z-test of the shares of right answers"
    lines = [
        f"mean ± standard deviation over seeds, up to {seeds}; each row tried configurations on development, up to "
        f"{tried}, and only fits with the chosen one saw test",
        f"p swap: better than classic by the exchange test over speakers, one-tailed, the evidence, {BY_SPEAKER} below "
        f"{LEVEL}; p {_test(plan)}: the paper's test ({test}), which takes frames or utterances for independent and "
        f"finds a difference between equally good systems in about 4 of 10 cases, {AS_PUBLISHED} below {LEVEL}",
        "- classic: difference of the means, and its interval: bootstrap over speakers, as of the scores",
        "kept: parameters at inference; fit: seconds of one"
        + (f"; {ALL_MODALITIES}: needs paired streams, and all modalities at inference" if paired else ""),
    ]
    if first is not None:
        counts = ", ".join(f"{len(part['speakers'])} {name}" for name, part in first["partitions"].items())
        lines.append(f"speakers: {counts}; score: {problem_score}")
    if plan.missing:
        lines.append(f"left out: the paper's scenarios with {', '.join(plan.missing)}, which these data lack")
    failed = [(entry.row, entry.result) for entry in entries if entry.result and entry.result.failed]
    lines += dict.fromkeys(f"{_title(row)} on {found.cell.scenario.name}: {found.failed}" for row, found in failed)
    doubts = sorted({_title(e.row) for e in entries if e.result for run in e.result.runs if run["warnings"]})
    if doubts:
        lines.append(f"final fits that warned (see the ledger's `warnings`): {', '.join(doubts)}")
    if published.END_TO_END in plan.rows:
        source = published.SOURCE[published.DATA_SETS[plan.number]]
        lines.append(f"{_NO_RAW}; {source}, dev/test: {_end_to_end(plan.number)}")
    return lines


def table_rows(
    plan: TablePlan, entries: Sequence[Entry], label: str, score: str, simulated: bool
) -> list[dict[str, Any]]:
    """One row for each system, scenario and partition.

    Args:
        plan: of the table.
        entries: its rows.
        label: what is recognised.
        score: name of the score.
        simulated: whether any of the data are.

    Returns:
        Rows of `table.csv`.
    """
    found = []
    for entry in entries:
        for part in SCORED_PARTITIONS:
            if part in entry.scores or part in entry.published or (part == "dev" and not entry.scores):
                found.append(
                    {
                        "table": plan.number,
                        "dataset": _data_set(plan),
                        "simulated": simulated,
                        "label": label,
                        "score": score,
                        "target": entry.scenario.target,
                        "auxiliaries": "+".join(entry.scenario.auxiliaries),
                        "system": entry.row,
                        "title": _title(entry.row),
                        "partition": part,
                        **_values(entry, part),
                    }
                )
    return found


def _data_set(plan: TablePlan) -> str:
    return datasets.get(plan.config.data.dataset).name


def _test(plan: TablePlan) -> str:
    return "Fisher" if plan.task == REGRESSION else "z-test"


def _end_to_end(number: int) -> str:
    values = published.values(number)
    found = {
        names[0]: "/".join(decimals(values[published.END_TO_END, names, part]) for part in SCORED_PARTITIONS)
        for names in published.modalities(number)
        if (published.END_TO_END, names, SCORED_PARTITIONS[0]) in values
    }
    return ", ".join(f"{target} {pair}" for target, pair in found.items())


def _values(entry: Entry, part: str) -> dict[str, Any]:
    runs = entry.result.runs if entry.result else ()
    summary, gain = entry.scores.get(part), entry.differences.get(part)
    return {
        "mean": summary and summary.mean,
        "deviation": summary and summary.deviation,
        "seeds": len(runs),
        "low": summary and summary.low,
        "high": summary and summary.high,
        "minus_classic": gain and gain.difference,
        "minus_classic_low": gain and gain.interval and gain.interval.low,
        "minus_classic_high": gain and gain.interval and gain.interval.high,
        "p_by_speaker": gain and gain.exchange.p_value,
        "p_exact": gain and gain.exchange.exact,
        "speakers": len(runs[0]["partitions"][part]["speakers"]) if summary else None,
        "p_as_published": gain and gain.published,
        "n_as_published": runs[0]["partitions"][part]["frames"] if summary else None,
        "published": entry.published.get(part),
        "parameters": runs[0]["parameters"] if runs else None,
        "training_seconds": statistics.fmean(run["seconds"] for run in runs) if runs else None,
        "settings": json.dumps(entry.result.settings) if entry.result and runs else None,
        "configurations": len(entry.result.tried) if entry.result else 0,
        "problem": entry.result.failed if entry.result else _NO_RAW,
    }


def _row(entry: Entry, partitions: Sequence[str], last: str, printed: bool) -> list[str]:
    gain = entry.differences.get(last)
    cells = [_title(entry.row)]
    for part in partitions:
        summary = entry.scores.get(part)
        cells.append(f"{decimals(summary.mean)}±{decimals(summary.deviation)}" if summary else _NONE)
    cells.append(_interval(entry.scores.get(last)))
    cells.append(decimals(gain.difference, signed=True) if gain else _NONE)
    cells.append(_interval(gain.interval if gain else None, signed=True))
    cells.append(_p(gain.exchange.p_value if gain else None, BY_SPEAKER))
    cells.append(_p(gain.published if gain else None, AS_PUBLISHED))
    if printed:
        cells.append("/".join(decimals(entry.published[p]) if p in entry.published else _NONE for p in partitions))
    return cells


def _cost(entry: Entry) -> list[str]:
    runs = entry.result.runs if entry.result else ()
    if not runs:
        return [_NONE, _NONE]
    count = runs[0]["parameters"]
    return [f"{count:,}" if count is not None else _NONE, f"{statistics.fmean(r['seconds'] for r in runs):.1f} s"]


def _title(row: str) -> str:
    if row == published.END_TO_END:
        return _END_TO_END
    system = find_system(row)
    return f"{system.title} {ALL_MODALITIES}" if system.paired else system.title


def _interval(ends: Summary | Interval | None, signed: bool = False) -> str:
    if ends is None or ends.low is None or ends.high is None:
        return _NONE
    return interval_text(ends.low, ends.high, signed)


def _p(value: float | None, mark: str) -> str:
    if value is None:
        return _NONE
    return f"{decimals(value, digits=4)}{mark if value < LEVEL else ''}"
