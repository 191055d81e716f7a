"""Names of recordings, speakers and classes: which spellings are the same."""

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np

_WHOLE = re.compile(r"(\d+)(?:\.0*)?")
_PARTITIONS = {
    "train": ("train", "training"),
    "dev": ("dev", "devel", "development", "val", "valid", "validation"),
    "test": ("test",),
}
PARTITION_SPELLINGS = "; ".join(
    f"{name} (or {', '.join(others)})" if others else name for name, (_, *others) in _PARTITIONS.items()
)
"""All that `partition_of` knows, in words."""
_UNKNOWN = ("", "unknown", "unk", "none", "nan", "na", "n/a", "null", "?", "-1")


def identity(name: str) -> str:
    """What a name is compared by: 01, 1 and 1.0 are one, and so are the Unicode spellings of a letter.

    Args:
        name: of a recording or speaker.

    Returns:
        Text that is the same for all spellings of the name.
    """
    whole = _WHOLE.fullmatch(name)
    return whole[1].lstrip("0") or "0" if whole else unicodedata.normalize("NFC", name)


def is_unknown(speaker: str) -> bool:
    """Whether a speaker's name says that nobody knows who it is.

    Args:
        speaker: the name, "" where the cell is empty.

    Returns:
        True for such as `Unknown`.
    """
    return speaker.casefold() in _UNKNOWN


def partition_of(name: str) -> str | None:
    """The partition that a cell names. `eval` is none: some mean development by it, others test.

    Args:
        name: such as `Train`, `devel` or `validation`.

    Returns:
        `train`, `dev` or `test`; None for any other text.
    """
    return next((known for known, spellings in _PARTITIONS.items() if name.casefold() in spellings), None)


class Spellings:
    """Gives every name the spelling in which it came first, over all tables of a data set."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def __call__(self, names: np.ndarray) -> np.ndarray:
        """Names in their first spelling.

        Args:
            names: str `[rows]`.

        Returns:
            The same shape.
        """
        first = {name: self._first.setdefault(identity(name), name) for name in dict.fromkeys(names)}
        if all(name == spelling for name, spelling in first.items()):
            return names
        return np.array([first[name] for name in names], dtype=object)


def class_key(name: str) -> str:
    """What classes are told apart by: two with the same key are one class that is spelt in two ways.

    Args:
        name: of a class.

    Returns:
        The name without blanks around and doubled within, in one case.
    """
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


def renamed(entries: Sequence[str]) -> Mapping[str, str]:
    """`NAME=MEANING` settings as a mapping.

    Args:
        entries: as `Config.check` lets them pass.

    Returns:
        Meaning by name; of doubled names the last.
    """
    return {name: meaning for name, _, meaning in (entry.rpartition("=") for entry in entries)}
