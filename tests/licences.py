"""Writes docs/licences.md, the licences of all that `make` installs: `python -m tests.licences FILE`."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"
TEXT = """# Licences

`make licences` writes this page: what pip-licenses reads from the packages that are installed. Where what one says
differs from what holds, as for openSMILE, [dependencies](dependencies.md) says so.
"""


def canonical(name):
    """A package's name as PEP 503 writes it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(lock):
    """Versions of the packages of a lock file, by canonical name. Those for other systems are among them."""
    pins = re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonical(name): version for name, version in pins}


def installed():
    """Name, version and licence of every package in this environment, as pip-licenses finds them."""
    line = [sys.executable, "-m", "piplicenses", "--python", sys.executable, "--with-system", "--from=mixed"]
    found = subprocess.run([*line, "--format=json"], capture_output=True, text=True, check=True).stdout
    return {canonical(row["Name"]): (row["Version"], row["License"]) for row in json.loads(found)}


def page():
    """The page's text."""
    runtime, every = locked(LOCK), locked(DEVELOPMENT)
    here, lines = installed(), [TEXT]
    for title, names in (
        ("What `pip install emobed-tf[serving]` brings", runtime),
        ("What extras and development bring", every.keys() - runtime.keys()),
    ):
        lines += [f"## {title}\n", "| package | version | licence |", "| --- | --- | --- |"]
        lines += [f"| {name} | {every[name]} | {here[name][1]} |" for name in sorted(names) if name in here]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
