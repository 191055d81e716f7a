"""openSMILE (SMILExtract): CSV with `name;frameTime;…`, and ARFF with `name`, maybe `frameTime`, and a last `class`."""

from collections.abc import Sequence

from emobed_tf.corpora.forms.form import Form

_TIMES = ("frameTime", "frameIndex")


def recognise(names: Sequence[str]) -> Form | None:
    """Knows openSMILE by `frameTime`, or by a first `name` and a last `class`.

    Args:
        names: of the columns.

    Returns:
        `name` is the id and `frameTime` the time, which says nothing of functionals: there an id has one row.
        `class` is the label where it has values. None for another header.
    """
    first, last = names[0], names[-1]
    if "frameTime" not in names and not (first == "name" and last == "class"):
        return None
    roles = {"frameTime": "time", "name": "id", "id": "id", "class": "label"}
    roles |= {name: name for name in ("partition", "speaker", "label", "start", "end")}
    found = {name: role for name, role in roles.items() if name in names}
    beside = [name for name in _TIMES[1:] if name in names]
    for double, kept in (("name", "id"), ("class", "label")):
        if double in found and kept in names:
            del found[double]
            beside.append(double)
    return Form("openSMILE", found, tuple(beside), one_recording=True, quoted=True, time_may_be_none=True)
