"""The rows of a learning curve's CSV files."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emobed_tf.comparison.contrasts import contrast
from emobed_tf.comparison.curve.curves import AreaGain, Worth
from emobed_tf.comparison.curve.plan import CurvePlan
from emobed_tf.comparison.curve.run import CurveResults
from emobed_tf.comparison.grids import settings_text

Corrected = tuple[AreaGain, float]
"""A gain, and its p-value corrected over the targets."""
Worths = Mapping[tuple[str, str], Sequence[Worth]]
"""What auxiliaries are worth at each amount but the last, by target and system."""


def score_rows(results: CurveResults, score: str) -> list[dict[str, Any]]:
    """Scores of every fit on all folds together.

    Args:
        results: what came out.
        score: its name.

    Returns:
        A row for each target, system, amount, draw and seed.
    """
    rows = []
    for curve in results.curves.values():
        for amount, labelled, values in zip(curve.amounts, curve.labelled, curve.scores(score), strict=True):
            for (draw, seed), value in zip(curve.fits, values, strict=True):
                row = {"target": curve.target, "system": curve.system, "amount": amount, "labelled": float(labelled)}
                rows.append(row | {"draw": draw, "seed": seed, score: float(value)})
    return rows


def gain_rows(gains: Mapping[str, Iterable[Corrected]], primary: str | None) -> list[dict[str, Any]]:
    """Areas beside the reference's.

    Args:
        gains: over the reference, by target.
        primary: name of the system whose area is the primary contrast; None: all is exploratory.

    Returns:
        A row for each target and system but the reference.
    """
    return [
        {
            "target": target,
            "first": gain.first.system,
            "second": gain.second.system,
            "area": gain.interval.estimate,
            "low": gain.interval.low,
            "high": gain.interval.high,
            "p": gain.test.p_value,
            "p_holm": p_holm,
            "excluded": gain.excluded,
            **_at(gain),
            "contrast": contrast(gain.second.system, primary),
        }
        for target, found in gains.items()
        for gain, p_holm in found
    ]


def worth_rows(found: Worths) -> list[dict[str, Any]]:
    """What auxiliaries are worth in recordings of the target, and how many of theirs do as much as one.

    Args:
        found: by target and system.

    Returns:
        A row for each target, system and amount but the last. `worth`, `low` and `high` that equal `most` are at least
        so many, and the rates of those are at most so many; `rate_high` may be infinite.
    """
    rows = []
    for (target, system), points in found.items():
        for point in points:
            low, high = point.rates or (None, None)
            row = {"target": target, "system": system, "labelled": point.labelled, "worth": point.recordings}
            row |= {"low": point.low, "high": point.high, "most": point.most, "auxiliary": point.auxiliary}
            rows.append(row | {"rate": point.rate, "rate_low": low, "rate_high": high})
    return rows


def settings_rows(results: CurveResults) -> list[dict[str, Any]]:
    """The settings that each system was chosen with, in every fold of every point.

    Args:
        results: what came out.

    Returns:
        A row for each target, system, amount and draw (or withheld class), deal and fold; no settings where all failed.
    """
    rows = []
    for part, result in results.cells:
        scenario, settings = result.cell.scenario, result.settings
        row: dict[str, Any] = {"target": scenario.target, "system": result.cell.system}
        row |= {"withheld": part} if isinstance(part, str) else {"amount": part[0], "draw": part[1]}
        row |= {"deal": scenario.deal or 1, "fold": scenario.fold}
        rows.append(row | {"settings": None if settings is None else settings_text(settings)})
    return rows


def recall_rows(plan: CurvePlan, results: CurveResults) -> list[dict[str, Any]]:
    """How many recordings of each withheld class are recognised.

    Args:
        plan: that says which classes.
        results: what came out.

    Returns:
        A row for each target, system and class.
    """
    rows = []
    for recall in results.recalls.values():
        by_class = recall.recalls(recall.sums.sum(axis=0)).mean(axis=-1)
        for name, value, named in zip(plan.withheld, by_class, recall.named(), strict=True):
            row = {"target": recall.target, "system": recall.system, "withheld": name, "recall": float(value)}
            rows.append(row | {"named_wrongly": float(named)})
    return rows


def _at(gain: AreaGain) -> dict[str, float]:
    """Difference at each amount, and the ends of its interval, by column."""
    return {
        f"at_{amount}{suffix}": value
        for amount, i in zip(gain.first.amounts, gain.at, strict=True)
        for suffix, value in (("", i.estimate), ("_low", i.low), ("_high", i.high))
    }
