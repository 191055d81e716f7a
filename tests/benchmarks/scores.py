"""Section `scores`: what the development score of a small set takes, beside the steps of its epoch."""

from collections.abc import Callable
from typing import Any

from tests.benchmarks.driver import OURS, Plan, Side, started
from tests.benchmarks.text import seconds, table, threads

TITLE = "Steps and scores of an epoch"
THREADS = 2
TARGET, AUXILIARY = 24, 3000  # training utterances
EPOCHS = 40  # of a training

_INTRODUCTION = f"""\
`train_run`, {threads(THREADS)}: the paper's network for utterances, {TARGET} of the target for training and 64 for
development, {AUXILIARY:,} of the auxiliary, 88 features each, batches of up to 64. A repeat is a training of {EPOCHS}
epochs in a process that has trained before. Its figures are medians over epochs, from `times.csv`: all steps of an
epoch, and the development score after them."""


def units(plan: Plan) -> dict[str, Callable[[], dict]]:
    """What is measured, by name."""
    auxiliary = 300 if plan.quick else AUXILIARY
    return {"epochs": lambda: _epochs(auxiliary, plan)}


def _epochs(auxiliary: int, plan: Plan) -> dict[str, Any]:
    """Trainings whose epochs pass over the target, and over the auxiliary, in turn."""
    same = {"target": TARGET, "auxiliary": auxiliary, "epochs": EPOCHS, "threads": THREADS}
    sides = [Side(OURS, "scores_tf", {**same, "epoch": epoch}, epoch) for epoch in ("target", "largest")]
    found: dict[str, list[dict]] = {side.choice: [] for side in sides}
    with started(*sides) as workers:
        for number in range(plan.warmups + plan.repeats):
            for worker in workers:
                answer = worker.repeat()
                if number >= plan.warmups:
                    found[worker.side.choice].append(answer)
    return {
        epoch: {
            "steps": answers[-1]["steps"],
            **{name: [answer[name] for answer in answers] for name in ("training_seconds", "scoring_seconds")},
        }
        for epoch, answers in found.items()
    }


def render(found: dict[str, dict[str, Any]]) -> str:
    """The section's text."""
    sides = found["epochs"]
    rows = [
        [f"`--epoch {epoch}`", str(side["steps"]), seconds(side["training_seconds"]), seconds(side["scoring_seconds"])]
        for epoch, side in sides.items()
    ]
    repeats = min(len(side["scoring_seconds"]) for side in sides.values())
    head = ["an epoch", "steps", "all of them", "the score"]
    return "\n\n".join([_INTRODUCTION, table(head, rows), f"{repeats} repeats."])
