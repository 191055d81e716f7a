"""Packages that come with an extra, imported when they are first needed."""

import importlib
import importlib.metadata
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
        problem = _missing(error.name or package, extra, purpose)
    except (ImportError, OSError) as error:
        problem = f"{purpose} needs {package}, which can't be loaded ({' '.join(str(error).split())})"
    raise InputError(problem)


def version_of(package: str, extra: str, purpose: str) -> str:
    """Which version of a package there is, without importing it.

    Args:
        package: what the package index calls it.
        extra: of this package's that brings it.
        purpose: what it is needed for, the first words of the message.

    Returns:
        Its version.

    Raises:
        InputError: if it is not installed.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise InputError(_missing(package, extra, purpose)) from None


def _missing(package: str, extra: str, purpose: str) -> str:
    return f"{purpose} needs {package}, which is not installed; pip install 'emobed-tf[{extra}]' brings it"
