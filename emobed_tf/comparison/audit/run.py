"""An audit from an open folder to its verdict."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from emobed_tf import console
from emobed_tf.comparison.audit.verdict import (
    CLASSIC,
    CONTROLS,
    CRITERION,
    EMOBED,
    Verdict,
    conclusion,
    verdict_grid,
    verdicts,
)
from emobed_tf.comparison.crossvalidation.gains import caveats
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFoldResults
from emobed_tf.comparison.crossvalidation.run import CrossValidation, pool_results
from emobed_tf.comparison.crossvalidation.tables import show_grid, simulated, write_markdown
from emobed_tf.comparison.protocol import Cell, CellResult
from emobed_tf.comparison.trials import Source
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.files import write_csv
from emobed_tf.systems.controls import AS_MANY_STEPS, ProblemWithEmoBed
from emobed_tf.systems.registry import control_name, find_system


def audited_systems(primary: str = EMOBED) -> tuple[str, ...]:
    """What an audit needs.

    Args:
        primary: name of the system that is audited.

    Returns:
        Classic, the system, and its controls.

    Raises:
        InputError: if there are no controls of such a system.
    """
    names = tuple(control_name(control, primary) for control in CONTROLS)
    for name in names:
        find_system(name)
    return (CLASSIC, primary, *names)


def run_audit(validation: CrossValidation, systems: Sequence[str], primary: str = EMOBED) -> OutOfFoldResults:
    """Results of EmoBed, classic, the controls and whatever else is wanted.

    Args:
        validation: open.
        systems: `audited_systems` and others.
        primary: name of the system that is audited.

    Returns:
        By target and system.
    """
    last = control_name(AS_MANY_STEPS, primary)
    results = validation.run(validation.plan.cells([system for system in systems if system != last]))
    # Only now is known what classic has to keep up with.
    results += validation.run(as_many_steps_cells([r for r in results if r.cell.system == primary], last))
    return pool_results(validation.plan, results)


def report_verdicts(validation: CrossValidation, results: OutOfFoldResults, primary: str = EMOBED) -> list[Verdict]:
    """Prints the verdict and writes it as `verdict.md` and `verdict.csv`.

    Args:
        validation: of the results.
        results: by target and system.
        primary: name of the system that is audited.

    Returns:
        The verdict on each target.
    """
    plan, output = validation.plan, validation.output
    score = plan.scores[0]
    found = verdicts(results, plan.targets, score, primary)
    grids = [verdict_grid(verdict, short_name(score), simulated(plan)) for verdict in found]
    sentences = [sentence for verdict in found for sentence in verdict.sentences]
    for grid in grids:
        show_grid(grid)
    compared = [(verdict.title, verdict.gain) for verdict in found if verdict.gain is not None]
    limits = caveats(compared, len(plan.targets))
    for line in (CRITERION, *limits, *sentences, conclusion(found, plan.corpus.simulated)):
        console.say(line)
    title = f"{simulated(plan)}Is it transfer? {plan.data_name}, {plan.corpus.label}"
    notes = [
        conclusion(found, plan.corpus.simulated),
        *(sentence.strip() for sentence in sentences),
        CRITERION,
        *limits,
    ]
    write_markdown(output / "verdict.md", title, grids, notes)
    rows = [
        asdict(gain)
        | {"beaten": gain.better, "detectable_by_rule": verdict.detectable, "simulated": plan.corpus.simulated}
        for verdict in found
        for gain in (verdict.gain, *verdict.over_controls.values())
        if gain is not None
    ]
    write_csv(output / "verdict.csv", rows)
    print(f"verdict: {output}/verdict.md, .csv")
    return found


@dataclass(frozen=True)
class SourceWithEmoBed:
    """A source with the settings that EmoBed was chosen with there.

    Attributes:
        source: of the problem.
        emobed: those settings as JSON.
        epochs: seeds with which EmoBed has been trained there, and how many epochs each of these trainings took.
    """

    source: Source
    emobed: str
    epochs: tuple[tuple[int, int], ...] = ()

    def __call__(self) -> ProblemWithEmoBed:
        """The source's problem, with EmoBed's settings and epochs beside it."""
        problem, settings = self.source(), json.loads(self.emobed)
        return ProblemWithEmoBed(problem.config, problem.corpus, settings, dict(self.epochs), session=problem.session)


def as_many_steps_cells(results: Sequence[CellResult], name: str = AS_MANY_STEPS) -> list[Cell]:
    """Cells of `AsManySteps` for those in which EmoBed has been chosen.

    Args:
        results: of EmoBed; where all configurations failed, there is nothing to keep up with.
        name: of the control, if it keeps up with another system.

    Returns:
        One for each such result, in their order.
    """
    return [_as_many_steps_cell(result, name) for result in results if result.settings is not None]


def _as_many_steps_cell(result: CellResult, name: str) -> Cell:
    cell, settings = result.cell, json.dumps(result.settings, sort_keys=True)
    # The final fits were trained on the source itself. Records of earlier versions don't say how long.
    epochs = tuple((run["seed"], run["epochs_done"]) for run in result.runs if run.get("epochs_done"))
    splits = tuple(SourceWithEmoBed(split, settings) for split in cell.splits)
    return Cell(cell.scenario, SourceWithEmoBed(cell.source, settings, epochs), name, splits)
