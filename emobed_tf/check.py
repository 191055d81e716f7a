"""`python -m emobed_tf.check`: what would be trained on, and what is wrong with it, without training."""

from emobed_tf import interrupts

if __name__ == "__main__":
    interrupts.end_at_once("emobed_tf.check")  # while what is below is imported

import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from emobed_tf import console
from emobed_tf.cli import arguments as cli
from emobed_tf.cli.summary import show_data
from emobed_tf.config import Config, Settings
from emobed_tf.corpora.checks import like_modality_name
from emobed_tf.corpora.configured import load_corpus
from emobed_tf.corpora.summary import describe
from emobed_tf.errors import EmoBedWarning, InputError
from emobed_tf.files import at_home
from emobed_tf.models.design import EMOBED
from emobed_tf.runtime import import_quietly
from emobed_tf.settings import DISTILLED

PROG = "emobed_tf.check"
DESCRIPTION = """Reads data as training would, says what it found, and trains nothing.

It takes the flags of train, and ends with exit code 2 where train would. Of several tables, each says the first thing
that is wrong with it. A single table is checked as for --framework classic, which needs only one."""


@dataclass(frozen=True)
class Arguments:
    """A check."""

    settings: Settings
    data: Annotated[
        tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="[DATA ...]", help_behavior_hint="")
    ] = ()
    """Feature tables: files, called after their names, NAME=PATH, or one folder of tables (default: what --dataset,
    --data-dir and --table say)."""
    json: tyro.conf.FlagCreatePairsOff[bool] = False
    """Print JSON."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: arguments, which `--help` explains; None for those of the process.

    Returns:
        Exit code: 0, 2 where training would end with an error, 130 after Ctrl-C.
    """
    return console.run(PROG, lambda: _main(argv))


def _main(argv: Sequence[str] | None) -> int:
    default = Arguments(cli.starting_config(argv, tables_by_default=True))
    arguments = cli.parse(Arguments, argv, prog=PROG, description=DESCRIPTION, default=default)
    config = _with_data(arguments.settings, arguments.data)
    if config.data.data_dir is None and len(config.data.table) == 1 and config.objective.framework == "emobed":
        config = config.of_framework("classic")  # all that one modality can be trained for
    with warnings.catch_warnings(record=True) as caught, console.progress("reading") as progress:
        warnings.simplefilter("always", EmoBedWarning)
        try:
            config, corpus = load_corpus(config, progress)
        except InputError as error:
            for line in _of_other_tables(config, str(error)):
                console.say(f"{PROG}: error: {line}", file=sys.stderr)
            raise
    told = [" ".join(str(one.message).split()) for one in caught if issubclass(one.category, EmoBedWarning)]
    if arguments.json:
        print(json.dumps({**describe(corpus), "warnings": told}, indent=2))
    else:
        show_data(config, corpus)
        if len(corpus.modalities) == 1:
            print("\nThis is one modality, enough for --framework classic; the others need another one beside it.")
        sys.stdout.flush()
        for line in told:
            console.say(f"warning: {line}", file=sys.stderr)
    import_quietly()
    from emobed_tf.training.examples import training_examples
    from emobed_tf.training.teacher import plan_teacher

    training_examples(config, corpus, EMOBED)
    if config.objective.framework == DISTILLED:
        plan_teacher(config, corpus)  # refuses what isn't paired
    return 0


def _of_other_tables(config: Config, known: str) -> list[str]:
    """What is wrong with single tables beside what is known, so that all of it can be mended at once."""
    found: dict[str, None] = {}
    for table in config.data.table if len(config.data.table) > 1 else ():
        alone = config.of_framework("classic").replace(table=(table,), target=None)
        try:
            load_corpus(alone)
        except InputError as error:
            found[" ".join(str(error).split())] = None
    where, _, _ = known.partition(": ")
    return [line for line in found if line.partition(": ")[0] != where]


def _with_data(settings: Config, data: Sequence[str]) -> Config:
    """The settings with what stands on the command line without a flag."""
    tables = []
    for text in data:
        path = at_home(text)
        if "=" not in text and path.is_dir():
            if settings.data.data_dir is not None or len(data) > 1:
                raise InputError(f"{text}: a folder of tables stands alone; name single tables as NAME=PATH")
            return settings.replace(data_dir=path)
        tables.append(text if "=" in text else f"{like_modality_name(path.stem)}={path}")
    return settings.replace(table=(*settings.data.table, *tables))


if __name__ == "__main__":
    sys.exit(main())
