"""What a table of the paper takes on one's own machine: its scenarios and rows, and the values that it prints."""

import dataclasses
from collections.abc import Sequence

from emobed_tf.comparison.contrasts import primary_system
from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.tables.plan import (
    Published,
    TablePlan,
    Unfitted,
    check_own,
    check_rows,
    each_with_all_others,
    located,
    named_scenarios,
)
from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora.corpus import CLASSIFICATION, REGRESSION
from emobed_tf.errors import InputError
from emobed_tf.settings import NO_FRONT_END
from emobed_tf.systems.registry import SYSTEM_NAMES, find_system

_DIMENSION = {1: "arousal", 2: "valence"}
OWN = ("target", "auxiliary", "dimension", "task", "framework", "seed")  # a scenario, the table, a row or --seeds says
_NO_RAW = "end-to-end needs raw recordings, which a package of features doesn't hold"


def plan_table(
    number: int,
    config: Config,
    scenarios: Sequence[str] = (),
    rows: Sequence[str] = (),
    systems: Sequence[str] = (),
    progress: Progress | None = None,
) -> TablePlan:
    """What a table takes, checked before anything is trained.

    Args:
        number: 1 (arousal), 2 (valence) or 3 (classes).
        config: settings that all systems share.
        scenarios: `TARGET+AUX[+AUX]` each; default: the paper's that the data allow, or, of data that are not the
            paper's, each modality with all others.
        rows: names of those wanted; default: all that learn the task.
        systems: further ones, `package.module:Class`.
        progress: told how far a simulation is, where there are no data.

    Returns:
        What `tables.run.make_table` takes.

    Raises:
        InputError: if names, settings or data don't fit.
    """
    check_own(config, OWN, "the table's number, --scenario, --rows and --seeds say that here")
    config, available = located(config, progress)
    task = CLASSIFICATION if number == 3 else REGRESSION
    config = config.replace(task=task, dimension=_DIMENSION.get(number, "arousal"))
    config.check()
    raw = config.network.front_end != NO_FRONT_END  # an end-to-end network needs no other modality
    chosen, missing = _scenarios(config, scenarios, available, raw)
    wanted = _rows(number, task, rows, systems, raw)
    remarks = [f"Left out: the paper's scenarios with {', '.join(missing)}, which these data lack."] if missing else []
    if raw:
        remarks.append(
            f"Recordings are learnt from the waveform, through the front end {config.network.front_end}: there, the "
            "row classic is an end-to-end network."
        )
    if published.END_TO_END in wanted:
        source = published.SOURCE[published.DATA_SETS[number]]
        remarks.append(f"{_NO_RAW[0].upper()}{_NO_RAW[1:]}; {source}, dev/test: {published.end_to_end(number)}.")
    beside = _published(number, config, wanted)
    plan = TablePlan(number, config, task, chosen, wanted, published=beside, remarks=tuple(remarks))
    compared = plan.systems if plan.reference in plan.systems else ()
    return dataclasses.replace(plan, primary=primary_system(compared, plan.reference, None))


def _published(number: int, config: Config, rows: Sequence[str]) -> Published:
    """The paper's values, only where the data set is the paper's for this table."""
    of_the_paper = config.data.dataset == published.DATA_SETS[number]
    end_to_end = {published.END_TO_END: Unfitted("end-to-end", _NO_RAW)} if published.END_TO_END in rows else {}
    if not of_the_paper:
        return Published(unfitted=end_to_end)
    return Published(published.SOURCE[config.data.dataset], published.values(number), end_to_end)


def _scenarios(
    config: Config, wanted: Sequence[str], available: tuple[str, ...], alone: bool
) -> tuple[tuple[Scenario, ...], tuple[str, ...]]:
    """Scenarios to run, and modalities of the paper that the data lack."""
    of_the_paper = published.scenarios_on(config.data.dataset)
    if wanted:
        return named_scenarios(wanted, available, alone=alone), ()
    if not of_the_paper:
        found = each_with_all_others(available)
        if len(available) < 2 and not alone:
            raise InputError(f"no scenario: found the modality {available[0]} alone; add one with --table NAME=PATH")
        return found, ()
    possible = [names for names in of_the_paper if set(names) <= set(available)]
    if not possible:
        raise InputError(
            f"no scenario: found the modalities {', '.join(available) or 'none'}; name one with --scenario"
        )
    needed = dict.fromkeys(name for names in of_the_paper for name in names)
    scenarios = tuple(Scenario(names[0], names[1:]) for names in possible)
    return scenarios, tuple(name for name in needed if name not in available)


def _rows(number: int, task: str, rows: Sequence[str], systems: Sequence[str], raw: bool) -> tuple[str, ...]:
    check_rows([row for row in (*rows, *systems) if row != published.END_TO_END], task, f"table {number} is")
    own = tuple(row for row in SYSTEM_NAMES if task in find_system(row).tasks)
    default = own if number == 3 or raw else (*own, published.END_TO_END)
    wanted = tuple(dict.fromkeys((*(rows or default), *systems)))
    if set(wanted) <= {published.END_TO_END}:
        raise InputError(f"--rows {published.END_TO_END}: it can't be fitted to features; name other systems, too")
    return wanted
