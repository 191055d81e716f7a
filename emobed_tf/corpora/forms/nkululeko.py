"""nkululeko: lists of files with an `emotion` and what is known of the speaker, maybe with features."""

from collections.abc import Sequence

from emobed_tf.corpora.forms import audformat
from emobed_tf.corpora.forms.form import Form

_BESIDE = ("gender", "sex", "age", "duration", "class_label", "dataset", "db", "transcription", "text")


def recognise(names: Sequence[str]) -> Form | None:
    """Knows nkululeko by `file`, `emotion`, and a `speaker` or a `gender`.

    Args:
        names: of the columns.

    Returns:
        audformat's roles; `emotion` is the label. None for another header.
    """
    form = audformat.recognise(names)
    if form is None or "emotion" not in names or not {"speaker", "gender"} & set(names):
        return None
    beside = tuple(name for name in _BESIDE if name in names)
    return Form("nkululeko", {**form.roles, "emotion": "label"}, beside)
