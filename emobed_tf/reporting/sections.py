"""What stands under each heading of a report's page. A section without anything to show is None."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, cast

from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.evaluation.caveats import disagreement, least_p, least_p_note, published_note
from emobed_tf.evaluation.evidence import Comparison
from emobed_tf.evaluation.score_table import SCORES, short_name
from emobed_tf.evaluation.scores import SCORED_PARTITIONS
from emobed_tf.evaluation.significance import LEVEL
from emobed_tf.figures import SERIES, Panel
from emobed_tf.reporting.comparisons import Compared
from emobed_tf.reporting.contents import Contents, Part
from emobed_tf.reporting.html import Safe, join, table, tag
from emobed_tf.reporting.pictures import Picture
from emobed_tf.reporting.series import encoded, factor, timed
from emobed_tf.reporting.sweeps import Sweep


def picture(found: Picture | None, alt: str) -> Safe | None:
    """A figure inside the page, with links to its files beside it.

    Args:
        found: the figure on disk; None if there is none.
        alt: what it shows, for those who don't see it.

    Returns:
        Markup; None without a figure.
    """
    if found is None:
        return None
    source = "data:image/png;base64," + base64.b64encode(found.png.read_bytes()).decode()
    name = found.png.stem
    links = [tag("a", kind.upper(), href=f"{name}.{kind}") for kind in ("png", "svg")]
    caption = tag("figcaption", found.caption, " ", links[0], " ", links[1])
    return tag("figure", tag("div", tag("img", src=source, alt=alt), class_="wide", tabindex="0"), caption, id=name)


def summary(contents: Sequence[Contents], pictures: Mapping[str, Picture]) -> Safe:
    """The runs, their scores with intervals, and what is missing.

    Args:
        contents: the runs, at least one.
        pictures: the figures on disk, by name.

    Returns:
        Markup.
    """
    picked = [content.score for content in contents]
    shown = [name for name in SCORES if any(name in p.scores for c in contents for p in c.parts.values())]
    scores = sorted(shown, key=lambda name: name not in picked)  # what picked the weights first
    raw = any("raw" in part.scores for content in contents for part in content.parts.values())
    columns = ["run", "partition", *map(short_name, scores)]
    columns += ["CCC before post-processing"] if raw else []
    rows = [
        [content.name, part.partition, *(_score(part, name) for name in scores), *(_raw(part) if raw else ())]
        for content in contents
        for part in content.parts.values()
    ]
    notes = {note: [c.name for c in contents if note in c.notes] for content in contents for note in content.notes}
    said = [
        tag("li", None if len(names) == len(contents) else f"{', '.join(names)}: ", note)
        for note, names in notes.items()
    ]
    return join(
        table(
            [*_RUN_COLUMNS, "weights picked by", "parameters"],
            [_run_row(content) for content in contents],
        ),
        table(columns, rows, class_="numbers", caption="In brackets: the bootstrap's 95 % interval over speakers."),
        picture(pictures.get("scores"), "scores of the runs with intervals"),
        tag("aside", tag("p", "What is missing, and why:"), tag("ul", said), class_="notes") if said else None,
    )


def comparison(comparisons: Sequence[Compared]) -> Safe | None:
    """Tests of the other runs against the first.

    Args:
        comparisons: what came out, see `compared`.

    Returns:
        Markup; None for a single run.
    """
    if not comparisons:
        return None
    made = [c for c in comparisons if c.found is not None]
    scores = [c.found.score for c in comparisons if c.found is not None]
    more = " With several comparisons, some p-value is small by chance: they are not corrected for it."
    tasks = dict.fromkeys(SCORES[score].task == REGRESSION for score in scores)
    said = " ".join(published_note(regression) for regression in tasks) + (more if len(made) > 1 else "")
    columns = ["", *(f"{c.second} better than {c.first}?" for c in made)]
    rows = [[text, *(show(c) for c in made)] for text, show in _TESTS.items()]
    refused = [c for c in comparisons if c.found is None]
    return join(
        [table(columns, rows), _caveats(made), tag("p", said, class_="muted")] if made else None,
        [
            tag("p", f"{c.second} against {c.first}{f', {c.partition}' if c.partition else ''}: no test, {c.reason}.")
            for c in refused
        ],
    )


def learning(contents: Sequence[Contents], pictures: Mapping[str, Picture]) -> list[Safe | None]:
    """Learning curves of every run.

    Args:
        contents: the runs.
        pictures: the figures on disk, by name.

    Returns:
        Markup, one piece for each run.
    """
    return [picture(pictures.get(f"run{k}-learning"), f"learning curves of {c.name}") for k, c in _numbered(contents)]


def predictions(contents: Sequence[Contents], pictures: Mapping[str, Picture]) -> list[Safe]:
    """Confusion matrices of all runs side by side; per run a chart to zoom in, scatter, or its confusion matrix.

    Args:
        contents: the runs.
        pictures: the figures on disk, by name.

    Returns:
        Markup, one piece for each run of which there is something to show.
    """
    times = factor(list(contents))
    found = [
        join(tag("h3", f"All runs, {part}"), picture(pictures[f"confusion-{part}"], f"confusions of all runs, {part}"))
        for part in SCORED_PARTITIONS
        if f"confusion-{part}" in pictures
    ]
    for k, content in _numbered(contents):
        still = [
            picture(pictures.get(f"run{k}-predictions-{part}"), f"predictions over time, {part}")
            for part in content.parts
        ]
        rest = [
            picture(pictures.get(f"run{k}-{kind}-{part}"), f"{kind} of {content.name}, {part}")
            for part in content.parts
            for kind in ("scatter", "confusion")
            if kind != "confusion" or f"confusion-{part}" not in pictures
        ]
        chart = _viewer(k, content, times, still) if timed(content) else None
        if chart or any(rest):
            found.append(join(tag("h3", content.name), chart, rest))
    return found


def embeddings(panels: Sequence[Panel], pictures: Mapping[str, Picture]) -> Safe | None:
    """The plane, and the silhouettes behind it.

    Args:
        panels: of the figure.
        pictures: the figures on disk, by name.

    Returns:
        Markup; None without any embeddings.
    """
    if not panels:
        return None
    rows = [[p.title, len(p.points), _silhouette(p.by_class), _silhouette(p.by_modality)] for p in panels]
    return join(
        picture(pictures.get("embeddings-dev"), "t-SNE of embeddings by modality and class"),
        table(
            ["system", "points", "silhouette by class", "silhouette by modality"],
            rows,
            class_="numbers",
            caption="Of the embeddings themselves, not of the plane.",
        ),
        tag(
            "p",
            "The paper's claim (Fig. 3 and 4): crossmodal training brings the modalities together, so the silhouette "
            "by modality falls from classic to EmoBed, while classes keep apart. A silhouette lies in -1 to 1; points "
            "dealt to groups at random have about 0. It is not defined for a single modality; classic systems of "
            "several targets in one panel have encoders that never met.",
        ),
    )


def sweeps(found: Sequence[Sweep], pictures: Mapping[str, Picture]) -> list[Safe | None]:
    """One figure for each sweep.

    Args:
        found: the sweeps.
        pictures: the figures on disk, by name.

    Returns:
        Markup, one piece for each sweep.
    """
    return [picture(pictures.get(f"sweep{k}"), f"sweep {sweep.folder}") for k, sweep in enumerate(found, start=1)]


_RUN_COLUMNS = ("run", "framework", "target", "auxiliary", "alpha", "beta", "seed", "epochs", "best epoch")


def _numbered(contents: Sequence[Contents]) -> "enumerate[Contents]":
    return enumerate(contents, start=1)


def _run_row(content: Contents) -> list[Any]:
    config, training = content.config, content.training
    parameters = training.get("parameters", {})
    return [
        join(content.name, " ", tag("strong", "SIMULATED")) if content.facts.simulated else content.name,
        config.objective.framework,
        content.facts.target,
        ", ".join(config.data.auxiliary or ()) or "none",
        f"{config.objective.alpha:g}",
        f"{config.objective.beta:g}",
        config.training.seed,
        training.get("epochs"),
        training.get("best_epoch"),
        f"development {short_name(content.score)}{' before post-processing' if content.score == 'ccc' else ''}",
        f"{parameters['kept']:,} at inference, {parameters['training']:,} in training" if parameters else None,
    ]


def _score(part: Part, name: str) -> str:
    if name not in part.scores:
        return "-"
    ends = part.intervals.get(name)
    return f"{part.scores[name]:.3f}" + (f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else "")


def _raw(part: Part) -> tuple[str]:
    return (f"{part.scores['raw']['ccc']:.3f}",) if "raw" in part.scores else ("-",)


def _p(value: float) -> Safe | str:
    text = f"{value:.4f}"
    return tag("strong", text) if value < LEVEL else text


_TESTS = {  # rows of the table of comparisons
    "partition": lambda c: c.partition,
    "score": lambda c: short_name(c.found.score),
    "compared with": lambda c: f"{c.first} {c.found.means[0]:.3f}",
    "run": lambda c: f"{c.second} {c.found.means[1]:.3f}",
    "difference": lambda c: f"{c.found.difference:+.3f}",
    "95 % interval of it: bootstrap over speakers": lambda c: (
        f"{c.found.interval.low:+.3f} to {c.found.interval.high:+.3f}" if c.found.interval else "- (one speaker)"
    ),
    "p of the exchange test over speakers, one-sided": lambda c: _p(c.found.exchange.p_value),
    "the least that so many speakers allow": lambda c: (
        f"{least_p(c.found.exchange.units, c.found.exchange.exact):.4f} ({c.found.exchange.units} speakers)"
    ),
    "two-sided": lambda c: f"{c.found.exchange.p_two_sided:.4f}",
    "p of the paper's test, one-sided": lambda c: "-" if c.found.published is None else f"{c.found.published:.4f}",
    "frames or utterances that it treats as independent": lambda c: f"{c.found.first.count:,}",
}


def _caveats(made: Sequence[Compared]) -> list[Safe]:
    """How small p can get, and why an interval says something else, once for all that it holds for."""
    said: dict[str, list[str]] = {}
    for c in made:
        found = cast(Comparison, c.found)  # of those that could be made
        ends = (found.interval.low, found.interval.high) if found.interval else (None, None)
        notes = (least_p_note(found.exchange.units, found.exchange.exact), disagreement(found.exchange.p_value, *ends))
        for note in notes:
            if note:
                said.setdefault(note, []).append(f"{c.second}, {c.partition}")
    alone = len(made) == 1
    return [tag("p", None if alone else f"{'; '.join(names)}: ", note) for note, names in said.items()]


def _silhouette(value: float | None) -> str:
    return "not defined" if value is None else f"{value:+.3f}"


def _viewer(k: int, content: Contents, times: int, still: list[Safe | None]) -> Safe:
    label = f"{content.facts.label} over time, {content.name}: gold standard, raw and post-processed prediction"
    buttons = {"in": "zoom in", "out": "zoom out", "left": "earlier", "right": "later", "all": "whole recording"}
    series = [
        tag(
            "label",
            tag("input", type="checkbox", value=key, checked=True),
            " ",
            tag("span", class_="swatch", style=f"border-color: var(--{key})"),
            f" {legend}",
        )
        for key, legend, *_ in SERIES
    ]
    fewer = f" Of every {2 * times} frames the page holds the smallest and the largest value." if times > 1 else ""
    return join(
        tag(
            "div",
            tag(
                "div",
                tag("label", "recording ", tag("select")),
                [tag("button", text, type="button", data_do=what) for what, text in buttons.items()],
                tag("output", class_="range", aria_live="polite"),
                class_="controls",
            ),
            tag("svg", role="img", tabindex="0", aria_label=label),
            tag("div", series, class_="controls"),
            tag("output", class_="values"),
            tag(
                "p",
                "Drag to move; wheel (after a click, or with Ctrl) or two fingers to zoom; keys: arrows, +, -, 0. "
                "Where there are more frames than pixels, each pixel shows its smallest and largest value."
                f"{fewer} Pictures:",
                [
                    [" ", tag("a", f"{part.partition}", href=f"run{k}-predictions-{part.partition}.png")]
                    for part in content.parts.values()
                    if any("time" in recording for recording in part.recordings)
                ],
                class_="muted",
            ),
            class_="viewer",
            hidden=True,
            data_series=f"series-{k}",
        ),
        tag("script", encoded(content, times), type="application/json", id=f"series-{k}"),
        tag("noscript", still),
    )
