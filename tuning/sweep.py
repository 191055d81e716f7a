"""`python -m tuning.sweep`: how the development score depends on one setting."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("tuning.sweep")  # while what is below is imported

import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from emobed_tf import console, datasets
from emobed_tf.cli import arguments as cli
from emobed_tf.comparison.scenario import Scenario
from emobed_tf.comparison.tables.plan import located, named_scenarios
from emobed_tf.comparison.workers import Workers, fan_out
from emobed_tf.config import Config, Settings
from emobed_tf.console import Progress
from emobed_tf.corpora.locate import notice
from emobed_tf.errors import InputError
from emobed_tf.settings import Names, OptionalPath, Preset, TrustedNames
from tuning.sweep_results import SweepFolder, show_sweep
from tuning.sweep_trials import run_sweep_trial, sweep_scenarios, sweep_trials
from tuning.sweep_values import find_setting, read_values

PROG = "tuning.sweep"
DESCRIPTION = """Trains with every value of a setting and several seeds: development score by value, as in Fig. 5 to 7.

All else is as the flags say. Test data are never looked at. The same command resumes a sweep that was stopped or
killed; more values, seeds, targets or dimensions may be asked for in the same folder."""


@dataclass(frozen=True)
class Arguments:
    """A sweep."""

    settings: Settings
    parameter: Annotated[str, tyro.conf.arg(metavar="NAME")]
    """Numeric setting to vary, such as alpha."""
    values: Annotated[str, tyro.conf.arg(metavar="VALUES")]
    """A,B,C or START:STOP:STEP, with STOP included."""
    seeds: int = 5
    """Trainings with every value, with seeds from --seed on."""
    targets: Names = ()
    """Modalities to recognise emotion from, a line in the figure for each (default: --target alone)."""
    scenario: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """What is recognised from what, each as TARGET+AUX[+AUX], a line in the figure for each: Fig. 5 and 6 have four.
    Instead of --targets."""
    dimensions: Names = ()
    """Dimensions of a regression, a line in the figure for each (default: --dimension alone)."""
    workers: Workers = field(default_factory=Workers)
    output: OptionalPath = None
    """Folder of the sweep (default: runs/sweep-DATASET-FRAMEWORK-PARAMETER)."""
    preset: Preset = "recommended"
    config: OptionalPath = None
    """JSON file with settings, such as a run's config.json; flags change it."""
    trust: TrustedNames = ()
    """Code from outside the package that a run's config.json may name, such as blstm:blstm; you can repeat the flag."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, 2 after an error that the user can mend, 130 after Ctrl-C.
    """
    return console.run(PROG, lambda: _main(list(sys.argv[1:] if argv is None else argv)))


def _main(argv: list[str]) -> int:
    default = Arguments(cli.starting_config(argv, recommends=True), tyro.MISSING, tyro.MISSING)
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION, default=default)
    settings = arguments.settings.check()
    parameter = find_setting(arguments.parameter, settings)
    values = read_values(arguments.values, parameter, settings)
    seeds = _seeds(settings, arguments.seeds)
    arguments.workers.check()
    _check_told_twice(argv, arguments, parameter.name)

    with console.progress("reading") as progress:
        named = _named(settings, arguments, progress)
        found = sweep_scenarios(settings, arguments.targets, arguments.dimensions, parameter, progress, named)
    path = arguments.output or Path("runs") / _default_name(settings, parameter.name)
    with (
        console.if_interrupted(lambda: console.KEPT),
        contextlib.closing(SweepFolder(path, parameter, found)) as folder,
    ):
        wanted = list(sweep_trials(found, parameter, values, seeds))
        missing = [trial for trial in wanted if trial not in folder]
        if any(scenario.simulated for scenario in found):
            print(notice(settings.data.dataset, found[0].config.data.data_dir))
        for line in dict.fromkeys(line for scenario in found for line in scenario.read):
            print(line)
        print(f"{len(wanted)} trainings, {len(wanted) - len(missing)} of them done before; folder {path}", flush=True)
        with console.progress("training") as progress:
            progress(0, len(missing), "training")
            done = fan_out(run_sweep_trial, missing, arguments.workers, threads=settings.training.threads)
            for count, (index, record) in enumerate(done, 1):
                folder.add(missing[index], record)
                progress(count, len(missing), str(missing[index]))
        show_sweep(folder.rows())
        print("written: " + ", ".join(map(str, folder.write())))
    return 0


def _named(settings: Config, arguments: Arguments, progress: Progress) -> tuple[Scenario, ...]:
    """Scenarios that are named with their auxiliaries; none without --scenario."""
    if not arguments.scenario:
        return ()
    if arguments.targets or settings.data.target or settings.data.auxiliary is not None:
        raise InputError("--scenario and --target, --targets or --auxiliary say the same thing; leave one of them out")
    _, available = located(settings, progress)
    return named_scenarios(arguments.scenario, available, alone=settings.objective.framework == "classic")


def _seeds(settings: Config, count: int) -> range:
    if count < 1:
        raise InputError(f"--seeds: expected 1 or more, found {count}")
    seeds = range(settings.training.seed, settings.training.seed + count)
    settings.replace(seed=seeds[-1]).check()
    return seeds


def _check_told_twice(argv: Sequence[str], arguments: Arguments, parameter: str) -> None:
    flags = {word.partition("=")[0].replace("_", "-") for word in argv if word.startswith("--")}
    told = {"--" + parameter.replace("_", "-"): "--values"}
    told |= {"--target": "--targets"} if arguments.targets else {}
    told |= {"--dimension": "--dimensions"} if arguments.dimensions else {}
    for flag, other in told.items():
        if flag in flags:
            raise InputError(f"{flag}: {other} says it already; leave {flag} out")


def _default_name(settings: Config, parameter: str) -> str:
    return f"sweep-{datasets.get(settings.data.dataset).name}-{settings.objective.framework}-{parameter}"


if __name__ == "__main__":
    sys.exit(main())
