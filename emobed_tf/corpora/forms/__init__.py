"""Forms of tables that tools write: each module knows one by its header, and says what its columns are."""

from collections.abc import Sequence

from emobed_tf.corpora.forms import audformat, muse, nkululeko, omg, openface, opensmile, plain
from emobed_tf.corpora.forms.form import Form

# The first that knows a header has it; `plain` takes every one.
RECOGNISERS = (omg, openface, opensmile, muse, nkululeko, audformat, plain)


def recognise(names: Sequence[str]) -> Form:
    """The form of a table.

    Args:
        names: of its columns, in order.

    Returns:
        What a tool's columns are; `plain.recognise` of a header that no tool is known by.
    """
    return next(form for module in RECOGNISERS if (form := module.recognise(names)))


__all__ = ["RECOGNISERS", "Form", "recognise"]
