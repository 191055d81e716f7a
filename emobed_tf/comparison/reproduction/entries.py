"""What a reproduced table says of each row: scores, differences from classic, and the paper's own values."""

from collections.abc import Sequence
from dataclasses import dataclass

from emobed_tf.comparison.protocol import CellResult
from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.reproduction.plan import TablePlan
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import recorded_statistics
from emobed_tf.evaluation.evidence import Comparison, compare
from emobed_tf.evaluation.scores import SCORED_PARTITIONS
from emobed_tf.evaluation.speaker_statistics import Summary


@dataclass(frozen=True)
class Entry:
    """A row in one scenario.

    Attributes:
        row: name of the system, or `published.END_TO_END`.
        scenario: where.
        result: of the protocol; None for a row that can't be fitted.
        scores: by partition.
        differences: from classic, by partition; empty for classic itself, and where there is none to compare with.
        published: the paper's value by partition, where the data are the paper's.
    """

    row: str
    scenario: Scenario
    result: CellResult | None
    scores: dict[str, Summary]
    differences: dict[str, Comparison]
    published: dict[str, float]


def table_entries(plan: TablePlan, results: Sequence[CellResult], score: str, simulated: bool) -> list[Entry]:
    """The rows of the table, scenario by scenario.

    Args:
        plan: whose.
        results: of `TablePlan.cells`, in their order.
        score: one that has intervals, see `score_table.SCORES`.
        simulated: whether any of the data are.

    Returns:
        One for each row and scenario.
    """
    by_cell = dict(zip(plan.cells(), results, strict=True))
    printed = {} if simulated else _published(plan)
    found = []
    for scenario in plan.scenarios:
        classic = by_cell.get(plan.cell("classic", scenario))
        for row in plan.rows:
            result = by_cell[plan.cell(row, scenario)] if row in plan.systems else None
            scores = _scores(result, score) if result is not None else {}
            compared = (
                _differences(classic, result, score) if result and scores and classic and row != "classic" else {}
            )
            names = (scenario.target, *scenario.auxiliaries)
            values = {part: printed[row, names, part] for part in SCORED_PARTITIONS if (row, names, part) in printed}
            found.append(Entry(row, scenario, result, scores, compared, values))
    return found


def _published(plan: TablePlan) -> dict[tuple[str, tuple[str, ...], str], float]:
    """The paper's values, only where the data set is the paper's for this table."""
    of_the_paper = plan.config.data.dataset == published.DATA_SETS[plan.number]
    return dict(published.values(plan.number)) if of_the_paper else {}


def _scores(result: CellResult, score: str) -> dict[str, Summary]:
    partitions = result.runs[0]["partitions"] if result.runs else ()
    return {part: recorded_statistics(result.runs, part).summary(score) for part in partitions}


def _differences(classic: CellResult, other: CellResult, score: str) -> dict[str, Comparison]:
    """Empty if no seed came out for both."""
    if not {run["seed"] for run in classic.runs} & {run["seed"] for run in other.runs}:
        return {}
    return {
        part: compare(recorded_statistics(classic.runs, part), recorded_statistics(other.runs, part), score)
        for part in other.runs[0]["partitions"]
    }
