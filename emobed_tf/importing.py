"""What a user has named: `package.module:NAME` of a data set, an encoder, a loss, a reader or a system of one's own."""

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

from emobed_tf.errors import InputError


def import_named(where: str) -> Any:
    """A module, or what a module calls by a name. Modules of the working folder are found, too.

    `python -m` looks for modules in the working folder, but installed scripts and workers don't. That folder comes
    last, so that no file in it takes the place of an installed module.

    Args:
        where: `package.module` or `package.module:NAME`.

    Returns:
        The module, or its attribute.

    Raises:
        ImportError: if there is no such module, one that it needs is missing, or the module has no such name.
    """
    folder = os.getcwd()
    if folder not in sys.path:
        sys.path.append(folder)
    module, _, name = where.partition(":")
    if not all(part.isidentifier() for part in module.split(".")):
        raise ImportError(f"'{module}' is no module's name")
    found = importlib.import_module(module)
    if name and not hasattr(found, name):
        raise ImportError(f"module '{module}' has no attribute '{name}'")
    return getattr(found, name) if name else found


def import_function(flag: str, name: str, where: str) -> Callable[..., Any]:
    """A function that a flag names.

    Args:
        flag: such as `--encoder`, for messages.
        name: what was given to it.
        where: `package.module:NAME`, the name itself if it is one of the user's own.

    Returns:
        The function.

    Raises:
        InputError: if there is no such function.
    """
    try:
        found = import_named(where)
    except ImportError as error:
        raise InputError(
            f"{flag} {name}: {error}; expected package.module:NAME of a module that Python can import: run the command "
            "in the module's folder, or name that folder in PYTHONPATH"
        ) from None
    if not callable(found):
        raise InputError(f"{flag} {name}: expected a function, found a {type(found).__name__}")
    return found
