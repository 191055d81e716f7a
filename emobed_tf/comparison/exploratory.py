"""How development and test scores of all configurations go together: a look at test by which nothing is chosen."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emobed_tf.comparison.grids import Grid, decimals, settings_text
from emobed_tf.comparison.protocol import CellResult
from emobed_tf.comparison.selection import rank_correlation
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.files import write_csv

_TITLE = "EXPLORATORY: rank correlation of development and test score over configurations; nothing was chosen by it"


def selection_scores(result: CellResult, score: str) -> list[tuple[float | None, float | None]]:
    """Development and test score of each configuration of a cell.

    Args:
        result: with looks.
        score: that settings were chosen by.

    Returns:
        In the order of the configurations; None for a fit that failed, or where test is hidden.
    """
    return [
        (dev.get("score"), test.get("partitions", {}).get("test", {}).get("scores", {}).get(score))
        for dev, test in zip(result.tried, result.looks, strict=True)
    ]


def selection_grids(results: Sequence[CellResult], score: str) -> list[Grid]:
    """The correlation for each system, the mean over folds where there are some.

    Args:
        results: of cells; those without looks are left out.
        score: that settings were chosen by.

    Returns:
        One table; none where nobody looked.
    """
    found: dict[tuple[str, str], list[float]] = {}
    counts: dict[tuple[str, str], int] = {}
    for result in (result for result in results if result.looks):
        scenario = result.cell.scenario
        place = "+".join((scenario.target, *scenario.auxiliaries)), result.cell.system
        pairs = [(dev, test) for dev, test in selection_scores(result, score) if dev is not None and test is not None]
        correlation = rank_correlation(*zip(*pairs, strict=True)) if pairs else None
        counts[place] = max(counts.get(place, 0), len(pairs))
        found.setdefault(place, []).extend([] if correlation is None else [correlation])
    rows = [
        [*place, str(counts[place]), decimals(float(np.mean(each)), signed=True) if each else "-", str(len(each))]
        for place, each in found.items()
    ]
    columns = ["from", "system", "configurations", f"mean correlation ({short_name(score)})", "of problems"]
    return [Grid(_TITLE, columns, rows)] if rows else []


def write_selection(folder: Path, results: Sequence[CellResult], score: str, name: str = "selection.csv") -> None:
    """Writes a CSV file with both scores of each configuration; nothing where nobody looked.

    Args:
        folder: where to write.
        results: of cells.
        score: that settings were chosen by.
        name: of the file.
    """
    rows = []
    for result in results:
        scores = selection_scores(result, score) if result.looks else []
        for (dev, test), look in zip(scores, result.looks, strict=True):
            scenario = result.cell.scenario.to_dict() | {
                "auxiliaries": "+".join(result.cell.scenario.auxiliaries),
                "deal": result.cell.scenario.deal or 1,
            }
            chosen = look["settings"] == result.settings
            shown = {"system": result.cell.system, "settings": settings_text(look["settings"]), "chosen": chosen}
            rows.append({**scenario, **shown, "score": score, "dev": dev, "test": test})
    if rows:
        write_csv(folder / name, rows)
