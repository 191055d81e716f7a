"""audformat and opensmile-python: `file`, or `file,start,end`, and then features; times such as 0 days 00:00:01.5."""

from collections.abc import Sequence

from emobed_tf.corpora.forms import plain
from emobed_tf.corpora.forms.form import Form


def recognise(names: Sequence[str]) -> Form | None:
    """Knows audformat by a column `file`.

    Args:
        names: of the columns.

    Returns:
        `file`, `start` and `end` name a segment. None for a header without a `file`, or with an id of its own.
    """
    if "file" not in names or "id" in names:
        return None
    return Form("audformat", plain.recognise(names).roles)
