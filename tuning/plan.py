"""How long a search is, and what this process is in it. No TensorFlow."""

import os
from collections.abc import Sequence
from typing import Literal

from emobed_tf.errors import InputError
from tuning.space import Space

TRIALS = 20
LARGEST_GRID = 1000
TUNER_ID, ORACLE_IP, ORACLE_PORT = "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"


def check_numbers(max_trials: int | None, seeds: int, workers: int = 1) -> None:
    """Refuses numbers that make no search.

    Args:
        max_trials: trials at most; None: the default.
        seeds: trainings of a trial.
        workers: processes.

    Raises:
        InputError: for one below 1.
    """
    for flag, value in (("--max-trials", max_trials), ("--seeds", seeds), ("--workers", workers)):
        if value is not None and value < 1:
            raise InputError(f"{flag}: expected 1 or more, found {value}")


def trial_limit(tuner: str, max_trials: int | None, space: Space) -> int | None:
    """How many trials a search runs at most; Hyperband itself knows its end.

    Args:
        tuner: kind of the search.
        max_trials: as told; None: the default.
        space: what is searched; of a grid, without ranges.

    Returns:
        1 or more; None where the oracle decides.

    Raises:
        InputError: for a large grid that nobody has asked for.
    """
    if tuner == "hyperband":
        return max_trials
    if tuner != "grid":
        return max_trials or TRIALS
    wanted = max_trials or LARGEST_GRID
    size = sum(1 for _ in zip(range(wanted + 1), space.combinations(), strict=False))
    if size > wanted and max_trials is None:
        raise InputError(
            f"the grid has up to {space.size():,} combinations; narrow it with --space, or say with --max-trials how "
            "many of them to try"
        )
    return min(size, wanted)


def role() -> Literal["alone", "chief", "worker"]:
    """What KerasTuner's environment variables make of this process.

    Returns:
        `alone` where they are not set.

    Raises:
        InputError: if some of them are missing, or the port is no number.
    """
    if not os.environ.get(ORACLE_IP):
        return "alone"
    missing = _missing((TUNER_ID, ORACLE_PORT))
    if missing:
        raise InputError(f"{ORACLE_IP} is set, but not {' and '.join(missing)}; a chief or worker needs all three")
    port = os.environ[ORACLE_PORT]
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise InputError(f"{ORACLE_PORT}: expected a port from 1 to 65535, found '{port}'")
    return "chief" if "chief" in os.environ[TUNER_ID] else "worker"


def chief_address() -> str:
    """Where the chief of this cluster listens."""
    return f"{os.environ[ORACLE_IP]}:{os.environ[ORACLE_PORT]}"


def _missing(names: Sequence[str]) -> list[str]:
    return [name for name in names if not os.environ.get(name)]
