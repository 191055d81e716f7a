"""Where a data set is: the folder that was named, an environment variable's, or a simulated package in its place."""

import os
from pathlib import Path

from emobed_tf.corpora.cache import cache_folder
from emobed_tf.errors import MissingInputError

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
        MissingInputError: if there is no such folder, or `tables` has neither.
    """
    if name == "tables":
        if data_dir is None and not tables:
            raise MissingInputError("--dataset tables: expected --table NAME=PATH or --data-dir DIR, found neither")
        return data_dir
    if data_dir is None and os.environ.get(_VARIABLES[name]):
        data_dir = Path(os.environ[_VARIABLES[name]])
    simulated = cache_folder() / f"simulated-{name}"
    if data_dir is None or data_dir == simulated.absolute():
        if not (simulated / "simulated.json").exists():
            _simulate(name, simulated, progress)
        return simulated.absolute()
    return data_dir.absolute()


def notice(name: str) -> str:
    """What to tell a user whose data set is the simulated one."""
    real = {"recola": "RECOLA (AVEC 2016 package)", "omg": "OMG-Emotion"}[name]
    return (
        f"no {real} given (--data-dir or ${_VARIABLES[name]}): this is the simulated package in "
        f"{cache_folder() / f'simulated-{name}'}. Scores on it are no results."
    )


def _simulate(name: str, directory: Path, progress) -> None:
    from emobed_tf.corpora.simulate import simulate_omg, simulate_recola

    write = {"recola": simulate_recola, "omg": simulate_omg}[name]
    write(directory, progress=progress and (lambda done, total: progress(done, total, f"simulating {name}")))
