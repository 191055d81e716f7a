"""A planned table fitted, kept in a folder and shown.

ledger.jsonl                    every finished fit, one a line
predictions/                    of the final fits, see `protocol.predictions_file`
table.csv table.md table.html table.tex   the table
selection.csv                   development and test scores of all configurations, with --show-selection
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emobed_tf import console
from emobed_tf.comparison.estimate import estimate_text
from emobed_tf.comparison.exploratory import selection_grids, write_selection
from emobed_tf.comparison.former import trial_key_of_format_1
from emobed_tf.comparison.grids import Grid, counted, to_html, to_latex, to_markdown
from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.protocol import Budget, run_cells
from emobed_tf.comparison.tables.entries import Entry, table_entries
from emobed_tf.comparison.tables.plan import TablePlan
from emobed_tf.comparison.tables.table import (
    narrow,
    settings_grid,
    table_grids,
    table_notes,
    table_rows,
    table_title,
)
from emobed_tf.comparison.trials import check_record
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import former_settings, preset
from emobed_tf.console import Progress
from emobed_tf.corpora.budget import largest_items
from emobed_tf.corpora.locate import notice
from emobed_tf.corpora.summary import read_lines, speaker_notes
from emobed_tf.files import write_bytes, write_csv


@dataclass(frozen=True)
class Table:
    """A table of systems.

    Attributes:
        title: what it is.
        entries: all that is in it.
        grids: for people, one a scenario.
        settings: that were chosen, for a terminal; the grids have them as their last column.
        notes: below them.
    """

    title: str
    entries: list[Entry]
    grids: list[Grid]
    settings: Grid
    notes: list[str]


def make_table(
    plan: TablePlan,
    budget: Budget,
    how: Workers,
    output: Path,
    *,
    progress: Progress | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Table:
    """Fits all rows of a table, or what a folder still lacks of them, and writes it.

    Args:
        plan: what it takes.
        budget: for each row.
        how: where the work is done.
        output: folder, new or with what an earlier call left.
        progress: told how far it is.
        say: told what to print before it takes long.

    Returns:
        The table, written already.

    Raises:
        InputError: for data or settings that don't fit, or a folder of other data or settings.
    """
    fingerprints: dict[str, str] = {}
    read: dict[str, None] = {}
    doubts: dict[str, None] = {}
    items: dict[str, int] = {}
    simulated = False
    for source in dict.fromkeys(cell.source for cell in plan.cells()):
        problem = source()  # one after another: all at once may be more than fits into memory
        fingerprints |= problem.facts.fingerprints
        read |= dict.fromkeys(read_lines(problem.corpus))
        doubts |= dict.fromkeys(speaker_notes(problem.corpus))
        simulated = simulated or problem.corpus.simulated
        score, label = problem.score, problem.label
        for name in (problem.target, *problem.auxiliaries):
            items[name] = largest_items(problem.config, problem.corpus, [name])
    plan = plan.with_budget(items)
    cells = plan.cells()
    ledger = Ledger(
        output / "ledger.jsonl",
        plan.identity(fingerprints),
        defaults={"settings": former_settings(preset(plan.config.data.dataset))},
        former_key=trial_key_of_format_1,
        began_with=budget.to_dict(),
        check=check_record,
    )
    with contextlib.closing(ledger):
        if simulated:
            say(notice(plan.config.data.dataset, plan.config.data.data_dir))
        for line in read:
            say(line)
        say(
            f"{plan.heading}: {counted(len(plan.systems), 'system')} on {counted(len(plan.scenarios), 'scenario')}; "
            f"each tries {budget.plan_text('development')}, then is trained with {counted(budget.seeds, 'seed')} and "
            "the best of them, and only then evaluated on the test set; two fits of each system are timed first"
        )
        results = run_cells(
            cells,
            budget,
            ledger,
            how,
            threads=plan.config.training.threads,
            predictions=output / "predictions",
            progress=progress,
            announce_systems=lambda seconds: say(f"estimated time for the rest: {estimate_text(seconds)}"),
        )
    entries = table_entries(plan, results, score, simulated)
    settings = settings_grid(plan, entries)
    title, grids = table_title(plan, label, score, simulated), table_grids(plan, entries)
    notes = [*table_notes(plan, entries, score, budget), *doubts]
    grids += selection_grids(results, score)
    write_selection(output, results, score)
    write_csv(output / "table.csv", table_rows(plan, entries, label, score, simulated))
    write_bytes(output / "table.md", to_markdown(title, grids, notes).encode())
    write_bytes(output / "table.tex", to_latex(title, [*map(narrow, grids), settings], notes).encode())
    write_bytes(output / "table.html", to_html(title, grids, notes).encode())
    return Table(title, entries, grids, settings, notes)


def show_table(table: Table) -> None:
    """Prints the table.

    Args:
        table: from `make_table`.
    """
    for grid in table.grids:
        shown = narrow(grid)
        console.table(f"{table.title}; {grid.title}", shown.columns, shown.rows)
    console.table(table.settings.title, table.settings.columns, table.settings.rows)
    for note in table.notes:
        console.say(f"- {note}")
