"""The last sections of a report's page: every setting, and where a run comes from."""

import shlex
from collections.abc import Sequence
from typing import Any

from emobed_tf.corpora.configured import idle_settings
from emobed_tf.corpora.facts import Facts
from emobed_tf.reporting.contents import Contents
from emobed_tf.reporting.html import Safe, escape, join, table, tag


def settings(contents: Sequence[Contents]) -> Safe:
    """All settings that do something, a column for each run; what differs is marked.

    Args:
        contents: the runs, at least one.

    Returns:
        Markup.
    """
    # A folder of before there was a note of it leaves the selection to the data set.
    flat = [content.config.replace(selection=content.score).to_dict() for content in contents]
    rows, differing = [], 0
    idle = [idle_settings(c.facts.task, c.facts.frame_seconds[c.facts.target] is not None) for c in contents]
    left_out = [name for name in idle[0][0] if all(name in names for names, _ in idle)]
    for name in flat[0]:
        if name in left_out:
            continue
        cells = [_shown(values[name]) for values in flat]
        differs = len(set(cells)) > 1
        differing += differs
        rows.append([name, *(tag("mark", cell) if differs else escape(cell) for cell in cells)])
    said = f"{differing} settings differ between the runs; they are marked." if len(contents) > 1 else None
    without = f"Not shown, because they have no effect on {idle[0][1]}: {', '.join(left_out)}."
    return join(
        tag("p", said) if said else None,
        table(["setting", *_names(contents)], rows, class_="settings"),
        tag("p", without, class_="muted") if left_out else None,
    )


def provenance(contents: Sequence[Contents]) -> list[Safe]:
    """Versions, commit, command, data and their fingerprints, for each run.

    Args:
        contents: the runs, at least one.

    Returns:
        Markup, one piece for each run.
    """
    return [
        join(
            tag("h3", content.name) if len(contents) > 1 else None,
            table(["", "value"], _rows(content), class_="settings"),
            tag(
                "details",
                tag("summary", "Features, and columns that are not used"),
                table(["modality", "columns"], _columns(content.facts), class_="settings"),
            ),
            tag(
                "details",
                tag("summary", f"SHA-256 of the {len(content.facts.fingerprints)} files that it was trained on"),
                table(
                    ["file", "SHA-256"], [list(item) for item in content.facts.fingerprints.items()], class_="settings"
                ),
            ),
        )
        for content in contents
    ]


def _columns(facts: Facts) -> list[list[Any]]:
    rows = [[name, ", ".join(columns)] for name, columns in facts.features.items()]
    return rows + [[f"{name}: not used", ", ".join(columns)] for name, columns in facts.left_out.items() if columns]


def _rows(content: Contents) -> list[list[Any]]:
    facts, origin = content.facts, content.provenance
    packages = origin.get("packages", {})
    rows = {
        "run folder": content.run.path.absolute(),
        "data set": f"{facts.corpus}{' (SIMULATED)' if facts.simulated else ''}",
        "task": f"{facts.task} of {facts.label}",
        "classes": ", ".join(facts.classes),
        "features": ", ".join(f"{name}: {len(columns)}" for name, columns in facts.features.items()),
        "extracted by": "; ".join(f"{name}: {made}" for name, made in facts.extraction.items()),
        "licence": "; ".join(dict.fromkeys(made.licence for made in facts.extraction.values() if made.licence)),
        "standardised by": "speaker, from all of a speaker's frames" if facts.speaker_prior else "corpus",
        "label delay": f"{facts.delay} frames" if facts.delay else None,
        "command": shlex.join(origin.get("command", ())),
        "started": origin.get("started"),
        "seconds of training": content.training.get("seconds"),
        "evaluated on test": ", ".join(read["when"] for read in content.run.test_reads()),
        "emobed_tf": origin.get("emobed_tf"),
        "commit": origin.get("commit"),
        "packages": ", ".join(f"{name} {version}" for name, version in packages.items()),
        "python": origin.get("python"),
        "platform": origin.get("platform"),
        "processors": origin.get("processors"),
        "environment": ", ".join(f"{name}={value}" for name, value in origin.get("environment", {}).items()),
    }
    return [[name, value] for name, value in rows.items() if value not in (None, "")]


def _names(contents: Sequence[Contents]) -> list[str]:
    return [content.name for content in contents]


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "none" if value is None else str(value)
