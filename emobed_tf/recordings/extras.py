"""Packages that come with an extra, imported when they are first needed."""

import importlib
from typing import Any

from emobed_tf.errors import InputError


def needed(package: str, extra: str, purpose: str) -> Any:
    """Imports a package that may not be installed.

    Args:
        package: what Python calls it.
        extra: of this package's that brings it.
        purpose: what it is needed for, the first words of the message.

    Returns:
        The module.

    Raises:
        InputError: if it is not installed, or a library of the system that it needs is missing.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        missing = error.name or package
        problem = f"{purpose} needs {missing}, which is not installed; pip install 'emobed-tf[{extra}]' brings it"
    except (ImportError, OSError) as error:
        problem = f"{purpose} needs {package}, which can't be loaded ({' '.join(str(error).split())})"
    raise InputError(problem)
