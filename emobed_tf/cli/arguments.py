"""Command lines from dataclasses: flags of the configuration and of a command, errors as one line."""

import argparse
import contextlib
import dataclasses
import io
import os
import re
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import tyro

from emobed_tf import datasets
from emobed_tf.config import Config, preset, read_config
from emobed_tf.errors import InputError
from emobed_tf.runs.folder import Run
from emobed_tf.settings import Data, Network, Objective
from emobed_tf.trusted import NAMING, trust

Arguments = TypeVar("Arguments")
_EMOBED = Objective.framework  # what commands that compare systems begin with
_LEAST_WIDTH = 40  # of help: tyro never ends its tables where no word has room
_UNRECOGNIZED = "Unrecognized options: "
_UNREADABLE = {  # what tyro and Python say of a value, behind "Error parsing --FLAG: ", and what we say
    r"invalid literal for int\(\) with base 10: (.*)": r"expected a whole number, found \1",
    r"could not convert string to float: (.*)": r"expected a number, found \1",
    r"no type matching (?:\{None\}\|)?(.*) could be instantiated from \[(.*)\]": r"expected \1, found \2",
    r"Could not find valid parse for arguments: \[(.*)\]": r"doesn't take \1",
}


def parse(
    kind: type[Arguments],
    argv: Sequence[str] | None,
    *,
    prog: str,
    description: str,
    default: Arguments | None = None,
    hidden: Collection[str] = (),
) -> Arguments:
    """Reads a command line into a dataclass; fields of nested dataclasses are flags without a prefix.

    Args:
        kind: a dataclass. `tyro.conf.Positional` fields are positional.
        argv: arguments; None for those of the process.
        prog: name of the command.
        description: first lines of `--help`.
        default: an instance with the values that flags change.
        hidden: settings that the command refuses, of the configuration or of a section of `kind`; `--help` leaves them
            out.

    Returns:
        An instance of `kind`.

    Raises:
        InputError: one line that says which flag is wrong.
        SystemExit: after `--help`.
    """
    complaint = io.StringIO()
    argv = list(sys.argv[1:] if argv is None else argv)
    columns = os.environ.get("COLUMNS")
    explains = bool({"-h", "--help"} & set(argv))
    # An error is one line, with no word of it broken.
    width = max(shutil.get_terminal_size().columns, _LEAST_WIDTH) if explains else 10_000
    os.environ["COLUMNS"] = str(width)
    trust_what_is_named(argv)
    description = _wrapped(description if default is None else _with_defaults(description, default))
    try:
        with (
            contextlib.redirect_stderr(complaint),
            _texts_in_paragraphs(description),
            _hidden(kind, hidden if explains else ()),
        ):
            found = tyro.cli(
                kind,
                prog=f"python -m {prog}",
                description=description,
                args=argv,
                default=tyro.MISSING_NONPROP if default is None else default,
                config=(tyro.conf.OmitArgPrefixes,),
            )
    except SystemExit as leaving:
        if not leaving.code:
            raise
        raise InputError(_one_line(complaint.getvalue(), prog)) from None
    finally:
        os.environ.pop("COLUMNS", None) if columns is None else os.environ.update(COLUMNS=columns)
    _check_output(getattr(found, "output", None))
    return found


def _check_output(output: Any) -> None:
    """What is written holds its own name, in JSON and for TensorFlow: no bytes that are no text."""
    try:
        str(output or "").encode()
    except UnicodeEncodeError:
        raise InputError(f"--output {str(output)!a}: expected a name in UTF-8; choose another") from None


def trust_what_is_named(argv: Sequence[str] | None) -> None:
    """Trusts the code that a command line names, before the files that may name it are read; see `trusted`.

    Args:
        argv: arguments; None for those of the process. What is wrong with them is left to `parse`.
    """
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for setting in ("trust", *NAMING):
        early.add_argument("--" + setting.replace("_", "-"), action="append", default=[])
    with contextlib.suppress(argparse.ArgumentError):
        known, _ = early.parse_known_args(argv)
        trust(*(name for names in vars(known).values() for name in names))


def _with_defaults(description: str, default: Any) -> str:
    """The first lines of `--help`, with whose defaults are shown, where they depend on the data set."""
    config = getattr(default, "settings", None)
    if not isinstance(config, Config):
        return description
    return (
        f"{description}\n\nDefaults shown below are those of --dataset {config.data.dataset}; name --dataset or "
        "--table beside --help to see others. Sections and equations are those of the EmoBed paper."
    )


def _wrapped(text: str) -> str:
    """Paragraphs as wide as the terminal, as tyro draws its boxes below them."""
    width = shutil.get_terminal_size().columns
    return "\n\n".join(textwrap.fill(paragraph, width) for paragraph in text.split("\n\n"))


def starting_config(
    argv: Sequence[str] | None, *, tables_by_default: bool = False, recommends: bool = False, compares: bool = False
) -> Config:
    """The configuration that the flags change.

    With `--resume` that of the run in `--output`, else `--config FILE`, else the preset of `--dataset`. Without that,
    `--table` means a data set of tables.

    Args:
        argv: arguments; None for those of the process.
        tables_by_default: whether the data set is one of tables without `--table`, too.
        recommends: whether the command has a flag `--preset`, by default for the recommended one.
        compares: whether the command compares systems, which have frameworks and seeds of their own: those of a run's
            `--config` are left out.

    Returns:
        A configuration that isn't checked yet.

    Raises:
        InputError: if the file can't be read, there is no such data set, or `--resume` has nothing to continue.
    """
    trust_what_is_named(argv)
    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for flag in (
        "--config",
        "--dataset",
        "--output",
        "--framework",
        "--triplet-preset",
        "--encoder",
        "--task",
        "--metric-loss",
        "--standardise",
        *(["--preset"] if recommends else []),
    ):
        early.add_argument(flag)
    early.add_argument("--resume", action="store_true")
    early.add_argument("--table", action="append")
    try:
        known, _ = early.parse_known_args(argv)
    except argparse.ArgumentError:
        return preset()  # the full parser will say what is wrong
    if recommends and known.preset and (known.resume or known.config):
        raise InputError("--preset: the settings are those of --config or of the run to resume; leave one of them out")
    if known.resume:
        if known.output is None:
            raise InputError("--resume continues what stands in --output; name that folder")
        if known.config is not None:
            raise InputError("--resume takes the run's own settings; leave --config out")
        return read_config(Run.open(Path(known.output), finished=False).config_file)
    if known.config is not None:
        found = _free(read_config(Path(known.config), known.dataset), known)
        if compares and found.objective.framework != _EMOBED:
            found = found.of_framework(_EMOBED).replace(alpha=None, beta=None)
        return found.replace(seed=0) if compares else found
    usual = datasets.TABLES if known.table or tables_by_default else datasets.RECOLA
    recommended = recommends and known.preset != "paper"  # one of another name is for the full parser to refuse
    return preset(known.dataset or usual.name, "recommended" if recommended else "paper")


def _free(config: Config, known: argparse.Namespace) -> Config:
    """What a run's framework, preset and the like filled in gives way to another one on the command line."""
    if known.framework not in (None, config.objective.framework):
        config = config.of_framework(known.framework).replace(framework=config.objective.framework)
        config = config.replace(alpha=None, beta=None)
    if known.metric_loss not in (None, config.objective.metric_loss):
        config = config.replace(margin=None, normalise=None, temperature=Objective.temperature)
    if known.triplet_preset not in (None, config.objective.triplet_preset):
        config = config.replace(margin=None, normalise=None)
    if known.task not in (None, config.data.task) or known.dataset not in (None, config.data.dataset):
        config = config.replace(selection=None)
    if known.encoder not in (None, config.network.encoder):
        config = config.replace(kernel_size=Network.kernel_size)
    if known.standardise not in (None, config.data.standardise):
        config = config.replace(speaker_prior=Data.speaker_prior)
    return config


@contextlib.contextmanager
def _texts_in_paragraphs(description: str) -> Iterator[None]:
    """Lets `--help` wrap texts to the terminal, but for a description, which tyro doesn't wrap.

    tyro takes the indentation of a docstring's second line for the beginning of a list, and keeps its line breaks.
    """

    def in_paragraphs(helptext: str) -> str:
        if helptext == description:
            return helptext
        return "\n\n".join(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", helptext))

    before = tyro._strings.remove_single_line_breaks
    tyro._strings.remove_single_line_breaks = in_paragraphs
    try:
        yield
    finally:
        tyro._strings.remove_single_line_breaks = before


@contextlib.contextmanager
def _hidden(kind: type[Any], names: Collection[str]) -> Iterator[None]:
    """Leaves settings of the configuration, or of a command's own sections, out of `--help`.

    tyro does so with what is annotated, and all commands share the annotations. It would not read them either, so this
    is for `--help` alone: what is given is read, for the command to refuse it.
    """
    own = [field.type for field in dataclasses.fields(kind) if dataclasses.is_dataclass(field.type)]
    sections = [*(field.type for field in dataclasses.fields(Config)), *own]
    owners = [(section, name) for section in sections for name in names if name in section.__annotations__]
    before = [section.__annotations__[name] for section, name in owners]
    for (section, name), kind in zip(owners, before, strict=True):
        section.__annotations__[name] = Annotated[kind, tyro.conf.Suppress]
    try:
        yield
    finally:
        for (section, name), kind in zip(owners, before, strict=True):
            section.__annotations__[name] = kind


def _one_line(complaint: str, prog: str) -> str:
    """The first sentence of tyro's boxed error, and the flags of which it thinks one was meant."""
    text = re.sub(r"\x1b\[[\d;]*m", "", complaint)  # colours, where stderr is a terminal
    text = re.sub(r"[│╭╮╰╯]", " ", text)  # plain dashes where stdout is not UTF-8
    _, *parts = [" ".join(part.split()) for part in re.split("─+|-{5,}", text) if part.strip()] or [""]
    message = parts[0].split(" Got errors:")[0].rstrip(".") if parts else "unreadable arguments"
    meant = re.findall(r"^ +(--\w[\w-]*)", text.partition("Perhaps you meant")[2], re.MULTILINE)
    if message.startswith(_UNRECOGNIZED):  # the values of those flags are listed with them
        words = message.removeprefix(_UNRECOGNIZED).split(", ")
        message = _UNRECOGNIZED + ", ".join([word for word in words if word.startswith("-")] or words)
    flag, separator, reason = message.removeprefix("Error parsing ").partition(": ")
    for pattern, ours in _UNREADABLE.items():
        if separator and (found := re.fullmatch(pattern, reason)):
            message = f"{flag}: {found.expand(ours)}"
    hint = f" (perhaps {' or '.join(meant)}?)" if meant else ""
    return f"{message}{hint}; see python -m {prog} --help"
