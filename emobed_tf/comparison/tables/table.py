"""A table of systems for people (terminal, Markdown, HTML) and for programs (CSV)."""

import json
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from emobed_tf import datasets
from emobed_tf.comparison.budget import Budget
from emobed_tf.comparison.contrasts import EXPLORATORY
from emobed_tf.comparison.grids import Grid, decimals, interval_text, settings_text
from emobed_tf.comparison.tables.entries import WEIGHTS_OF_AUXILIARIES, Entry
from emobed_tf.comparison.tables.plan import CLASSIC, TablePlan
from emobed_tf.corpora.configured import data_name
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.evaluation.caveats import disagreement, least_p_note, published_note, transduction
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.evaluation.scores import SCORED_PARTITIONS
from emobed_tf.evaluation.significance import DRAWS, LEVEL, Interval
from emobed_tf.evaluation.speaker_statistics import Summary
from emobed_tf.settings import SPEAKER
from emobed_tf.systems.registry import find_system

BY_SPEAKER, AS_PUBLISHED = "*", "†"
"""Marks of the exchange test by speaker, and of the paper's test."""
ALL_MODALITIES, PAIRED_TRAINING = "‡", "§"
"""Marks of a system that needs all modalities at inference, and of one that needs paired recordings in training."""

_NONE = "-"
_SECONDS = "seconds per fit"


def table_title(plan: TablePlan, label: str, score: str, simulated: bool) -> str:
    """What the table is, in one line.

    Args:
        plan: of the table.
        label: what is recognised.
        score: name of the score.
        simulated: whether any of the data are.

    Returns:
        Such as `Table 1: CCC of arousal, recola`, or `Comparison: F1 macro of emotion, audio.csv and face.csv`.
    """
    what = f"{short_name(score)} of {label}"
    data = _data_set(plan) if isinstance(plan.name, int) else data_name(plan.config.data)
    return f"{'SIMULATED: ' if simulated else ''}{plan.heading}: {what}, {data}"


def table_grids(plan: TablePlan, entries: Sequence[Entry]) -> list[Grid]:
    """One table for each scenario, the rows in the plan's order.

    Args:
        plan: of the table.
        entries: its rows.

    Returns:
        One for each scenario; the settings that were chosen are the last column.
    """
    printed = any(entry.published for entry in entries)
    partitions = _partitions(entries)
    last = _last(entries)
    columns = ["system", *partitions, f"{last}, 95 %", f"gain over {_name(plan, plan.reference)}", "95 %"]
    columns += ["excluded above", "p by speaker", f"p {_test(plan)}", "contrast"]
    if printed:
        columns.append(plan.published.source)
    columns += ["parameters at inference", _SECONDS, "settings"]
    found = []
    for scenario in plan.scenarios:
        rows = [
            [*_row(plan, entry, partitions, last, printed), *_cost(entry), _settings(entry)]
            for entry in entries
            if entry.scenario == scenario
        ]
        found.append(Grid(scenario.name, columns, rows))
    return found


def settings_grid(plan: TablePlan, entries: Sequence[Entry]) -> Grid:
    """The settings that each system was chosen with, a column for each scenario.

    Args:
        plan: of the table.
        entries: its rows.

    Returns:
        A row for each system that has been fitted.
    """
    chosen = {(entry.row, entry.scenario): _settings(entry) for entry in entries}
    rows = [[_title(plan, row), *(chosen[row, scenario] for scenario in plan.scenarios)] for row in plan.systems]
    return Grid("settings, chosen on development", ["system", *(s.name for s in plan.scenarios)], rows)


def narrow(grid: Grid) -> Grid:
    """A table for a terminal or a page of paper: without settings, times and the systems' own intervals.

    Args:
        grid: from `table_grids`.

    Returns:
        The same rows with fewer columns.
    """
    shown = [k for k, column in enumerate(grid.columns) if not column.endswith((", 95 %", _SECONDS, "settings"))]
    return Grid(grid.title, [grid.columns[k] for k in shown], [[row[k] for k in shown] for row in grid.rows])


def table_notes(
    plan: TablePlan, entries: Sequence[Entry], problem_score: str, budget: Budget | None = None
) -> list[str]:
    """What a reader has to know, and why cells are empty.

    Args:
        plan: of the table.
        entries: its rows.
        problem_score: name of the score that settings were chosen by.
        budget: how they were chosen.

    Returns:
        One sentence or more each.
    """
    results = [entry.result for entry in entries if entry.result]
    first = next((run for result in results for run in result.runs), None)
    seeds = _range(len(result.runs) for result in results if result.runs)
    tried = _range(len(result.tried) for result in results if result.tried)
    over = _name(plan, plan.reference)
    test = "Fisher's r-to-z over frames" if plan.task == REGRESSION else "the z-test of the shares of right answers"
    averaged = f"Scores are means ± standard deviations (n - 1) over {seeds} seeds."
    averaged = "Scores are those of one seed." if seeds == "1" else averaged
    lines = [
        f"{averaged} Each system tried {tried} {'setting' if tried == '1' else 'settings'} on development, chose by "
        f"{short_name(problem_score)}, and only its fits with the chosen ones were evaluated on the test set.",
        *([budget.described] if budget else []),
        f"Gain: difference of the means from {over}. All intervals are the bootstrap's over speakers, percentiles of "
        f"{DRAWS:,} draws.",
        f"p by speaker: whether the system is better than {over}, by the exchange test over speakers, one-sided; this "
        f"is the evidence, {BY_SPEAKER} below {LEVEL}. Scores are averaged over the seeds first; a speaker is "
        "exchanged in all of them at once. It is not corrected for the number of systems or of scenarios.",
        *_contrast_notes(plan),
        f"p {_test(plan)}: {test} of the means over seeds, {AS_PUBLISHED} below {LEVEL}. "
        f"{published_note(plan.task == REGRESSION)}",
        *_evidence_notes(plan, entries),
    ]
    seeing = [_title(plan, row) for row in plan.systems if find_system(row).transductive]
    lines += transduction(plan.config.data.standardise == SPEAKER, seeing)
    needed = {find_system(row).pairs for row in plan.systems}
    if "inference" in needed:
        lines.append(
            f"{ALL_MODALITIES} needs paired streams, and all modalities at inference: it shows what they could give "
            "together, and doesn't compete with systems that read one."
        )
    if "training" in needed:
        lines.append(f"{PAIRED_TRAINING} needs paired recordings in training, and the target alone at inference.")
    if first is not None:
        counts = ", ".join(f"{len(part['speakers'])} in {name}" for name, part in first["partitions"].items())
        lines.append(f"Speakers: {counts}.")
    lines += plan.remarks
    failed = [(entry.row, entry.result) for entry in entries if entry.result and entry.result.failed]
    lines += dict.fromkeys(
        f"{_title(plan, row)} on {found.cell.scenario.name}: {found.failed}" for row, found in failed
    )
    doubts = sorted({_title(plan, e.row) for e in entries if e.result for run in e.result.runs if run["warnings"]})
    if doubts:
        lines.append(f"Final fits that warned (see `warnings` in the ledger): {', '.join(doubts)}.")
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
    last = _last(entries)
    for entry in entries:
        for part in SCORED_PARTITIONS:
            if part in entry.scores or part in entry.published or (part == "dev" and not entry.scores):
                found.append(
                    {
                        "table": plan.name,
                        "dataset": _data_set(plan),
                        "simulated": simulated,
                        "label": label,
                        "score": score,
                        "target": entry.scenario.target,
                        "auxiliaries": "+".join(entry.scenario.auxiliaries),
                        "system": entry.row,
                        "title": _title(plan, entry.row),
                        "partition": part,
                        **_values(plan, entry, part, last),
                    }
                )
    return found


def _partitions(entries: Sequence[Entry]) -> list[str]:
    return [part for part in SCORED_PARTITIONS if any(part in e.scores or part in e.published for e in entries)]


def _last(entries: Sequence[Entry]) -> str:
    """The partition whose gains count: test, where there are scores of it."""
    return (_partitions(entries) or SCORED_PARTITIONS[:1])[-1]


def _contrast_notes(plan: TablePlan) -> list[str]:
    """Which gain the table is made for, and what the bound beside a gain says."""
    if plan.primary is None:
        return []
    where = ", in the first scenario of each target" if plan.repeats_targets else ""
    return [
        f"Primary contrast: {_title(plan, plan.primary)} against {_name(plan, plan.reference)}{where}. All other gains "
        "are exploratory: a small p is a reason to look again, not a result.",
        "Excluded above: larger true gains are excluded, one-sided at 95 %, by the sign-flip test of the speakers' own "
        "differences and by the interval. It takes five speakers or more.",
    ]


def _evidence_notes(plan: TablePlan, entries: Sequence[Entry]) -> list[str]:
    """How small p can get, where an interval says something else, and which rows are equivalent to classic."""
    last = _last(entries)
    named: dict[str, list[str]] = {}
    least: dict[str, None] = {}
    for entry in entries:
        gain, where = entry.differences.get(last), f"{_title(plan, entry.row)} on {entry.scenario.name}"
        if entry.is_classic:
            named.setdefault(f"{_weights(entry)} was chosen: the row is equivalent to classic.", []).append(where)
        if gain is None:
            continue
        least[f"In {last}: {least_p_note(gain.exchange.units, gain.exchange.exact)}"] = None
        ends = (gain.interval.low, gain.interval.high) if gain.interval else (None, None)
        doubt = disagreement(gain.exchange.p_value, *ends)
        if doubt:
            named.setdefault(doubt, []).append(where)
    return [*least, *(f"{'; '.join(rows)}: {note}" for note, rows in named.items())]


def _weights(entry: Entry) -> str:
    settings = (entry.result and entry.result.settings) or {}
    return " and ".join(f"{name} 0" for name in WEIGHTS_OF_AUXILIARIES if name in settings)


def _data_set(plan: TablePlan) -> str:
    return datasets.get(plan.config.data.dataset).name


def _test(plan: TablePlan) -> str:
    return "Fisher" if plan.task == REGRESSION else "z-test"


def _range(numbers: Iterable[int]) -> str:
    found = sorted(set(numbers))
    return "0" if not found else str(found[0]) if len(found) == 1 else f"{found[0]} to {found[-1]}"


def _settings(entry: Entry) -> str:
    settings = entry.result.settings if entry.result and entry.result.runs else None
    if settings is None:
        return _NONE
    text = settings_text(settings)
    return f"{text} (this is classic)" if entry.is_classic else text


def _values(plan: TablePlan, entry: Entry, part: str, last: str) -> dict[str, Any]:
    runs = entry.result.runs if entry.result else ()
    summary, gain = entry.scores.get(part), entry.differences.get(part)
    minus = f"minus_{CLASSIC if plan.reference == CLASSIC else 'reference'}"
    return {
        "mean": summary and summary.mean,
        "deviation": summary and summary.deviation,
        "seeds": len(runs),
        "low": summary and summary.low,
        "high": summary and summary.high,
        minus: gain and gain.difference,
        f"{minus}_low": gain and gain.interval and gain.interval.low,
        f"{minus}_high": gain and gain.interval and gain.interval.high,
        "excluded": gain and gain.excluded,
        "contrast": gain and (plan.contrast(entry.row, entry.scenario) if part == last else EXPLORATORY),
        "p_by_speaker": gain and gain.exchange.p_value,
        "p_exact": gain and gain.exchange.exact,
        "speakers": len(runs[0]["partitions"][part]["speakers"]) if summary else None,
        "p_as_published": gain and gain.published,
        "n_as_published": runs[0]["partitions"][part]["frames"] if summary else None,
        "published": entry.published.get(part),
        "parameters": runs[0]["parameters"] if runs else None,
        "training_seconds": statistics.fmean(run["seconds"] for run in runs) if runs else None,
        "settings": json.dumps(entry.result.settings) if entry.result and runs else None,
        "is_classic": entry.is_classic,
        "configurations": len(entry.result.tried) if entry.result else 0,
        "problem": entry.result.failed if entry.result else plan.published.unfitted[entry.row].reason,
    }


def _row(plan: TablePlan, entry: Entry, partitions: Sequence[str], last: str, printed: bool) -> list[str]:
    gain = entry.differences.get(last)
    cells = [_title(plan, entry.row)]
    for part in partitions:
        summary = entry.scores.get(part)
        spread = f"±{decimals(summary.deviation)}" if summary and len(summary.values) > 1 else ""
        cells.append(f"{decimals(summary.mean)}{spread}" if summary else _NONE)
    cells.append(_interval(entry.scores.get(last)))
    cells.append(decimals(gain.difference, signed=True) if gain else _NONE)
    cells.append(_interval(gain.interval if gain else None, signed=True))
    cells.append(_NONE if gain is None or gain.excluded is None else decimals(gain.excluded, signed=True))
    cells.append(_p(gain.exchange.p_value if gain else None, BY_SPEAKER))
    cells.append(_p(gain.published if gain else None, AS_PUBLISHED))
    cells.append(plan.contrast(entry.row, entry.scenario) if gain else _NONE)
    if printed:
        cells.append("/".join(decimals(entry.published[p]) if p in entry.published else _NONE for p in partitions))
    return cells


def _cost(entry: Entry) -> list[str]:
    runs = entry.result.runs if entry.result else ()
    if not runs:
        return [_NONE, _NONE]
    count = runs[0]["parameters"]
    return [f"{count:,}" if count is not None else _NONE, f"{statistics.fmean(r['seconds'] for r in runs):.1f}"]


def _title(plan: TablePlan, row: str) -> str:
    """What a row is called, with the mark of those that need pairs."""
    if row in plan.published.unfitted:
        return plan.published.unfitted[row].title
    system = find_system(row)
    mark = {"never": "", "training": f" {PAIRED_TRAINING}", "inference": f" {ALL_MODALITIES}"}[system.pairs]
    return f"{system.title}{mark}"


def _name(plan: TablePlan, row: str) -> str:
    return "classic" if row == CLASSIC else find_system(row).title


def _interval(ends: Summary | Interval | None, signed: bool = False) -> str:
    if ends is None or ends.low is None or ends.high is None:
        return _NONE
    return interval_text(ends.low, ends.high, signed)


def _p(value: float | None, mark: str) -> str:
    if value is None:
        return _NONE
    return f"{decimals(value, digits=4)}{mark if value < LEVEL else ''}"
