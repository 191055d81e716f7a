"""Where a data set is: the folder that was named, an environment variable's, or a simulated package in its place."""

import os
from pathlib import Path

from emobed_tf.corpora.cache import cache_folder
from emobed_tf.corpora.files import MARKER
from emobed_tf.errors import InputError, MissingInputError

_VARIABLES = {"recola": "EMOBED_RECOLA_DIR", "omg": "EMOBED_OMG_DIR"}


def locate(name: str, data_dir: Path | None, tables: bool = False, progress=None) -> Path | None:
    """The folder to read a data set from.

    Without a folder and without the environment variable, RECOLA and OMG-Emotion, which can't be downloaded, are
    simulated: written once, in the real on-disk form, and read like the real ones.

    Args:
        name: `recola`, `omg` or `tables`.
        data_dir: what the user named.
        tables: whether `--table` names some; then `tables` needs no folder.
        progress: called as progress(done, total, what) while a package is written.

    Returns:
        The folder; None for `tables` with nothing but `--table`.

    Raises:
        MissingInputError: if `tables` has neither a folder nor a table.
        OSError: if the simulated package can't be written; the message says what to do.
    """
    if name == "tables":
        if data_dir is None and not tables:
            raise MissingInputError("--dataset tables: expected --table NAME=PATH or --data-dir DIR, found neither")
        return data_dir
    if data_dir is None and os.environ.get(_VARIABLES[name]):
        data_dir = Path(os.environ[_VARIABLES[name]])
    if data_dir is not None and not _is_default(name, data_dir):
        return data_dir.absolute()
    directory = _default(name)
    if not _is_there(directory):
        _simulate(name, directory, progress)
    return directory


def notice(name: str, directory: Path | None) -> str:
    """What to tell a user whose data are simulated.

    Args:
        name: `recola`, `omg` or `tables`.
        directory: folder that they are read from; None for `tables` without one.
    """
    if directory is None:
        return "These data are simulated. Scores on them are no results."
    if not _is_default(name, directory):
        return f"{directory} is a simulated package. Scores on it are no results."
    real = {"recola": "RECOLA (AVEC 2016 package)", "omg": "OMG-Emotion"}[name]
    return (
        f"no {real} given (--data-dir or ${_VARIABLES[name]}): this is the simulated package in {directory}. "
        "Scores on it are no results."
    )


def _default(name: str) -> Path:
    return cache_folder().absolute() / f"simulated-{name}"


def _is_default(name: str, directory: Path) -> bool:
    # By its name first: where the cache is matters to no other folder.
    return name in _VARIABLES and directory.name == f"simulated-{name}" and directory.absolute() == _default(name)


def _is_there(directory: Path) -> bool:
    return os.path.isfile(directory / MARKER)  # unlike Path.is_file, False where looking is not allowed


def _simulate(name: str, directory: Path, progress) -> None:
    from emobed_tf.corpora.simulate import simulate_omg, simulate_recola

    write = {"recola": simulate_recola, "omg": simulate_omg}[name]
    try:
        write(directory, progress=progress and (lambda done, total: progress(done, total, f"simulating {name}")))
    except (InputError, OSError) as error:
        if _is_there(directory):
            return  # another process was faster; both write the same bytes
        if isinstance(error, InputError):
            raise
        problem = f"{error.strerror or error}; set EMOBED_CACHE to a folder that can be written"
        raise OSError(error.errno, problem, error.filename or str(directory)) from error
