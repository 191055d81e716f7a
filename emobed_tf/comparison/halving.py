"""Successive halving: many configurations are trained a little, the best of them longer.

Source: K. Jamieson and A. Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", AISTATS
2016; a quarter is kept, as in L. Li et al., "Hyperband", 2018. Every system has the same rungs, so the same epochs.
"""

from dataclasses import dataclass

KEPT = 4
"""One in so many configurations is kept at each rung, and trained for so many times as many epochs."""


@dataclass(frozen=True)
class Rung:
    """Configurations that are trained equally long.

    Attributes:
        configurations: how many.
        number: of the rung, from 1; None for the only one of a search without halving.
        epochs: that each is trained for at most; None: those of its configuration.
    """

    configurations: int
    number: int | None = None
    epochs: int | None = None


def rungs(configurations: int, epochs: int, halving: bool) -> tuple[Rung, ...]:
    """How many configurations are trained for how many epochs, one rung after another.

    The one that the last rung leaves is not trained again: its final fits are whole.

    Args:
        configurations: to begin with, >= 1.
        epochs: of a whole training, >= 1.
        halving: whether they are searched by halving; if not, or with one configuration, there is one rung.

    Returns:
        Of 16 configurations and 60 epochs: 16 for 4 epochs, then 4 for 15.
    """
    if not halving or configurations == 1:
        return (Rung(configurations),)
    counts = [configurations]
    while (fewer := -(-counts[-1] // KEPT)) > 1:
        counts.append(fewer)
    parts = [KEPT ** (len(counts) - k) for k in range(len(counts))]
    return tuple(
        Rung(count, number, -(-epochs // part))
        for number, (count, part) in enumerate(zip(counts, parts, strict=True), start=1)
    )
