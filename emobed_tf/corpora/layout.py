"""What each column of a feature table is: by the tool that wrote it, and by what the user says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emobed_tf.corpora import suspects
from emobed_tf.corpora.columns import NEVER_FEATURES, Columns, check_spelling
from emobed_tf.corpora.corpus import DIMENSIONS
from emobed_tf.corpora.forms import Form, recognise
from emobed_tf.corpora.forms.form import ROLES
from emobed_tf.corpora.identity import renamed
from emobed_tf.errors import InputError
from emobed_tf.settings import Reading

_NUMBERS = ("time",)
_UNIT = {"s": 1.0, "ms": 0.001}
_SAID = tuple(role for role in ROLES if role not in ("video", "utterance"))
_WELL_KNOWN = (*NEVER_FEATURES, "file", "emotion")


@dataclass(frozen=True)
class Layout:
    """What each column of a table is.

    Attributes:
        form: of the table.
        roles: by column: one of `ROLES`, or a dimension. Other columns are features, or are left out.
        columns: how they are read.
        left_out: why, by column that is neither.
        doubtful: those of them that somebody could want: a warning names them.
        seconds: one unit of its times in seconds.
    """

    form: Form
    roles: Mapping[str, str]
    columns: Columns
    left_out: Mapping[str, str]
    doubtful: tuple[str, ...]
    seconds: float

    def has(self, *roles: str) -> bool:
        """Whether a column has one of these roles.

        Args:
            *roles: names.

        Returns:
            True if there is one.
        """
        return any(role in roles for role in self.roles.values())


def layout(
    names: Sequence[str],
    where: str,
    settings: Reading,
    dimension: str,
    *,
    features: Sequence[str] = (),
    left_out: Sequence[str] = (),
) -> Layout:
    """What each column is.

    Args:
        names: of the columns.
        where: file and line of the header, for messages.
        settings: what the user says of them.
        dimension: that is learnt; a column of that name is a label.
        features: columns that are features whatever they are called: those that a model was trained on.
        left_out: columns that are none: those that were left out in training.

    Returns:
        The layout.

    Raises:
        InputError: if a column has the name of another meaning in other letters, or two have the same.
    """
    form = recognise(names)
    roles = {name: role for name, role in form.roles.items() if name not in features}
    dimensions = tuple(dict.fromkeys((*DIMENSIONS, dimension)))
    roles |= {name: name for name in names if name in dimensions and name not in features and name not in roles}
    said = {name: role for name, role in renamed(settings.column).items() if name in names}
    _check_roles(said, (*_SAID, *dimensions), where)
    roles = {name: role for name, role in roles.items() if role not in said.values()} | said
    roles = {name: role for name, role in roles.items() if not suspects.matches(name, settings.ignore)}
    settled = {name for name in names if name in roles or suspects.matches(name, (*settings.ignore, *settings.keep))}
    settled |= set(features)
    check_spelling([name for name in names if name not in settled], _WELL_KNOWN, where)
    present, trained_on = set(names), set(features)
    gone = {name: "not used in training" for name in left_out if name in present}
    doubtful = []
    for name in names:
        if name in roles or name in trained_on or suspects.matches(name, settings.keep):
            gone.pop(name, None)
        elif suspects.matches(name, settings.ignore):
            gone[name] = "--ignore"
        elif name in form.beside:
            gone[name] = f"written beside features by {form.title}"
        elif name in NEVER_FEATURES:
            gone[name] = "never a feature"
        elif (reason := suspects.by_name(name)) and name not in gone:
            gone[name] = reason
            doubtful.append(name)
    _check_measures(form, roles, where)
    measures = tuple(name for name in form.measures if name in gone)
    columns = Columns(
        texts=tuple(name for name, role in roles.items() if role in ROLES and role not in _NUMBERS),
        numbers=(*(name for name, role in roles.items() if role not in ROLES or role in _NUMBERS), *measures),
        ignored=tuple(name for name in gone if name not in measures),
        unclaimed=() if features or settings.labels else _unclaimed(roles),
        featureless="file" in roles.values(),
    )
    seconds = form.seconds if settings.time_unit == "auto" else _UNIT[settings.time_unit]
    return Layout(form, roles, columns, gone, tuple(doubtful), seconds)


def _unclaimed(roles: Mapping[str, str]) -> tuple[str, ...]:
    """What training asks for, or is better with, and no column has."""
    has_label = any(role in ("label", "label_file") or role not in ROLES for role in roles.values())
    return tuple(role for role, found in (("speaker", "speaker" in roles.values()), ("label", has_label)) if not found)


def _check_measures(form: Form, roles: Mapping[str, str], where: str) -> None:
    for name in form.measures:
        if name in roles:
            raise InputError(
                f"{where}: --column {name}={roles[name]}: {form.title} says by it which frames are missing"
            )


def _check_roles(said: Mapping[str, str], known: Sequence[str], where: str) -> None:
    """Checks what the user says of columns: each is something, and no two are the same."""
    columns: dict[str, str] = {}
    for name, role in said.items():
        if role not in known:
            raise InputError(
                f"{where}: --column {name}={role}: expected one of {', '.join(known)}, or what --dimension says"
            )
        if role in columns:
            raise InputError(f"{where}: columns '{columns[role]}' and '{name}' are both to be the {role}; expected one")
        columns[role] = name
