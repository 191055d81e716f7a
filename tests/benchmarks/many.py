"""Section `many`: what a process keeps when it trains again and again, as a search over settings does."""

from collections.abc import Callable
from typing import Any

from tests.benchmarks.driver import OURS, Plan, Side, started
from tests.benchmarks.text import memory, seconds, table, threads

TITLE = "Many trainings in one process"
THREADS = 2
_LOGGED = "device_compilation_profiler"  # XLA logs a line from there for every program that it compiles
_ENVIRONMENT = {"TF_CPP_VMODULE": f"{_LOGGED}=1", "TF_CPP_MIN_LOG_LEVEL": "0"}

_INTRODUCTION = f"""\
`train_run`, {threads(THREADS)}, on 4 recordings of 12 s in memory, 20 + 30 features, 1 + 1 GRU layers of 32, 2 epochs.
Every training has another alpha, beta, learning rate and seed."""


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    return {"trainings": lambda: _train((1, 2, 3) if plan.quick else (1, 20, 200))}


def _train(after: tuple[int, ...]) -> dict[str, Any]:
    """Trains until the last of the numbers, and looks at the process after each of them."""
    durations, looks = [], {}
    side = Side(OURS, "many_tf", {"threads": THREADS}, threads(THREADS), environment=_ENVIRONMENT)
    with started(side) as [worker]:
        while len(durations) < after[-1]:
            answer = worker.repeat()
            durations.append(answer["seconds"])
            if len(durations) in after:
                compiled = worker.printed().count(f"{_LOGGED}.cc")
                looks[len(durations)] = {**answer, "compiled": compiled, "before": worker.ready["before"]}
    return {"looks": looks, "seconds": durations}


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    result = found["trainings"]
    rows = [
        [f"{int(after):,}", memory(look["memory"]), memory(look["memory"] - look["before"])]
        + [str(look["traces"]), str(look["compiled"])]
        for after, look in result["looks"].items()
    ]
    head = ["after … trainings", "memory", "above what was there before", "steps traced", "programs compiled by XLA"]
    first, *others = result["seconds"]
    times = f"The first training takes {seconds(first)}, the others {seconds(others)}."
    return "\n\n".join([_INTRODUCTION, table(head, rows), times])
