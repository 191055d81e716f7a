"""A learning curve as tables, files and a page."""

import math
from collections.abc import Sequence
from typing import Any

from emobed_tf import console
from emobed_tf.comparison.contrasts import contrast
from emobed_tf.comparison.crossvalidation.gains import EXCLUDED, excluded_cell, p_text
from emobed_tf.comparison.crossvalidation.run import CrossValidation
from emobed_tf.comparison.crossvalidation.tables import show_grid, simulated, write_markdown
from emobed_tf.comparison.curve.curves import Curve, Recall, Worth, area_gain, recall_gain, worth
from emobed_tf.comparison.curve.plan import CurvePlan
from emobed_tf.comparison.curve.rows import (
    Corrected,
    Worths,
    gain_rows,
    recall_rows,
    score_rows,
    settings_rows,
    worth_rows,
)
from emobed_tf.comparison.curve.run import CurveResults
from emobed_tf.comparison.exploratory import selection_grids, write_selection
from emobed_tf.comparison.grids import Grid, decimals, interval_text, to_html
from emobed_tf.evaluation.caveats import least_p_note
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.evaluation.significance import Interval, bootstrap_interval, holm
from emobed_tf.files import write_bytes, write_csv
from emobed_tf.systems.registry import find_system


def report_curve(
    validation: CrossValidation, plan: CurvePlan, results: CurveResults, reference: str, primary: str | None
) -> None:
    """Prints a learning curve and writes its files.

    Args:
        validation: of the results; files go to its folder.
        plan: points of the curve.
        results: what came out.
        reference: name of the system that the others are compared with.
        primary: name of the system whose area against the reference's is the primary contrast; None: all is
            exploratory.
    """
    from emobed_tf.figures import label_curves, save  # Matplotlib takes a second, and `--help` needs none

    output, score, prefix = validation.output, plan.validation.scores[0], simulated(plan.validation)
    corpus = plan.validation.corpus
    gains = _gains(plan, results, reference, score)
    worths = _worths(plan, gains, score)
    grids, notes = [], []
    for target in plan.validation.targets:
        here = [curve for (name, _), curve in results.curves.items() if name == target]
        if not here:
            continue
        grids.append(curve_grid(plan, target, here, score))
        if gains[target]:
            grids.append(area_grid(plan, target, gains[target], score, primary))
            notes.append(_least_p(gains[target], target, len(plan.validation.targets)))
            helped = {system: found for (name, system), found in worths.items() if name == target}
            grids += [worth_grid(target, find_system(system).title, found) for system, found in helped.items()]
        recalls = {system: recall for (name, system), recall in results.recalls.items() if name == target}
        if recalls:
            grids.append(recall_grid(plan, target, recalls, reference))
    grids += selection_grids(validation.done, plan.validation.selection_score)
    for grid in grids:
        show_grid(grid)
    notes = [
        validation.budget.described,
        *_notes(plan, score, reference, bool(worths), bool(results.recalls)),
        *dict.fromkeys(notes),
    ]
    for note in notes:
        console.say(note)
    title = f"{prefix}{plan.validation.data_name}, {corpus.label}: "
    shown = f"{title}scores by how many labels the target has"
    title = f"{title}classes that the target has no label of" if plan.withheld else shown
    name = plan.name
    picture = save(label_curves(_points(results, score), title=shown, simulated=False), output / name)[0]
    write_markdown(output / f"{name}.md", title, grids, notes)
    write_bytes(output / f"{name}.html", to_html(title, grids, notes, {shown: picture.read_bytes()}).encode())
    files = {
        f"{name}-scores.csv" if plan.withheld else f"{name}.csv": score_rows(results, score),
        f"{name}-gains.csv": gain_rows(gains, primary),
        f"{name}-worth.csv": worth_rows(worths),
        f"{name}-settings.csv": settings_rows(results),
    }
    if plan.withheld:
        files[f"{name}.csv"] = recall_rows(plan, results)
    for file, rows in files.items():
        if rows:
            write_csv(output / file, [row | {"simulated": corpus.simulated} for row in rows])
    write_selection(output, validation.done, plan.validation.selection_score, f"{name}-selection.csv")
    print(f"page: {output}/{name}.html; tables: {output}/{name}.md, .csv; picture: {output}/{name}.png, .svg")


def curve_grid(plan: CurvePlan, target: str, curves: Sequence[Curve], score: str) -> Grid:
    """Scores by amount.

    Args:
        plan: points of the curve.
        target: of the curves.
        curves: of all systems on it.
        score: its name.

    Returns:
        A row for each system, a column for each amount.
    """
    rows = []
    for curve in curves:
        cells = [f"{decimals(i.estimate)} ({interval_text(i.low, i.high)})" for i in curve.intervals(score)]
        rows.append([curve.title, *cells])
    units = plan.settings.amounts_of
    labelled = curves[0].labelled
    columns = [
        f"{amount} {units[:-1] if amount == 1 else units}" + (f" ({n:.0f})" if units == "speakers" else "")
        for amount, n in zip(curves[0].amounts, labelled, strict=True)
    ]
    return Grid(f"{short_name(score)} from {target}, by labels of {target}", ["system", *columns], rows)


def area_grid(plan: CurvePlan, target: str, found: Sequence[Corrected], score: str, primary: str | None) -> Grid:
    """Areas under the curves beside the reference's.

    Args:
        plan: points of the curves.
        target: of the curves.
        found: gains over the reference on this target, each with its corrected p.
        score: its name.
        primary: see `report_curve`.

    Returns:
        A row for each system but the reference, with the difference at each amount.
    """
    units = plan.settings.amounts_of
    rows = []
    for gain, p_holm in found:
        at = [decimals(i.estimate, signed=True) for i in gain.at]
        part = contrast(gain.second.system, primary)
        evidence = [excluded_cell(gain.excluded), p_text(gain.test.p_value), p_text(p_holm)]
        rows.append([gain.second.title, *_cells(gain.interval), *evidence, part, *at])
    amounts = [f"at {amount}" for amount in found[0][0].first.amounts]
    title = f"Lead over {found[0][0].first.title} in {short_name(score)} from {target}: area, and by {units}"
    return Grid(title, ["system", "area", "95 %", "excluded above", "p", "p, Holm", "contrast", *amounts], rows)


def worth_grid(target: str, system: str, found: Sequence[Worth]) -> Grid:
    """What auxiliaries are worth in recordings of the target.

    Args:
        target: of the curves.
        system: title of the system.
        found: at each amount but the last.

    Returns:
        A row for each.
    """
    rows = []
    for point in found:
        middle, low, high = (_worth_text(point, value) for value in (point.recordings, point.low, point.high))
        rate = "" if point.rate is None else _rate_text(point, point.recordings, point.rate)
        cells = [middle, f"{low} to {high}", f"{point.auxiliary:.0f}", rate, _rates_text(point)]
        rows.append([f"{point.labelled:.0f}", *cells])
    return Grid(
        f"{system}: recordings of {target} that the auxiliaries are worth",
        ["labelled", "worth as many more", "95 %", "auxiliary recordings", "exchange rate", "95 %"],
        rows,
    )


def recall_grid(plan: CurvePlan, target: str, recalls: dict[str, Recall], reference: str) -> Grid:
    """How many recordings of withheld classes are recognised.

    Args:
        plan: that says which classes.
        target: of the results.
        recalls: by system.
        reference: name of the system that the others are compared with.

    Returns:
        A row for each system.
    """
    rows = []
    for system, recall in recalls.items():
        by_class = recall.recalls(recall.sums.sum(axis=0)).mean(axis=-1)
        mean = bootstrap_interval(recall.function, recall.sums)
        cells = [decimals(mean.estimate), interval_text(mean.low, mean.high), decimals(float(recall.named().mean()))]
        if system == reference or reference not in recalls:
            cells += ["", "", ""]
        else:
            gain, test = recall_gain(recalls[reference], recall)
            cells += [*_cells(gain), p_text(test.p_value)]
        rows.append([recall.title, *cells, *map(decimals, map(float, by_class))])
    chance = f"chance {decimals(1 / len(plan.validation.corpus.classes))}"
    return Grid(
        f"Recall of a class that {target} has no label of ({chance})",
        ["system", "mean", "95 %", "named wrongly", "lead", "95 %", "p", *plan.withheld],
        rows,
    )


def _gains(plan: CurvePlan, results: CurveResults, reference: str, score: str) -> dict[str, list[Corrected]]:
    """Of all systems over the reference, by target; p-values of a system are corrected over the targets."""
    targets = plan.validation.targets
    found: dict[str, list[Corrected]] = {target: [] for target in targets}
    for system in dict.fromkeys(name for _, name in results.curves if name != reference):
        gains = {}
        for target in targets:
            first, second = (results.curves.get((target, name)) for name in (reference, system))
            if first is not None and second is not None:
                gains[target] = area_gain(first, second, score)
        p_values = [gain.test.p_value for gain in gains.values()]
        corrected = holm(p_values + [1.0] * (len(targets) - len(gains)))
        for (target, gain), p_holm in zip(gains.items(), corrected, strict=False):
            found[target].append((gain, p_holm))
    return found


def _worths(plan: CurvePlan, gains: dict[str, list[Corrected]], score: str) -> Worths:
    """What auxiliaries are worth to every system that reads them, by target and system."""
    found = {}
    for target, here in gains.items():
        helped = [gain for gain, _ in here if find_system(gain.second.system).crossmodal]
        auxiliary = plan.auxiliary_recordings(target)
        for gain in helped if len(plan.amounts[target]) > 1 else ():
            found[target, gain.second.system] = worth(gain.first, gain.second, score, auxiliary)
    return found


def _notes(plan: CurvePlan, score: str, reference: str, worths: bool, classes: bool) -> list[str]:
    units, draws = plan.settings.amounts_of, plan.settings.draws
    notes = [
        f"Only the target's training labels are fewer: the auxiliaries, development and test are whole. Means over "
        f"{draws} {'draw' if draws == 1 else 'draws'} of {units} and over seeds; intervals over speakers. In "
        "parentheses beside an amount: how many recordings that is.",
        f"The area is the mean {short_name(score)} along the curve, each doubling of recordings counted alike. p: "
        f"one-sided sign-flip test over speakers, by Holm's method corrected over the targets. {EXCLUDED} All "
        "but the primary contrast, and the leads at single amounts, is exploratory.",
    ]
    if worths:
        notes.append(
            f"Worth: how many more labelled recordings {find_system(reference).title} would need for the same score, "
            "read from its own curve; '>=' where its curve ends. Exchange rate: how many recordings of the auxiliaries "
            "do as much as one more of the target; '<=' where that curve ends, 'no limit' where all of them may be "
            "worth less than one."
        )
    if classes:
        notes.append(
            "A withheld class: the target's training and development labels of the class are gone, one class at a "
            "time. 'Named wrongly' is the share of other recordings that are taken for it; without knowing the class, "
            "a system finds as many of its recordings as that. p: one-sided exchange test over speakers."
        )
    return notes


def _least_p(found: Sequence[Corrected], target: str, targets: int) -> str:
    test = found[0][0].test
    note = least_p_note(test.units, test.exact, cross_validated=True, targets=targets)
    return f"{target}: {note}" if targets > 1 else note


def _points(results: CurveResults, score: str) -> list[dict[str, Any]]:
    return [
        {
            "target": curve.target,
            "system": curve.title,
            "labelled": float(labelled),
            "mean": interval.estimate,
            "low": interval.low,
            "high": interval.high,
            "score": score,
        }
        for curve in results.curves.values()
        for labelled, interval in zip(curve.labelled, curve.intervals(score), strict=True)
    ]


def _cells(interval: Interval) -> list[str]:
    return [decimals(interval.estimate, signed=True), interval_text(interval.low, interval.high, True)]


def _worth_text(point: Worth, recordings: float) -> str:
    return f"{'>= ' if point.bounded(recordings) else ''}{recordings:.0f}"


def _rate_text(point: Worth, recordings: float, rate: float) -> str:
    """A rate; where the worth is at least so many recordings, it is at most that."""
    return f"{'<= ' if point.bounded(recordings) else ''}{rate:.1f}"


def _rates_text(point: Worth) -> str:
    """The interval of a rate, whose lower end is that of the larger worth."""
    if point.rates is None:
        return ""
    low, high = point.rates
    upper = "no limit" if math.isinf(high) else _rate_text(point, point.low, high)
    return f"{_rate_text(point, point.high, low)} to {upper}"
