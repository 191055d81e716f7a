"""Embeddings of several runs as the panels of one figure: classic against EmoBed (Fig. 3 and 4)."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emobed_tf.console import Progress
from emobed_tf.embeddings.separation import plane, silhouette
from emobed_tf.errors import InputError
from emobed_tf.figures import Colour, Panel
from emobed_tf.reporting.contents import Contents

POINTS = 1000


@dataclass(frozen=True)
class Look:
    """How embeddings are drawn.

    Attributes:
        colour: what a colour stands for.
        classes: that are drawn, by name; all where none is named.
    """

    colour: Colour = "class"
    classes: tuple[str, ...] = ()


_FEWEST = 3  # fewer make no picture


@dataclass(frozen=True)
class Group:
    """What one panel shows.

    Attributes:
        title: names of its runs.
        members: one run; or classic runs of several targets, each with an encoder of its own.
    """

    title: str
    members: tuple[Contents, ...]


def groups(contents: Sequence[Contents], classes: Sequence[str] = ()) -> list[Group]:
    """Runs with embeddings, one panel each; classic runs of different targets share one, as in the paper.

    A classic system knows one modality. Systems of several modalities in one picture show how far apart embeddings are
    that nothing has brought together.

    Args:
        contents: the runs; those without embeddings, or with one or two, are left out.
        classes: that are shown; none: all.

    Returns:
        What each panel shows, in the order in which the runs were named.

    Raises:
        InputError: for a class that no run's embeddings have.
    """
    contents = _of_classes(contents, classes) if classes else contents
    shown = [content for content in contents if content.embedded is not None and len(content.embedded) >= _FEWEST]
    found: list[list[Contents]] = []
    for content in shown:
        companions = next((group for group in found if all(_belong(content, other) for other in group)), None)
        if companions is None:
            found.append([content])
        else:
            companions.append(content)
    return [Group(" + ".join(member.name for member in group), tuple(group)) for group in found]


def panel(group: Group, progress: Progress | None = None) -> Panel:
    """The panel of a group: at most 1,000 points, the same number of each modality and class as far as there are.

    The silhouettes are of the same points, in the embedding space, not on the plane.

    Args:
        group: what the panel shows.
        progress: told that t-SNE begins.

    Returns:
        The panel, ready to be drawn.
    """
    known = [member.embedded for member in group.members if member.embedded is not None]
    drawn = [embedded.drawn(POINTS // len(known)) for embedded in known]
    vectors = np.concatenate([embedded.vectors for embedded in drawn])
    modality = np.concatenate([embedded.modality for embedded in drawn])
    classes = np.concatenate([embedded.classes for embedded in drawn])
    if progress is not None:
        progress(0, 1, f"t-SNE of {len(vectors)} embeddings")
    return Panel(
        title=group.title,
        points=plane(vectors),
        modality=modality,
        classes=np.where(classes == "", "unknown", classes),
        by_class=silhouette(vectors, classes),
        by_modality=silhouette(vectors, modality),
    )


def _of_classes(contents: Sequence[Contents], classes: Sequence[str]) -> list[Contents]:
    """The same runs with the embeddings of some classes alone."""
    known = sorted({name for c in contents if c.embedded is not None for name in c.embedded.classes.tolist()} - {""})
    unknown = [name for name in classes if name not in known]
    if unknown:
        raise InputError(f"--classes {unknown[0]}: no embedding is of that class; found {', '.join(known) or 'none'}")

    def chosen(content: Contents) -> Contents:
        found = content.embedded
        if found is None:
            return content
        return dataclasses.replace(content, embedded=found.take(np.isin(found.classes, classes)))

    return [chosen(content) for content in contents]


def _belong(a: Contents, b: Contents) -> bool:
    kinds = [
        (c.config.objective.framework, c.facts.label, c.facts.classes, c.embedded.vectors.shape[1])
        for c in (a, b)
        if c.embedded is not None
    ]
    return len(set(kinds)) == 1 and kinds[0][0] == "classic" and a.facts.target != b.facts.target
