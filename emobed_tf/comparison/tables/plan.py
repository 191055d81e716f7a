"""What a table of systems takes: which systems, on which scenarios of a data set with its own partitions.

A system that auxiliaries don't help is fitted once for a target, whatever stands beside it.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from emobed_tf import datasets
from emobed_tf.comparison.contrasts import EXPLORATORY, contrast, primary_system
from emobed_tf.comparison.protocol import Cell
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.trials import OfficialSource
from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora.budget import steps_of_epoch
from emobed_tf.corpora.configured import merged_tables
from emobed_tf.corpora.corpus import REGRESSION
from emobed_tf.corpora.loading import find_modalities
from emobed_tf.corpora.locate import locate
from emobed_tf.errors import InputError
from emobed_tf.settings import PLACES
from emobed_tf.systems.registry import find_system

CLASSIC = "classic"
_NOT_IN_IDENTITY = (*PLACES, "target", "auxiliary")

PublishedValues = Mapping[tuple[str, tuple[str, ...], str], float]
"""Scores by row, scenario (the target, then its auxiliaries) and partition."""


@dataclass(frozen=True)
class Unfitted:
    """A row that can't be fitted, and is there for its published values.

    Attributes:
        title: what the table calls it.
        reason: why it can't be fitted.
    """

    title: str
    reason: str


@dataclass(frozen=True)
class Published:
    """Values that were published for such a table, to stand beside one's own on the same data.

    Attributes:
        source: what their column is called.
        values: see `PublishedValues`.
        unfitted: rows that are there for these values alone, by name.
    """

    source: str = ""
    values: PublishedValues = field(default_factory=dict)
    unfitted: Mapping[str, Unfitted] = field(default_factory=dict)


@dataclass(frozen=True)
class TablePlan:
    """What a table takes.

    Attributes:
        name: what a ledger knows it by: the number of a table of the paper, or `comparison`.
        config: the ground that every system changes; with the data's folder.
        task: what all rows learn.
        scenarios: its blocks.
        rows: names of systems, and of `published.unfitted`, in the order of the table.
        reference: name of the row that the others are compared with.
        primary: name of the row whose gain over the reference is the primary contrast; None: all are exploratory.
        published: what stands beside one's own values.
        remarks: sentences about the plan that belong below the table.
        steps: of an epoch by target, where a target's scenarios have others than the target alone; see `with_budget`.
    """

    name: int | str
    config: Config
    task: str
    scenarios: tuple[Scenario, ...]
    rows: tuple[str, ...]
    reference: str = CLASSIC
    primary: str | None = None
    published: Published = Published()
    remarks: tuple[str, ...] = ()
    steps: Mapping[str, int] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """`Table 1`, or `Comparison`."""
        return f"Table {self.name}" if isinstance(self.name, int) else self.name.capitalize()

    @property
    def systems(self) -> tuple[str, ...]:
        """Rows that can be fitted."""
        return tuple(row for row in self.rows if row not in self.published.unfitted)

    @property
    def repeats_targets(self) -> bool:
        """Whether a target stands in several scenarios."""
        return len({scenario.target for scenario in self.scenarios}) < len(self.scenarios)

    def contrast(self, row: str, scenario: Scenario) -> str:
        """What the gain of a row is called by its part in the comparison. A target has one primary contrast.

        Args:
            row: name of a system.
            scenario: one of `scenarios`.

        Returns:
            `primary` for the primary row in the first scenario of a target, else `exploratory`.
        """
        first = next(one for one in self.scenarios if one.target == scenario.target)
        return contrast(row, self.primary) if scenario == first else EXPLORATORY

    def cell(self, row: str, scenario: Scenario) -> Cell:
        """The protocol's cell of a row in a scenario.

        Args:
            row: name of a system.
            scenario: one of `scenarios`.

        Returns:
            What the protocol runs: without auxiliaries where they don't help the system.
        """
        system, config = find_system(row), self.config
        if scenario.target in self.steps:
            config = config.replace(steps_per_epoch=self.steps[scenario.target])
        if system.reads_auxiliaries():
            config = config.replace(target=scenario.target, auxiliary=scenario.auxiliaries)
        else:
            scenario = Scenario(scenario.target)
            own = {"target": scenario.target, "auxiliary": (), "alpha": 0.0, "beta": 0.0}
            config = config.of_framework("classic").replace(**own)
        return Cell(scenario, OfficialSource(config), row)

    def cells(self) -> list[Cell]:
        """All of them, scenario by scenario."""
        return list(dict.fromkeys(self.cell(row, scenario) for scenario in self.scenarios for row in self.systems))

    def with_budget(self, items: Mapping[str, int]) -> "TablePlan":
        """The same with steps of an epoch that all rows of a target share, in all of its scenarios.

        They are one pass over the largest modality of the target's scenarios (`--epoch largest`), so that a row that
        stands in several of them is fitted once.

        Args:
            items: training sequences by modality, of all that the rows use.

        Returns:
            A new plan, where the target alone has fewer steps; else this one.
        """
        training = self.config.training
        if training.epoch != "largest" or training.steps_per_epoch is not None:
            return self
        most: dict[str, int] = {}
        for scenario in self.scenarios:
            found = (items[name] for name in scenario.names if name in items)
            most[scenario.target] = max(most.get(scenario.target, 0), *found)
        steps = {target: steps_of_epoch(training, number) for target, number in most.items()}
        own = {target: steps_of_epoch(training, items[target]) for target in most}
        return dataclasses.replace(self, steps={name: n for name, n in steps.items() if n != own[name]})

    def identity(self, fingerprints: Mapping[str, str]) -> dict[str, Any]:
        """What results must share to stand in one table: settings, and the bytes of the data.

        Args:
            fingerprints: SHA-256 of all files that its problems are read from, by name.

        Returns:
            JSON values, as a ledger takes them.
        """
        settings = {name: value for name, value in self.config.to_dict().items() if name not in _NOT_IN_IDENTITY}
        found = {"table": self.name, "settings": settings, "fingerprints": dict(sorted(fingerprints.items()))}
        return {**found, "steps of an epoch": dict(self.steps)} if self.steps else found


def plan_comparison(
    config: Config,
    scenarios: Sequence[str],
    systems: Sequence[str],
    progress: Progress | None = None,
    *,
    primary: str | None = None,
) -> TablePlan:
    """What a comparison of systems on one's own data takes, checked before anything is trained.

    Args:
        config: settings that all systems share; target and auxiliaries are the only scenario, if it names a target.
        scenarios: `TARGET+AUX[+AUX]` each, or `TARGET` where no system needs an auxiliary. Default: that of the
            configuration, or each modality with all others.
        systems: names, or `package.module:Class`. The others are compared with classic, or else with the first.
        progress: told how far a simulation is, where there are no data.
        primary: name of the system whose gain is the primary contrast, see `contrasts.primary_system`.

    Returns:
        What `run.make_table` takes.

    Raises:
        InputError: if names, settings or data don't fit.
    """
    names = tuple(dict.fromkeys(systems))
    if not names:
        raise InputError("--systems: expected at least one, such as classic emobed")
    reference = CLASSIC if CLASSIC in names else names[0]
    primary = primary_system(names, reference, primary)
    check_own(config, ("framework", "seed"), "--systems and --seeds say that here")
    if scenarios and (config.data.target or config.data.auxiliary):
        raise InputError("--scenario and --target say the same thing; leave one of them out")
    helped = [name for name in names if find_system(name).reads_auxiliaries()]
    if not helped:
        config = config.of_framework("classic")
    config, available = located(config, progress)
    config = config.check()
    found = named_scenarios(scenarios, available, alone=not helped) if scenarios else _own_scenarios(config, available)
    if helped and not all(scenario.auxiliaries for scenario in found):
        raise InputError(
            f"system {helped[0]} needs an auxiliary modality, but there is only {', '.join(available)}; add one with "
            "--table NAME=PATH, or leave the system out"
        )
    config = config.replace(target=None, auxiliary=None)
    plan = TablePlan("comparison", config, REGRESSION, found, names, reference, primary)
    task = plan.cell(names[0], found[0]).source().task
    check_rows(names, task, "the data are")
    return dataclasses.replace(plan, task=task)


def check_own(config: Config, own: Sequence[str], instead: str) -> None:
    """Refuses settings that the command sets by itself: their flags would do nothing.

    Args:
        config: as on the command line.
        own: names of those settings.
        instead: what says it here.

    Raises:
        InputError: if one of them isn't at its default.
    """
    values, ground = config.to_dict(), Config().to_dict()
    for name in own:
        if values[name] != ground[name]:
            raise InputError(f"--{name}: {instead}; leave --{name} out")


def located(config: Config, progress: Progress | None = None) -> tuple[Config, tuple[str, ...]]:
    """The configuration with the folder of its data, and the modalities that are there.

    Args:
        config: any configuration.
        progress: told how far a simulation is, where there are no data.

    Returns:
        The configuration, and names of modalities.

    Raises:
        InputError: if there are no data, or settings don't fit.
    """
    config = config.replace(table=merged_tables(config.data.table))
    directory = locate(config.data.dataset, config.data.data_dir, bool(config.data.table), progress)
    own = find_modalities(datasets.get(config.data.dataset), directory) if directory is not None else ()
    named = (entry.partition("=")[0] for entry in config.data.table)
    return config.replace(data_dir=directory), tuple(dict.fromkeys((*own, *named)))


def named_scenarios(texts: Sequence[str], available: Sequence[str], *, alone: bool = False) -> tuple[Scenario, ...]:
    """Scenarios as they are named on the command line.

    Args:
        texts: `TARGET+AUX[+AUX]` each.
        available: modalities that there are.
        alone: whether a target may stand alone.

    Returns:
        One for each text.

    Raises:
        InputError: for a text that is no scenario of these modalities.
    """
    found = []
    for text in texts:
        names = tuple(part.strip() for part in text.split("+"))
        if len(names) < (1 if alone else 2) or len(set(names)) < len(names):
            raise InputError(f"--scenario {'+'.join(names)}: expected TARGET+AUX[+AUX], different modalities")
        unknown = [name for name in names if name not in available]
        if unknown:
            raise InputError(f"--scenario {'+'.join(names)}: no modality '{unknown[0]}'; found {', '.join(available)}")
        found.append(Scenario(names[0], names[1:]))
    return tuple(found)


def each_with_all_others(available: Sequence[str]) -> tuple[Scenario, ...]:
    """Each modality as the target, with all others as its auxiliaries.

    Args:
        available: modalities that there are.

    Returns:
        As many scenarios.

    Raises:
        InputError: if there is no modality.
    """
    if not available:
        raise InputError("no scenario: found no modality; name one with --table NAME=PATH")
    return tuple(Scenario(name, tuple(other for other in available if other != name)) for name in available)


def check_rows(rows: Sequence[str], task: str, whose: str) -> None:
    """Makes sure that every system learns the task.

    Args:
        rows: names of systems.
        task: what all of them have to learn.
        whose: what the task is of, with a verb, such as `table 3 is`.

    Raises:
        InputError: if one of them learns something else, or there is none of that name.
    """
    for row in rows:
        if task not in find_system(row).tasks:
            raise InputError(f"row {row} learns {' and '.join(find_system(row).tasks)}, but {whose} a {task}")


def _own_scenarios(config: Config, available: Sequence[str]) -> tuple[Scenario, ...]:
    target, auxiliary = config.data.target, config.data.auxiliary
    if target is None:
        if auxiliary:
            raise InputError("--auxiliary: of which target? Name it with --target, or use --scenario TARGET+AUX[+AUX]")
        return each_with_all_others(available)
    others = auxiliary if auxiliary is not None else tuple(name for name in available if name != target)
    return named_scenarios(["+".join((target, *others))], available, alone=True)
