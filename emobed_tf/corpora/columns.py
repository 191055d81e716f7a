"""What the columns of a table are for, and what every header has to keep to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from emobed_tf.corpora.checks import NUMBER
from emobed_tf.corpora.files import listing
from emobed_tf.errors import InputError

MISSING = ("", "?", "NaN", "nan", "NA", "null", "-nan(ind)", "nan(ind)", "1.#QNAN", "-1.#IND")  # the last: Windows
# Columns with these names are never features, whatever reads the table: a label among them would give itself away.
NEVER_FEATURES = ("id", "time", "partition", "speaker", "label", "arousal", "valence")


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are for.

    Attributes:
        texts: columns read as text.
        numbers: columns read as numbers, float64.
        required: those of them that have to be there, each with what to say where it isn't.
        ignored: columns that are not read. All others are features.
        featureless: whether there need be no features, because rows name files.
        unclaimed: what no column has been found for that one of the others may be, such as `speaker`.
    """

    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    required: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    unclaimed: tuple[str, ...] = ()
    featureless: bool = False

    def remedy(self, name: str) -> str:
        """What to do about a column that should hold numbers and doesn't, for the end of a message.

        Args:
            name: of the column.

        Returns:
            Flags that settle it, after a semicolon; "" for a column that has a role, whose cells are to be mended.
        """
        if name in self.numbers:
            return ""
        roles = "".join(f"; if it is the {role}: --column {name}={role}" for role in self.unclaimed)
        return f"{roles}; if it is no feature: --ignore {name}"


Choose = Callable[[Sequence[str], str], Columns]
"""What the columns are for, from the names in a header and the words that say where it is."""


def fixed(columns: Columns) -> Choose:
    """The same columns whatever the header.

    Args:
        columns: what they are for.

    Returns:
        A `Choose` that refuses a header that lacks a required column.
    """

    def choose(names: Sequence[str], where: str) -> Columns:
        check_spelling(names, (*columns.texts, *columns.numbers, *columns.ignored, *NEVER_FEATURES), where)
        for name, remark in columns.required.items():
            if name not in names:
                hint = f"; {remark}" if remark else ""
                if len(names) == 1:
                    hint = "; are the cells separated by semicolons or tabs?"
                raise InputError(f"{where}: no column '{name}'; found {listing(names)}{hint}")
        return columns

    return choose


def check_names(names: Sequence[str], where: str) -> None:
    """Checks that a header names every column once, and that it is a header.

    Args:
        names: of the columns.
        where: file and line of the header, for messages.

    Raises:
        InputError: if it isn't.
    """
    filled = [name for name in names if name]
    if len(filled) > 1 and all(NUMBER.fullmatch(name) for name in filled):
        raise InputError(
            f"{where}: the first line is numbers ({listing(filled, 4)}): is the header missing? expected the names of "
            "the columns"
        )
    seen: set[str] = set()
    for position, name in enumerate(names, start=1):
        if not name and position == len(names) > 2:
            raise InputError(f"{where}: the last column has no name; does every line end in a separator? take it out")
        if not name or name.startswith("Unnamed: "):
            raise InputError(f"{where}: column {position} has no name; is it a pandas index? write with index=False")
        if name in seen:
            raise InputError(f"{where}: column '{name}' a second time (column {position}); expected each name once")
        seen.add(name)


def check_spelling(names: Sequence[str], known: Sequence[str], where: str) -> None:
    """Checks that no column has the name of a known one in other letters, such as `Label`.

    Args:
        names: of the columns.
        known: names with a meaning.
        where: file and line of the header, for messages.

    Raises:
        InputError: at the first that has.
    """
    by_lower = {name.lower(): name for name in known}
    for name in names:
        expected = by_lower.get(name.lower(), name)
        if name != expected and name not in known:
            raise InputError(f"{where}: column '{name}': expected '{expected}' (another name if it is a feature)")


def is_missing(cell: str) -> bool:
    """Whether text stands for a missing value: in a column of numbers it is read as NaN.

    Args:
        cell: without blanks around it.

    Returns:
        True for one of `MISSING`, and for NaN in any case.
    """
    return cell in MISSING or (NUMBER.fullmatch(cell) is not None and cell.lower().lstrip("+-") == "nan")
