"""An audit from an open folder to its verdict."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

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
from emobed_tf.comparison.crossvalidation.out_of_fold import Results
from emobed_tf.comparison.crossvalidation.run import do, gathered
from emobed_tf.comparison.crossvalidation.runner import Runner
from emobed_tf.comparison.crossvalidation.tables import name_of, show, simulated, write_markdown
from emobed_tf.comparison.protocol import Cell, Result
from emobed_tf.comparison.trials import Source
from emobed_tf.files import write_csv
from emobed_tf.systems.controls import AS_MANY_STEPS, PacedProblem

SYSTEMS = (CLASSIC, EMOBED, *CONTROLS)
"""What an audit needs."""


def audited(runner: Runner, systems: Sequence[str]) -> Results:
    """Results of EmoBed, classic, the controls and whatever else is wanted.

    Args:
        runner: of the plan.
        systems: `SYSTEMS` and others.
    """
    first = runner.plan.cells([system for system in systems if system != AS_MANY_STEPS])
    found = do(runner, first)
    emobed = [position for position, cell in enumerate(first) if cell.system == EMOBED]
    # Only now is known what classic has to keep up with.
    second = paced([first[k] for k in emobed], [found[k] for k in emobed])
    found += do(runner, second)
    return gathered(runner, [*first, *second], found)


def reported(runner: Runner, results: Results) -> list[Verdict]:
    """Prints the verdict and writes it as `verdict.md` and `verdict.csv`.

    Args:
        runner: of the plan.
        results: by target and system.

    Returns:
        The verdict on each target.
    """
    plan = runner.plan
    score = plan.scores[0]
    found = verdicts(results, plan.targets, score)
    grids = [verdict_grid(verdict, name_of(score), simulated(plan)) for verdict in found]
    sentences = [sentence for verdict in found for sentence in verdict.sentences]
    for grid in grids:
        show(grid)
    for line in (CRITERION, *sentences, conclusion(found, plan.corpus.simulated)):
        print(line)
    title = f"{simulated(plan)}Is it transfer? {plan.corpus.name}, {plan.corpus.label}"
    notes = [conclusion(found, plan.corpus.simulated), *(sentence.strip() for sentence in sentences), CRITERION]
    write_markdown(runner.output / "verdict.md", title, grids, notes)
    leads = [gain for verdict in found for gain in (verdict.gain, *verdict.over_controls.values()) if gain is not None]
    write_csv(
        runner.output / "verdict.csv",
        [asdict(gain) | {"beaten": gain.better, "simulated": plan.corpus.simulated} for gain in leads],
    )
    print(f"verdict: {runner.output}/verdict.md, .csv")
    return found


@dataclass(frozen=True)
class PacedSource:
    """A source with the settings that EmoBed was chosen with there.

    Attributes:
        source: of the problem.
        emobed: those settings as JSON.
    """

    source: Source
    emobed: str

    def __call__(self) -> PacedProblem:
        problem = self.source()
        return PacedProblem(problem.config, problem.corpus, json.loads(self.emobed), session=problem.session)


def paced(cells: Sequence[Cell], results: Sequence[Result]) -> list[Cell]:
    """Cells of `AsManySteps` for those in which EmoBed has been chosen.

    Args:
        cells: of EmoBed.
        results: theirs; where all configurations failed, there is nothing to keep up with.
    """
    return [
        Cell(cell.problem, PacedSource(cell.source, json.dumps(result.settings, sort_keys=True)), AS_MANY_STEPS)
        for cell, result in zip(cells, results, strict=True)
        if result.settings is not None
    ]
