"""What a user has named: `package.module:NAME` of a data set, an encoder, a loss, a reader or a system of one's own."""

import importlib
import os
import sys
from typing import Any


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
    found = importlib.import_module(module)
    if name and not hasattr(found, name):
        raise ImportError(f"module '{module}' has no attribute '{name}'")
    return getattr(found, name) if name else found
