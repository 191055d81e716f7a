"""What made a run: versions, commit, machine."""

import os
import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from emobed_tf._version import __version__
from emobed_tf.config import FORMAT, Config

_PACKAGES = ("tensorflow", "keras", "numpy", "pandas", "scipy", "scikit-learn", "pyarrow")


def provenance(config: Config) -> dict[str, Any]:
    """What this process is: versions, commit, machine, seed, threads, command line, time.

    Args:
        config: the run's configuration; seed and threads are taken from it.

    Returns:
        JSON values by name.
    """
    return {
        "format": FORMAT,
        "emobed_tf": __version__,
        "commit": _commit(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "seed": config.training.seed,
        "threads": config.training.threads,
        "environment": {name: value for name, value in os.environ.items() if name.startswith(("TF_", "XLA_"))},
        "command": sys.argv,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def _commit() -> str | None:
    """Commit of the source tree, `+` where it was changed; None where it is no checkout."""
    source = Path(__file__).parent
    try:
        git = ["git", "-C", str(source)]
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10)
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "") if commit.returncode == 0 else None
