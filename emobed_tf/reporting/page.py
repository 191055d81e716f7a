"""The report's page: one HTML file with everything inside, for any browser and without a network."""

from collections.abc import Mapping, Sequence
from importlib import resources

from emobed_tf.figures import Panel
from emobed_tf.reporting import sections
from emobed_tf.reporting.comparisons import Compared
from emobed_tf.reporting.contents import Contents
from emobed_tf.reporting.html import Safe, join, tag
from emobed_tf.reporting.pictures import Picture
from emobed_tf.reporting.provenance import provenance, settings
from emobed_tf.reporting.sweeps import Sweep

# Nothing is fetched, whatever an id says: pictures and scripts are those in the file.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(
    contents: Sequence[Contents],
    comparisons: Sequence[Compared],
    pictures: Mapping[str, Picture],
    panels: Sequence[Panel],
    sweeps: Sequence[Sweep],
) -> str:
    """The whole page.

    Args:
        contents: the runs; there is one, or a sweep.
        comparisons: what came out when the other runs were compared with the first.
        pictures: the figures on disk, by name.
        panels: panels of the embeddings' figure.
        sweeps: the sweeps.

    Returns:
        An HTML document that needs no other file and no network.
    """
    bodies = {
        "Summary": sections.summary(contents, pictures) if contents else None,
        "Comparison": sections.comparison(comparisons),
        "Learning curves": sections.learning(contents, pictures),
        "Predictions": sections.predictions(contents, pictures),
        "Embeddings": sections.embeddings(panels, pictures),
        "Sweeps": sections.sweeps(sweeps, pictures),
        "Configuration": settings(contents) if contents else None,
        "Provenance": provenance(contents),
    }
    shown = {title: body for title, body in bodies.items() if body}
    anchors = {title: title.lower().replace(" ", "-") for title in shown}
    simulated = [c.name for c in contents if c.facts.simulated]
    simulated += [str(sweep.folder) for sweep in sweeps if any(point["simulated"] for point in sweep.points)]
    title = _title(contents, sweeps)
    content = join(
        tag("header", tag("h1", title), _banner(simulated)),
        tag("nav", [tag("a", name, href=f"#{anchor}") for name, anchor in anchors.items()], aria_label="sections"),
        tag("main", [tag("section", tag("h2", name), shown[name], id=anchors[name]) for name in shown]),
    )
    head = join(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"SIMULATED: {title}" if simulated else title),
        tag("style", Safe(_text("report.css"))),
    )
    body = tag("body", content, tag("script", Safe(_text("report.js"))))
    return f"<!doctype html>\n{tag('html', tag('head', head), body, lang='en')}\n"


def _title(contents: Sequence[Contents], sweeps: Sequence[Sweep]) -> str:
    about = dict.fromkeys(f"{c.facts.corpus}, {c.facts.label} from {c.facts.target}" for c in contents)
    about = about or dict.fromkeys(f"sweep of {sweep.points[0]['parameter']}" for sweep in sweeps)
    return f"EmoBed report: {'; '.join(about)}"


def _banner(simulated: Sequence[str]) -> Safe | None:
    if not simulated:
        return None
    return tag(
        "p",
        f"SIMULATED data in {', '.join(simulated)}: their scores say nothing about real people.",
        class_="simulated",
    )


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
