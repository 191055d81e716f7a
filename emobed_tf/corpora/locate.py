"""Where a data set is: the folder that was named, an environment variable's, or a simulated package in its place."""

import os
from pathlib import Path
from typing import TypeGuard

from emobed_tf import datasets
from emobed_tf.console import Progress
from emobed_tf.corpora.cache import cache_folder
from emobed_tf.corpora.files import MARKER
from emobed_tf.datasets import DataSet, Simulator
from emobed_tf.errors import InputError, MissingInputError
from emobed_tf.files import at_home


def locate(name: str, data_dir: Path | None, tables: bool = False, progress: Progress | None = None) -> Path | None:
    """The folder to read a data set from.

    Without a folder and without the environment variable, a data set whose simulator stands in (RECOLA and OMG-Emotion,
    which can't be downloaded) is simulated: written once, in the real on-disk form, and read like the real one.

    Args:
        name: of the data set, see `datasets.get`.
        data_dir: what the user named.
        tables: whether `--table` names some; then a data set of tables needs no folder.
        progress: called as progress(done, total, what) while a package is written.

    Returns:
        The folder; None for a data set of tables with nothing but `--table`.

    Raises:
        InputError: if there is no such data set.
        MissingInputError: if a data set for which no simulator stands in has no folder.
        OSError: if the simulated package can't be written; the message says what to do.
    """
    dataset = datasets.get(name)
    if data_dir is None and dataset.variable and os.environ.get(dataset.variable):
        data_dir = Path(os.environ[dataset.variable])
    if data_dir is not None:
        data_dir = at_home(data_dir)
    if not _stands_in(dataset.simulator):
        if data_dir is None and not (tables and dataset.reader is None):
            raise MissingInputError(f"--dataset {name}: expected {_expected(dataset)}")
        return data_dir
    if data_dir is not None and not _is_default(dataset, data_dir):
        return data_dir.absolute()
    directory = _default(dataset)
    if not _is_there(directory):
        _simulate(dataset.name, dataset.simulator, directory, progress)
    return directory


def notice(name: str, directory: Path | None) -> str:
    """What to tell a user whose data are simulated.

    Args:
        name: of the data set, see `datasets.get`.
        directory: folder that they are read from; None where there are tables alone.

    Returns:
        One line.
    """
    if directory is None:
        return "These data are simulated. Scores on them are no results."
    dataset = datasets.get(name)
    if not _is_default(dataset, directory):
        return f"{directory} is a simulated package. Scores on it are no results."
    ways = f"--data-dir or ${dataset.variable}" if dataset.variable else "--data-dir"
    return (
        f"no {dataset.title} given ({ways}): this is the simulated package in {directory}. Scores on it are no results."
    )


def _expected(dataset: DataSet) -> str:
    if dataset.reader is None:
        return "--table NAME=PATH or --data-dir DIR, found neither"
    variable = f" or ${dataset.variable}" if dataset.variable else ""
    return f"--data-dir DIR{variable}, a folder with {dataset.layout}"


def _stands_in(simulator: Simulator | None) -> TypeGuard[Simulator]:
    return simulator is not None and simulator.stands_in


def _default(dataset: DataSet) -> Path:
    return cache_folder().absolute() / f"simulated-{dataset.name}"


def _is_default(dataset: DataSet, directory: Path) -> bool:
    # By its name first: where the cache is matters to no other folder.
    named = _stands_in(dataset.simulator) and directory.name == f"simulated-{dataset.name}"
    return named and directory.absolute() == _default(dataset)


def _is_there(directory: Path) -> bool:
    return os.path.isfile(directory / MARKER)  # unlike Path.is_file, False where looking is not allowed


def _simulate(name: str, simulator: Simulator, directory: Path, progress: Progress | None) -> None:
    tell = None if progress is None else lambda done, total: progress(done, total, f"simulating {name}")
    try:
        simulator.write(directory, tell)
    except (InputError, OSError) as error:
        if _is_there(directory):
            return  # another process was faster; both write the same bytes
        if isinstance(error, InputError):
            raise
        problem = f"{error.strerror or error}; set EMOBED_CACHE to a folder that can be written"
        raise OSError(error.errno, problem, error.filename or str(directory)) from error
