"""What earlier versions called things: the one place that knows how to find their records."""

import json
from collections.abc import Mapping
from typing import Any

from emobed_tf.comparison.scenario import Scenario
from emobed_tf.systems.registry import FORMER_NAMES


def trial_key_of_format_1(key: Mapping[str, Any]) -> str:
    """The key of a trial as ledgers of format 1 hold it: one line of text.

    Args:
        key: from `trials.Trial.key`.

    Returns:
        Such as `audio+face, fold 1 of 3 | svm | {} | 0 | choice`.
    """
    scenario = Scenario(key["target"], tuple(key["auxiliaries"]), key["fold"], key["folds"])
    system = FORMER_NAMES.get(key["system"], key["system"])
    settings = json.dumps(key["settings"], sort_keys=True)
    return f"{scenario.name} | {system} | {settings} | {key['seed']} | {key['purpose']}"


def names_of_system(system: str) -> tuple[str, ...]:
    """All names that a system's files may carry, the present one first.

    Args:
        system: its present name.

    Returns:
        One or two names.
    """
    return (system, FORMER_NAMES[system]) if system in FORMER_NAMES else (system,)
