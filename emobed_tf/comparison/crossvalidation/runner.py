"""Does cells of a cross-validation, once."""

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from emobed_tf.comparison.crossvalidation.plan import Plan
from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.protocol import Budget, Cell, Result, run_cells
from emobed_tf.comparison.workers import Workers
from emobed_tf.console import Progress


class Runner:
    """Does cells of a plan, once: what its folder has already is not done again.

    Args:
        plan: of this folder.
        budget: what each system gets.
        output: folder with `trials.jsonl` (a line per fit) and `predictions/`.
        how: where the work is done.

    Raises:
        InputError: if the folder holds results of other settings, data or folds.
    """

    def __init__(self, plan: Plan, budget: Budget, output: Path, how: Workers):
        self.plan, self.budget, self.how = plan, budget, how
        self.output, self.predictions = output, output / "predictions"
        self.ledger = Ledger(output / "trials.jsonl", plan.identity())

    def close(self) -> None:
        """Lets another process write the folder."""
        self.ledger.close()

    def __call__(
        self, cells: Sequence[Cell], progress: Progress | None = None, announce: Callable[[float], None] | None = None
    ) -> list[Result]:
        """Results in the order of the cells; see `protocol.run_cells`.

        One system on one target is chosen and fitted in all folds before the next begins: what a worker has compiled
        for a fold's choice, it still has for its fits.

        Args:
            cells: of the plan; those of one system and target stand together.
            progress: told how far all of it is.
            announce: told once the estimated seconds of what remains, after two fits of each system.
        """
        pilots = {cell.system: cell for cell in reversed(cells)}
        pilot_fits = self._run(list(pilots.values()), Budget(configurations=1, seeds=1), None)
        if announce is not None:
            announce(self._remaining_seconds(cells, pilot_fits))
        size = self.budget.configurations + self.budget.seeds
        done: list[Result] = []
        for _, group in itertools.groupby(cells, lambda cell: (self.plan.target_of(cell), cell.system)):
            report = progress and functools.partial(_further, progress, len(done) * size, len(cells) * size)
            done += self._run(list(group), self.budget, report)
        return done

    def _run(self, cells: Sequence[Cell], budget: Budget, progress: Progress | None) -> list[Result]:
        return run_cells(
            cells,
            budget,
            self.ledger,
            self.how,
            threads=self.plan.threads,
            predictions=self.predictions,
            progress=progress,
        )

    def _remaining_seconds(self, cells: Sequence[Cell], pilots: Sequence[Result]) -> float:
        """Of all workers, if a cell begins as long as its system's first fit took, and goes on as its second did."""
        begun = Counter(tuple(key.split(" | ")[:2]) for key, _ in self.ledger.items())
        seconds = {}
        for pilot in pilots:
            records = [record for record in (*pilot.tried, *pilot.runs) if "failed" not in record]
            seconds[pilot.cell.system] = [record["total_seconds"] for record in records] or [0.0]
        total = 0.0
        for cell in cells:
            first, later = seconds[cell.system][0], seconds[cell.system][-1]
            missing = self.budget.configurations + self.budget.seeds - begun[cell.problem, cell.system]
            fresh = missing > 0 and not begun[cell.problem, cell.system]
            total += max(0, missing) * later + (first - later if fresh else 0.0)
        return total / self.how.workers


def _further(progress: Progress, done: int, total: int, more: int, _: int, now: str = "") -> None:
    progress(done + more, total, now)
