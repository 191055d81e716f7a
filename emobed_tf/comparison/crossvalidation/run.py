"""A cross-validation from settings to tables: what `crossvalidate` and `audit` do in the same way.

trials.jsonl                  every finished fit, one a line
predictions/                  of the final fits, see `protocol.predictions_file`
folds.csv                     who is in which fold
NAME.csv NAME-gains.csv NAME.md NAME.tex   scores by seed, gains, and both as tables; NAME is the command's
selection.csv                 development and test scores of all configurations, with --show-selection
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from emobed_tf import console
from emobed_tf.comparison.crossvalidation.contrasts import contrast_notes
from emobed_tf.comparison.crossvalidation.gains import Gain, gains
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold, OutOfFoldResults, pool_folds
from emobed_tf.comparison.crossvalidation.plan import (
    CrossValidationPlan,
    CrossValidationSettings,
    plan_cross_validation,
)
from emobed_tf.comparison.crossvalidation.tables import (
    chosen_grids,
    data_grid,
    power_grid,
    results_grid,
    show_grid,
    simulated,
    write_csvs,
    write_markdown,
)
from emobed_tf.comparison.estimate import estimate_text
from emobed_tf.comparison.exploratory import selection_grids, write_selection
from emobed_tf.comparison.former import trial_key_of_format_1
from emobed_tf.comparison.grids import counted, to_latex
from emobed_tf.comparison.ledger import Ledger, OtherIdentityError
from emobed_tf.comparison.protocol import Budget, Cell, CellResult, run_cells
from emobed_tf.comparison.trials import check_record
from emobed_tf.comparison.workers import Workers
from emobed_tf.config import Config
from emobed_tf.corpora.locate import notice
from emobed_tf.corpora.summary import read_lines
from emobed_tf.errors import InputError
from emobed_tf.files import write_bytes


@dataclass(frozen=True)
class CrossValidation:
    """A cross-validation in its open folder.

    Attributes:
        plan: folds and targets.
        budget: of each system.
        how: where the work is done.
        output: the folder.
        ledger: of what is done.
        done: results of all cells that have been run.
    """

    plan: CrossValidationPlan
    budget: Budget
    how: Workers
    output: Path
    ledger: Ledger
    done: list[CellResult] = field(default_factory=list)

    @property
    def predictions(self) -> Path:
        """Folder of the predictions of final fits."""
        return self.output / "predictions"

    def close(self) -> None:
        """Lets another process write the folder."""
        self.ledger.close()

    def run(self, cells: Sequence[Cell]) -> list[CellResult]:
        """Does cells with progress and an estimate of the time; what the folder has already is not done again.

        One system on one target is chosen and fitted in all folds before the next begins: what a worker has compiled
        for a fold's choice, it still has for its fits.

        Args:
            cells: of the plan; those of one system and target stand together.

        Returns:
            Results in the order of the cells.

        Raises:
            InputError: if a system can't learn the task, or data can't be read.
            KeyboardInterrupt: after Ctrl-C, with a note that says how to continue.
        """

        def announce(seconds: Mapping[str, float]) -> None:
            if sum(seconds.values()) >= 1:
                print(f"about {estimate_text(seconds)} to go", flush=True)

        with console.if_interrupted(lambda: console.KEPT), console.progress("training") as progress:
            found = run_cells(
                cells,
                self.budget,
                self.ledger,
                self.how,
                threads=self.plan.threads,
                predictions=self.predictions,
                progress=progress,
                announce_systems=announce,
                together=lambda cell: (cell.scenario.target, cell.system),
            )
        self.done.extend(found)
        return found


def open_folder(
    settings: Config,
    protocol: CrossValidationSettings,
    budget: Budget,
    systems: Sequence[str],
    output: Path | None,
    how: Workers,
) -> CrossValidation:
    """Reads the data, deals the folds, says which gain could be detected, and opens the folder of results.

    Args:
        settings: ground of all systems.
        protocol: targets and folds.
        budget: of each system.
        systems: names.
        output: folder, new or to be continued. Default: one for the data and label in `runs/`.
        how: where the work is done.

    Returns:
        Open: `close` lets another process write the folder.

    Raises:
        InputError: for wrong settings or data, or a folder with results of others.
    """
    with console.progress("reading") as progress:
        progress(0, 1, "reading")
        plan = plan_cross_validation(settings, protocol, systems)
    corpus = plan.corpus
    output = output or Path("runs") / f"{corpus.name}-{corpus.label}-crossvalidation"
    try:
        ledger = Ledger(
            output / "trials.jsonl",
            plan.identity(),
            defaults=plan.defaults(),
            former_key=trial_key_of_format_1,
            began_with=budget.to_dict() | {"inner_folds": protocol.inner_folds},
            check=check_record,
        )
    except OtherIdentityError as error:
        raise InputError(f"{error}{_why_other(error)}") from None
    for number, folds in enumerate(plan.repeats, start=2):
        ledger.agree({"deal": number}, {"folds": [asdict(fold) for fold in folds]})
    if corpus.simulated:
        print(notice(settings.data.dataset, settings.data.data_dir))
    for line in dict.fromkeys(line for read in plan.corpora.values() for line in read_lines(read)):
        console.say(line)
    show_grid(data_grid(plan))
    show_grid(*power_grid(plan))
    print(f"results: {output}")
    print(_work_text(plan, budget, protocol, systems), flush=True)
    return CrossValidation(plan, budget, how, output, ledger)


def _why_other(error: OtherIdentityError) -> str:
    """What nobody has asked for, but the systems' names imply."""
    without = [not (values.get("alpha") or values.get("beta")) for values in (error.before, error.now)]
    if without[0] == without[1]:
        return ""
    return (
        " (alpha and beta are 0 where none of --systems reads an auxiliary; epochs may have fewer steps then, so that "
        "such results can't stand beside others)"
    )


def _work_text(
    plan: CrossValidationPlan, budget: Budget, protocol: CrossValidationSettings, systems: Sequence[str]
) -> str:
    """What is ahead, before anything is trained."""
    parts = [counted(len(systems), "system"), counted(len(plan.targets), "target"), counted(len(plan.folds), "fold")]
    deals = [counted(len(plan.deals), "deal")] if plan.repeats else []
    where = "inner folds" if protocol.inner_folds > 1 else "development speakers"
    return (
        f"{', '.join([*parts, *deals])}; for each of them {budget.plan_text(where, protocol.inner_folds)}, then "
        f"{counted(budget.seeds, 'seed')} with the best of them; two fits of each system are timed first"
    )


def cross_validate(validation: CrossValidation, systems: Sequence[str]) -> OutOfFoldResults:
    """Results of systems on all targets, those that failed left out with the reason printed.

    Args:
        validation: open.
        systems: names.

    Returns:
        By target and system.

    Raises:
        InputError: if nothing came out at all.
    """
    return pool_results(validation.plan, validation.run(validation.plan.cells(systems)))


def pool_results(plan: CrossValidationPlan, results: Sequence[CellResult]) -> OutOfFoldResults:
    """Folds put together, by target and system.

    Args:
        plan: of the folds.
        results: of all folds of whatever they contain.

    Returns:
        By target and system; those that came to no result are left out.

    Raises:
        InputError: if nothing came out at all.
    """
    folds: dict[tuple[str, str], list[CellResult]] = {}
    for result in results:
        folds.setdefault((result.cell.scenario.target, result.cell.system), []).append(result)
    whole: dict[tuple[str, str], OutOfFold] = {}
    reasons = []
    for key, found in folds.items():
        pooled = pool_folds(plan, *key, found)
        if isinstance(pooled, str):
            reasons.append(pooled)
        else:
            whole[key] = pooled
    if not whole:
        raise InputError(f"no system came to a result: {reasons[0]}")
    for reason in reasons:
        console.say(f"no result: {reason}", file=sys.stderr)
    return whole


def report_gains(
    validation: CrossValidation,
    results: OutOfFoldResults,
    reference: str,
    name: str,
    primary: str | None = None,
) -> list[Gain]:
    """Prints and writes all scores, the settings that were chosen, and the gains over one system.

    Args:
        validation: of the results.
        results: by target and system.
        reference: name of the system that the others are compared with.
        name: of the files.
        primary: name of the system whose gain is the primary contrast.

    Returns:
        The gains.
    """
    plan, output, score = validation.plan, validation.output, validation.plan.scores[0]
    others = dict.fromkeys(system for _, system in results if system != reference)
    found = [gain for other in others for gain in gains(results, reference, other, plan.targets, score)]
    against = {(gain.target, gain.second): gain for gain in found}
    grids, notes = [], []
    for target in plan.targets:
        if any(result.target == target for result in results.values()):
            grid, remarks = results_grid(plan, target, results, against, reference, primary)
            show_grid(grid, remarks)
            grids.append(grid)
            notes += remarks
    said = [validation.budget.described]
    if primary is not None:
        said += contrast_notes(plan, found, results, primary)
    extra = [*chosen_grids(plan, results), *selection_grids(validation.done, plan.selection_score)]
    for grid in extra:
        show_grid(grid)
    for line in said:
        console.say(line)
    power, assumed = power_grid(plan)
    write_csvs(output, plan, results, found, name, primary)
    write_selection(output, validation.done, plan.selection_score)
    title = f"{simulated(plan)}{plan.data_name}, {plan.corpus.label}: cross-validation by speaker"
    tables = [*grids, *extra, data_grid(plan), power]
    write_markdown(output / f"{name}.md", title, tables, [*said, *notes, *assumed])
    below = list(dict.fromkeys([*said, *notes]))
    write_bytes(output / f"{name}.tex", to_latex(plan.data_name, tables, below, assumed).encode())
    print(f"tables: {output}/{name}.md, .csv, .tex; out-of-fold predictions: {validation.predictions}")
    return found
