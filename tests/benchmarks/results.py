"""What was measured, in one JSON file from which docs/benchmarks.md is written."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emobed_tf.files import write_bytes


class Results:
    """Results by section and unit, each written as soon as it is there.

    Args:
        file: JSON; made by the first result.
    """

    def __init__(self, file: Path):
        self._file = file
        found = json.loads(file.read_text()) if file.exists() else {"begun": 0.0, "sections": {}}
        self._begun: float = found["begun"]
        self._sections: dict[str, dict[str, Any]] = found["sections"]

    def begin(self) -> None:
        """From here on what was measured before is not of this run."""
        self._begun = time.time()

    def of_this_run(self, section: str, unit: str) -> bool:
        """Whether a unit was measured since the last `begin`, by this process or one that was interrupted."""
        return self._sections.get(section, {}).get(unit, {"measured": -1.0})["measured"] >= self._begun

    def only(self, section: str, units: Iterable[str]) -> None:
        """Forgets what a section doesn't measure any more, and brings the rest into its order."""
        entries = self._sections.get(section, {})
        self._sections[section] = {unit: entries[unit] for unit in units if unit in entries}

    def keep(
        self, section: str, unit: str, result: dict[str, Any], machine: dict[str, Any], *, quick: bool = False
    ) -> None:
        """Adds or replaces the result of a unit, and whether it is one of small sizes."""
        entry = {"measured": time.time(), "quick": quick, "machine": machine, "result": result}
        self._sections.setdefault(section, {})[unit] = entry
        content = json.dumps({"begun": self._begun, "sections": self._sections}, indent=1) + "\n"
        write_bytes(self._file, content.encode())
        self._sections = json.loads(content)["sections"]  # as a later process will see it

    def section(self, name: str) -> dict[str, Any]:
        """Results of a section by unit."""
        return {unit: entry["result"] for unit, entry in self._sections.get(name, {}).items()}

    @property
    def quick(self) -> bool:
        """Whether any result is one of small sizes."""
        return any(entry.get("quick", False) for entries in self._sections.values() for entry in entries.values())

    def machines(self) -> list[tuple[dict[str, Any], list[str]]]:
        """What figures were measured on, each once, and the sections that have some from there."""
        found: list[tuple[dict, list[str]]] = []
        for section, entries in self._sections.items():
            for entry in entries.values():
                sections = next((names for machine, names in found if machine == entry["machine"]), None)
                if sections is None:
                    found.append((entry["machine"], [section]))
                elif section not in sections:
                    sections.append(section)
        return found
