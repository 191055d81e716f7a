"""A cross-validation from settings to tables: what `crossvalidate` and `audit` do in the same way."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from emobed_tf import console
from emobed_tf.comparison.crossvalidation.gains import Gain, gains
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold, Results, pool
from emobed_tf.comparison.crossvalidation.plan import Protocol, make_plan
from emobed_tf.comparison.crossvalidation.runner import Runner
from emobed_tf.comparison.crossvalidation.tables import (
    data_grid,
    power_grid,
    results_grid,
    show,
    simulated,
    write_csvs,
    write_markdown,
)
from emobed_tf.comparison.protocol import Budget, Cell, Result
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import Config
from emobed_tf.corpora.locate import notice
from emobed_tf.errors import InputError


def open_folder(
    settings: Config,
    protocol: Protocol,
    budget: Budget,
    systems: Sequence[str],
    output: Path | None,
    how: Workers,
) -> Runner:
    """Reads the data, deals the folds, says which gain could be detected, and opens the folder of results.

    Args:
        settings: ground of all systems.
        protocol: targets and folds.
        budget: of each system.
        systems: names.
        output: folder, new or to be continued. Default: one for the data and label in `runs/`.
        how: where the work is done.

    Raises:
        InputError: for wrong settings or data, or a folder with results of others.
    """
    with console.progress("reading") as progress:
        progress(0, 1, "reading")
        plan = make_plan(settings, protocol, systems)
    corpus = plan.corpus
    output = output or Path("runs") / f"{corpus.name}-{corpus.label}-crossvalidation"
    runner = Runner(plan, budget, output, how)
    if corpus.simulated:
        print(notice(settings.data.dataset, settings.data.data_dir))
    show(data_grid(plan))
    show(*power_grid(plan))
    print(f"results: {output}", flush=True)
    return runner


def do(runner: Runner, cells: Sequence[Cell]) -> list[Result]:
    """Does cells with progress and an estimate of the time; results in their order."""

    def announce(seconds: float) -> None:
        if seconds >= 1:
            print(f"about {_duration(seconds)} for what remains of {len(cells)} folds of systems", flush=True)

    try:
        with console.progress("training") as progress:
            return runner(cells, progress, announce)
    except KeyboardInterrupt:
        print("what is done is kept; the same command continues", file=sys.stderr)
        raise


def cross_validated(runner: Runner, systems: Sequence[str]) -> Results:
    """Results of systems on all targets, those that failed left out with the reason printed.

    Raises:
        InputError: if nothing came out at all.
    """
    cells = runner.plan.cells(systems)
    return gathered(runner, cells, do(runner, cells))


def gathered(runner: Runner, cells: Sequence[Cell], found: Sequence[Result]) -> Results:
    """Folds put together, by target and system.

    Args:
        runner: of the results.
        cells: all folds of whatever they contain.
        found: their results.

    Raises:
        InputError: if nothing came out at all.
    """
    folds: dict[tuple[str, str], list[Result]] = {}
    for cell, result in zip(cells, found, strict=True):
        folds.setdefault((runner.plan.target_of(cell), cell.system), []).append(result)
    whole: dict[tuple[str, str], OutOfFold] = {}
    reasons = []
    for key, results in folds.items():
        pooled = pool(runner.plan, *key, results)
        if isinstance(pooled, str):
            reasons.append(pooled)
        else:
            whole[key] = pooled
    if not whole:
        raise InputError(f"no system came to a result: {reasons[0]}")
    for reason in reasons:
        print(f"no result: {reason}", file=sys.stderr)
    return whole


def compared(runner: Runner, results: Mapping[tuple[str, str], OutOfFold], reference: str, name: str) -> list[Gain]:
    """Prints and writes all scores, and the gains over one system.

    Args:
        runner: of the results.
        results: by target and system.
        reference: name of the system that the others are compared with.
        name: of the files.

    Returns:
        The gains.
    """
    plan = runner.plan
    others = dict.fromkeys(system for _, system in results if system != reference)
    found = [gain for other in others for gain in gains(results, reference, other, plan.targets, plan.scores[0])]
    against = {(gain.target, gain.second): gain for gain in found}
    grids, notes = [], []
    for target in plan.targets:
        if any(result.target == target for result in results.values()):
            grid, remarks = results_grid(plan, target, results, against, reference)
            show(grid, remarks)
            grids.append(grid)
            notes += remarks
    power, assumed = power_grid(plan)
    write_csvs(runner.output, plan, results, found, name)
    title = f"{simulated(plan)}{plan.corpus.name}, {plan.corpus.label}: cross-validation by speaker"
    write_markdown(runner.output / f"{name}.md", title, [*grids, data_grid(plan), power], [*notes, *assumed])
    print(f"tables: {runner.output}/{name}.md, .csv; out-of-fold predictions: {runner.predictions}")
    return found


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
