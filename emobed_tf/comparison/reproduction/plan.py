"""What a table of the paper takes on one's own machine: which systems, on which scenarios.

A system that auxiliaries don't help is fitted once for a target, whatever stands beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emobed_tf import datasets
from emobed_tf.comparison.protocol import Cell
from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import OfficialSource
from emobed_tf.config import PLACES, Config
from emobed_tf.console import Progress
from emobed_tf.corpora.configured import merged_tables
from emobed_tf.corpora.corpus import CLASSIFICATION, REGRESSION
from emobed_tf.corpora.loading import find_modalities
from emobed_tf.corpora.locate import locate
from emobed_tf.errors import InputError
from emobed_tf.systems.registry import SYSTEM_NAMES, find_system

_DIMENSION = {1: "arousal", 2: "valence"}
_OWN = ("target", "auxiliary", "dimension", "task", "framework", "seed")  # a scenario, the table, a row or --seeds says
_NOT_IN_IDENTITY = (*PLACES, "target", "auxiliary")


@dataclass(frozen=True)
class TablePlan:
    """What a table takes.

    Attributes:
        number: 1 (arousal), 2 (valence) or 3 (classes).
        config: the ground that every system changes; with the data's folder.
        scenarios: its blocks.
        rows: names of systems, and `published.END_TO_END`, in the order of the table.
        missing: modalities that the paper's scenarios name and the data lack.
    """

    number: int
    config: Config
    scenarios: tuple[Scenario, ...]
    rows: tuple[str, ...]
    missing: tuple[str, ...] = ()

    @property
    def task(self) -> str:
        """What all rows learn."""
        return CLASSIFICATION if self.number == 3 else REGRESSION

    @property
    def systems(self) -> tuple[str, ...]:
        """Rows that can be fitted."""
        return tuple(row for row in self.rows if row != published.END_TO_END)

    def cell(self, row: str, scenario: Scenario) -> Cell:
        """The protocol's cell of a row in a scenario.

        Args:
            row: name of a system.
            scenario: one of `scenarios`.

        Returns:
            What the protocol runs: without auxiliaries where they don't help the system.
        """
        system = find_system(row)
        if system.crossmodal or system.paired:
            config = self.config.replace(target=scenario.target, auxiliary=scenario.auxiliaries)
        else:
            scenario = Scenario(scenario.target)
            config = self.config.replace(target=scenario.target, auxiliary=(), framework="classic", alpha=0.0, beta=0.0)
        return Cell(scenario, OfficialSource(config), row)

    def cells(self) -> list[Cell]:
        """All of them, scenario by scenario."""
        return list(dict.fromkeys(self.cell(row, scenario) for scenario in self.scenarios for row in self.systems))

    def identity(self, fingerprints: Mapping[str, str]) -> dict[str, Any]:
        """What results must share to stand in one table: settings, and the bytes of the data.

        Args:
            fingerprints: SHA-256 of all files that its problems are read from, by name.

        Returns:
            JSON values, as a ledger takes them.
        """
        settings = {name: value for name, value in self.config.to_dict().items() if name not in _NOT_IN_IDENTITY}
        return {"table": self.number, "settings": settings, "fingerprints": dict(sorted(fingerprints.items()))}


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
        number: 1, 2 or 3.
        config: settings that all systems share.
        scenarios: `TARGET+AUX[+AUX]` each; default: the paper's that the data allow, or, of data that are not the
            paper's, each modality with all others.
        rows: names of those wanted; default: all that learn the task.
        systems: further ones, `package.module:Class`.
        progress: told how far a simulation is, where there are no data.

    Returns:
        What `reproduce` runs.

    Raises:
        InputError: if names, settings or data don't fit.
    """
    _check_own(config)
    config = config.replace(table=merged_tables(config.data.table))
    directory = locate(config.data.dataset, config.data.data_dir, bool(config.data.table), progress)
    task = CLASSIFICATION if number == 3 else REGRESSION
    config = config.replace(data_dir=directory, task=task, dimension=_DIMENSION.get(number, "arousal"))
    config.check()
    chosen, missing = _scenarios(config, scenarios, _available(config, directory))
    return TablePlan(number, config, chosen, _rows(number, task, rows, systems), missing)


def _check_own(config: Config) -> None:
    """A flag that this command sets by itself would do nothing."""
    values, ground = config.to_dict(), Config().to_dict()
    for name in _OWN:
        if values[name] != ground[name]:
            raise InputError(
                f"--{name}: the table's number, --scenario, --rows and --seeds say that here; leave --{name} out"
            )


def _available(config: Config, directory: Path | None) -> tuple[str, ...]:
    own = find_modalities(datasets.get(config.data.dataset), directory) if directory is not None else ()
    return tuple(dict.fromkeys((*own, *(entry.partition("=")[0] for entry in config.data.table))))


def _scenarios(
    config: Config, wanted: Sequence[str], available: tuple[str, ...]
) -> tuple[tuple[Scenario, ...], tuple[str, ...]]:
    """Scenarios to run, and modalities of the paper that the data lack."""
    missing: tuple[str, ...] = ()
    of_the_paper = published.scenarios_on(config.data.dataset)
    if wanted:
        found = [tuple(part.strip() for part in text.split("+")) for text in wanted]
    elif not of_the_paper:
        found = [(target, *(name for name in available if name != target)) for target in available]
    else:
        found = [names for names in of_the_paper if set(names) <= set(available)]
        needed = dict.fromkeys(name for names in of_the_paper for name in names)
        missing = tuple(name for name in needed if name not in available)
    for names in found:
        if len(names) < 2 or len(set(names)) < len(names):
            raise InputError(f"--scenario {'+'.join(names)}: expected TARGET+AUX[+AUX], different modalities")
        unknown = [name for name in names if name not in available]
        if unknown:
            raise InputError(f"--scenario {'+'.join(names)}: no modality '{unknown[0]}'; found {', '.join(available)}")
    if not found:
        raise InputError(
            f"no scenario: found the modalities {', '.join(available) or 'none'}; name one with --scenario"
        )
    return tuple(Scenario(names[0], names[1:]) for names in found), missing


def _rows(number: int, task: str, rows: Sequence[str], systems: Sequence[str]) -> tuple[str, ...]:
    for row in (*rows, *systems):
        if row != published.END_TO_END and task not in find_system(row).tasks:
            tasks = " and ".join(find_system(row).tasks)
            raise InputError(f"row {row} learns {tasks}, but table {number} is a {task}")
    own = tuple(row for row in SYSTEM_NAMES if task in find_system(row).tasks)
    default = own if number == 3 else (*own, published.END_TO_END)
    wanted = tuple(dict.fromkeys((*(rows or default), *systems)))
    if set(wanted) <= {published.END_TO_END}:
        raise InputError(f"--rows {published.END_TO_END}: it can't be fitted to features; name other systems, too")
    return wanted
