"""Tables of a cross-validation: what could be detected, what came out; in the terminal, as Markdown and CSV."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import cast

import numpy as np

from emobed_tf import console
from emobed_tf.comparison.contrasts import contrast
from emobed_tf.comparison.crossvalidation.gains import EXCLUDED, POWER, Gain, caveats, excluded_cell, p_text
from emobed_tf.comparison.crossvalidation.out_of_fold import OutOfFold, OutOfFoldResults, deal_and_seed
from emobed_tf.comparison.crossvalidation.plan import CrossValidationPlan
from emobed_tf.comparison.grids import Grid, decimals, interval_text, settings_text, to_markdown
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.corpora.labels import has_label
from emobed_tf.evaluation.caveats import transduction
from emobed_tf.evaluation.power import detectable_gain, deviation_by_chance, smallest_p
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.evaluation.significance import LEVEL
from emobed_tf.files import write_bytes, write_csv
from emobed_tf.settings import SPEAKER
from emobed_tf.systems.registry import find_system

_DEVIATIONS = (0.02, 0.05, 0.1)
_DISAGREEMENT = 0.2


def simulated(plan: CrossValidationPlan) -> str:
    """What stands before whatever is made from simulated data.

    Args:
        plan: of the cross-validation.

    Returns:
        `SIMULATED: `, or nothing.
    """
    return "SIMULATED: " if plan.corpus.simulated else ""


def data_grid(plan: CrossValidationPlan) -> Grid:
    """Who is in which fold.

    Args:
        plan: of the cross-validation.

    Returns:
        A row for each fold.
    """
    rows = []
    for fold in plan.folds:
        counts = [_count(plan, target, fold.test) for target in plan.targets]
        tested = _names([name for name in fold.test if plan.speakers[name] & {*plan.targets}])
        rows.append([str(fold.number + 1), _speakers(plan, fold.train), _speakers(plan, fold.dev), tested, *counts])
    return Grid(
        f"{simulated(plan)}{plan.corpus.label}: {_speakers(plan, plan.speakers)} speakers in "
        f"{len(plan.folds)} folds (the partitions of the data are ignored)",
        ["fold", "train", "dev", "tested speakers", *(f"tested: {target}" for target in plan.targets)],
        rows,
    )


def power_grid(plan: CrossValidationPlan) -> tuple[Grid, list[str]]:
    """Which gain the data could detect, before anything is trained, and what that assumes.

    Args:
        plan: of the cross-validation.

    Returns:
        A row for each target and assumed deviation; and the assumptions as notes.
    """
    level = LEVEL / len(plan.targets)
    rows, notes = [], []
    for target in plan.targets:
        counts = _counts(plan, target)
        units = len(counts)
        cases = [(f"{decimals(deviation)}, assumed", np.full(units, deviation)) for deviation in _DEVIATIONS]
        if plan.corpus.task != REGRESSION:
            by_chance = deviation_by_chance(counts, _DISAGREEMENT)
            text = f"{decimals(np.sqrt(np.mean(by_chance**2)))}, by the number of utterances alone *"
            cases.append((text, by_chance))
        for text, deviations in cases:
            gain = detectable_gain(deviations, level, POWER)
            rows.append([target, str(units), text, "none" if gain is None else decimals(gain)])
        if smallest_p(units) >= level:
            notes.append(
                f"{units} speakers of {target}: no gain whatsoever can be detected, for the smallest p of the test is "
                f"{smallest_p(units):.3g} and has to be below {level:.3g}."
            )
    notes.append(
        f"Assumed: speakers' differences are normal and independent, with that deviation around the gain; one-sided "
        f"sign-flip test over speakers at {_level(level, len(plan.targets))}. The gain is found by simulation."
    )
    if plan.corpus.task != REGRESSION:
        notes.append(
            f"* where the two systems differ in being right on {100 * _DISAGREEMENT:.0f} % of the utterances and all "
            "speakers gain alike. Averaging over seeds can make it less, differences between speakers make it more."
        )
    title = f"Gain in {short_name(plan.scores[0])} that would be detected in {100 * POWER:.0f} % of cases"
    return Grid(title, ["target", "speakers", "deviation between speakers", "gain"], rows), notes


def results_grid(
    plan: CrossValidationPlan,
    target: str,
    results: OutOfFoldResults,
    against: Mapping[tuple[str, str], Gain],
    reference: str,
    primary: str | None = None,
) -> tuple[Grid, list[str]]:
    """Scores of all systems on a target, and their gains over the reference.

    Args:
        plan: of the cross-validation.
        target: of the table.
        results: by target and system; those of other targets are left out.
        against: gains over the reference by target and system.
        reference: name of the system that the others are compared with.
        primary: name of the one whose gain is the primary contrast.

    Returns:
        A row for each system; and what must be known to read it.
    """
    here = [result for (name, _), result in results.items() if name == target]
    rows = []
    for result in here:
        cells = [result.title, *_score_cells(result, plan.scores)]
        gain = against.get((target, result.system))
        rows.append([*cells, *([*gain_cells(gain), contrast(result.system, primary)] if gain else [""] * 6)])
    score = short_name(plan.scores[0])
    columns = ["system", score, "95 %", *map(short_name, plan.scores[1:]), "gain", "95 %"]
    columns += ["excluded above", "p", "p, Holm", "contrast"]
    title = next((result.title for result in here if result.system == reference), reference)
    runs = [[deal_and_seed(number) for number in result.statistics.seeds] for result in here]
    seeds = [len({seed for _, seed in each}) for each in runs]
    deals = f" in each of {len(plan.deals)} deals of the speakers" if plan.repeats else ""
    mine = [(result.title, against[target, result.system]) for result in here if (target, result.system) in against]
    targets = len(plan.targets)
    corrected = f", corrected over {targets} targets" if targets > 1 else ""
    if set(seeds) == {1} and not deals:
        averaged = "of one seed"
    else:
        averaged = f"the mean ± standard deviation (n - 1) over {_range(seeds)} seeds{deals}"
    notes = [
        f"Scores of the predictions of all folds together, {averaged}, and intervals over speakers. Gain in {score} "
        f"over {title}; p: one-sided sign-flip test over speakers ({_exactness(gain for _, gain in mine)}){corrected}. "
        + EXCLUDED,
        *caveats(mine, targets),
    ]
    if plan.corpus.task == REGRESSION:
        notes.append(
            "The test takes each speaker's own CCC; the pooled one, and its interval, also count how well the levels "
            "of different speakers are told apart."
        )
    elif mine:
        notes.append(
            f"The test takes the mean over speakers of the differences of their own {score}, the gain and its interval "
            "that of all predictions pooled: near 0 the two may have different signs."
        )
    seeing = [result.title for result in here if find_system(result.system).transductive]
    notes += transduction(plan.configs[target].data.standardise == SPEAKER, seeing)
    notes += [note for result in here for note in result.notes]
    text = f"{simulated(plan)}{plan.corpus.label} from {target}, cross-validated by speaker"
    return Grid(text, columns, rows), notes


def gain_cells(gain: Gain) -> list[str]:
    """Difference, interval, the gain that is excluded, p, corrected p.

    Args:
        gain: of a system over the reference.

    Returns:
        Five cells.
    """
    found = [decimals(gain.difference, signed=True), gain.interval_text, excluded_cell(gain.excluded)]
    return [*found, p_text(gain.p), p_text(gain.p_holm)]


def chosen_grids(plan: CrossValidationPlan, results: OutOfFoldResults) -> list[Grid]:
    """The settings that each system was chosen with.

    Args:
        plan: of the cross-validation.
        results: by target and system.

    Returns:
        A table for each target and deal, a row for each system, a column for each fold.
    """
    found = []
    for target in plan.targets:
        here = [result for (name, _), result in results.items() if name == target]
        for deal, folds in enumerate(plan.deals):
            begin = deal * len(plan.folds)
            rows = []
            for result in here:
                each = result.settings[begin : begin + len(folds)]
                rows.append([result.title, *("-" if s is None else settings_text(s) for s in each)])
            of_deal = f", deal {deal + 1} of {len(plan.deals)}" if plan.repeats else ""
            title = f"Settings that were chosen, {plan.corpus.label} from {target}{of_deal}"
            found.append(Grid(title, ["system", *(f"fold {fold.number + 1}" for fold in folds)], rows))
    return [grid for grid in found if any(len(row) > 1 for row in grid.rows)]


def show_grid(grid: Grid, notes: Sequence[str] = ()) -> None:
    """Prints a table and what must be known to read it.

    Args:
        grid: the table.
        notes: printed below it.
    """
    console.table(grid.title, grid.columns, grid.rows)
    for note in notes:
        console.say(note)


def write_markdown(path: Path, title: str, grids: Sequence[Grid], notes: Sequence[str]) -> None:
    """Writes tables and notes as a Markdown file.

    Args:
        path: of the file.
        title: of the document.
        grids: its tables.
        notes: listed below them, each once.
    """
    write_bytes(path, to_markdown(title, list(grids), list(dict.fromkeys(notes))).encode())


def write_csvs(
    folder: Path,
    plan: CrossValidationPlan,
    results: OutOfFoldResults,
    found: Sequence[Gain],
    name: str,
    primary: str | None = None,
) -> None:
    """Writes `folds.csv`, `NAME.csv` (scores by seed) and `NAME-gains.csv` into a folder.

    Args:
        folder: where to write.
        plan: of the cross-validation.
        results: by target and system.
        found: gains over the reference.
        name: of the files.
        primary: name of the system whose gain is the primary contrast.
    """
    simulated_data = {"simulated": plan.corpus.simulated}
    places = [{who: fold.number + 1 for fold in folds for who in fold.test} for folds in plan.deals]
    names = ["fold", *(f"fold_of_deal_{deal}" for deal in range(2, len(places) + 1))]
    speakers = [
        {
            "speaker": s,
            **{name: place[s] for name, place in zip(names, places, strict=True)},
            "modalities": " ".join(sorted(m)),
        }
        for s, m in plan.speakers.items()
    ]
    write_csv(folder / "folds.csv", speakers)
    rows = []
    for (target, system), result in results.items():
        values = {score: result.statistics.scores(score) for score in plan.scores}
        for k, (deal, seed) in enumerate(map(deal_and_seed, result.statistics.seeds)):
            row = {"target": target, "system": system, "deal": deal + 1, "seed": seed}
            rows.append(row | {score: float(v[k]) for score, v in values.items()} | simulated_data)
    write_csv(folder / f"{name}.csv", rows)
    more = [{"better": gain.better, "contrast": contrast(gain.second, primary)} | simulated_data for gain in found]
    write_csv(folder / f"{name}-gains.csv", [asdict(gain) | row for gain, row in zip(found, more, strict=True)])


def _score_cells(result: OutOfFold, scores: Sequence[str]) -> list[str]:
    primary = result.statistics.summary(scores[0])
    spread = f" ± {decimals(primary.deviation)}" if len(primary.values) > 1 else ""
    low, high = cast(float, primary.low), cast(float, primary.high)  # every fold has a speaker of the target
    others = (decimals(result.statistics.scores(score).mean()) for score in scores[1:])
    return [f"{decimals(primary.mean)}{spread}", interval_text(low, high), *others]


def _count(plan: CrossValidationPlan, target: str, speakers: Sequence[str]) -> str:
    corpus = plan.corpora[target]
    recordings = [r for r in corpus.modality(target).recordings if has_label(r, corpus.label) and r.speaker in speakers]
    return f"{len(recordings)}"


def _speakers(plan: CrossValidationPlan, speakers: Iterable[str]) -> str:
    """How many; and of each modality, where not all speak in all of them."""
    known = [plan.speakers[speaker] for speaker in speakers]
    counts = {name: sum(name in of_one for of_one in known) for name in sorted(set().union(*known))}
    each = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{len(known)}" if set(counts.values()) <= {len(known)} else f"{len(known)} ({each})"


def _counts(plan: CrossValidationPlan, target: str) -> np.ndarray:
    """Recordings of each class by speaker of the target, `[speakers, classes]`; of a regression all in one class."""
    corpus = plan.corpora[target]
    recordings = [r for r in corpus.modality(target).recordings if has_label(r, corpus.label)]
    speakers, unit = np.unique([r.speaker for r in recordings], return_inverse=True)
    counts = np.zeros((len(speakers), max(1, len(corpus.classes))), int)
    classes = [int(r.labels[corpus.label]) if corpus.classes else 0 for r in recordings]
    np.add.at(counts, (unit, classes), 1)  # type: ignore[arg-type]  # NumPy's stub lacks one index for each axis
    return counts


def _level(level: float, targets: int) -> str:
    return f"{level:.3g}" + (
        f" ({LEVEL} / {targets} targets, the first step of Holm's correction)" if targets > 1 else ""
    )


def _names(speakers: Sequence[str], most: int = 6) -> str:
    more = f" and {len(speakers) - most} more" if len(speakers) > most else ""
    return ", ".join(speakers[:most]) + more


def _range(numbers: Sequence[int]) -> str:
    low, high = min(numbers, default=0), max(numbers, default=0)
    return str(low) if low == high else f"{low} to {high}"


def _exactness(found: Iterable[Gain]) -> str:
    kinds = {gain.exact for gain in found}
    return "all assignments" if kinds == {True} else "drawn assignments" if kinds == {False} else "all or drawn"
