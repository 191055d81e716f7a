"""Is a run better than the first one? The tests of `evaluate`, for every other run and partition."""

from collections.abc import Sequence
from dataclasses import dataclass

from emobed_tf.errors import InputError
from emobed_tf.evaluation.evidence import Comparison, compare_outputs
from emobed_tf.reporting.contents import Contents


@dataclass(frozen=True)
class Compared:
    """A run compared with the first.

    Attributes:
        first: name of the first.
        second: name of the run.
        partition: where; empty where nothing could be compared.
        found: the tests; None where they can't be made.
        reason: why not.
    """

    first: str
    second: str
    partition: str
    found: Comparison | None
    reason: str = ""


def compared(contents: Sequence[Contents]) -> list[Compared]:
    """Every run but the first with the first, by partition that both were scored on.

    Args:
        contents: the runs.

    Returns:
        In the order of the runs; of one that can't be compared a single entry, which says why.
    """
    if not contents:
        return []
    first, *others = contents
    found = []
    for other in others:
        reason = _unlike(first, other)
        shared = [part for part in other.parts if part in first.parts and not reason]
        found += [_tests(first, other, part) for part in shared]
        if not shared:
            found.append(Compared(first.name, other.name, "", None, reason or "no partition in common"))
    return found


def _unlike(first: Contents, other: Contents) -> str:
    unlike = first.facts.unlike(other.facts)
    return f"{first.name} learnt {unlike[0]}, {other.name} {unlike[1]}" if unlike else ""


def _tests(first: Contents, other: Contents, partition: str) -> Compared:

    one, two = (content.parts[partition].evaluated for content in (first, other))
    if one is None or two is None:
        return Compared(first.name, other.name, partition, None, "needs the data of both runs")
    try:
        return Compared(first.name, other.name, partition, compare_outputs(one, two, other.score))
    except InputError as error:
        return Compared(first.name, other.name, partition, None, str(error))
