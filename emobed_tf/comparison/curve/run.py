"""A learning curve from an open folder of a cross-validation to its page.

curve.csv            scores by target, system, amount, draw and seed
curve-gains.csv      how much the area under each curve is above the reference's
curve-worth.csv      recordings of the target that the auxiliaries are worth, and how many of theirs do as much as one
curve-settings.csv   the settings that were chosen, by target, system, amount, draw and fold
curve-selection.csv  development and test scores of all configurations, with --show-selection
curve.md curve.html  all of it as tables, with the picture
curve.png curve.svg  the picture

Where classes are withheld, all of them are called missing-class instead of curve; missing-class.csv has the recall of
these classes, and missing-class-scores.csv the scores. Where recordings are counted, not speakers, it is
curve-recordings and missing-class-recordings.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from emobed_tf import console
from emobed_tf.comparison.audit.run import as_many_steps_cells
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold, pool_folds
from emobed_tf.comparison.crossvalidation.run import CrossValidation
from emobed_tf.comparison.curve.curves import Curve, Recall, stacked
from emobed_tf.comparison.curve.plan import CurvePlan
from emobed_tf.comparison.protocol import Cell, CellResult
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.errors import InputError
from emobed_tf.evaluation.speaker_statistics import SpeakerStatistics
from emobed_tf.systems.controls import AS_MANY_STEPS
from emobed_tf.systems.registry import controlled_system, find_system

Point = tuple[int, int] | str
"""Amount and draw of labels that are kept, draws from 1; or the class that is withheld."""


@dataclass(frozen=True)
class CurveResults:
    """What came out.

    Attributes:
        curves: by target and system.
        recalls: of withheld classes, by target and system.
        cells: what came out of every fold, each with its amount and draw, or the class that is withheld.
    """

    curves: Mapping[tuple[str, str], Curve]
    recalls: Mapping[tuple[str, str], Recall]
    cells: tuple[tuple[Point, CellResult], ...] = ()


def run_curve(validation: CrossValidation, plan: CurvePlan, systems: Sequence[str]) -> CurveResults:
    """Fits all systems with all amounts of labels, or what the folder still lacks of them.

    Args:
        validation: open.
        plan: points of the curve.
        systems: names; classic with as many steps as another needs that one among them.

    Returns:
        Curves, and recalls of withheld classes. What came to no result is left out, with the reason printed.

    Raises:
        InputError: if nothing came out at all.
    """
    counted = {name: controlled_system(name) for name in systems if name.partition("@")[0] == AS_MANY_STEPS}
    for name, system in counted.items():
        if system not in systems:
            raise InputError(f"--systems: {name} counts the steps of {find_system(system).title}; add {system}")
    results = validation.run(plan.cells([system for system in systems if system not in counted]))
    for name, system in counted.items():
        # Only now is known what classic has to keep up with.
        results += validation.run(as_many_steps_cells([r for r in results if r.cell.system == system], name))
    found = {(result.cell.scenario, result.cell.system): result for result in results}
    curves: dict[tuple[str, str], Curve] = {}
    recalls: dict[tuple[str, str], Recall] = {}
    reasons: list[str] = []
    for target in plan.validation.targets:
        for system in systems:

            def pooled(point: Point, target: str = target, system: str = system) -> OutOfFold:
                cells = plan.part(target, system, point)
                return _pooled(plan, target, system, cells, found)

            try:
                curves[target, system] = _curve(plan, target, system, pooled)
                if plan.withheld:
                    recalls[target, system] = _recall(plan, target, system, map(pooled, plan.withheld))
            except InputError as error:
                reasons.append(str(error))
    if not curves:
        raise InputError(f"no system came to a result: {reasons[0]}")
    for reason in dict.fromkeys(reasons):
        console.say(f"no result: {reason}", file=sys.stderr)
    return CurveResults(curves, recalls, _with_points(plan, results))


def _with_points(plan: CurvePlan, results: Sequence[CellResult]) -> tuple[tuple[Point, CellResult], ...]:
    """Results of all folds, each with its place on the curve, which is the same for all systems."""
    places: dict[Scenario, Point] = {}
    for target in plan.validation.targets:
        points: list[Point] = [*plan.points(target), *plan.withheld]
        places |= {
            cell.scenario: point for point in points for cell in plan.part(target, results[0].cell.system, point)
        }
    return tuple((places[result.cell.scenario], result) for result in results)


def _pooled(
    plan: CurvePlan,
    target: str,
    system: str,
    cells: Sequence[Cell],
    results: Mapping[tuple[Scenario, str], CellResult],
) -> OutOfFold:
    folds = [results[cell.scenario, system] for cell in cells if (cell.scenario, system) in results]
    whole = pool_folds(plan.validation, target, system, folds)
    if isinstance(whole, str):
        raise InputError(whole if not cells[0].scenario.labels else f"{whole} ({cells[0].scenario.labels})")
    return whole


def _curve(plan: CurvePlan, target: str, system: str, pooled: Callable[[Point], OutOfFold]) -> Curve:
    parts: dict[int, list[SpeakerStatistics]] = {}
    for amount, draw in plan.points(target):
        parts.setdefault(amount, []).append(pooled((amount, draw)).statistics)
    every = list(parts.values())
    fits, sums = stacked(every, max(map(len, every)))
    return Curve(
        target,
        system,
        find_system(system).title,
        tuple(parts),
        plan.labelled(target),
        every[0][0].speakers,
        fits,
        sums,
    )


def _recall(plan: CurvePlan, target: str, system: str, found: Iterable[OutOfFold]) -> Recall:
    parts = [result.statistics for result in found]
    fits, sums = stacked([[part] for part in parts], 1)
    withheld = tuple(map(plan.validation.corpus.classes.index, plan.withheld))
    seeds = tuple(seed for _, seed in fits)
    return Recall(target, system, find_system(system).title, parts[0].speakers, seeds, sums, withheld)
