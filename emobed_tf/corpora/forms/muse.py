"""MuSe (challenge packages): a CSV file per video with `timestamp` in milliseconds and `segment_id`."""

from collections.abc import Sequence

from emobed_tf.corpora.forms import plain
from emobed_tf.corpora.forms.form import Form

_KNOWN_BY = ("timestamp", "segment_id")
_MILLISECOND = 0.001


def recognise(names: Sequence[str]) -> Form | None:
    """Knows MuSe by `timestamp` and `segment_id`. Keys such as id and partition may have been added.

    Args:
        names: of the columns.

    Returns:
        `timestamp` is the time, in milliseconds. None for another header.
    """
    if not set(_KNOWN_BY) <= set(names):
        return None
    roles = dict(plain.recognise(names).roles)
    roles.pop("time", None)
    beside = tuple(name for name in ("segment_id", "time") if name in names)
    return Form("MuSe", {**roles, "timestamp": "time"}, beside, _MILLISECOND, one_recording=True)
