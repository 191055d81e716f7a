"""The tables of docs/architecture.md name every module, and no module that isn't there."""

import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
TOPS = ("emobed_tf", "tuning", "serving")


def named() -> set[str]:
    """Paths of the modules in the tables: a heading names packages, a row may name one within."""
    found = set()
    for heading, body in re.findall(r"^### (.*?)$\n(.*?)(?=^#|\Z)", PAGE.split("## Decisions")[0], re.M | re.S):
        packages = re.findall(r"`([\w/]+/)`", heading)
        home = packages[0] if len(packages) == 1 else ""
        home = home if home.split("/")[0] in TOPS else "emobed_tf/" + home
        for row in re.findall(r"^\| (`.*?) \|", body, re.M):
            inner = re.match(r"`([\w/]+/)` \(", row)
            place = home if inner is None else home + inner[1] if inner[1] not in packages else "emobed_tf/" + inner[1]
            found |= {place + name for name in re.findall(r"`(\w+\.py)`", row)}
    return found


def test_names_every_module():
    modules = {
        path.relative_to(ROOT).as_posix()
        for top in TOPS
        for path in (ROOT / top).rglob("*.py")
        if path.name not in ("__init__.py", "__main__.py")
    }
    assert named() == modules
