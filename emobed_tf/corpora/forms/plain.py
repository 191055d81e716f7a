"""A table of one's own: columns are called what they are."""

from collections.abc import Sequence

from emobed_tf.corpora.forms.form import ROLES, Form

# What people call a role. The second counts only where the first is not there.
_SYNONYMS = {"id": ("name",), "label": ("emotion",)}


def recognise(names: Sequence[str]) -> Form:
    """Every header is a plain one.

    Args:
        names: of the columns.

    Returns:
        Roles of the columns that are called by them; `name` is the id and `emotion` the label where no other is.
    """
    roles = {name: name for name in names if name in ROLES and name not in ("video", "utterance")}
    for role, others in _SYNONYMS.items():
        known = {"id", "file"} if role == "id" else {role}
        found = [name for name in others if name in names]
        if found and not known & set(names):
            roles[found[0]] = role
    return Form("", roles)
