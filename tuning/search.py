"""`python -m tuning.search`: looks for the settings with the best development score."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("tuning.search")  # while what is below is imported

import argparse
import contextlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.cli.summary import announce, show_training
from emobed_tf.config import Settings
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.errors import InputError
from emobed_tf.runs.access import held
from emobed_tf.runtime import import_tensorflow
from emobed_tf.settings import OptionalInt, OptionalPath, Preset, TrustedNames
from tuning.folder import SearchFolder, default_folder
from tuning.plan import ORACLE_IP, check_numbers, chief_address, role
from tuning.space import DEFAULT, PARAMETERS, check, space

if TYPE_CHECKING:
    from tuning.oracles import TunerKind
    from tuning.tuners import Tuner

PROG = "tuning.search"
_HELD = "at work on this search"
DESCRIPTION = """Looks for the settings with the best development score of the target, and trains the best ones.

--space names what is searched, such as --space alpha beta. Without it, or with --space default, that is alpha, beta,
layers and units, learning rate, l2, bins and hop, as far as framework and task use them. A setting's own flag, such as
--alpha 0.3, fixes it. The winner is shown beside classic with the same other settings. The test set is
never looked at."""


@dataclass(frozen=True)
class Arguments:
    """A search."""

    settings: Settings
    output: OptionalPath = None
    """Folder of the search (default: a new one in searches/)."""
    tuner: Literal["grid", "random", "bayesian", "hyperband"] = "bayesian"
    """How to search. hyperband trains many for a few epochs and the best for up to --epochs."""
    space: Annotated[
        tyro.conf.UseAppendAction[tuple[tuple[str, ...], ...]], tyro.conf.arg(metavar="WHAT [WHAT ...]")
    ] = ()
    """What is searched, and nothing else: NAME where it is by default; NAME=A,B,C; NAME=LOW:HIGH, NAME=LOW:HIGH:STEP or
    NAME=LOW:HIGH:log. NAME=VALUE fixes it. default: all that is searched without --space."""
    max_trials: OptionalInt = None
    """Trials at most (default: 20; grid: all combinations; hyperband: all its brackets)."""
    seeds: int = 1
    """Trainings of each trial, with seeds from --seed on; their mean score counts."""
    workers: int = 1
    """Processes of this machine that share the trials."""
    resume: tyro.conf.FlagCreatePairsOff[bool] = False
    """Continue the search in --output; trials that have ended are kept, and --max-trials may be raised."""
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
    part = role()
    if part == "worker":
        argv = [word for word in argv if word != "--resume"]  # its chief's business
    cli.trust_what_is_named(argv)
    begun = _begun(argv)
    default = _defaults(begun) if begun else Arguments(cli.starting_config(argv, recommends=True))
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION, default=default)
    check_numbers(arguments.max_trials, arguments.seeds, arguments.workers)
    if part != "alone" and arguments.workers > 1:
        raise InputError(f"--workers starts processes here, but {ORACLE_IP} makes this one a {part}; leave one out")
    told = _told(argv, arguments, begun is not None)
    check(arguments.settings.check(), told)
    entries = (*(begun.read()[0].entries() if begun else ()), *told)

    with console.progress("reading") as progress:
        config, corpus = load_corpus(arguments.settings, progress)
    space(config, corpus, entries)
    folder = arguments.output or default_folder(config, corpus, arguments.tuner)

    import_tensorflow(config.training.threads)
    from tuning.tuners import tuner

    if part != "alone":
        print(f"{part} at {chief_address()}", flush=True)
    with contextlib.ExitStack() as holding:
        if begun and part != "worker":  # a worker of a cluster has no folder
            holding.enter_context(held(folder, _HELD))
        search = tuner(
            config,
            folder,
            kind=arguments.tuner,
            parameters=entries,
            max_trials=arguments.max_trials,
            seeds=arguments.seeds,
            resume=arguments.resume,
            corpus=corpus,
        )
        if part == "worker":
            search.search()
            print("no trials left; the chief has the results")
            return 0
        if not begun:
            holding.enter_context(held(folder, _HELD))
        return _lead(search, arguments.workers)


def _begun(argv: Sequence[str]) -> SearchFolder | None:
    """The search that is to be continued."""
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for flag in ("--config", "--output", "--preset"):
        early.add_argument(flag)
    early.add_argument("--resume", action="store_true")
    try:
        known, _ = early.parse_known_args(argv)
    except argparse.ArgumentError:
        return None  # the full parser will say what is wrong
    if not known.resume:
        return None
    if known.output is None:
        raise InputError("--resume continues what stands in --output; name that folder")
    for flag, value in (("--config", known.config), ("--preset", known.preset)):
        if value is not None:
            raise InputError(f"--resume takes the search's own settings; leave {flag} out")
    return SearchFolder(Path(known.output))


def _defaults(begun: SearchFolder) -> Arguments:
    identity, config, max_trials = begun.read()
    kind = cast("TunerKind", identity.tuner)
    return Arguments(config, tuner=kind, seeds=identity.seeds, max_trials=max_trials)


def _told(argv: Sequence[str], arguments: Arguments, continued: bool) -> tuple[str, ...]:
    """What the command line says of parameters, those among them whose own flags fix them."""
    entries = tuple(entry for entries in arguments.space for entry in entries)
    flags = {word.partition("=")[0].replace("_", "-") for word in argv if word.startswith("--")}
    named = {entry.partition("=")[0].replace("-", "_") for entry in entries}
    nothing = () if continued else (DEFAULT,)  # a search that is continued knows what it searches
    settings, told = arguments.settings.to_dict(), list(entries or nothing)
    for name in PARAMETERS:
        flag = "--" + name.replace("_", "-")
        if flag in flags:
            if name in named:
                raise InputError(f"{flag} fixes {name}, and --space {name} searches it; leave one out")
            told.append(f"{name}={settings[name]}")
    return tuple(told)


def _lead(search: "Tuner", workers: int) -> int:
    """Search, table, best run beside classic, page."""
    from tuning import reference

    model, folder = search.hypermodel, cast(SearchFolder, search.folder)  # only a worker of a cluster has none
    announce(model.config, model.corpus, model.space.searched)
    print(f"  search folder: {folder.path}")
    print(f"  {model.space.said()}", flush=True)
    with console.if_interrupted(lambda: f"continue with: python -m {PROG} --resume --output {folder.path}"):
        try:
            with console.progress("searching") as progress:
                search.search(workers, progress)
        finally:
            search.show()
        with console.progress("training the best") as progress:
            run = search.best(progress)
        with console.progress("training classic") as progress:
            classic = reference.train_classic(search, progress)
    reference.show_winner(search, classic)
    show_training(run)
    with console.progress("report") as progress:
        page = reference.write_page(search, run, classic, progress)
    print(f"all trials: tensorboard --logdir {folder.logs}")
    print(f"report: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
