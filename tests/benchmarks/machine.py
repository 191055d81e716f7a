"""What figures were measured on: machine, versions, commit."""

import json
import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from emobed_tf import __version__
from emobed_tf.config import preset
from emobed_tf.runs.provenance import provenance

_OURS = ("tensorflow", "keras", "numpy", "scipy", "pyarrow")
_PEERS = ("torch", "pytorch-metric-learning", "scipy", "liac-arff", "numpy")
_VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"


def describe(peers: Path | None) -> dict[str, Any]:
    """Everything about now and here that belongs to a figure.

    Args:
        peers: Python of the peers' environment, or None.
    """
    run = provenance(preset())
    found = {
        "date": time.strftime("%Y-%m-%d"),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "system": platform.platform(),
        "python": run["python"],
        "commit": run["commit"],
        "ours": {"emobed_tf": __version__, **{name: run["packages"][name] for name in _OURS}},
    }
    if peers is not None:
        line = [str(peers), "-c", _VERSIONS, *_PEERS]
        found["peers"] = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    return found


def in_words(machine: dict[str, Any]) -> str:
    """A description as a sentence."""

    def versions(packages: dict[str, str]) -> str:
        return ", ".join(f"{name} {version}" for name, version in packages.items())

    commit = machine["commit"] or "none"
    hardware = f"{machine['processor']}, {machine['cores']} cores, {machine['memory'] / 1e9:.0f} GB"
    software = f"Python {machine['python']}, {versions(machine['ours'])}; commit {commit[:10]}{commit[40:]}"
    peers = f"; peers: {versions(machine['peers'])}" if "peers" in machine else ""
    return f"{machine['date']}, {hardware}, {machine['system']}. {software}{peers}."


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
