"""Draws a report's figures into its folder, PNG and SVG, under names that stay.

run1-learning            learning curves; run1, run2, … are the runs in the order in which they were named
run1-predictions-dev     over time, at most 12 recordings (regression over frames); -test where test was evaluated
run1-scatter-dev         against the gold standard (regression)
run1-confusion-dev       confusion matrix (classification)
confusion-dev            confusion matrices side by side (several runs on the same classes)
embeddings-dev           t-SNE, all systems side by side
scores                   scores with intervals (several runs)
sweep1                   sweeps in the order in which they were named
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from emobed_tf import figures
from emobed_tf.console import Progress
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.evaluation.score_table import short_name
from emobed_tf.evaluation.scores import SCORED_PARTITIONS
from emobed_tf.reporting.contents import Contents, Part
from emobed_tf.reporting.panels import Group, panel
from emobed_tf.reporting.sweeps import Sweep

RECORDINGS = 12  # of a picture; the page's own chart has all of them


@dataclass(frozen=True)
class Picture:
    """A figure on disk.

    Attributes:
        png: its PNG file; the SVG file stands beside it.
        caption: what it shows, one sentence.
    """

    png: Path
    caption: str


def draw(
    contents: Sequence[Contents],
    groups: Sequence[Group],
    sweeps: Sequence[Sweep],
    output: Path,
    progress: Progress | None = None,
    colour: figures.Colour = "class",
) -> tuple[dict[str, Picture], list[figures.Panel]]:
    """Draws all figures that the runs and sweeps give.

    Args:
        contents: the runs.
        groups: runs whose embeddings share a panel.
        sweeps: the sweeps.
        output: the report's folder.
        progress: told how far it is.
        colour: what it stands for in the figure of embeddings.

    Returns:
        Pictures by name, and the panels of the embeddings, whose numbers the page shows, too.
    """
    panels = [panel(group, progress) for group in groups]
    plan = _of_runs(contents) | _confusions(contents) | _of_all(contents, panels, colour) | _of_sweeps(sweeps)
    pictures = {}
    for done, (name, (caption, make)) in enumerate(plan.items()):
        if progress is not None:
            progress(done, len(plan), f"drawing {name}")
        pictures[name] = Picture(figures.save(make(), output / name)[0], caption)
    return pictures, panels


_Plan = dict[str, tuple[str, Callable[[], Figure]]]


def _of_runs(contents: Sequence[Contents]) -> _Plan:
    plan: _Plan = {}
    for k, content in enumerate(contents, start=1):
        simulated = content.facts.simulated
        best = content.training.get("best_epoch")
        if len(content.history) > 1:  # a single epoch is no curve
            plan[f"run{k}-learning"] = (
                f"Learning curves of {content.name}: every term of the objective without its weight, their weighted "
                "sum, monitors and score by epoch. The "
                f"weights are those of the best epoch by {_picked(content)}.",
                partial(
                    figures.learning_curves,
                    content.history,
                    best_epoch=best,
                    title=content.name,
                    simulated=simulated,
                ),
            )
        for part in content.parts.values():
            for kind, (caption, make) in _of_part(content, part).items():
                plan[f"run{k}-{kind}-{part.partition}"] = (caption, make)
    return plan


def _of_part(content: Contents, part: Part) -> _Plan:
    facts = content.facts
    settings: dict[str, Any] = {"title": f"{content.name}, {part.partition}", "simulated": facts.simulated}
    plan: _Plan = {}
    timed = [recording for recording in part.recordings if "time" in recording]
    if timed:
        few = timed[:RECORDINGS]
        number = f"the first {len(few)} of {len(timed)}" if len(few) < len(timed) else f"all {len(few)}"
        plan["predictions"] = (
            f"{content.name}, {part.partition}: gold standard, raw and post-processed prediction over time, {number} "
            "recordings. Where there are more frames than pixels, each pixel shows its smallest and largest value.",
            partial(figures.predictions, few, label=facts.label, **settings),
        )
    if sum(len(recording["gold_standard"]) for recording in part.recordings) > 1:
        gold, predicted = (
            np.concatenate([recording[key] for recording in part.recordings])
            for key in ("gold_standard", "postprocessed")
        )
        plan["scatter"] = (
            f"{content.name}, {part.partition}: post-processed prediction against gold standard, with the line of "
            "perfect concordance and the regression line.",
            partial(figures.scatter, gold, predicted, label=facts.label, **settings),
        )
    if part.confusion is not None:
        plan["confusion"] = (
            f"{content.name}, {part.partition}: counts, and per cent of the true class.",
            partial(figures.confusion, part.confusion, facts.classes, **settings),
        )
    return plan


def _of_all(contents: Sequence[Contents], panels: Sequence[figures.Panel], colour: figures.Colour) -> _Plan:
    simulated = any(content.facts.simulated for content in contents)
    plan: _Plan = {}
    if panels:
        plan["embeddings-dev"] = (
            "Embeddings of the development partition on a plane (t-SNE): the marker is the "
            f"{'modality' if colour == 'class' else 'class'}, the colour the {colour}.",
            partial(figures.embeddings, panels, colour=colour, title="embeddings, development", simulated=simulated),
        )
    first = contents[0] if contents else None
    alike = [c for c in contents if first and (c.score, c.facts.label) == (first.score, first.facts.label)]
    if first and len(alike) > 1:
        plan["scores"] = (
            "Score of each run, with the bootstrap's 95 % interval over speakers.",
            partial(figures.intervals, _interval_rows(alike), title=f"{first.facts.corpus}, {first.facts.label}"),
        )
    return plan


def _picked(content: Contents) -> str:
    """The score that picked the weights, in words."""
    before = " before post-processing" if content.facts.task == REGRESSION else ""
    return f"development {short_name(content.score)}{before}"


def _confusions(contents: Sequence[Contents]) -> _Plan:
    """Matrices side by side, for each partition on which several runs have them."""
    plan: _Plan = {}
    classes = list(contents[0].facts.classes) if contents else []
    for part in SCORED_PARTITIONS:
        found = {
            content.name: content.parts[part].confusion
            for content in contents
            if part in content.parts and list(content.facts.classes) == classes
        }
        there = {name: matrix for name, matrix in found.items() if matrix is not None}
        if len(there) > 1:
            simulated = any(content.facts.simulated for content in contents)
            plan[f"confusion-{part}"] = (
                f"Confusions side by side, {part}: counts, and per cent of the true class.",
                partial(figures.confusions, there, classes, title=f"confusions, {part}", simulated=simulated),
            )
    return plan


def _interval_rows(contents: Sequence[Contents]) -> list[dict[str, Any]]:
    rows = []
    for content in contents:
        for part in content.parts.values():
            low, high = part.intervals.get(content.score, (None, None))
            row = {"run": content.name, "partition": part.partition, "score_name": content.score, "low": low}
            row |= {"high": high, "score": part.scores[content.score], "simulated": content.facts.simulated}
            rows.append(row)
    return rows


def _of_sweeps(sweeps: Sequence[Sweep]) -> _Plan:
    return {
        f"sweep{k}": (
            f"Sweep of {sweep.points[0]['parameter']} ({sweep.folder}): mean ± standard deviation over seeds of the "
            "development score; the star is the best mean.",
            partial(figures.sweep, sweep.points),
        )
        for k, sweep in enumerate(sweeps, start=1)
    }
