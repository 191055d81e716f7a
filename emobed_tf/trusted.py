"""Which code a file may name: a `config.json` that names an encoder of somebody's own would have its module run.

What you name yourself you mean: on the command line, or in a `Config` that your program makes. What a file names is
imported only if you have named it, too, or allow it with `--trust NAME`, `EMOBED_TRUST`, or `trust` in Python. A run
folder comes with all that it names, and where it was trained can't be seen from it: so that holds for every file.
"""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emobed_tf import datasets
from emobed_tf.errors import InputError
from emobed_tf.settings import CLASSIFICATION_LOSSES, ENCODERS, FRONT_ENDS, NO_FRONT_END, REGRESSION_LOSSES

VARIABLE = "EMOBED_TRUST"
"""Environment variable with names that any file may use, separated by commas."""
_THE_PACKAGES_OWN: Mapping[str, frozenset[str]] = {
    "dataset": frozenset(datasets.REGISTERED),
    "encoder": frozenset(ENCODERS),
    "front_end": frozenset((NO_FRONT_END, *FRONT_ENDS)),
    "regression_loss": frozenset(REGRESSION_LOSSES),
    "classification_loss": frozenset(CLASSIFICATION_LOSSES),
}
NAMING = tuple(_THE_PACKAGES_OWN)
"""Settings that can name code of a user's own."""
_NAME = re.compile(r"\w+(\.\w+)*:\w+(\.\w+)*", re.ASCII)
_trusted: set[str] = set()


def trust(*names: str) -> None:
    """Lets files name code of one's own, for as long as this process lives.

    Args:
        *names: `package.module:NAME`, or a module or package for everything in it.

    Example:
        >>> trust("blstm:blstm", "ourlab.encoders")
    """
    _trusted.update(names)


def own_names(settings: Mapping[str, Any]) -> dict[str, str]:
    """What settings name that isn't the package's own.

    Args:
        settings: by name; others than those of `NAMING` are left alone, and so is what is no text.

    Returns:
        Names by setting.
    """
    return {
        setting: settings[setting]
        for setting, known in _THE_PACKAGES_OWN.items()
        if isinstance(settings.get(setting), str) and settings[setting] not in known
    }


def check_trusted(settings: Mapping[str, Any], path: Path) -> None:
    """Makes sure that a file names no code that its reader hasn't named.

    Args:
        settings: that the file holds, by name.
        path: of the file, for the message.

    Raises:
        InputError: if it does.
    """
    refused = {setting: name for setting, name in own_names(settings).items() if not _is_trusted(name)}
    for setting, name in refused.items():
        if not _NAME.fullmatch(name):
            expected = ", ".join(sorted(_THE_PACKAGES_OWN[setting]))
            raise InputError(f"{path}: {setting}: expected {expected}, or package.module:NAME, found {name[:80]!r}")
    if refused:
        what = " and ".join(f"{setting} {name}" for setting, name in refused.items())
        raise InputError(
            f"{path}: names code from outside this package ({what}), which would run; if you know whose it is, add "
            f"{shlex.join(trust_flags(refused))}"
        )


def trust_flags(settings: Mapping[str, Any]) -> list[str]:
    """What a command needs to read a run with these settings, for the commands that are suggested to the user.

    Args:
        settings: by name.

    Returns:
        Words of a command line.
    """
    return [word for name in dict.fromkeys(own_names(settings).values()) for word in ("--trust", name)]


def _is_trusted(name: str) -> bool:
    module = name.partition(":")[0]
    listed = (entry.strip() for entry in os.environ.get(VARIABLE, "").split(","))
    return any(entry and (name == entry or f"{module}.".startswith(f"{entry}.")) for entry in (*_trusted, *listed))
