"""Which settings a system tries: those that all networks share, its own, or none."""

from typing import Any, Literal, get_args

from emobed_tf.systems.base import Problem, System
from emobed_tf.systems.spread import NETWORK, shared_spread

Search = Literal["shared", "own", "none"]
SEARCHES: tuple[str, ...] = get_args(Search)
"""`shared`: the same learning rates and L2 weights for every network. `own`: what each system searches by itself, which
for the paper's frameworks are alpha and beta alone. `none`: the defaults."""


def configurations(system: System, problem: Problem, number: int, search: str) -> list[dict[str, Any]]:
    """Settings to try on development, the default first.

    Args:
        system: any.
        problem: what they are for, without test recordings.
        number: how many.
        search: one of `SEARCHES`.

    Returns:
        `number` different ones, or fewer where there are no more. A system that trains no network always has its own.

    Raises:
        InputError: if these data can't be learnt with the system.
    """
    if search == "none":
        return system.configurations(problem, 1)
    space = system.network_space(problem) if search == "shared" else None
    if space is None:
        return system.configurations(problem, number)
    values = problem.config.to_dict()
    return shared_spread(space, {name: values[name] for name in NETWORK}, number)
