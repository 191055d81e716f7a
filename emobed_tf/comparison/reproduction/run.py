"""A planned table fitted, kept in a folder and shown.

ledger.jsonl                    every finished fit, one a line
predictions/                    of the final fits, see `protocol.predictions_file`
table.csv table.md table.html   the table
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emobed_tf import console
from emobed_tf.comparison.grids import Grid, to_html, to_markdown
from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.protocol import Budget, run_cells
from emobed_tf.comparison.reproduction.plan import Entry, Plan, entries, identity
from emobed_tf.comparison.reproduction.table import csv_rows, grids, narrow, notes, title
from emobed_tf.comparison.workers import Workers
from emobed_tf.console import Progress
from emobed_tf.corpora.locate import notice
from emobed_tf.files import write_bytes, write_csv


@dataclass(frozen=True)
class Table:
    """A reproduced table.

    Attributes:
        title: what it is.
        entries: all that is in it.
        grids: for people, one a scenario.
        notes: below them.
    """

    title: str
    entries: list[Entry]
    grids: list[Grid]
    notes: list[str]


def reproduce(
    plan: Plan,
    budget: Budget,
    how: Workers,
    output: Path,
    *,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Table:
    """Fits all rows of a table, or what a folder still lacks of them, and writes it.

    Args:
        plan: from `reproduction.plan`.
        budget: for each row.
        how: where the work is done.
        output: folder, new or with what an earlier call left.
        progress: told how far it is.
        say: told what to print before it takes long.

    Raises:
        InputError: for data or settings that don't fit, or a folder of other data or settings.
    """
    cells = plan.cells()
    fingerprints: dict[str, str] = {}
    simulated = False
    for source in dict.fromkeys(cell.source for cell in cells):
        problem = source()  # one after another: all at once may be more than fits into memory
        fingerprints |= problem.facts.fingerprints
        simulated = simulated or problem.corpus.simulated
        score, label = problem.score, problem.label
    with contextlib.closing(Ledger(output / "ledger.jsonl", identity(plan, fingerprints))) as ledger:
        if simulated:
            say(notice(plan.config.data.dataset, plan.config.data.data_dir))
        say(
            f"table {plan.number}: {len(plan.systems)} systems, {len(plan.scenarios)} scenarios, {len(cells)} different"
            f" cells; for each {budget.configurations} configurations and {budget.seeds} seeds; one fit of each system "
            "is timed first"
        )
        results = run_cells(
            cells,
            budget,
            ledger,
            how,
            threads=plan.config.training.threads,
            predictions=output / "predictions",
            progress=progress,
            announce=lambda seconds: say(f"estimated time for the rest: {_duration(seconds)}"),
        )
    found = entries(plan, results, score, simulated)
    head, tables = title(plan, label, score, simulated), grids(plan, found)
    below = notes(plan, found, score)
    write_csv(output / "table.csv", csv_rows(plan, found, label, score, simulated))
    write_bytes(output / "table.md", to_markdown(head, tables, below).encode())
    write_bytes(output / "table.html", to_html(head, tables, below).encode())
    return Table(head, found, tables, below)


def show(table: Table) -> None:
    """Prints the table."""
    for grid in table.grids:
        shown = narrow(grid)
        console.table(f"{table.title}; {grid.title}", shown.columns, shown.rows)
    for note in table.notes:
        print(f"- {note}")


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
