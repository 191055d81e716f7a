"""How long a comparison will take, by the first two fits of every system."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from emobed_tf.comparison.grids import duration_text
from emobed_tf.comparison.ledger import Ledger
from emobed_tf.comparison.search import Cell, SearchPlan
from emobed_tf.comparison.trials import Trial


@dataclass(frozen=True)
class Pilots:
    """What the first two fits of a system took.

    Attributes:
        first: seconds of the first one, which compiles.
        fitting: seconds that the second one fitted.
        around: seconds that it read and scored.
        epochs: that it had at most.
    """

    first: float
    fitting: float
    around: float
    epochs: int

    def seconds(self, epochs: int) -> float:
        """Of a fit: the time of fitting grows with the epochs.

        Args:
            epochs: that it has at most.

        Returns:
            Seconds.
        """
        return self.around + self.fitting * epochs / self.epochs


def fit_pilots(
    searches: Mapping[Cell, SearchPlan], do: Callable[[Iterable[Trial]], None], ledger: Ledger
) -> dict[str, Pilots]:
    """Does the first two fits of every system.

    The second has what the first compiled. With a single configuration there is nothing to choose, and it is a final.

    Args:
        searches: by cell.
        do: does fits that the ledger lacks.
        ledger: where they come to.

    Returns:
        What they took, by system.
    """
    first_plans: dict[str, SearchPlan] = {}
    for cell, plan in searches.items():
        first_plans.setdefault(cell.system, plan)
    pilots = {system: [_choices(plan)[0]] for system, plan in first_plans.items()}
    do(trials[0] for trials in pilots.values())
    for system, plan in first_plans.items():
        choices = _choices(plan)
        if len(choices) > 1:
            pilots[system].append(choices[1])
        elif "failed" not in ledger[choices[0].key]:
            pilots[system].append(plan.finals(choices[0].settings)[0])
    do(trials[-1] for trials in pilots.values())
    return {system: _timed(trials, first_plans[system], ledger) for system, trials in pilots.items()}


def remaining_seconds(
    searches: Mapping[Cell, SearchPlan], pilots: Mapping[str, Pilots], ledger: Ledger
) -> dict[str, float]:
    """Of one worker by system, if each cell begins as its system's first fit did, and goes on as its second did.

    Args:
        searches: by cell.
        pilots: from `fit_pilots`.
        ledger: of what is done.

    Returns:
        Seconds by system.
    """
    found = dict.fromkeys(pilots, 0.0)
    for cell, plan in searches.items():
        pilot = pilots[cell.system]
        later = pilot.seconds(plan.epochs)
        choices = _choices(plan)
        done = [trial for trial in choices if trial.key in ledger]
        finals = plan.budget.seeds - len(choices) * plan.is_settled
        if len(done) == len(choices) and len(plan.rungs) == 1:
            best = plan.chosen([plan.candidate(k, 0, ledger) for k in range(len(plan.configurations))])
            trials = [] if best is None else [*plan.finals(best.settings), *plan.looks(best.settings)]
            finals = sum(trial.key not in ledger for trial in trials)
        elif plan.budget.show_selection:
            finals += len(plan.configurations) - 1
        at_first = pilot.seconds(choices[0].epochs or plan.epochs)
        found[cell.system] += (len(choices) - len(done)) * at_first + finals * later
        for rung in plan.rungs[1:]:
            found[cell.system] += rung.configurations * plan.fits_of_each * pilot.seconds(rung.epochs or plan.epochs)
        found[cell.system] += 0.0 if done else pilot.first - at_first
    return found


def estimate_text(seconds: Mapping[str, float]) -> str:
    """An estimate in words, what takes longest first.

    Args:
        seconds: by system.

    Returns:
        Such as `42 min (emobed 30 min, classic 12 min)`.
    """
    parts = sorted(((name, value) for name, value in seconds.items() if value >= 1), key=lambda part: -part[1])
    text = duration_text(sum(seconds.values()))
    return f"{text} ({', '.join(f'{name} {duration_text(value)}' for name, value in parts)})" if parts else text


def _choices(plan: SearchPlan) -> list[Trial]:
    """All fits of the first rung."""
    return [trial for k in range(len(plan.configurations)) for trial in plan.trials(k, 0)]


def _timed(trials: list[Trial], plan: SearchPlan, ledger: Ledger) -> Pilots:
    first, later = (ledger[trial.key] for trial in (trials[0], trials[-1]))
    total = later.get("total_seconds", 0.0)
    fitting = min(later.get("seconds", 0.0), total)
    return Pilots(first.get("total_seconds", 0.0), fitting, total - fitting, trials[-1].epochs or plan.epochs)
