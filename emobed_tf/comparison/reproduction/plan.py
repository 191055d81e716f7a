"""The paper's tables on one's own machine: which systems on which problems, and how their results are compared.

Each row is one system, each scenario a target modality with auxiliaries. A system that auxiliaries don't help is fitted
once for a target, whatever stands beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emobed_tf.comparison.protocol import Cell, Result
from emobed_tf.comparison.reproduction import published
from emobed_tf.comparison.trials import Official
from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora import omg, recola, tables
from emobed_tf.corpora.configured import merged_tables
from emobed_tf.corpora.corpus import CLASSIFICATION, REGRESSION
from emobed_tf.corpora.locate import locate
from emobed_tf.errors import InputError
from emobed_tf.evaluation.evidence import Difference, Summary, difference, stacked, summarise
from emobed_tf.systems.base import NAMES, find

PARTITIONS = ("dev", "test")
_DIMENSION = {1: "arousal", 2: "valence"}
_FIND = {"recola": recola.find, "omg": omg.find, "tables": tables.find}
_OWN = ("target", "auxiliary", "dimension", "task", "framework", "seed")  # a scenario, the table, a row or --seeds says


@dataclass(frozen=True)
class Scenario:
    """A target modality and its auxiliaries.

    Attributes:
        target: modality to recognise emotion from.
        auxiliaries: modalities that help in training, at least one.
    """

    target: str
    auxiliaries: tuple[str, ...]

    @property
    def name(self) -> str:
        """As the paper writes it: audio (+video)."""
        return f"{self.target} (+{', '.join(self.auxiliaries)})"


@dataclass(frozen=True)
class Plan:
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
        """The protocol's cell of a row in a scenario."""
        system = find(row)
        alone = not (system.crossmodal or system.paired)
        if alone:
            config = self.config.replace(target=scenario.target, auxiliary=(), framework="classic", alpha=0.0, beta=0.0)
        else:
            config = self.config.replace(target=scenario.target, auxiliary=scenario.auxiliaries)
        return Cell(scenario.target if alone else scenario.name, Official(config), row)

    def cells(self) -> list[Cell]:
        """All of them, scenario by scenario."""
        return list(dict.fromkeys(self.cell(row, scenario) for scenario in self.scenarios for row in self.systems))


@dataclass(frozen=True)
class Entry:
    """A row in one scenario.

    Attributes:
        row: name of the system, or `published.END_TO_END`.
        scenario: where.
        result: of the protocol; None for a row that can't be fitted.
        scores: by partition.
        differences: from classic, by partition; empty for classic itself, and where there is none to compare with.
        published: the paper's value by partition, where the data are the paper's.
    """

    row: str
    scenario: Scenario
    result: Result | None
    scores: dict[str, Summary]
    differences: dict[str, Difference]
    published: dict[str, float]


def plan(
    number: int,
    config: Config,
    scenarios: Sequence[str] = (),
    rows: Sequence[str] = (),
    systems: Sequence[str] = (),
    progress: Progress | None = None,
) -> Plan:
    """What a table takes, checked before anything is trained.

    Args:
        number: 1, 2 or 3.
        config: settings that all systems share.
        scenarios: `TARGET+AUX[+AUX]` each; default: the paper's that the data allow, or, of tables, each modality
            with all others.
        rows: names of those wanted; default: all that learn the task.
        systems: further ones, `package.module:Class`.
        progress: told how far a simulation is, where there are no data.

    Raises:
        InputError: if names, settings or data don't fit.
    """
    _check_own(config)
    config = config.replace(table=merged_tables(config.data.table))
    directory = locate(config.data.dataset, config.data.data_dir, bool(config.data.table), progress)
    task = CLASSIFICATION if number == 3 else REGRESSION
    config = config.replace(data_dir=directory, task=task, dimension=_DIMENSION.get(number, "arousal"))
    config.check()
    available = _available(config, directory)
    chosen, missing = _scenarios(config, scenarios, available)
    own = tuple(row for row in NAMES if task in find(row).tasks)
    for row in (*rows, *systems):
        if row != published.END_TO_END and task not in find(row).tasks:
            raise InputError(f"row {row} learns {' and '.join(find(row).tasks)}, but table {number} is a {task}")
    default = own if number == 3 else (*own, published.END_TO_END)
    wanted = tuple(dict.fromkeys((*(rows or default), *systems)))
    if set(wanted) <= {published.END_TO_END}:
        raise InputError(f"--rows {published.END_TO_END}: it can't be fitted to features; name other systems, too")
    return Plan(number, config, chosen, wanted, missing)


def identity(plan: Plan, fingerprints: Mapping[str, str]) -> dict:
    """What results must share to stand in one table: settings, and the bytes of the data.

    Args:
        plan: of the table.
        fingerprints: SHA-256 of all files that its problems are read from, by name.
    """
    left_out = {"data_dir", "table", "target", "auxiliary"}
    settings = {name: value for name, value in plan.config.identity().items() if name not in left_out}
    return {"table": plan.number, "settings": settings, "fingerprints": dict(sorted(fingerprints.items()))}


def entries(plan: Plan, results: Sequence[Result], score: str, simulated: bool) -> list[Entry]:
    """The rows of the table, scenario by scenario.

    Args:
        plan: whose.
        results: of `Plan.cells`, in their order.
        score: `ccc`, or a key of `CLASSIFICATION_SCORES`.
        simulated: whether any of the data are.
    """
    by_cell = dict(zip(plan.cells(), results, strict=True))
    values = {} if simulated else _published(plan)
    found = []
    for scenario in plan.scenarios:
        classic = by_cell.get(plan.cell("classic", scenario))
        for row in plan.rows:
            result = by_cell[plan.cell(row, scenario)] if row in plan.systems else None
            scores, differences = {}, {}
            if result is not None and result.runs:
                scores = {part: _summary(result, part, score) for part in result.runs[0]["partitions"]}
                if classic is not None and classic.runs and row != "classic":
                    differences = {part: _difference(classic, result, part, score) for part in scores}
                    differences = {part: value for part, value in differences.items() if value is not None}
            key = (scenario.target, *scenario.auxiliaries)
            printed = {part: values[row, key, part] for part in PARTITIONS if (row, key, part) in values}
            found.append(Entry(row, scenario, result, scores, differences, printed))
    return found


def _check_own(config: Config) -> None:
    """A flag that this command sets by itself would do nothing."""
    values, ground = config.to_dict(), Config().to_dict()
    for name in _OWN:
        if values[name] != ground[name]:
            raise InputError(
                f"--{name}: the table's number, --scenario, --rows and --seeds say that here; leave --{name} out"
            )


def _available(config: Config, directory: Path | None) -> tuple[str, ...]:
    own = _FIND[config.data.dataset](directory) if directory is not None else ()
    return tuple(dict.fromkeys((*own, *(entry.partition("=")[0] for entry in config.data.table))))


def _scenarios(
    config: Config, wanted: Sequence[str], available: tuple[str, ...]
) -> tuple[tuple[Scenario, ...], tuple[str, ...]]:
    """Scenarios to run, and modalities of the paper that the data lack."""
    missing: tuple[str, ...] = ()
    if wanted:
        found = [tuple(part.strip() for part in text.split("+")) for text in wanted]
    elif config.data.dataset == "tables":
        found = [(target, *(name for name in available if name != target)) for target in available]
    else:
        of_the_paper = published.scenarios(3 if config.data.dataset == "omg" else 1)
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


def _published(plan: Plan) -> dict:
    """The paper's values, only where the data set is the paper's for this table."""
    own_data = plan.config.data.dataset != ("omg" if plan.number == 3 else "recola")
    return {} if own_data else dict(published.values(plan.number))


def _summary(result: Result, partition: str, score: str) -> Summary:
    return summarise(stacked([run["partitions"][partition] for run in result.runs]), score)


def _difference(classic: Result, other: Result, partition: str, score: str) -> Difference | None:
    """On seeds that both have: one may have failed with a seed."""
    by_seed = [{run["seed"]: run["partitions"][partition] for run in result.runs} for result in (classic, other)]
    seeds = sorted(by_seed[0].keys() & by_seed[1].keys())
    if not seeds:
        return None
    first, second = (stacked([parts[seed] for seed in seeds]) for parts in by_seed)
    return difference(first, second, score, by_seed[0][seeds[0]]["frames"])
