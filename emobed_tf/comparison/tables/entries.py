"""What a table says of each row: scores, differences from the reference, and published values."""

from collections.abc import Sequence
from dataclasses import dataclass

from emobed_tf.comparison.protocol import CellResult
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.tables.plan import TablePlan
from emobed_tf.comparison.trials import recorded_statistics
from emobed_tf.evaluation.evidence import Comparison, compare
from emobed_tf.evaluation.scores import SCORED_PARTITIONS
from emobed_tf.evaluation.speaker_statistics import Summary
from emobed_tf.systems.registry import find_system

WEIGHTS_OF_AUXILIARIES = ("alpha", "beta", "alignment_weight")
"""Settings with which auxiliaries have a say in a training."""


@dataclass(frozen=True)
class Entry:
    """A row in one scenario.

    Attributes:
        row: name of the system, or of a row that can't be fitted.
        scenario: where.
        result: of the protocol; None for a row that can't be fitted.
        scores: by partition.
        differences: from the reference, by partition; empty for the reference itself, and where there is none to
            compare with.
        published: the published value by partition, where the data are those of the publication.
        aligned: whether the settings that all rows share align modalities, whatever alpha and beta are.
    """

    row: str
    scenario: Scenario
    result: CellResult | None
    scores: dict[str, Summary]
    differences: dict[str, Comparison]
    published: dict[str, float]
    aligned: bool = False

    @property
    def is_classic(self) -> bool:
        """Whether the weights that were chosen are 0: the row is equivalent to classic."""
        settings = (self.result and self.result.settings) or {}
        weights = [settings[name] for name in WEIGHTS_OF_AUXILIARIES if name in settings]
        if not weights or any(weights) or (self.aligned and "alignment_weight" not in settings):
            return False
        system = find_system(self.row)
        return getattr(system, "framework", "classic") != "classic" and getattr(system, "classic_network", True)


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
    printed = {} if simulated else plan.published.values
    aligned, found = plan.config.objective.alignment != "none", []
    for scenario in plan.scenarios:
        ground = by_cell.get(plan.cell(plan.reference, scenario))
        for row in plan.rows:
            result = by_cell[plan.cell(row, scenario)] if row in plan.systems else None
            scores = _scores(result, score) if result is not None else {}
            other = result and scores and ground and row != plan.reference
            compared = _differences(ground, result, score) if other and ground and result else {}
            names = (scenario.target, *scenario.auxiliaries)
            values = {part: printed[row, names, part] for part in SCORED_PARTITIONS if (row, names, part) in printed}
            found.append(Entry(row, scenario, result, scores, compared, values, aligned))
    return found


def _scores(result: CellResult, score: str) -> dict[str, Summary]:
    partitions = result.runs[0]["partitions"] if result.runs else ()
    return {part: recorded_statistics(result.runs, part).summary(score) for part in partitions}


def _differences(ground: CellResult, other: CellResult, score: str) -> dict[str, Comparison]:
    """Empty if no seed came out for both."""
    if not {run["seed"] for run in ground.runs} & {run["seed"] for run in other.runs}:
        return {}
    return {
        part: compare(recorded_statistics(ground.runs, part), recorded_statistics(other.runs, part), score)
        for part in other.runs[0]["partitions"]
    }
