"""What a sweep trains: scenarios, and one trial for each value and seed. No TensorFlow."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from emobed_tf.comparison.scenario import Scenario
from emobed_tf.config import Config
from emobed_tf.console import Progress
from emobed_tf.corpora.configured import fingerprints, merged_tables
from emobed_tf.corpora.corpus import Corpus
from emobed_tf.corpora.summary import read_lines
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.settings import PLACES
from emobed_tf.systems.base import Problem
from emobed_tf.training.session import default_session
from tuning.sweep_values import NumericSetting, Value, check_data

_OWN = ("target", "auxiliary", "dimension")  # settings that scenarios of one sweep don't share
_NO_MATTER = (*PLACES, "diagnostics")


@dataclass(frozen=True)
class SweepScenario:
    """A label that is learnt from a modality.

    Attributes:
        config: resolved, without the parameter's values.
        label: a dimension, `emotion` or `label`.
        data: SHA-256 by input file, see `configured.fingerprints`.
        score_name: of the development score that picks weights.
        simulated: whether any of the data is.
        read: what was read, for people, see `read_lines`.
        named: whether its auxiliaries were named with it: then there may be another one of the same label and target.
    """

    config: Config
    label: str
    data: tuple[tuple[str, str], ...]
    score_name: str
    simulated: bool
    read: tuple[str, ...] = ()
    named: bool = False

    @property
    def name(self) -> str:
        """Such as `arousal from audio`, or `arousal from audio (+video)`."""
        return scenario_name(**self.key)

    @property
    def key(self) -> dict[str, Any]:
        """What a ledger knows it by: no two scenarios of a sweep have all of it in common."""
        key: dict[str, Any] = {"label": self.label, "target": self.config.data.target}
        auxiliaries = cast(tuple[str, ...], self.config.data.auxiliary)  # the configuration is resolved
        return {**key, "auxiliary": list(auxiliaries)} if self.named else key

    def facts(self) -> dict[str, Any]:
        """What its trials depend on beside what all scenarios share, as JSON values."""
        data = self.config.data
        return {
            "target": data.target,
            "auxiliary": list(cast(tuple[str, ...], data.auxiliary)),
            "label": self.label,
            "score_name": self.score_name,
            "simulated": self.simulated,
            "data": dict(self.data),
        }


@dataclass(frozen=True)
class SweepTrial:
    """One training.

    Attributes:
        scenario: of this sweep.
        parameter: name of the setting that is varied.
        value: of it.
        seed: of the training.
    """

    scenario: SweepScenario
    parameter: str
    value: Value
    seed: int

    @property
    def key(self) -> dict[str, Any]:
        """What a ledger knows it by."""
        return {**self.scenario.key, "value": self.value, "seed": self.seed}

    def __str__(self) -> str:
        return f"{self.parameter} = {self.value}, {self.scenario.name}, seed {self.seed}"


def sweep_scenarios(
    settings: Config,
    targets: Sequence[str],
    dimensions: Sequence[str],
    parameter: NumericSetting,
    progress: Progress | None = None,
    named: Sequence[Scenario] = (),
) -> list[SweepScenario]:
    """Reads the data of every scenario, or target, and dimension.

    Args:
        settings: of the sweep. An auxiliary that is the target of a scenario is left out in that one.
        targets: modalities; none: that of the settings.
        dimensions: none: that of the settings.
        parameter: that will be varied.
        progress: see `corpora.load`.
        named: targets with auxiliaries of their own, instead of `targets`.

    Returns:
        One for each dimension and target, or for each dimension and scenario.

    Raises:
        InputError: if data, settings and parameter don't fit each other, or two scenarios are the same.
    """
    found: list[SweepScenario] = []
    for dimension in dimensions or (settings.data.dimension,):
        wanted = [_of(settings, target, dimension) for target in targets or (settings.data.target,)]
        if named:
            wanted = [_of(settings.replace(auxiliary=s.auxiliaries), s.target, dimension) for s in named]
        for config in wanted:
            config, corpus = default_session().corpora.load(config, progress)
            check_data(parameter, config, corpus)
            found.append(_scenario(config, corpus, bool(named)))
            if found[-1].name in [scenario.name for scenario in found[:-1]]:
                raise InputError(f"'{found[-1].name}' twice: name targets once, and dimensions only of a regression")
    return found


def sweep_identity(parameter: NumericSetting, found: Sequence[SweepScenario]) -> dict[str, Any]:
    """What all trials of a sweep depend on, as JSON values.

    Args:
        parameter: that is varied.
        found: the scenarios.

    Returns:
        As a ledger takes it.
    """
    left_out = {*_OWN, *_NO_MATTER, "seed", parameter.name}
    settings = {name: value for name, value in found[0].config.to_dict().items() if name not in left_out}
    return {"sweep of": parameter.name, "settings": settings}


def sweep_key_of_format_1(key: Mapping[str, Any]) -> dict[str, Any]:
    """The key of a scenario or trial as ledgers of format 1 hold it: the scenario by its name.

    Args:
        key: of a scenario or trial.

    Returns:
        With `scenario` instead of `label`, `target` and `auxiliary`.
    """
    of_scenario = {name: value for name, value in key.items() if name in ("label", "target", "auxiliary")}
    fields = {name: value for name, value in key.items() if name not in of_scenario}
    return {"scenario": scenario_name(**of_scenario), **fields}


def scenario_name(label: str, target: str, auxiliary: Sequence[str] = ()) -> str:
    """What people read.

    Args:
        label: what is recognised.
        target: modality that it is recognised from.
        auxiliary: modalities that help, where they belong to the name.

    Returns:
        Such as `arousal from audio`, or `arousal from audio (+video)`.
    """
    return f"{label} from {Scenario(target, tuple(auxiliary)).name}"


def sweep_trials(
    found: Sequence[SweepScenario], parameter: NumericSetting, values: Sequence[Value], seeds: Sequence[int]
) -> Iterator[SweepTrial]:
    """All trials; those that can use one compiled step come one after another.

    Args:
        found: the scenarios.
        parameter: that is varied.
        values: of it.
        seeds: of the trainings.

    Returns:
        Scenario by scenario, value by value.
    """
    return (SweepTrial(s, parameter.name, value, seed) for s in found for value in values for seed in seeds)


def run_sweep_trial(trial: SweepTrial) -> dict[str, Any]:
    """Trains once, in memory.

    Args:
        trial: what to train.

    Returns:
        JSON values: `score` (the best on development, of the target, with the label delay undone; None if training
        failed), `epochs`, `best_epoch`, `seconds`, `reason` of the failure (or None), and `warnings`.

    Raises:
        InputError: if the data are not those of the sweep.
    """
    from emobed_tf.training.loop import train

    scenario = trial.scenario
    settings = scenario.config.replace(**{trial.parameter: trial.value, "seed": trial.seed})
    config, corpus = default_session().corpora.load(settings)
    if fingerprints(config, corpus) != dict(scenario.data):
        raise InputError(f"{config.data.data_dir or 'the tables'}: not the data that the sweep began with")
    found: dict[str, Any] = dict.fromkeys(("score", "epochs", "best_epoch", "seconds", "reason"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EmoBedWarning)
        try:
            trained = train(config, corpus)
        except InputError as error:  # it diverged, or this value leaves nothing to learn
            found["reason"] = str(error)
        else:
            found |= {"epochs": len(trained.history), "best_epoch": trained.best_epoch}
            found["seconds"] = round(trained.seconds, 3)
            if math.isfinite(trained.score):
                found["score"] = trained.score
            else:
                found["reason"] = "no epoch had a development score"
    doubts = {str(warning.message) for warning in caught if issubclass(warning.category, EmoBedWarning)}
    return {**found, "warnings": sorted(doubts)}


def _of(settings: Config, target: str | None, dimension: str) -> Config:
    auxiliary = settings.data.auxiliary
    if auxiliary is not None:
        auxiliary = tuple(name for name in auxiliary if name != target)
    tables = merged_tables(settings.data.table)
    return settings.replace(target=target, dimension=dimension, auxiliary=auxiliary, table=tables)


def _scenario(config: Config, corpus: Corpus, named: bool) -> SweepScenario:
    data = tuple(sorted(fingerprints(config, corpus).items()))
    score, read = Problem(config, corpus).score, tuple(read_lines(corpus))
    return SweepScenario(config, corpus.label, data, score, corpus.simulated, read, named)
