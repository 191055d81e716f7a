"""What earlier versions called things: the one place that knows how to find their records."""

import json
from collections.abc import Mapping
from typing import Any

from emobed_tf.comparison.scenario import Scenario
from emobed_tf.systems.registry import FORMER_NAMES

_PARTS = ("target", "auxiliaries", "fold", "folds", "system", "settings", "seed", "purpose")


def trial_key_of_format_1(key: Mapping[str, Any]) -> Any:
    """The key of a trial as ledgers of format 1 hold it: one line of text.

    Args:
        key: from `trials.Trial.key`; or that of another record, which such ledgers hold as it is.

    Returns:
        Such as `audio+face, fold 1 of 3 | svm | {} | 0 | choice`; what came later stands behind it.
    """
    if "settings" not in key:
        return key
    more = {name: value for name, value in key.items() if name not in _PARTS}
    scenario = Scenario(key["target"], tuple(key["auxiliaries"]), key["fold"], key["folds"])
    system = FORMER_NAMES.get(key["system"], key["system"])
    settings = json.dumps(key["settings"], sort_keys=True)
    text = f"{scenario.name} | {system} | {settings} | {key['seed']} | {key['purpose']}"
    return f"{text} | {json.dumps(more, sort_keys=True)}" if more else text


def names_of_system(system: str) -> tuple[str, ...]:
    """All names that a system's files may carry, the present one first.

    Args:
        system: its present name.

    Returns:
        One or two names.
    """
    return (system, FORMER_NAMES[system]) if system in FORMER_NAMES else (system,)
